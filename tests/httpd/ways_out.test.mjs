// The options of a logout: the application's link, its cookies, an address to end at, another account, and asking again.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { expectLoginRedirect, expectProtected, sessionCookie } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({
  label: 'ways-out',
  vhosts: [
    { client: { alg: 'ES256' }, config: 'ProConnectLogoutCookies PHPSESSID JSESSIONID@/private\n    ProConnectLogoutClear cache storage' },
    { client: { alg: 'ES256' }, config: 'ProConnectLogout local\n    ProConnectLogoutClear off' },
  ],
});
after(() => site.close());
const page = site.url('/private/variables.cgi');

async function loggedIn(vhost = site.vhosts[0]) {
  const browser = site.browser('agent-etat');
  const variables = variablesOf(await browser.login(vhost.url('/private/variables.cgi')));
  return { browser, variables, cookie: sessionCookie(browser, vhost.origin).value };
}

async function isDead(cookie) {
  const thief = site.browser();
  thief.jar.set(page, 'proconnect', cookie);
  return (await thief.send(page)).status === 302;
}

test('the link given to the application logs out, wherever the browser says it stands', async () => {
  for (const options of [{}, { from: page }, { headers: { 'sec-fetch-site': [], 'sec-fetch-mode': [], 'sec-fetch-dest': [] } }, { fetchSite: 'same-site' }]) {
    const { browser, variables, cookie } = await loggedIn();
    assert.match(variables.PROCONNECT_LOGOUT_URL, /^\/proconnect\/logout\?token=[\w-]{22}$/);
    const answer = await browser.send(site.url(variables.PROCONNECT_LOGOUT_URL), options);
    assert.equal(answer.status, 303);
    assert.ok(answer.headers.location.startsWith(`${site.standin.issuer}/session/end?`));
    assert.ok(await isDead(cookie));
  }
});

test("another session's link, a changed one and none ask first", async () => {
  const other = (await loggedIn()).variables.PROCONNECT_LOGOUT_URL;
  const { browser, variables } = await loggedIn();
  for (const link of [other, variables.PROCONNECT_LOGOUT_URL.slice(0, -1), '/proconnect/logout?token=', '/proconnect/logout']) {
    const answer = await browser.send(site.url(link));
    assert.equal(answer.status, 200, link);
    assert.match(answer.text, /<form[^>]* method="?post/i);
  }
  for (const headers of [{ 'sec-purpose': 'prefetch' }, { 'sec-fetch-dest': 'image' }]) {
    assert.equal((await browser.send(site.url(variables.PROCONNECT_LOGOUT_URL), { headers })).status, 200);
  }
  expectProtected(await browser.send(page));
});

test('the session page gives the link to scripts', async () => {
  const { browser, variables } = await loggedIn();
  const answer = await browser.fetch(site.url('/proconnect/session'), { from: page });
  assert.equal(JSON.parse(answer.text).logout_url, variables.PROCONNECT_LOGOUT_URL);
});

test("the application's cookies are cleared and the browser is asked to forget", async () => {
  const { browser, variables } = await loggedIn();
  const answer = await browser.send(site.url(variables.PROCONNECT_LOGOUT_URL));
  assert.ok(answer.cookies.some((line) => /^PHPSESSID=; Path=\/; Max-Age=0/.test(line)));
  assert.ok(answer.cookies.some((line) => /^JSESSIONID=; Path=\/private; Max-Age=0/.test(line)));
  assert.equal(answer.headers['clear-site-data'], '"cache", "storage"');
});

test('the refresh token is revoked at ProConnect', async () => {
  // A server of its own: the revocations of the logouts before come behind their answers, and would be counted here.
  const own = await startSite({ label: 'revocation', vhosts: [{ client: { alg: 'ES256' } }] });
  try {
    const revocations = () => own.standin.get('requests?endpoint=revocation');
    const browser = own.browser('agent-etat');
    const variables = variablesOf(await browser.login(own.url('/private/variables.cgi')));
    assert.equal((await revocations()).length, 0);
    await browser.send(own.url(variables.PROCONNECT_LOGOUT_URL));
    for (let turn = 0; turn < 80 && (await revocations()).length === 0; turn += 1) await wait(50);
    const seen = await revocations();
    assert.equal(seen.length, 1);
    assert.equal(seen[0].status, 200);
    assert.equal(seen[0].token_type_hint, 'refresh_token');
  } finally {
    await own.close();
  }
});

test('a logout ends at a local address that was asked for, and at no other', async () => {
  const { browser } = await loggedIn();
  const last = await browser.open(site.url('/proconnect/logout?return=/index.html'), { from: page });
  assert.equal(last.url, site.url('/index.html'));
  for (const evil of ['//evil.example', 'https://evil.example/', '/%5Cevil.example', '/%0d%0aX:1']) {
    const { browser: again } = await loggedIn();
    const end = await again.open(site.url(`/proconnect/logout?return=${encodeURIComponent(evil)}`), { from: page });
    assert.ok(end.url.startsWith(`${site.origin}/proconnect/logged-out`), evil);
  }
});

test('the page that asks keeps where the logout is to end', async () => {
  const { browser } = await loggedIn();
  const question = await browser.send(site.url('/proconnect/logout?return=/index.html&local'));
  const action = /action="([^"]*)"/.exec(question.text)[1].replaceAll('&amp;', '&');
  const answer = await browser.send(site.url(action), { method: 'POST', from: question.url, body: '' });
  assert.equal(answer.status, 303);
  assert.equal(new URL(answer.headers.location, site.origin).href, site.url('/index.html'));
});

