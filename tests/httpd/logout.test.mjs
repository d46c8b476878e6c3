// Logging out ends the session here, then at ProConnect; nobody else can do it for the user.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectProtected, sessionCookie } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'logout', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const page = site.url('/private/');
const logout = site.url('/proconnect/logout');

async function loggedIn() {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(page));
  return browser;
}

/** The old cookie opens nothing any more, even put back by hand. */
async function expectDead(cookie) {
  const thief = site.browser();
  thief.jar.set(page, 'proconnect', cookie);
  expectLoginRedirect(site, await thief.send(page));
}

test('the link on the site logs out here and at ProConnect, and ends on our page', async () => {
  const browser = await loggedIn();
  const { value } = sessionCookie(browser, site.origin);
  const last = await browser.open(logout, { from: page });
  assert.equal(last.status, 200);
  assert.equal(new URL(last.url).pathname, '/proconnect/logged-out');
  assert.match(last.text, /déconnecté/);
  assert.equal(sessionCookie(browser, site.origin), undefined, 'the cookie is still there');
  await expectDead(value);
  const [first] = last.history;
  assert.ok([302, 303].includes(first.status));
  assert.match(first.headers['cache-control'], /no-store/);
});

test('ProConnect is given id_token_hint, a long state and the registered address, and its own session ends', async () => {
  const browser = await loggedIn();
  const answer = await browser.send(logout, { from: page });
  const target = new URL(answer.headers.location);
  assert.equal(target.origin + target.pathname, `${site.standin.issuer}/session/end`);
  assert.match(target.searchParams.get('id_token_hint'), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.equal(target.searchParams.get('post_logout_redirect_uri'), site.url('/proconnect/logged-out'));
  assert.ok(target.searchParams.get('state').length >= 32);
  await browser.open(target.href);
  const nobody = Object.assign(site.browser(), { jar: browser.jar });
  const again = await nobody.open(page);
  assert.notEqual(again.url, page, 'ProConnect logged the user in again by itself');
});

test('a POST of the site logs out', async () => {
  const browser = await loggedIn();
  const { value } = sessionCookie(browser, site.origin);
  const answer = await browser.send(logout, { method: 'POST', from: page, body: '' });
  assert.ok([302, 303].includes(answer.status), `${answer.status}`);
  await expectDead(value);
});

for (const [name, options] of [
  ['a link on another site', { fetchSite: 'cross-site' }],
  ['a link on another host of the same domain', { fetchSite: 'same-site' }],
  ['an image on another site', { fetchSite: 'cross-site', navigation: false }],
  ['an address typed or a bookmark', {}],
  ['a browser that says nothing', { headers: { 'sec-fetch-site': [], 'sec-fetch-mode': [], 'sec-fetch-dest': [] } }],
]) {
  test(`GET by ${name} asks first and changes nothing`, async () => {
    const browser = await loggedIn();
    const answer = await browser.send(logout, options);
    assert.ok(answer.status !== 302 && answer.status !== 303, `${answer.status}`);
    expectProtected(await browser.send(page));
    if (options.navigation !== false && options.fetchSite !== 'cross-site') assert.match(answer.text, /<form[^>]* method="?post/i);
  });
}

for (const [name, headers] of [
  ['a form on another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['a form on another site, in an old browser', { 'sec-fetch-site': [], origin: 'https://evil.example' }],
  ['a form in a sandbox', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
  ['a form on another port', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }],
]) {
  test(`POST by ${name} has no effect`, async () => {
    const browser = await loggedIn();
    const cookie = browser.jar.header(new URL(page));
    const answer = await browser.send(logout, { method: 'POST', headers: { ...headers, cookie }, body: '' });
    assert.ok(![302, 303].includes(answer.status), `${answer.status}`);
    expectProtected(await browser.send(page));
  });
}

test('the form of the confirmation page logs out', async () => {
  const browser = await loggedIn();
  const { value } = sessionCookie(browser, site.origin);
  const question = await browser.send(logout);
  const action = /<form[^>]* action="([^"]*)"/i.exec(question.text)?.[1] ?? '/proconnect/logout';
  const fields = [...question.text.matchAll(/<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"/g)].map(([, name, text]) => [name, text]);
  const answer = await browser.send(new URL(action, site.origin).href, {
    method: 'POST', from: logout, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString(),
  });
  assert.ok([302, 303].includes(answer.status), `${answer.status}`);
  await expectDead(value);
});

test('logging out without a session is no error and goes nowhere else', async () => {
  const answer = await site.browser().open(logout, { from: page });
  assert.ok(answer.status < 400, `${answer.status}`);
  assert.ok(answer.url.startsWith(site.origin) || answer.url.startsWith(site.standin.issuer));
});

test('the local session ends even when ProConnect is away', async () => {
  const browser = await loggedIn();
  const { value } = sessionCookie(browser, site.origin);
  await site.standin.stop();
  const answer = await browser.send(logout, { from: page });
  assert.ok(answer.status < 500, `${answer.status}`);
  await site.standin.restart();
  await expectDead(value);
});

test('logged-out can be visited by anybody with anything in its query', async () => {
  for (const query of ['', '?state=', `?state=${'x'.repeat(200)}`, '?state=a&state=b', '?state=%zz', '?error=server_error']) {
    const answer = await site.browser().send(site.url(`/proconnect/logged-out${query}`));
    assert.ok(answer.status < 500, `${query}: ${answer.status}`);
    assert.ok(!answer.text.includes('x'.repeat(200)));
  }
});

test('one browser logging out leaves the other alone', async () => {
  const [one, two] = [await loggedIn(), await loggedIn()];
  await one.open(logout, { from: page });
  expectProtected(await two.send(page));
});

test('an image in a page of the site logs nobody out in a browser that does not say what it loads', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  const silent = { 'sec-fetch-site': [], 'sec-fetch-mode': [], 'sec-fetch-dest': [], 'sec-fetch-user': [], referer: site.url('/private/') };
  const answer = await browser.send(site.url('/proconnect/logout'), { headers: silent });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /<form method="post"/);
  expectProtected(await browser.send(site.url('/private/')));
});

test('nothing alarming is left in the logs', () => site.close());
