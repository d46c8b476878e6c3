// The callback in wrong hands: unknown, foreign, repeated, stale and missing answers. None of them makes a session.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectProtected, sessionCookie, bindingCookie } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'callback', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const callback = (query) => site.url(`/proconnect/callback${query === undefined ? '' : `?${query}`}`);

async function tokenRequests() {
  return (await site.standin.get('requests?endpoint=token')).length;
}

function noSession(browser) {
  assert.equal(sessionCookie(browser, site.origin), undefined, 'a session was made');
}

/** What a callback that cannot be used may do: begin one fresh login, show the page with its button, or go to the start; never a session. */
async function expectHarmless(browser, address, options) {
  const before = await tokenRequests();
  const answer = await browser.send(address, options);
  noSession(browser);
  assert.equal(await tokenRequests(), before, 'a code was redeemed');
  if (answer.status === 302 || answer.status === 303) {
    const target = new URL(answer.headers.location, site.origin).href;
    assert.ok(target.startsWith(`${site.standin.issuer}/authorize?`) || target.startsWith(`${site.origin}/`), target);
  } else {
    expectErrorPage(site, answer, { status: answer.status, code: /PC1\d{3}/ });
    assert.ok(answer.status >= 400 && answer.status < 500);
  }
  return answer;
}

const garbage = 'A'.repeat(200);
for (const [name, query] of [
  ['no query at all', undefined],
  ['an empty query', ''],
  ['a code without state', `code=${garbage}`],
  ['an unknown state', `code=${garbage}&state=${garbage}`],
  ['an empty state', `code=${garbage}&state=`],
  ['a state of 7000 characters', `code=${garbage}&state=${'B'.repeat(7000)}`],
  ['a state with bytes that are no base64url', `code=${garbage}&state=%00%ff%0d%0a`],
  ['a state repeated', `code=${garbage}&state=${garbage}&state=${garbage}`],
  ['a code repeated', `code=${garbage}&code=${garbage}&state=${garbage}`],
  ['a broken escape', `code=%zz&state=${garbage}`],
  ['two hundred parameters', Array.from({ length: 200 }, (_, index) => `p${index}=1`).join('&')],
  ['an error with an unknown state', `error=access_denied&state=${garbage}`],
]) {
  test(`a callback with ${name} makes no session`, () => expectHarmless(site.browser(), callback(query)));
}

test('a truncated state makes no session and redeems no code', async () => {
  const browser = site.browser();
  const address = await browser.callbackAddress(site.url('/private/'), 'agent-etat');
  const url = new URL(address);
  url.searchParams.set('state', url.searchParams.get('state').slice(0, -5));
  await expectHarmless(browser, url.href);
});

test('a state changed in one character makes no session', async () => {
  const browser = site.browser();
  const url = new URL(await browser.callbackAddress(site.url('/private/'), 'agent-etat'));
  const state = url.searchParams.get('state');
  for (const at of [0, Math.floor(state.length / 2), state.length - 2]) {
    const changed = state.slice(0, at) + (state[at] === 'A' ? 'B' : 'A') + state.slice(at + 1);
    url.searchParams.set('state', changed);
    await expectHarmless(browser, url.href);
  }
});

test('a real callback whose state is repeated makes no session', async () => {
  const browser = site.browser();
  const address = await browser.callbackAddress(site.url('/private/'), 'agent-etat');
  const state = new URL(address).searchParams.get('state');
  await expectHarmless(browser, `${address}&state=${encodeURIComponent(state)}`);
});

test("another browser's callback is never redeemed here (login CSRF)", async () => {
  const attacker = site.browser();
  const address = await attacker.callbackAddress(site.url('/private/'), 'agent-territorial');
  await expectHarmless(site.browser(), address);
  const victimWithBinding = site.browser();
  await victimWithBinding.send(site.url('/private/'));
  assert.ok(bindingCookie(victimWithBinding, site.origin));
  await expectHarmless(victimWithBinding, address);
});

