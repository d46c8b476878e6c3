// The id_token is not what it should be, row by row: its claims, its signature, its algorithm, its header.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, beforeEach, test } from 'node:test';
import { newKey } from '../support/jose.mjs';
import { loginRefused, loginWorks } from '../support/refusal.mjs';
import { freePort } from '../support/scratch.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'answers-id-token', vhosts: [
  { client: { alg: 'ES256' }, config: '<Location "/private/again">\nProConnectPrompt login\n</Location>' },
  { client: { alg: 'RS256' }, config: 'ProConnectSigningAlgorithm RS256\nProConnectUserInfoAlgorithm RS256' },
  { client: { alg: 'HS256' }, config: 'ProConnectSigningAlgorithm HS256\nProConnectUserInfoAlgorithm HS256' },
  { client: { alg: 'RS256' }, config: 'ProConnectSigningAlgorithm ES256' },
  { client: { alg: 'HS256' } },
] });
const [es256, rs256, hs256, rs256AtEs256, hs256AtDefault] = site.vhosts;

// Whoever believes a header of a token would ask here for keys.
let askedForKeys = 0;
const keyServerPort = await freePort();
const keyServer = createServer((request, response) => { askedForKeys += 1; response.end('{"keys":[]}'); });
await new Promise((resolve) => keyServer.listen(keyServerPort, '127.0.0.1', resolve));
after(async () => { await site.close(); keyServer.close(); keyServer.closeAllConnections(); });

const tamper = (rule, target = 'id_token') => site.standin.post('tamper', { target, times: 1, ...rule });
beforeEach(async () => { for (const target of ['id_token', 'userinfo']) await site.standin.post('tamper', { target, times: 0 }); });

const set = (claims) => ({ set: claims });
const without = (...remove) => ({ remove });
const issuer = site.standin.issuer;
const us = es256.client.client_id;

const refusedClaims = [
  ['iss: wrong', set({ iss: 'https://evil.example/api/v2' }), 'PC3010'],
  ['iss: ours with a slash more', set({ iss: `${issuer}/` }), 'PC3010'],
  ['iss: ours in capitals', set({ iss: issuer.toUpperCase() }), 'PC3010'],
  ['iss: ours in an array', set({ iss: [issuer] }), 'PC3010'],
  ['iss: missing', without('iss'), 'PC3010'],
  ['aud: wrong', set({ aud: 'somebody-else' }), 'PC3011'],
  ['aud: missing', without('aud'), 'PC3011'],
  ['aud: an empty array', set({ aud: [] }), 'PC3011'],
  ['aud: a number', set({ aud: 1 }), 'PC3011'],
  ['aud: ours among things that are no strings', set({ aud: [us, 1] }), 'PC3011'],
  ['aud: several, none of them us', set({ aud: ['somebody-else', 'a-third'], azp: us }), 'PC3011'],
  ['azp: missing, although aud is several', set({ aud: [us, 'somebody-else'] }), 'PC3012'],
  ['azp: another, and aud is several', set({ aud: [us, 'somebody-else'], azp: 'somebody-else' }), 'PC3012'],
  ['azp: another, although aud is us alone', set({ azp: 'somebody-else' }), 'PC3012'],
  ['sub: missing', without('sub'), 'PC3013'],
  ['sub: empty', set({ sub: '' }), 'PC3013'],
  ['sub: 256 characters', set({ sub: 'x'.repeat(256) }), 'PC3013'],
  ['sub: a number', set({ sub: 42 }), 'PC3013'],
  ['sub: null', set({ sub: null }), 'PC3013'],
  ['sub: with a line break', set({ sub: 'admin\r\nX-Admin: 1' }), 'PC3013'],
  ['iat: missing', without('iat'), 'PC3015'],
  ['iat: in the future', set({ iat: 'now+3600' }), 'PC3015'],
  ['iat: two days old', set({ iat: 'now-172800' }), 'PC3015'],
  ['iat: in 1970', set({ iat: 0 }), 'PC3015'],
  ['iat: a text', set({ iat: String(Math.floor(Date.now() / 1000)) }), 'PC3015'],
  ['iat: 1e300', set({ iat: 1e300 }), 'PC3015'],
  ['exp: missing', without('exp'), 'PC3014'],
  ['exp: past', set({ exp: 'now-3600' }), 'PC3014'],
  ['exp: just beyond the skew', set({ exp: 'now-75' }), 'PC3014'],
  ['exp: a text', set({ exp: 'tomorrow' }), 'PC3014'],
  ['exp: a number as text', set({ exp: '4102444800' }), 'PC3014'],
  ['exp: 1e300', set({ exp: 1e300 }), 'PC3014'],
  ['exp: negative', set({ exp: -4102444800 }), 'PC3014'],
  ['exp: true', set({ exp: true }), 'PC3014'],
  ['nonce: missing', without('nonce'), 'PC3016', 400],
  ['nonce: another', set({ nonce: 'n'.repeat(43) }), 'PC3016', 400],
  ['nonce: empty', set({ nonce: '' }), 'PC3016', 400],
  ['nonce: a number', set({ nonce: 1 }), 'PC3016', 400],
  ['at_hash: wrong', set({ at_hash: 'A'.repeat(22) }), 'PC3017'],
  ['at_hash: no string', set({ at_hash: null }), 'PC3017'],
  ['acr: no string', set({ acr: ['eidas1'] }), 'PC3020'],
  ['auth_time: no date', set({ auth_time: 'yesterday' }), 'PC3020'],
  ['auth_time: in the future', set({ auth_time: 'now+3600' }), 'PC3019', 403],
];
for (const [name, rule, code, status] of refusedClaims) {
  test(`refused: ${name}`, async () => {
    await tamper(rule);
    const line = await loginRefused(site, { code, status });
    assert.ok(line.includes(`${name.split(':')[0]}: `), `the line does not name the check: ${line}`);
  });
}

