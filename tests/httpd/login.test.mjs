// The main job: somebody who is not logged in asks for a protected page, logs in at ProConnect, and gets that page.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectProtected, bindingCookie, sessionCookie } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const ways = [
  { name: 'ES256 and a signed userinfo', client: { alg: 'ES256' } },
  { name: 'ES256 and a plain userinfo', client: { id_token_signed_response_alg: 'ES256' } },
  { name: 'ES256, plain userinfo announced as JSON', client: { id_token_signed_response_alg: 'ES256', userinfo_content_type: 'honest' } },
  { name: 'RS256 and a signed userinfo', client: { alg: 'RS256' } },
  { name: 'RS256 and a plain userinfo', client: { id_token_signed_response_alg: 'RS256' }, config: 'ProConnectUserInfoAlgorithm none' },
  { name: 'HS256 and a signed userinfo', client: { alg: 'HS256' }, config: 'ProConnectSigningAlgorithm HS256' },
  { name: 'HS256 and a plain userinfo', client: { id_token_signed_response_alg: 'HS256' }, config: 'ProConnectSigningAlgorithm HS256' },
  { name: 'ES256 for the token, RS256 for userinfo', client: { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'RS256' }, config: 'ProConnectUserInfoAlgorithm RS256' },
  { name: 'ES256 named in the configuration', client: { alg: 'ES256' }, config: 'ProConnectSigningAlgorithm ES256\n    ProConnectUserInfoAlgorithm ES256' },
];
const refusals = [
  { name: 'an RS256 token where ES256 is configured', client: { alg: 'RS256' }, config: 'ProConnectSigningAlgorithm ES256', code: 'PC3002' },
  { name: 'an HS256 token where nothing is configured', client: { alg: 'HS256' }, config: '', code: 'PC3002' },
  { name: 'a plain userinfo where ES256 is configured', client: { id_token_signed_response_alg: 'ES256' }, config: 'ProConnectUserInfoAlgorithm ES256', code: 'PC3007' },
];

const site = await startSite({ label: 'login', vhosts: [...ways, ...refusals] });
after(() => site.close());

