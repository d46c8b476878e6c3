// Encrypted tokens: both ways of encrypting, with the keys that the module publishes; and every way of getting it wrong, with one answer to all.
import assert from 'node:assert/strict';
import { constants, randomBytes } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { decode, encrypt, newKey, sign, thumbprint } from '../support/jose.mjs';
import { MisbehavingProvider } from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { expectNoSecret, loginRefused, loginWorks } from '../support/refusal.mjs';
import { startSite } from '../support/site.mjs';

const ours = { ec: newKey('ECDH-ES'), rsa: newKey('RS256', { use: 'enc' }), former: newKey('ECDH-ES') };
const keyFile = (name) => ({ apache }) => `ProConnectDecryptionKey "${apache.path(`conf/${name}.pem`)}"\n`;
const writeKeys = async (site) => { for (const [name, key] of Object.entries(ours)) await site.apache.writeFile(`conf/${name}.pem`, key.pem, 0o600); };

// ---- the real engine encrypts

const variants = [
  ['ECDH-ES, ES256 inside', 'ec', { alg: 'ES256', encryption: 'ECDH-ES' }, ''],
  ['RSA-OAEP, RS256 inside', 'rsa', { alg: 'RS256', encryption: 'RSA-OAEP' }, ''],
  ['ECDH-ES, HS256 inside', 'ec', { alg: 'HS256', encryption: 'ECDH-ES' }, 'ProConnectSigningAlgorithm HS256\nProConnectUserInfoAlgorithm HS256'],
  ['RSA-OAEP, userinfo in plain JSON', 'rsa', { id_token_signed_response_alg: 'ES256', id_token_encrypted_response_alg: 'RSA-OAEP' }, 'ProConnectUserInfoAlgorithm none'],
];
const site = await startSite({ label: 'answers-encrypted', start: false,
  vhosts: [...variants.map(([, key, , config]) => ({ config: (vhost) => keyFile(key)(vhost) + config })), { config: '' }] });
await writeKeys(site);
const own = await MisbehavingProvider.start();
const hosts = { ec: { provider: own, config: keyFile('ec') }, rsa: { provider: own, config: keyFile('rsa') },
  both: { provider: own, config: (vhost) => `${keyFile('former')(vhost)}    ${keyFile('ec')(vhost)}` }, none: { provider: own }, plainUserinfo: { provider: own, config: (vhost) => `${keyFile('ec')(vhost)}    ProConnectUserInfoAlgorithm none` } };
const wrongs = await startProviderSites({ label: 'answers-encrypted-wrong', start: false, hosts });
after(async () => { await site.close(); await wrongs.close(); });
await writeKeys(wrongs);
await Promise.all([site.apache.start(), wrongs.apache.start()]);

for (const [index, [name, , registration]] of variants.entries()) {
  const vhost = site.vhosts[index];
  test(`accepted: ${name}, encrypted to the key that the module publishes; logout shows ProConnect the token inside`, async () => {
    const published = (await site.browser().send(vhost.url('/proconnect/jwks'))).json;
    await site.standin.post('clients', { ...vhost.client, ...registration, jwks: published });
    const browser = await loginWorks(site, { vhost });
    const out = await browser.send(vhost.url('/proconnect/logout'), { from: vhost.url('/private/') });
    const target = new URL(out.headers.location);
    const hint = target.searchParams.get('id_token_hint').split('.');
    assert.equal(hint.length, 3, 'the hint is not the decrypted token');
    assert.equal(decode(hint[0]).alg, registration.alg ?? 'ES256');
    assert.equal(decode(hint[1]).aud, vhost.client.client_id);
    const end = await browser.open(target.href);
    assert.equal(end.url.split('?')[0], vhost.url('/proconnect/logged-out'));
  });
  for (const part of registration.encryption === 'RSA-OAEP' ? [1, 2, 3, 4] : [2, 3, 4]) {
    test(`refused: ${name}, one bit changed in part ${part}`, async () => {
      await site.standin.post('tamper', { target: 'id_token', flip: part, times: 1 });
      await loginRefused(site, { vhost, code: 'PC3006' });
    });
  }
}

test('what the module publishes holds no private half', async () => {
  for (const [index, [, name]] of variants.entries()) {
    const { keys } = (await site.browser().send(site.vhosts[index].url('/proconnect/jwks'))).json;
    assert.equal(keys.length, 1);
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(keys[0][member], undefined, member);
    assert.equal(keys[0].kid, thumbprint(ours[name].jwk));
    assert.equal(keys[0].use, 'enc');
  }
});

test('refused: encrypted where no key is configured', async () => {
  const vhost = site.vhosts.at(-1);
  await site.standin.post('clients', { ...vhost.client, alg: 'ES256', encryption: 'ECDH-ES', jwks: { keys: [ours.ec.jwk] } });
  await loginRefused(site, { vhost, code: 'PC3007' });
});

