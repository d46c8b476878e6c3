// Callbacks that are good for nothing, and cookies that do not come back: one fresh login, a page in the end, never a loop.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bindingCookie, expectErrorPage, expectLoginRedirect, expectMachineRefusal, expectProtected, sessionCookie } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'dead-ends', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const page = (query) => site.url(`/private/variables.cgi?${query}`);
const callback = (query = '') => site.url(`/proconnect/callback${query}`);
const toProvider = (answer) => (answer.headers.location ?? '').startsWith(`${site.standin.issuer}/authorize?`);
const loginsOf = (answer) => answer.history.filter(toProvider).length;

/** Throws these cookies away as soon as they come. */
function forgetting(browser, ...names) {
  const send = browser.send.bind(browser);
  browser.send = async (...args) => {
    const answer = await send(...args);
    for (const name of names) browser.jar.delete(name);
    return answer;
  };
  return browser;
}

test('with all cookies refused the user is told so, after three logins at most', async () => {
  const last = await forgetting(site.browser('agent-etat'), 'proconnect', 'proconnect-login').open(page('a=1'));
  expectErrorPage(site, last, { status: 400, code: 'PC1007' });
  assert.ok(loginsOf(last) <= 3, `${loginsOf(last)} logins`);
  assert.match(last.text, /cookies/);
  assert.ok(last.text.includes(encodeURIComponent('/private/variables.cgi?a=1')), 'the page asked for is lost');
});

test('with the session cookie alone refused the user is told so, though every login succeeds', async () => {
  const browser = forgetting(site.browser('agent-etat'), 'proconnect');
  const last = await browser.open(page('a=2'));
  expectErrorPage(site, last, { status: 400, code: 'PC1007' });
  assert.ok(loginsOf(last) <= 2, `${loginsOf(last)} logins`);
  const again = await browser.open(page('a=2'));
  expectErrorPage(site, again, { status: 400, code: 'PC1007' });
});

test('sessions that are lost as soon as they are made end on a page', async () => {
  const browser = site.browser('agent-etat');
  const dead = Buffer.alloc(64, 9).toString('base64url');
  const send = browser.send.bind(browser);
  browser.send = async (...args) => {
    const answer = await send(...args);
    if (sessionCookie(browser, site.origin)) browser.jar.set(site.url('/'), 'proconnect', dead);
    return answer;
  };
  const last = await browser.open(page('a=3'));
  expectErrorPage(site, last, { status: 400, code: 'PC1008' });
  assert.ok(loginsOf(last) <= 3, `${loginsOf(last)} logins`);
});

test('once the cookies are allowed again, the button of that page leads where the user wanted to go', async () => {
  const browser = site.browser('agent-etat');
  const { send } = browser;
  const last = await forgetting(browser, 'proconnect').open(page('a=4'));
  browser.send = send;
  const button = /class="button" href="([^"]*)"/.exec(last.text)[1].replaceAll('&amp;', '&');
  assert.equal(variablesOf(await browser.open(site.url(button), { from: last.url })).QUERY_STRING, 'a=4');
});

test('the back button to a callback whose session is over logs in again and reaches the page, and the code is not sent twice', async () => {
  const browser = site.browser('agent-etat');
  const address = await browser.callbackAddress(page('back=1'));
  await browser.open(address);
  const before = (await site.standin.get('requests?endpoint=token')).length;
  browser.jar.set(site.url('/'), 'proconnect', Buffer.alloc(64, 3).toString('base64url'));
  const again = await browser.open(address);
  assert.equal(variablesOf(again).QUERY_STRING, 'back=1');
  assert.equal((await site.standin.get('requests?endpoint=token')).length, before + 1);
});

test("another browser's callback begins a login of one's own, to a page of this site", async () => {
  const address = await site.browser('agent-territorial').callbackAddress(page('theirs=1'));
  const victim = site.browser('agent-etat');
  const last = await victim.open(address, { fetchSite: 'cross-site' });
  assert.equal(variablesOf(last).PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
});

test('a callback without use leads a browser with a session to the start, and its session stays', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.open(site.url('/private/')));
  const { value } = sessionCookie(browser, site.origin);
  for (const query of ['', '?code=a&state=b', '?state=a&state=b', `?code=a&state=${'A'.repeat(200)}`]) {
    const answer = await browser.send(callback(query));
    assert.equal(answer.status, 302);
    assert.equal(new URL(answer.headers.location, site.origin).pathname, '/');
  }
  assert.equal(sessionCookie(browser, site.origin).value, value);
});

test('a bookmark of the callback logs in and ends at the start of the site', async () => {
  const last = await site.browser('agent-etat').open(callback());
  assert.equal(last.status, 200);
  assert.equal(last.url, site.url('/'));
});

test('a refusal at ProConnect is never sent round again, whatever else is wrong with the answer', async () => {
  for (const query of ['?error=access_denied&state=unknown', '?error=access_denied', '?error=access_denied&error=access_denied', '?error=login_required&state=x']) {
    const answer = await site.browser('agent-etat').send(callback(query));
    assert.ok(!answer.headers.location, query);
    assert.ok(answer.status >= 400 && answer.status < 500, query);
    assert.match(answer.text, /class="button"/);
  }
});

test('nothing begins for requests that cannot come back', async () => {
  const browser = site.browser('agent-etat');
  for (const headers of [{ 'sec-purpose': 'prefetch' }, { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' }, { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' }]) {
    for (const address of [callback('?code=a&state=b'), site.url('/proconnect/login'), site.url('/proconnect/login?reauth'), page('x=1')]) {
      expectMachineRefusal(await browser.send(address, { headers }));
    }
  }
  for (const method of ['HEAD', 'OPTIONS']) assert.ok(!(await browser.send(page('x=2'), { method, navigation: false })).headers.location, method);
  assert.equal(bindingCookie(browser, site.origin), undefined);
});

test('fifty tabs, finished in any order, all reach their page and the cookies stay small', async () => {
  const browser = site.browser('agent-etat');
  const addresses = [];
  for (let tab = 0; tab < 50; tab += 1) {
    const login = await browser.send(page(`tab=${tab}`));
    expectLoginRedirect(site, login);
    addresses.push(login.headers.location);
  }
  for (const index of [37, 0, 49, 12]) assert.equal(variablesOf(await browser.open(addresses[index])).QUERY_STRING, `tab=${index}`);
  assert.ok(browser.jar.header(new URL(page(''))).length < 512);
});

test('two accounts in turn: the newer one wins in that browser', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.open(site.url('/private/')));
  const switched = await browser.send(site.url('/proconnect/login?switch&return=/private/variables.cgi'), { from: site.url('/private/') });
  browser.persona = 'agent-territorial';
  const last = await browser.open(switched.headers.location);
  assert.notEqual(variablesOf(last).PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
});

test('nothing alarming is left in the logs', () => site.close());