for (const [index, way] of ways.entries()) {
  test(`logs in with ${way.name}`, async () => {
    const { url, origin } = site.vhosts[index];
    const browser = site.browser('agent-etat');
    const page = await browser.login(url('/private/variables.cgi?page=1'));
    const variables = variablesOf(page);
    assert.match(variables.REMOTE_USER, /^[0-9a-f]{64}$/);
    assert.equal(variables.PROCONNECT_SUB, variables.REMOTE_USER);
    assert.equal(variables.PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
    assert.equal(variables.QUERY_STRING, 'page=1');
    assert.equal(page.url, url('/private/variables.cgi?page=1'));
    assert.ok(sessionCookie(browser, origin), 'no session cookie');
  });
}

for (const [offset, refusal] of refusals.entries()) {
  test(`refuses ${refusal.name}`, async () => {
    const { url, origin } = site.vhosts[ways.length + offset];
    const browser = site.browser('agent-etat');
    const answer = await browser.login(url('/private/'));
    assert.equal(answer.status, 503);
    assert.ok(answer.text.includes(refusal.code), `not ${refusal.code}: ${answer.text.match(/PC\d{4}/)?.[0]}`);
    assert.equal(sessionCookie(browser, origin), undefined, 'a session all the same');
  });
}

test('asks ProConnect exactly what it documents, with PKCE', async () => {
  const answer = await site.browser().send(site.url('/private/'));
  const parameters = expectLoginRedirect(site, answer);
  assert.deepEqual([...parameters.keys()].sort(), ['claims', 'client_id', 'code_challenge', 'code_challenge_method', 'nonce', 'redirect_uri', 'response_type', 'scope', 'state']);
  assert.equal(parameters.get('response_type'), 'code');
  assert.equal(parameters.get('client_id'), site.client.client_id);
  assert.equal(parameters.get('redirect_uri'), site.url('/proconnect/callback'));
  assert.equal(parameters.get('scope'), 'openid given_name usual_name email uid siret idp_id organization_label roles');
  assert.equal(parameters.get('code_challenge_method'), 'S256');
  assert.match(parameters.get('code_challenge'), /^[\w-]{43}$/);
  assert.ok(parameters.get('state').length >= 32);
  assert.ok(parameters.get('nonce').length >= 32);
  assert.deepEqual(JSON.parse(parameters.get('claims')), { id_token: { amr: null } }, 'amr comes only when it is asked for');
});

test('proves itself in the body of the token request and nowhere else', async () => {
  await site.browser().login(site.url('/private/'), 'agent-etat');
  const requests = await site.standin.get('requests?endpoint=token');
  const last = requests.at(-1);
  assert.deepEqual([...last.body].sort(), ['client_id', 'client_secret', 'code', 'code_verifier', 'grant_type', 'redirect_uri']);
  assert.equal(last.authorization, undefined);
  assert.equal(last.status, 200);
});

test('two logins share neither state nor nonce nor challenge', async () => {
  const browser = site.browser();
  const [first, second] = [await browser.send(site.url('/private/')), await browser.send(site.url('/private/'))]
    .map((answer) => expectLoginRedirect(site, answer));
  for (const name of ['state', 'nonce', 'code_challenge']) assert.notEqual(first.get(name), second.get(name), name);
});

test('the cookies are HttpOnly, SameSite=Lax, for the host and path as a whole', async () => {
  const browser = site.browser('agent-etat');
  const page = await browser.login(site.url('/private/'));
  const set = page.history.flatMap((answer) => (answer.url.startsWith(site.origin) ? answer.cookies : [])).filter((text) => !/max-age=0/i.test(text));
  assert.ok(set.length >= 2, 'a binding cookie and a session cookie');
  for (const text of set) {
    assert.match(text, /;\s*HttpOnly/i);
    assert.match(text, /;\s*SameSite=Lax/i);
    assert.match(text, /;\s*Path=\/(;|$)/i);
    assert.doesNotMatch(text, /;\s*Domain=/i);
  }
  assert.match(sessionCookie(browser, site.origin).value, /^[\w-]{86}$/);
  assert.deepEqual(browser.refusedCookies, []);
});

test('a session serves every page of the site without ProConnect', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  await site.standin.post('clear-sessions');
  for (const path of ['/private/notice.txt', '/private/image.svg', '/private/variables.cgi']) {
    const answer = await browser.send(site.url(path));
    expectProtected(answer);
    assert.deepEqual(answer.cookies, [], 'a cookie set again at each request');
  }
});

test('a new login gives a new session, and the old one is dead', async () => {
  const browser = site.browser('agent-etat');
  await browser.login(site.url('/private/'));
  const old = sessionCookie(browser, site.origin).value;
  const address = `${site.origin}/private/`;
  const other = site.browser('agent-territorial');
  other.jar.set(address, 'proconnect', old);
  expectProtected(await other.send(address));
  // The same browser logs in again from a login page still open.
  browser.jar.delete('proconnect');
  const callback = await browser.callbackAddress(address, 'agent-etat');
  browser.jar.set(address, 'proconnect', old);
  expectProtected(await browser.open(callback));
  const renewed = sessionCookie(browser, site.origin).value;
  assert.notEqual(renewed, old);
  expectLoginRedirect(site, await other.send(address));
});

test('fifty tabs begin a login and finish in any order', async () => {
  const browser = site.browser();
  const callbacks = [];
  for (let tab = 0; tab < 50; tab += 1) {
    callbacks.push({ tab, address: await browser.callbackAddress(site.url(`/private/variables.cgi?tab=${tab}`), 'agent-etat') });
  }
  const cookies = browser.jar.all(site.url('/')).map(({ name, value }) => `${name}=${value}`).filter((text) => text.startsWith('proconnect'));
  assert.ok(cookies.join('; ').length < 4096, 'the cookies grew');
  assert.equal(cookies.length, 1, 'one binding cookie for all tabs');
  for (const { tab, address } of callbacks.reverse()) {
    const variables = variablesOf(await browser.open(address));
    assert.equal(variables.QUERY_STRING, `tab=${tab}`);
  }
  assert.ok(bindingCookie(browser, site.origin));
});

test('a login survives a full restart of the server between leaving and coming back', async () => {
  const browser = site.browser();
  const callback = await browser.callbackAddress(site.url('/private/variables.cgi?kept=1'), 'agent-etat');
  await site.apache.restart();
  assert.equal(variablesOf(await browser.open(callback)).QUERY_STRING, 'kept=1');
});

test('nothing alarming is left in the logs', () => site.close());