test('refused: userinfo encrypted but not signed', async () => {
  const [vhost] = site.vhosts;
  await site.standin.post('clients', { ...vhost.client, id_token_signed_response_alg: 'ES256', id_token_encrypted_response_alg: 'ECDH-ES', userinfo_encrypted_response_alg: 'ECDH-ES', jwks: { keys: [{ ...ours.ec.jwk, kid: 'x' }] } });
  await loginRefused(site, { vhost, code: /PC300[17]/ });
});

// ---- a provider that encrypts wrongly

const signed = (claims) => sign(claims, own.keys[0]);
const toEc = { ...ours.ec.jwk, kid: thumbprint(ours.ec.jwk) };
const toRsa = { ...ours.rsa.jwk, kid: thumbprint(ours.rsa.jwk) };
beforeEach(() => { own.well(); own.userinfo = (claims, frame) => encrypt(signed({ ...claims, ...frame }), toEc); });
const { vhosts: [ec, rsa, both, none, plainUserinfo] } = wrongs;

for (const [name, vhost, make] of [
  ['to the key by its name', ec, (claims) => encrypt(signed(claims), toEc)],
  ['without kid', ec, (claims) => encrypt(signed(claims), { ...toEc, kid: undefined })],
  ['with a kid of somebody else', ec, (claims) => encrypt(signed(claims), { ...toEc, kid: 'theirs' })],
  ['without cty', ec, (claims) => encrypt(signed(claims), toEc, { header: { cty: null } })],
  ['to the first of two keys', both, (claims) => encrypt(signed(claims), { ...ours.former.jwk, kid: undefined })],
  ['to the second of two keys', both, (claims) => encrypt(signed(claims), { ...toEc, kid: undefined })],
]) {
  test(`accepted: ${name}`, async () => {
    own.idToken = make;
    await loginWorks(wrongs, { vhost });
  });
}
test('accepted: RSA-OAEP by hand', async () => {
  own.idToken = (claims) => encrypt(signed(claims), toRsa);
  own.userinfo = (claims, frame) => encrypt(signed({ ...claims, ...frame }), toRsa);
  await loginWorks(wrongs, { vhost: rsa });
});

const flip = (bytes) => Buffer.concat([Buffer.from([bytes[0] ^ 1]), bytes.subarray(1)]);
const change = (name, how) => ({ change: (parts) => ({ ...parts, [name]: how(parts[name]) }) });
const { y: _, ...halfPoint } = newKey('ECDH-ES').jwk;
const failures = [
  ['tag changed', ec, toEc, change('tag', flip)],
  ['tag cut to 8 bytes', ec, toEc, change('tag', (tag) => tag.subarray(0, 8))],
  ['tag empty', ec, toEc, change('tag', () => Buffer.alloc(0))],
  ['IV changed', ec, toEc, change('iv', flip)],
  ['IV of 16 bytes', ec, toEc, change('iv', () => randomBytes(16))],
  ['IV empty', ec, toEc, change('iv', () => Buffer.alloc(0))],
  ['ciphertext changed', ec, toEc, change('ciphertext', flip)],
  ['ciphertext empty', ec, toEc, change('ciphertext', () => Buffer.alloc(0))],
  ['an encrypted key where ECDH-ES has none', ec, toEc, change('encryptedKey', () => randomBytes(32))],
  ['epk another point', ec, toEc, { header: { epk: newKey('ECDH-ES').jwk } }],
  ['epk not on the curve', ec, toEc, { header: { epk: { ...toEc, y: Buffer.alloc(32, 5).toString('base64url') } } }],
  ['epk on P-384', ec, toEc, { header: { epk: newKey('ES384', { curve: 'P-384' }).jwk } }],
  ['epk zero', ec, toEc, { header: { epk: { kty: 'EC', crv: 'P-256', x: Buffer.alloc(32).toString('base64url'), y: Buffer.alloc(32).toString('base64url') } } }],
  ['epk half a point', ec, toEc, { header: { epk: halfPoint } }],
  ['epk missing', ec, toEc, { header: { epk: null } }],
  ['epk a text', ec, toEc, { header: { epk: 'x' } }],
  ['for somebody else', ec, newKey('ECDH-ES').jwk, {}],
  ['RSA: key changed', rsa, toRsa, change('encryptedKey', flip)],
  ['RSA: key of another length', rsa, toRsa, change('encryptedKey', (key) => key.subarray(1))],
  ['RSA: key empty', rsa, toRsa, change('encryptedKey', () => Buffer.alloc(0))],
  ['RSA: wrong padding', rsa, toRsa, { padding: constants.RSA_PKCS1_PADDING }],
  ['RSA: tag changed', rsa, toRsa, change('tag', flip)],
  ['RSA: for somebody else', rsa, newKey('RS256').jwk, {}],
];
const sentences = new Set();
for (const [name, vhost, jwk, options] of failures) {
  test(`refused: ${name}`, async () => {
    own.idToken = (claims) => encrypt(signed(claims), jwk, options);
    const line = await loginRefused(wrongs, { vhost, code: 'PC3006' });
    sentences.add(line.slice(line.indexOf('PC3006')).replace(/ref=\w+/, 'ref'));
  });
}
test('one and the same sentence for all of them: no oracle', () => assert.equal(sentences.size, 1, [...sentences].join('\n')));

