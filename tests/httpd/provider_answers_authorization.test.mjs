// What comes back through the browser: errors that name their issuer as ProConnect's always do, and answers that name the wrong one or none.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { expectRefusal, loginRefused, loginWorks } from '../support/refusal.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'answers-authorization', vhosts: [{ client: { alg: 'ES256' } }] });
const quiet = await wrong.MisbehavingProvider.start();
quiet.on('discovery', wrong.withMembers({ authorization_response_iss_parameter_supported: undefined }));
const silent = await startProviderSites({ label: 'answers-authorization-silent', hosts: { one: { provider: quiet } } });
after(async () => { await site.close(); await silent.close(); });
beforeEach(() => site.standin.post('tamper', { target: 'authorize', times: 0 }));
const tamper = (rule) => site.standin.post('tamper', { target: 'authorize', times: 1, ...rule });
const madeUp = randomBytes(32).toString('base64url');
const tokenRequests = async () => (await site.standin.get('requests?endpoint=token')).length;

/** Refused, and no code was sent to the token endpoint. */
async function refusedUnredeemed(expected) {
  const before = await tokenRequests();
  const line = await loginRefused(site, expected);
  assert.equal(await tokenRequests(), before, 'a code was redeemed');
  return line;
}

for (const [persona, code, status] of [
  ['erreur-access-denied', 'PC2040', 403], ['erreur-login-required', 'PC2041', 401], ['erreur-invalid-scope', 'PC2042', 503], ['erreur-invalid-request', 'PC2043', 503],
  ['erreur-server-error', 'PC2044', 503], ['erreur-temporarily-unavailable', 'PC2045', 503], ['erreur-unsupported-response-type', 'PC2046', 503],
]) {
  test(`an error that carries iss is an error like any other: ${persona}`, () => refusedUnredeemed({ persona, code, status }));
  test(`an error of another issuer is not believed: ${persona}`, async () => {
    await tamper({ set: { iss: 'https://evil.example/api/v2' } });
    await refusedUnredeemed({ persona, code: 'PC3040', status: 400 });
  });
}

test('an error code nobody knows is told as such', async () => {
  await tamper({ set: { error: 'consent_required' } });
  assert.match(await refusedUnredeemed({ persona: 'abandon', code: 'PC2047' }), /consent_required/);
});

test('an error with a long description full of line breaks and HTML: one line in the log, nothing of it on the page', async () => {
  await tamper({ set: { error_description: `${'<script>alert(1)</script>\r\n[error] forged '.repeat(80)}` } });
  const browser = site.browser('abandon');
  const answer = await browser.login(site.url('/private/'));
  const line = expectRefusal(site, browser, answer, { code: 'PC2040', status: 403 });
  assert.ok(line.length < 1500);
  assert.ok(!answer.text.includes('<script>'));
  assert.doesNotMatch(site.apache.errorLog(), /^\[error\] forged/m);
});

test('a level that could not be had is told as such', async () => {
  await tamper({ set: { error_description: 'authentication failed: none of the requested ACRs could not be satisfied' } });
  const browser = site.browser('abandon');
  const answer = await browser.login(site.url('/private/'));
  expectRefusal(site, browser, answer, { code: 'PC2048', status: 403 });
  assert.match(answer.text, /authentification plus forte/);
});

for (const [name, rule, code] of [
  ['iss of another provider', { set: { iss: 'https://evil.example/api/v2' } }, 'PC3040'],
  ['iss ours with a slash more', { set: { iss: `${site.standin.issuer}/` } }, 'PC3040'],
  ['iss empty', { set: { iss: '' } }, 'PC3040'],
  ['no iss, which discovery announces', { remove: ['iss'] }, 'PC3040'],
  ['iss twice', { set: { iss: [site.standin.issuer, site.standin.issuer] } }, 'PC1005'],
  ['code twice', { set: { code: [madeUp, madeUp] } }, 'PC1005'],
  ['an error twice', { set: { error: ['access_denied', 'server_error'] }, remove: ['code'] }, 'PC1005'],
  ['both a code and an error', { set: { error: 'access_denied' } }, 'PC1006'],
  ['neither a code nor an error', { remove: ['code'] }, 'PC1006'],
  ['an empty code', { set: { code: '' } }, 'PC1006'],
]) {
  test(`refused: ${name}`, async () => {
    await tamper(rule);
    await refusedUnredeemed({ code, status: 400 });
  });
}

for (const [name, code] of [['made up', madeUp], ['of 5 000 characters', randomBytes(3750).toString('base64url')], ['with odd characters', 'a&b=c+d%25/é"<>']]) {
  test(`refused: a code ${name}`, async () => {
    await tamper({ set: { code } });
    await loginRefused(site, { code: 'PC2021', status: 400 });
  });
}

test('accepted: parameters that nobody knows, and session_state', async () => {
  await tamper({ set: { session_state: 'x.y', utm_source: 'mail', scope: 'openid', expires_in: '3600', token_type: 'Bearer' } });
  await loginWorks(site);
});

test('never used: tokens in the answer itself', async () => {
  await tamper({ set: { id_token: 'eyJhbGciOiJub25lIn0.e30.', access_token: 'mine', token_type: 'Bearer' }, remove: ['code'] });
  await refusedUnredeemed({ code: 'PC1006', status: 400 });
});

test('accepted without iss from a provider that does not announce it, refused when it then names another', async () => {
  const without = (change) => (right) => {
    const target = new URL(right.headers.location);
    change(target.searchParams);
    return { ...right, headers: { location: target.href } };
  };
  quiet.on('authorize', without((query) => query.delete('iss')));
  await loginWorks(silent);
  quiet.on('authorize', without((query) => query.set('iss', 'https://evil.example')));
  await loginRefused(silent, { code: 'PC3040', status: 400 });
});

test('nothing alarming is left in the logs', async () => { await site.apache.close(); await silent.apache.close(); });