const acceptedClaims = [
  ['aud: an array that holds us alone', set({ aud: [us] })],
  ['aud: several, with our azp', set({ aud: [us, 'somebody-else'], azp: us })],
  ['iat: in the future, but within the skew', set({ iat: 'now+30' })],
  ['exp: past, but within the skew', set({ exp: 'now-30' })],
  ['at_hash: absent', without('at_hash')],
  ['claims that nobody knows', set({ 'https://example.org/x': { deep: [1, 2, { three: true }] } })],
];
for (const [name, rule] of acceptedClaims) {
  test(`accepted: ${name}`, async () => {
    await tamper(rule);
    await loginWorks(site);
  });
}

test('accepted: sub of 255 characters', async () => {
  await tamper(set({ sub: 'x'.repeat(255) }));
  await tamper(set({ sub: 'x'.repeat(255) }), 'userinfo');
  await loginWorks(site);
});

for (const [name, rule] of [['missing', without('auth_time')], ['older than the login that was asked for', set({ auth_time: 'now-7200' })]]) {
  test(`refused: auth_time ${name}, where ProConnectPrompt asks for a fresh login`, async () => {
    await tamper(rule);
    await loginRefused(site, { page: '/private/again', code: 'PC3019', status: 403 });
  });
}

for (const [name, vhost] of [['ES256', es256], ['RS256', rs256], ['HS256', hs256]]) {
  test(`accepted: ${name} rightly signed`, async () => { await loginWorks(site, { vhost }); });
  for (const [wrong, rule] of [
    ['by another key', { sign: 'other-key' }],
    ['over other claims', { ...set({ sub: 'somebody-else' }), sign: 'keep' }],
    ['with one bit changed', { flip: 2 }],
    ['empty', { signature: '' }],
    ['cut short', { signature: 'AAAA' }],
  ]) {
    test(`refused: ${name} signature ${wrong}, though the token came straight from the token endpoint`, async () => {
      await tamper(rule);
      await loginRefused(site, { vhost, code: 'PC3003' });
    });
  }
}