for (const [name, header] of [['RSA1_5', { alg: 'RSA1_5' }], ['RSA-OAEP-256', { alg: 'RSA-OAEP-256' }], ['dir', { alg: 'dir' }], ['A256KW', { alg: 'A256KW' }], ['ECDH-ES+A256KW', { alg: 'ECDH-ES+A256KW' }],
  ['PBES2-HS256+A128KW', { alg: 'PBES2-HS256+A128KW', p2c: 2_000_000_000, p2s: 'AAAA' }], ['A128GCM', { enc: 'A128GCM' }], ['A256CBC-HS512', { enc: 'A256CBC-HS512' }], ['no enc', { enc: null }]]) {
  test(`refused: ${name}, which is not ours`, async () => {
    for (const [vhost, jwk] of [[ec, toEc], [rsa, toRsa]]) {
      own.idToken = (claims) => encrypt(signed(claims), jwk, { header });
      await loginRefused(wrongs, { vhost, code: 'PC3002' });
    }
  });
}
// RSA with the padding of PKCS #1 1.5 tells by its failures (Bleichenbacher, Marvin): such a token is refused before our key sees it, be its padding right or wrong.
test('CL 04/23/2024 RSA1_5: never decrypted, and nothing tells whether the padding was right', async () => {
  const lines = new Set();
  for (const options of [{ padding: constants.RSA_PKCS1_PADDING }, { padding: constants.RSA_PKCS1_PADDING, ...change('encryptedKey', flip) }, {}, change('encryptedKey', () => randomBytes(256)), change('encryptedKey', () => Buffer.alloc(0))]) {
    own.idToken = (claims) => encrypt(signed(claims), toRsa, { ...options, header: { alg: 'RSA1_5' } });
    const line = await loginRefused(wrongs, { vhost: rsa, code: 'PC3002' });
    lines.add(line.slice(line.indexOf('PC3002')).replace(/ref=\w+/, 'ref'));
  }
  assert.equal(lines.size, 1, [...lines].join('\n'));
});
for (const [name, header] of [['zip', { zip: 'DEF' }], ['crit', { crit: ['exp'], exp: 1 }]]) {
  test(`refused: header ${name}`, async () => {
    own.idToken = (claims) => encrypt(signed(claims), toEc, { header });
    await loginRefused(wrongs, { vhost: ec, code: 'PC3005' });
  });
}
test('refused: RSA where only an EC key is configured, and the reverse', async () => {
  own.idToken = (claims) => encrypt(signed(claims), toRsa);
  await loginRefused(wrongs, { vhost: ec, code: /PC300[46]/ });
  own.idToken = (claims) => encrypt(signed(claims), toEc);
  await loginRefused(wrongs, { vhost: rsa, code: /PC300[46]/ });
});

test('refused: signed only where encryption is configured', () => loginRefused(wrongs, { vhost: ec, code: 'PC3007' }));
test('refused: encrypted where none is configured', async () => {
  own.idToken = (claims) => encrypt(signed(claims), toEc);
  await loginRefused(wrongs, { vhost: none, code: 'PC3007' });
});
test('refused: userinfo in plain JSON where encryption is configured; accepted where `none` is written beside it', async () => {
  own.idToken = (claims) => encrypt(signed(claims), toEc);
  own.userinfo = (claims) => claims;
  await loginRefused(wrongs, { vhost: ec, code: 'PC3007' });
  await loginWorks(wrongs, { vhost: plainUserinfo });
});
test('refused: userinfo signed only where encryption is configured', async () => {
  own.idToken = (claims) => encrypt(signed(claims), toEc);
  own.userinfo = (claims, frame) => signed({ ...claims, ...frame });
  await loginRefused(wrongs, { vhost: ec, code: 'PC3007' });
});

for (const [name, inside, code] of [
  ['plain JSON inside', (claims) => JSON.stringify(claims), 'PC3001'],
  ['alg none inside', (claims) => sign(claims, own.keys[0], { header: { alg: 'none' }, signature: '' }), 'PC3002'],
  ['a forged signature inside', (claims) => sign(claims, newKey('ES256', { kid: own.keys[0].kid })), 'PC3003'],
  ['another encryption inside', (claims) => encrypt(signed(claims), toEc), 'PC3007'],
  ['wrong claims inside', (claims) => signed({ ...claims, iss: 'https://evil.example' }), 'PC3010'],
  ['the nonce of another login inside', (claims) => signed({ ...claims, nonce: 'n'.repeat(43) }), 'PC3016'],
  ['nothing inside', () => '', 'PC3001'],
]) {
  test(`refused: rightly encrypted, ${name}`, async () => {
    own.idToken = (claims) => encrypt(inside(claims), toEc);
    expectNoSecret(await loginRefused(wrongs, { vhost: ec, code, status: code === 'PC3016' ? 400 : 503 }));
  });
}

test('nothing alarming is left in the logs', async () => { await site.close(); await wrongs.close(); });