test("another browser's callback does not change who is logged in", async () => {
  const attacker = site.browser();
  const address = await attacker.callbackAddress(site.url('/private/'), 'agent-territorial');
  const victim = site.browser('agent-etat');
  expectProtected(await victim.login(site.url('/private/')));
  await victim.send(address);
  assert.equal(variablesOf(await victim.send(site.url('/private/variables.cgi'))).PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
});

test('a callback that lost its binding cookie never loops: a login or two, then a page with one button', async () => {
  const browser = site.browser('agent-etat');
  const original = browser.send.bind(browser);
  browser.send = (...args) => { browser.jar.delete('proconnect-login'); return original(...args); };
  const last = await browser.open(site.url('/private/'));
  noSession(browser);
  expectErrorPage(site, last, { status: 400, code: /PC10(04|07|08)/ });
  const logins = last.history.filter(({ headers }) => headers.location?.startsWith(`${site.standin.issuer}/authorize?`));
  assert.ok(logins.length <= 3, `${logins.length} logins in a row`);
});

test('a state that cannot be read begins at most two fresh logins in a row', async () => {
  const browser = site.browser('agent-etat');
  const statuses = [];
  for (let visit = 0; visit < 4; visit += 1) statuses.push((await browser.send(callback(`code=${garbage}&state=${garbage}`))).status);
  assert.ok(statuses.filter((status) => status === 302).length <= 2, statuses.join(' '));
});

test('the callback visited twice leads to the page when the session lives', async () => {
  const browser = site.browser();
  const address = await browser.callbackAddress(site.url('/private/variables.cgi?twice=1'), 'agent-etat');
  variablesOf(await browser.open(address));
  const session = sessionCookie(browser, site.origin).value;
  const before = await tokenRequests();
  const again = await browser.open(address);
  assert.equal(variablesOf(again).QUERY_STRING, 'twice=1');
  assert.equal(sessionCookie(browser, site.origin).value, session);
  assert.equal(await tokenRequests(), before, 'the code was sent a second time');
});

test('the callback visited twice begins a fresh login when the session is gone', async () => {
  const browser = site.browser();
  const address = await browser.callbackAddress(site.url('/private/variables.cgi?twice=2'), 'agent-etat');
  await browser.open(address);
  browser.jar.delete('proconnect');
  const again = await browser.open(address);
  assert.ok(again.history.length <= 8);
  if (again.status === 200) assert.equal(variablesOf(again).QUERY_STRING, 'twice=2');
  else expectErrorPage(site, again, { status: 400, code: /PC(1\d{3}|2021)/ });
});

test('an answer that names another provider is refused (mix-up)', async () => {
  const browser = site.browser();
  const url = new URL(await browser.callbackAddress(site.url('/private/'), 'agent-etat'));
  url.searchParams.set('iss', 'https://other.example/api/v2');
  const before = await tokenRequests();
  expectErrorPage(site, await browser.send(url.href), { status: 400, code: 'PC3040' });
  assert.equal(await tokenRequests(), before);
  noSession(browser);
});

test('an answer that does not name its provider is refused', async () => {
  const browser = site.browser();
  const url = new URL(await browser.callbackAddress(site.url('/private/'), 'agent-etat'));
  url.searchParams.delete('iss');
  const answer = await browser.send(url.href);
  noSession(browser);
  expectErrorPage(site, answer, { status: 400, code: 'PC3040' });
});

test('a code that somebody else redeemed first is refused', async () => {
  const browser = site.browser();
  const address = await browser.callbackAddress(site.url('/private/'), 'agent-etat');
  const url = new URL(address);
  url.searchParams.set('code', `${url.searchParams.get('code').slice(0, -4)}AAAA`);
  expectErrorPage(site, await browser.send(url.href), { status: 400, code: 'PC2021' });
  noSession(browser);
});

test('a planted session cookie is never adopted (fixation)', async () => {
  const planted = Buffer.alloc(64, 7).toString('base64url');
  const browser = site.browser('agent-etat');
  browser.jar.set(site.url('/'), 'proconnect', planted);
  expectProtected(await browser.login(site.url('/private/')));
  assert.notEqual(sessionCookie(browser, site.origin).value, planted);
  const attacker = site.browser();
  attacker.jar.set(site.url('/'), 'proconnect', planted);
  expectLoginRedirect(site, await attacker.send(site.url('/private/')));
});

test('bookmarks of the login and the callback are no errors', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  for (const path of ['/proconnect/callback', '/proconnect/login']) {
    const answer = await browser.open(site.url(path));
    assert.ok(answer.status === 200, `${path}: ${answer.status}`);
    assert.ok(answer.url.startsWith(site.origin));
  }
});

test('the callback answers GET only', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await site.browser().send(callback(`code=${garbage}&state=${garbage}`), { method });
    assert.ok(answer.status >= 400 && answer.status < 500, `${method}: ${answer.status}`);
  }
});

test('an unknown page below the prefix is told as such', async () => {
  const answer = await site.browser().send(site.url('/proconnect/nothing-here'));
  expectErrorPage(site, answer, { status: 404, code: 'PC1011' });
});

test('nothing alarming is left in the logs', () => site.close());
