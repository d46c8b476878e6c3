// Userinfo is not what it should be. It is read for what it is, whatever its Content-Type says, and a login without it is none.
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { brokenJson } from '../support/broken-json.mjs';
import { encrypt, newKey, sign } from '../support/jose.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { loginRefused, loginWorks } from '../support/refusal.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const provider = await wrong.MisbehavingProvider.start({ keys: [newKey('ES256'), newKey('RS256')] });
const [es256, rs256] = provider.keys;
const site = await startProviderSites({ label: 'answers-userinfo', hosts: {
  any: { provider, config: 'ProConnectTimeout 2s' },
  es256: { provider, config: 'ProConnectTimeout 2s\nProConnectUserInfoAlgorithm ES256' },
  plain: { provider, config: 'ProConnectTimeout 2s\nProConnectUserInfoAlgorithm none' },
} });
after(() => site.close());
const { any, es256: signedOnly, plain } = site.hosts;
beforeEach(() => provider.well());

const signed = (key = es256, change = (claims) => claims, options = {}) => (claims, frame) => sign(change({ ...claims, ...frame }), key, options);
const now = () => Math.floor(Date.now() / 1000);

for (const [name, misbehaviour, code] of [
  ['401', wrong.instead('', { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }), 'PC2030'],
  ['403', wrong.instead('{}', { status: 403 }), 'PC2030'],
  ['404', wrong.instead('', { status: 404 }), 'PC2030'],
  ['500', wrong.instead('oops', { status: 500 }), 'PC2030'],
  ['503', wrong.instead('oops', { status: 503 }), 'PC2030'],
  ['204', wrong.instead('', { status: 204 }), 'PC2030'],
  ['206', (right) => ({ ...right, status: 206 }), 'PC2030'],
  ['nothing', wrong.instead(''), /PC(2006|2030|3001)/],
  ['an HTML page', wrong.html, /PC(2006|3001)/],
  ['half an answer', wrong.truncated, 'PC2001'],
  ['more than it announced', wrong.announcesLess, 'PC2006'],
  ['drop by drop', wrong.drip, 'PC2002'],
  ['never', wrong.hang, 'PC2002'],
  ['by closing the connection', wrong.drop, 'PC2001'],
  ['10 MiB', wrong.huge(10 * 1024 * 1024), 'PC2005'],
  ['compressed', wrong.compressed(), /PC(2006|3001)/],
]) {
  test(`refused: it answers ${name}`, async () => {
    provider.on('userinfo', misbehaviour);
    const began = Date.now();
    await loginRefused(site, { code });
    assert.ok(Date.now() - began < 5000 * patience, `${Date.now() - began} ms`);
  });
}

for (const [name, change] of [
  ["another person's sub", (claims) => ({ ...claims, sub: 'somebody-else' })],
  ['a sub that differs in case', (claims) => ({ ...claims, sub: claims.sub.toUpperCase() })],
  ['a sub with a blank more', (claims) => ({ ...claims, sub: `${claims.sub} ` })],
  ['no sub', ({ sub: _, ...claims }) => claims],
  ['an empty sub', (claims) => ({ ...claims, sub: '' })],
  ['a sub in an array', (claims) => ({ ...claims, sub: [claims.sub] })],
]) {
  test(`refused: ${name}`, async () => {
    provider.userinfo = change;
    await loginRefused(site, { code: 'PC3030' });
    provider.userinfo = signed(es256, change);
    await loginRefused(site, { code: 'PC3030' });
  });
}

for (const [name, change, code] of [
  ['wrong iss', (claims) => ({ ...claims, iss: 'https://evil.example' }), 'PC3010'],
  ['no iss', ({ iss: _, ...claims }) => claims, 'PC3010'],
  ['wrong aud', (claims) => ({ ...claims, aud: 'somebody-else' }), 'PC3011'],
  ['no aud', ({ aud: _, ...claims }) => claims, 'PC3011'],
  ['exp past', (claims) => ({ ...claims, exp: now() - 3600 }), 'PC3014'],
  ['no exp', ({ exp: _, ...claims }) => claims, 'PC3014'],
  ['iat two days old', (claims) => ({ ...claims, iat: now() - 172_800 }), 'PC3015'],
  ['iat in the future', (claims) => ({ ...claims, iat: now() + 3600 }), 'PC3015'],
]) {
  test(`refused: signed, with ${name}`, async () => {
    provider.userinfo = signed(es256, change);
    assert.match(await loginRefused(site, { code }), /userinfo: /);
  });
}