test('refused: RS256 where ES256 is configured', () => loginRefused(site, { vhost: rs256AtEs256, code: 'PC3002' }));
test('refused: HS256 where nothing is configured', () => loginRefused(site, { vhost: hs256AtDefault, code: 'PC3002' }));
for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
  for (const vhost of [es256, hs256]) {
    test(`refused: alg "${alg}" without a signature, for a client of ${vhost.client.alg}`, async () => {
      await tamper({ header: { alg }, sign: 'none' });
      await loginRefused(site, { vhost, code: 'PC3002' });
    });
  }
}
for (const [name, rule, code] of [
  ['alg es256 in small letters', { header: { alg: 'es256' } }, 'PC3002'],
  ['alg ES384', { header: { alg: 'ES384' } }, 'PC3002'],
  ['alg missing', { remove_header: ['alg'] }, 'PC3001'],
  ['alg a number', { header: { alg: 256 } }, 'PC3001'],
]) {
  test(`refused: ${name}`, async () => {
    await tamper(rule);
    await loginRefused(site, { code });
  });
}
test('refused: the RS256 key used as HS256 secret, for a client of RS256', async () => {
  await tamper({ sign: 'public-key-as-secret' });
  await loginRefused(site, { vhost: rs256, code: 'PC3002' });
});
test('refused: the RS256 key used as HS256 secret, for a client of HS256', async () => {
  await tamper({ sign: 'public-key-as-secret' });
  await loginRefused(site, { vhost: hs256, code: 'PC3003' });
});

const theirs = newKey('ES256', { kid: 'theirs' });
const address = `http://127.0.0.1:${keyServerPort}/keys`;
for (const [name, header] of [['jwk', { jwk: theirs.jwk }], ['jku', { jku: address }], ['x5u', { x5u: address }], ['x5c', { x5c: ['MIIBszCCAVmgAwIBAgIU'] }], ['zip', { zip: 'DEF' }]]) {
  test(`never used: header ${name}`, async () => {
    await tamper({ header, sign: 'other-key' });
    await loginRefused(site, { code: 'PC3003' });
    await tamper({ header });
    await loginWorks(site);
    assert.equal(askedForKeys, 0, 'somebody asked where the token said');
  });
}
for (const typ of ['at+jwt', 'logout+jwt', 'token-introspection+jwt', 'JOSE+JSON', '', null, ['JWT']]) {
  test(`refused: typ ${JSON.stringify(typ)}, a token of another kind`, async () => {
    await tamper({ header: { typ } });
    await loginRefused(site, { code: 'PC3007' });
    await tamper({ header: { typ } }, 'userinfo');
    assert.match(await loginRefused(site, { code: 'PC3007' }), /userinfo: /);
  });
}
test('accepted: typ absent, or JWT in other letters', async () => {
  for (const rule of [{ remove_header: ['typ'] }, { header: { typ: 'jwt' } }, { header: { typ: 'application/JWT' } }]) {
    for (const target of ['id_token', 'userinfo']) await tamper(rule, target);
    await loginWorks(site);
  }
});
for (const [name, header] of [['crit unknown', { crit: ['exp-strict'], 'exp-strict': true }], ['crit empty', { crit: [] }], ['b64 false', { crit: ['b64'], b64: false }], ['b64 false without crit', { b64: false }]]) {
  test(`refused: header ${name}`, async () => {
    await tamper({ header });
    await loginRefused(site, { code: 'PC3005' });
  });
}

// The order of P-256: no r or s reaches it.
const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const zero = '0'.repeat(64);
const one = `${'0'.repeat(63)}1`;
for (const [name, rule] of [
  ['r zero', { signature: hex(zero + one) }],
  ['s zero', { signature: hex(one + zero) }],
  ['r and s zero', { signature: hex(zero + zero) }],
  ['r out of range', { signature: hex(order + one) }],
  ['s out of range', { signature: hex(one + order) }],
  ['r and s all ones', { signature: hex('f'.repeat(128)) }],
  ['63 bytes', { signature: hex('1'.repeat(126)) }],
  ['65 bytes', { signature: hex('1'.repeat(130)) }],
  ['10 000 bytes', { signature: hex('1'.repeat(20_000)) }],
  ['DER instead of raw', { sign: 'der' }],
]) {
  test(`refused: ES256 signature with ${name}`, async () => {
    await tamper(rule);
    await loginRefused(site, { code: 'PC3003' });
  });
}
function hex(text) { return Buffer.from(text, 'hex').toString('base64url'); }

for (const [name, signature] of [['no base64url', '!'.repeat(86)], ['base64 with its padding', `${'A'.repeat(85)}=`]]) {
  test(`refused: a signature that is ${name}`, async () => {
    await tamper({ signature });
    await loginRefused(site, { code: 'PC3001' });
  });
}

test('an ordinary login works after all this', async () => { await loginWorks(site); });
test('nothing alarming is left in the logs', () => site.apache.close());