test('the page that asks says which sessions it is about', async () => {
  const [both, local] = site.vhosts;
  for (const [address, what] of [[both.url('/proconnect/logout'), /sur ce service et sur ProConnect/], [both.url('/proconnect/logout?local'), /Celle de ProConnect reste ouverte/], [local.url('/proconnect/logout'), /Celle de ProConnect reste ouverte/]]) {
    assert.match((await site.browser().send(address)).text, what, address);
  }
});

test("a local logout leaves ProConnect's session alone", async () => {
  const [, local] = site.vhosts;
  const { browser } = await loggedIn(local);
  const answer = await browser.send(local.url('/proconnect/logout'), { from: local.url('/private/') });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /déconnecté/);
  assert.equal(answer.headers['clear-site-data'], undefined);
  assert.equal(sessionCookie(browser, local.origin), undefined);
  const { browser: second, cookie } = await loggedIn();
  assert.equal((await second.send(site.url('/proconnect/logout?local'), { from: page })).status, 200);
  assert.ok(await isDead(cookie));
});

test('another account: out here and at ProConnect, then a fresh login and back to the page', async () => {
  const { browser, cookie } = await loggedIn();
  const first = await browser.send(site.url('/proconnect/login?switch&return=/private/variables.cgi'), { from: page });
  assert.ok(first.headers.location.startsWith(`${site.standin.issuer}/session/end?`));
  assert.ok(await isDead(cookie));
  browser.persona = 'agent-territorial';
  const last = await browser.open(first.headers.location);
  assert.notEqual(variablesOf(last).PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
});

test('another account is no business of other sites', async () => {
  for (const options of [{ fetchSite: 'cross-site' }, { fetchSite: 'same-site' }, { headers: { 'sec-fetch-site': [] } }]) {
    const { browser } = await loggedIn();
    const answer = await browser.send(site.url('/proconnect/login?switch'), options);
    assert.equal(new URL(answer.headers.location, site.origin).href, site.url('/'));
    expectProtected(await browser.send(page));
  }
});

test('prove it again: ProConnect is asked to ask, and the time of it is fresh', async () => {
  const { browser, variables } = await loggedIn();
  await wait(1100);
  const answer = await browser.send(site.url('/proconnect/login?reauth&return=/private/variables.cgi'), { from: page });
  assert.equal(expectLoginRedirect(site, answer).get('prompt'), 'login');
  const renewed = variablesOf(await browser.open(answer.headers.location));
  assert.ok(Number(renewed.PROCONNECT_AUTH_TIME) > Number(variables.PROCONNECT_AUTH_TIME));
  assert.notEqual(renewed.PROCONNECT_SESSION, variables.PROCONNECT_SESSION);
});

test('after a logout the next visit logs in without being taken for a loop', async () => {
  const { browser } = await loggedIn();
  await browser.open(site.url('/proconnect/logout'), { from: page });
  browser.persona = 'agent-etat';
  expectProtected(await browser.open(page));
});

test('nothing alarming is left in the logs', () => site.close());