for (const [name, make, code, vhost = any] of [
  ['by another key under the same kid', signed(newKey('ES256', { kid: es256.kid })), 'PC3003'],
  ['with alg none', (claims, frame) => sign({ ...claims, ...frame }, es256, { header: { alg: 'none' }, signature: '' }), 'PC3002'],
  ['with alg NoNe', (claims, frame) => sign({ ...claims, ...frame }, es256, { header: { alg: 'NoNe' }, signature: '' }), 'PC3002'],
  ['with RS256 where ES256 is configured', signed(rs256), 'PC3002', signedOnly],
  ['with an empty signature', signed(es256, undefined, { signature: '' }), 'PC3003'],
  ['with an unknown crit', signed(es256, undefined, { header: { crit: ['x'], x: 1 } }), 'PC3005'],
  ['and cut in half', (claims, frame) => sign({ ...claims, ...frame }, es256).slice(0, 120), /PC300[13]/],
  ['and encrypted where no key is configured', (claims, frame) => encrypt(sign({ ...claims, ...frame }, es256), newKey('ECDH-ES').jwk), 'PC3007'],
  ['where plain JSON is configured', signed(), /PC300[27]/, plain],
]) {
  test(`refused: signed ${name}`, async () => {
    provider.userinfo = make;
    await loginRefused(site, { vhost, code });
  });
}

test('refused: plain JSON where an algorithm is configured', () => loginRefused(site, { vhost: signedOnly, code: 'PC3007' }));
test('refused: plain JSON announced as a JWT where an algorithm is configured', async () => {
  provider.on('userinfo', (right) => ({ ...right, headers: { 'content-type': 'application/jwt' } }));
  await loginRefused(site, { vhost: signedOnly, code: 'PC3007' });
});
test('refused: plain JSON that looks like a JWT from afar', async () => {
  provider.userinfo = (claims) => ({ ...claims, jwt: 'eyJ.eyJ.eyJ' });
  await loginRefused(site, { vhost: signedOnly, code: 'PC3007' });
});

for (const type of ['application/jwt', 'application/json', 'text/html; charset=iso-8859-1', 'application/jwt, application/json', '']) {
  test(`accepted whatever it is announced as: ${type || 'nothing'}`, async () => {
    provider.on('userinfo', (right) => ({ ...right, headers: type ? { 'content-type': type } : {} }));
    await loginWorks(site, { vhost: plain });
    provider.userinfo = signed();
    await loginWorks(site, { vhost: signedOnly });
  });
}

test('accepted: white space around it', async () => {
  provider.on('userinfo', (right) => ({ ...right, body: `\r\n  ${right.body}\n` }));
  await loginWorks(site, { vhost: plain });
  provider.userinfo = signed();
  await loginWorks(site, { vhost: signedOnly });
});

test('accepted: either algorithm where any is configured', async () => {
  for (const key of [es256, rs256]) {
    provider.userinfo = signed(key);
    await loginWorks(site);
  }
});

for (const [name, spoil] of Object.entries(brokenJson)) {
  test(`refused: userinfo with ${name}`, async () => {
    provider.on('userinfo', (right) => ({ ...right, body: spoil(right.body) }));
    await loginRefused(site, { code: /PC(2005|2006|3001)/ });
  });
}

test('claims of the id_token and of the protocol cannot be replaced by userinfo', async () => {
  provider.userinfo = (claims) => ({ ...claims, acr: 'eidas3', amr: ['mfa'], auth_time: 1, sid: 'x', iss: 'https://evil.example', session: 'mine', expires: '9', claims: '{}', REMOTE_USER: 'root' });
  const browser = await loginWorks(site, { page: '/private/variables.cgi' });
  const variables = variablesOf(await browser.send(any.url('/private/variables.cgi')));
  assert.equal(variables.PROCONNECT_ACR, 'eidas1');
  assert.equal(variables.PROCONNECT_AMR, 'pwd');
  assert.equal(variables.PROCONNECT_ISS, provider.issuer);
  assert.equal(variables.REMOTE_USER, '6f0a4c1e-person');
  assert.notEqual(variables.PROCONNECT_SESSION, 'mine');
});

test('the real engine: every pair of signed or plain and announced so or otherwise', async () => {
  const kinds = [
    [{ alg: 'ES256' }, 'ES256'], [{ alg: 'ES256', userinfo_content_type: 'application/json' }, 'ES256'],
    [{}, 'none'], [{ userinfo_content_type: 'honest' }, 'none'], [{ userinfo_content_type: 'text/plain' }, 'any'],
    [{ id_token_signed_response_alg: 'RS256', userinfo_signed_response_alg: 'ES256' }, 'any'],
  ];
  const real = await startSite({ label: 'answers-userinfo-real', vhosts: kinds.map(([client, algorithm]) => ({ client, config: `ProConnectUserInfoAlgorithm ${algorithm}` })) });
  try {
    for (const vhost of real.vhosts) await loginWorks(real, { vhost });
  } finally {
    await real.close();
  }
});

test('nothing alarming is left in the logs', () => site.close());
