#!/usr/bin/env node
// Writes the seeds: seeds/<target>/<verdict>-<case>, one named case each. Files that this script does not know, such as inputs that fuzzing found, stay.
// Usage: make-seeds.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('seeds/', import.meta.url);
const NOW = 1_800_000_000;
const ISSUER = 'https://provider.example/api/v2';
const CLIENT = 'client-1';

function seed(target, name, content) {
  mkdirSync(new URL(`${target}/`, folder), { recursive: true });
  writeFileSync(new URL(`${target}/${name}`, folder), content);
}
const json = JSON.stringify;
const parts = (...texts) => texts.join('\n--\n');
const b64 = bytes => Buffer.from(bytes).toString('base64url');

/// The constants of the RFC vectors, by name.
const vectors = (() => {
  const text = readFileSync(new URL('../support/rfc_vectors.hpp', import.meta.url), 'utf8');
  const found = {};
  for (const [, name, literals] of text.matchAll(/string_view (k\w+) =((?:\s*(?:R"\([\s\S]*?\)"|"[^"]*"))+);/g)) {
    found[name] = [...literals.matchAll(/R"\(([\s\S]*?)\)"|"([^"]*)"/g)].map(([, raw, plain]) => raw ?? plain).join('');
  }
  return found;
})();

// --- jws: a compact token, or header -- payload [-- secret]
const CLAIMS = json({ iss: ISSUER, sub: 'subject-1' });
for (const [name, header, payload = CLAIMS, ...secret] of [
  ['accepted-es256', { alg: 'ES256', kid: 'ec' }],
  ['accepted-rs256', { alg: 'RS256', kid: 'rsa' }],
  ['accepted-hs256-under-the-client-secret', { alg: 'HS256' }],
  ['accepted-without-kid-when-several-keys-fit', { alg: 'RS256' }],
  ['accepted-empty-kid-counts-as-absent', { alg: 'ES256', kid: '' }],
  ['accepted-typ-is-not-looked-at', { alg: 'HS256', typ: 'JWT', cty: 'JWT' }],
  ['accepted-key-in-the-header-is-not-used', { alg: 'ES256', jwk: JSON.parse(vectors.kRfc7515A3Key), jku: 'https://evil.example/keys', x5u: 'https://evil.example/x5u' }],
  ['accepted-zip-means-nothing-in-a-signed-token', { alg: 'HS256', zip: 'DEF' }],
  ['refused-alg-none', { alg: 'none' }],
  ['refused-alg-none-in-capitals', { alg: 'NONE' }],
  ['refused-alg-none-in-mixed-case', { alg: 'nOnE' }],
  ['refused-alg-in-lower-case', { alg: 'hs256' }],
  ['refused-alg-hs512', { alg: 'HS512' }],
  ['refused-alg-ps256', { alg: 'PS256', kid: 'rsa' }],
  ['refused-alg-missing', { typ: 'JWT' }],
  ['refused-alg-is-a-list', { alg: ['HS256'] }],
  ['refused-rsa-key-used-as-hs256-secret', { alg: 'HS256', kid: 'rsa' }, CLAIMS, JSON.parse(vectors.kRfc7516A1Key).n],
  ['refused-secret-of-another-client', { alg: 'HS256' }, CLAIMS, 'x'.repeat(64)],
  ['refused-kid-unknown', { alg: 'ES256', kid: 'other' }],
  ['refused-kid-of-a-key-of-another-kind', { alg: 'ES256', kid: 'rsa' }],
  ['refused-kid-is-a-number', { alg: 'HS256', kid: 1 }],
  ['refused-crit', { alg: 'HS256', crit: ['exp'], exp: 1 }],
  ['refused-crit-empty', { alg: 'HS256', crit: [] }],
  ['refused-b64-false', { alg: 'HS256', b64: false }],
  ['refused-b64-true', { alg: 'HS256', b64: true }],
  ['refused-payload-is-a-list', { alg: 'HS256' }, '[]'],
  ['refused-payload-is-empty', { alg: 'HS256' }, ''],
  ['refused-payload-is-prose', { alg: 'HS256' }, 'It’s a dangerous business, Frodo'],
  ['refused-payload-repeats-a-claim', { alg: 'HS256' }, '{"sub":"a","sub":"b"}'],
  ['refused-payload-repeats-a-nested-key', { alg: 'HS256' }, '{"sub":"a","o":{"k":1,"k":2}}'],
  ['refused-payload-with-lone-surrogate', { alg: 'HS256' }, '{"sub":"\\ud800"}'],
  ['refused-payload-with-nul', { alg: 'HS256' }, '{"sub":"a\\u0000b"}'],
]) seed('jws', name, parts(json(header), payload, ...secret));
seed('jws', 'refused-header-repeats-alg', parts('{"alg":"HS256","alg":"none"}', CLAIMS));
seed('jws', 'refused-header-nested-too-deeply', parts(`{"alg":"HS256","x":${'['.repeat(9)}${']'.repeat(9)}}`, CLAIMS));
for (const [name, vector] of [['accepted-rfc7515-a1-hs256', 'A1'], ['accepted-rfc7515-a2-rs256', 'A2'], ['accepted-rfc7515-a3-es256', 'A3']]) {
  const token = vectors[`kRfc7515${vector}`];
  const [header, payload, signature] = token.split('.');
  seed('jws', name, token);
  const raw = Buffer.from(signature, 'base64url');
  const spoiled = bytes => `${header}.${payload}.${b64(bytes)}`;
  const what = name.replace('accepted-', '');
  seed('jws', `refused-${what}-signature-empty`, `${header}.${payload}.`);
  seed('jws', `refused-${what}-signature-cut`, spoiled(raw.subarray(0, -1)));
  seed('jws', `refused-${what}-signature-longer`, spoiled(Buffer.concat([raw, Buffer.from([0])])));
  seed('jws', `refused-${what}-signature-of-zeros`, spoiled(Buffer.alloc(raw.length)));
  seed('jws', `refused-${what}-one-bit-of-the-signature-changed`, spoiled(raw.map((byte, i) => (i === 5 ? byte ^ 1 : byte))));
  seed('jws', `refused-${what}-other-payload`, `${header}.${b64('{"iss":"joe"}')}.${signature}`);
  seed('jws', `refused-${what}-padded`, `${token}==`);
  seed('jws', `refused-${what}-space-at-the-end`, `${token} `);
  seed('jws', `refused-${what}-part-more`, `${token}.${signature}`);
}
{
  const [header, payload, signature] = vectors.kRfc7515A3.split('.');
  const raw = Buffer.from(signature, 'base64url');
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const with_parts = (r, s) => `${header}.${payload}.${b64(Buffer.concat([r, s]))}`;
  const r = raw.subarray(0, 32), s = raw.subarray(32);
  const integer = n => Buffer.concat([Buffer.from([2, n[0] & 0x80 ? 33 : 32]), n[0] & 0x80 ? Buffer.from([0]) : Buffer.alloc(0), n]);
  const body = Buffer.concat([integer(r), integer(s)]);
  seed('jws', 'refused-es256-r-is-zero', with_parts(Buffer.alloc(32), s));
  seed('jws', 'refused-es256-s-is-zero', with_parts(r, Buffer.alloc(32)));
  seed('jws', 'refused-es256-r-is-the-order', with_parts(order, s));
  seed('jws', 'refused-es256-s-is-the-order', with_parts(r, order));
  seed('jws', 'refused-es256-s-is-all-ones', with_parts(r, Buffer.alloc(32, 255)));
  seed('jws', 'refused-es256-signature-in-der', `${header}.${payload}.${b64(Buffer.concat([Buffer.from([0x30, body.length]), body]))}`);
}
seed('jws', 'refused-rfc7515-a4-es512', vectors.kRfc7515A4);
seed('jws', 'refused-rfc7515-a5-none', vectors.kRfc7515A5);
seed('jws', 'refused-encrypted-where-signed-was-expected', vectors.kRfc7516A1);
seed('jws', 'refused-two-dots-only', '..');
seed('jws', 'refused-empty', '');
seed('jws', 'refused-json-serialization', json({ payload: 'e30', protected: 'e30', signature: '' }).replace('{', ' {'));

// --- jwe: a compact token, or header -- plaintext
const ALICE = { kty: 'EC', crv: 'P-256', x: vectors.kRfc7518AppendixCAliceX, y: vectors.kRfc7518AppendixCAliceY };
const EC = { alg: 'ECDH-ES', enc: 'A256GCM', epk: ALICE };
const RSA = { alg: 'RSA-OAEP', enc: 'A256GCM' };
seed('jwe', 'accepted-rfc7516-a1-rsa-oaep', vectors.kRfc7516A1);
seed('jwe', 'accepted-ecdh-es-of-another-implementation', vectors.kForeignEcdhEs);
seed('jwe', 'accepted-ecdh-es-with-party-names-of-another-implementation', vectors.kForeignEcdhEsWithParties);
for (const [name, header, plaintext = vectors.kRfc7515A1] of [
  ['accepted-ecdh-es-with-a-signed-token-inside', EC],
  ['accepted-rsa-oaep-with-a-signed-token-inside', RSA],
  ['accepted-ecdh-es-with-party-names', { ...EC, apu: b64('Alice'), apv: b64('Bob') }],
  ['accepted-ecdh-es-with-nothing-inside', EC, ''],
  ['accepted-kid-of-another-key-is-not-trusted', { ...EC, kid: 'other' }],
  ['accepted-private-member-of-epk-is-not-used', { ...EC, epk: { ...ALICE, d: 'AAAA' } }],
  ['refused-point-not-on-the-curve', { ...EC, epk: { ...ALICE, y: ALICE.x } }],
  ['refused-point-at-infinity', { ...EC, epk: { ...ALICE, x: b64(Buffer.alloc(32)), y: b64(Buffer.alloc(32)) } }],
  ['refused-point-cut', { ...EC, epk: { ...ALICE, x: ALICE.x.slice(0, 40) } }],
  ['refused-epk-missing', { alg: 'ECDH-ES', enc: 'A256GCM' }],
  ['refused-epk-is-a-text', { ...EC, epk: 'EC' }],
  ['refused-epk-of-another-curve', { ...EC, epk: { ...ALICE, crv: 'P-384' } }],
  ['refused-epk-of-another-kind', { ...EC, epk: { ...ALICE, kty: 'OKP' } }],
  ['refused-apu-is-a-number', { ...EC, apu: 5 }],
  ['refused-apv-is-no-base64url', { ...EC, apv: '*' }],
  ['refused-alg-dir', { alg: 'dir', enc: 'A256GCM' }],
  ['refused-alg-rsa1-5', { alg: 'RSA1_5', enc: 'A256GCM' }],
  ['refused-alg-rsa-oaep-256', { alg: 'RSA-OAEP-256', enc: 'A256GCM' }],
  ['refused-alg-ecdh-es-a128kw', { ...EC, alg: 'ECDH-ES+A128KW' }],
  ['refused-alg-pbes2-with-a-billion-rounds', { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 1e9, p2s: 'AAAA' }],
  ['refused-enc-cbc', { ...RSA, enc: 'A128CBC-HS256' }],
  ['refused-zip', { ...EC, zip: 'DEF' }],
  ['refused-crit', { ...EC, crit: ['x'] }],
  ['refused-b64', { ...EC, b64: false }],
]) seed('jwe', name, parts(json(header), plaintext));
for (const [name, token] of [['rsa-oaep', vectors.kRfc7516A1], ['ecdh-es', vectors.kForeignEcdhEs]]) {
  for (const [i, part] of ['header', 'key', 'iv', 'ciphertext', 'tag'].entries()) {
    const spoiled = token.split('.');
    const bytes = Buffer.from(spoiled[i], 'base64url');
    if (bytes.length !== 0) {
      bytes[bytes.length >> 1] ^= 1;
      seed('jwe', `refused-${name}-one-bit-of-the-${part}-changed`, Object.assign([...spoiled], { [i]: b64(bytes) }).join('.'));
    }
    if (bytes.length !== 0) seed('jwe', `refused-${name}-${part}-missing`, Object.assign([...spoiled], { [i]: '' }).join('.'));
    seed('jwe', `refused-${name}-${part}-is-no-base64url`, Object.assign([...spoiled], { [i]: 'A' }).join('.'));
  }
}
seed('jwe', 'refused-signed-where-encrypted-was-expected', vectors.kRfc7515A1);
seed('jwe', 'refused-four-dots-only', '....');
seed('jwe', 'refused-rfc7516-a2-rsa1-5', vectors.kRfc7516A2);

// --- jwks
const rsa = JSON.parse(vectors.kRfc7515A2Key), ec = JSON.parse(vectors.kRfc7515A3Key);
const set = (...keys) => json({ keys });
for (const [name, text] of [
  ['accepted-rsa-and-ec', set({ ...rsa, kid: 'a', use: 'sig', alg: 'RS256' }, { ...ec, kid: 'b', key_ops: ['verify'] })],
  ['accepted-rfc7517-a1', vectors.kRfc7517A1],
  ['accepted-one-usable-among-others', set({ kty: 'oct', k: 'AAAA' }, { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }, ec, 5, [], 'key')],
  ['accepted-the-same-key-twice', set({ ...ec, kid: 'a' }, { ...ec, kid: 'a' })],
  ['accepted-unknown-members', json({ keys: [{ ...ec, x5c: ['AAAA'], x5u: 'https://evil.example', 'x5t#S256': 'AAAA' }], more: { a: 1 } })],
  ['refused-oct-only', vectors.kRfc7517A3],
  ['refused-no-keys', set()],
  ['refused-keys-missing', '{}'],
  ['refused-keys-is-an-object', json({ keys: { 0: ec } })],
  ['refused-encryption-key', set({ ...rsa, use: 'enc' })],
  ['refused-key-with-its-private-half', set({ ...ec, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' })],
  ['refused-rsa-of-1024-bits', set({ ...rsa, n: b64(Buffer.from(rsa.n, 'base64url').subarray(0, 128)) })],
  ['refused-rsa-exponent-one', set({ ...rsa, e: 'AQ' })],
  ['refused-rsa-exponent-even', set({ ...rsa, e: 'AQAA' })],
  ['refused-rsa-exponent-huge', set({ ...rsa, e: b64(Buffer.alloc(200, 255)) })],
  ['refused-rsa-modulus-of-zeros', set({ ...rsa, n: b64(Buffer.alloc(256)) })],
  ['refused-rsa-of-16384-bits', set({ ...rsa, n: b64(Buffer.alloc(2048, 255)) })],
  ['refused-ec-point-off-the-curve', set({ ...ec, y: ec.x })],
  ['refused-ec-coordinate-cut', set({ ...ec, x: ec.x.slice(0, 42) })],
  ['refused-ec-of-another-curve', set({ ...ec, crv: 'P-384' })],
  ['refused-ec-with-the-alg-of-rsa', set({ ...ec, alg: 'RS256' })],
  ['refused-kid-is-a-number', set({ ...ec, kid: 7 })],
  ['refused-key-ops-without-verify', set({ ...ec, key_ops: ['sign', 'encrypt'] })],
  ['refused-101-keys', set(...Array.from({ length: 101 }, () => ({ kty: 'x' })))],
  ['refused-html', '<!DOCTYPE html><html><body>502 Bad Gateway</body></html>'],
  ['refused-repeated-keys', `{"keys":[],"keys":[${json(ec)}]}`],
]) seed('jwks', name, text);

// --- json
for (const [name, text] of [
  ['accepted-each-kind', '{"s":"é\\u00e9\\ud83d\\ude00","n":null,"t":true,"f":false,"i":-12,"d":1.5e3,"a":[1,"x",[]],"o":{"p":{}}}'],
  ['accepted-a-scalar', ' 12 '],
  ['accepted-whole-numbers-at-their-ends', '[9223372036854775807,-9223372036854775808,9223372036854775808,-0,0,253402300799,253402300800]'],
  ['accepted-numbers-that-are-no-whole-ones', '[1e300,1e-300,1.0,253402300799.9,-1.5,12345678901234567890]'],
  ['refused-number-beyond-all-doubles', '[1e400]'],
  ['accepted-escapes', '["\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\\u2028"]'],
  ['accepted-depth-16', '['.repeat(16) + ']'.repeat(16)],
  ['refused-depth-17', '['.repeat(17) + ']'.repeat(17)],
  ['refused-depth-3000-unclosed', '['.repeat(3000)],
  ['refused-repeated-key', '{"a":1,"a":2}'],
  ['refused-repeated-key-spelt-with-an-escape', '{"a":1,"\\u0061":2}'],
  ['refused-repeated-key-far-below', '{"x":[{"y":{"k":1,"j":2,"k":3}}]}'],
  ['refused-invalid-utf8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  ['refused-overlong-utf8', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ['refused-utf8-surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['refused-lone-high-surrogate', '"\\ud83d"'],
  ['refused-lone-low-surrogate', '"\\ude00"'],
  ['refused-escaped-nul', '"a\\u0000b"'],
  ['refused-nul-byte', Buffer.from('[1]\0')],
  ['refused-bytes-after-the-end', '{} {}'],
  ['refused-byte-order-mark', '\ufeff{}'],
  ['refused-nan', '[NaN]'],
  ['refused-infinity', '[-Infinity]'],
  ['refused-comment', '/* */{}'],
  ['refused-trailing-comma', '[1,]'],
  ['refused-leading-zero', '[01]'],
  ['refused-plus-sign', '[+1]'],
  ['refused-single-quotes', "{'a':1}"],
  ['refused-control-character-in-a-string', '"a\nb"'],
  ['refused-cut-string', '{"a":"b'],
  ['refused-empty', ''],
  ['refused-exponent-beyond-all', '[1e99999999999999999999x]'],
]) seed('json', name, text);

// --- discovery
const METADATA = {
  issuer: ISSUER, authorization_endpoint: `${ISSUER}/authorize`, token_endpoint: `${ISSUER}/token`, userinfo_endpoint: `${ISSUER}/userinfo`, jwks_uri: `${ISSUER}/jwks`,
  end_session_endpoint: `${ISSUER}/session/end`, introspection_endpoint: `${ISSUER}/token/introspection`, revocation_endpoint: `${ISSUER}/token/revocation`,
  authorization_response_iss_parameter_supported: true, response_types_supported: ['code'],
};
const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
const LOCAL = 'http://127.0.0.1:4000';
for (const [name, content] of [
  ['accepted-all-endpoints', METADATA],
  ['accepted-only-what-is-needed', Object.fromEntries(Object.entries(METADATA).slice(0, 5))],
  ['accepted-loopback-over-http', Object.fromEntries(Object.entries(METADATA).map(([k, v]) => [k, typeof v === 'string' ? v.replace(ISSUER, LOCAL) : v]))],
  ['accepted-endpoints-on-another-host', { ...METADATA, jwks_uri: 'https://keys.example:8443/k?v=1' }],
  ['refused-another-issuer', { ...METADATA, issuer: 'https://evil.example' }],
  ['refused-issuer-with-a-final-slash', { ...METADATA, issuer: `${ISSUER}/` }],
  ['refused-issuer-in-capitals', { ...METADATA, issuer: ISSUER.toUpperCase() }],
  ['refused-issuer-missing', without(METADATA, 'issuer')],
  ['refused-issuer-is-a-list', { ...METADATA, issuer: [ISSUER] }],
  ['refused-token-endpoint-missing', without(METADATA, 'token_endpoint')],
  ['refused-userinfo-endpoint-empty', { ...METADATA, userinfo_endpoint: '' }],
  ['refused-token-endpoint-on-http', { ...METADATA, token_endpoint: 'http://provider.example/token' }],
  ['refused-token-endpoint-on-http-loopback', { ...METADATA, token_endpoint: 'http://127.0.0.1/token' }],
  ['refused-end-session-endpoint-on-http', { ...METADATA, end_session_endpoint: 'http://provider.example/end' }],
  ['refused-endpoint-with-user-name', { ...METADATA, jwks_uri: 'https://provider.example@evil.example/' }],
  ['refused-endpoint-with-line-end', { ...METADATA, authorization_endpoint: 'https://provider.example/\r\nSet-Cookie: a=b' }],
  ['refused-endpoint-is-javascript', { ...METADATA, authorization_endpoint: 'javascript:alert(1)' }],
  ['refused-endpoint-is-a-file', { ...METADATA, jwks_uri: 'file:///etc/passwd' }],
  ['refused-endpoint-too-long', { ...METADATA, jwks_uri: `https://a/${'b'.repeat(2100)}` }],
  ['refused-flag-is-a-text', { ...METADATA, authorization_response_iss_parameter_supported: 'true' }],
  ['refused-html', '<html><title>Maintenance</title></html>'],
  ['refused-empty', ''],
  ['refused-repeated-issuer', `{"issuer":"https://evil.example",${json(METADATA).slice(1)}`],
]) seed('discovery', name, typeof content === 'string' ? content : json(content));

// --- token_response: accepted only with an id_token
const TOKENS = { access_token: 'at', token_type: 'Bearer', id_token: vectors.kRfc7515A1, refresh_token: 'rt', expires_in: 60, scope: 'openid' };
for (const [name, content] of [
  ['accepted-all-members', TOKENS],
  ['accepted-without-refresh-token', without(without(TOKENS, 'refresh_token'), 'expires_in')],
  ['accepted-token-type-in-another-case', { ...TOKENS, token_type: 'bEARER' }],
  ['accepted-expires-in-a-thousand-years', { ...TOKENS, expires_in: 9e15 }],
  ['refused-id-token-missing', without(TOKENS, 'id_token')],
  ['refused-id-token-empty', { ...TOKENS, id_token: '' }],
  ['refused-id-token-is-null', { ...TOKENS, id_token: null }],
  ['refused-access-token-missing', without(TOKENS, 'access_token')],
  ['refused-access-token-empty', { ...TOKENS, access_token: '' }],
  ['refused-access-token-of-20-kilobytes', { ...TOKENS, access_token: 'a'.repeat(20000) }],
  ['refused-token-type-mac', { ...TOKENS, token_type: 'mac' }],
  ['refused-token-type-missing', without(TOKENS, 'token_type')],
  ['refused-expires-in-is-a-text', { ...TOKENS, expires_in: '60' }],
  ['refused-expires-in-negative', { ...TOKENS, expires_in: -1 }],
  ['refused-refresh-token-is-a-list', { ...TOKENS, refresh_token: ['a'] }],
  ['refused-invalid-client', { error: 'invalid_client', error_description: 'client authentication failed' }],
  ['refused-invalid-grant', { error: 'invalid_grant' }],
  ['refused-unauthorized-client', { error: 'unauthorized_client' }],
  ['refused-error-with-line-ends', { error: 'x\r\n[error] forged log line' }],
  ['refused-error-of-a-megabyte', { error: 'x'.repeat(20000) }],
  ['refused-html', '<html><body>500</body></html>'],
  ['refused-cut-in-the-middle', json(TOKENS).slice(0, 100)],
  ['refused-empty', ''],
]) seed('token_response', name, typeof content === 'string' ? content : json(content));

// --- id_token: claims, rightly signed
const ID_TOKEN = {
  iss: ISSUER, aud: CLIENT, sub: 'subject-1', exp: NOW + 60, iat: NOW - 5, nonce: 'nonce-of-this-login-0123456789', at_hash: '_6TFANGGnfP1km_XHtg5Yg',
  acr: 'eidas2', amr: ['pwd', 'mfa'], auth_time: NOW - 30, sid: 'sid-1',
};
for (const [name, change, dropped] of [
  ['accepted-all-claims', {}],
  ['accepted-aud-is-a-list-of-us-alone', { aud: [CLIENT] }],
  ['accepted-aud-of-several-with-our-azp', { aud: ['other', CLIENT], azp: CLIENT }],
  ['accepted-without-optional-claims', { at_hash: undefined, acr: undefined, amr: undefined, auth_time: undefined, sid: undefined }],
  ['accepted-times-with-fractions', { exp: NOW + 0.5, iat: NOW - 0.5 }],
  ['accepted-expired-within-the-skew', { exp: NOW - 59 }],
  ['accepted-issued-ahead-within-the-skew', { iat: NOW + 60 }],
  ['accepted-another-level', { acr: 'eidas1' }],
  ['accepted-authenticated-long-ago', { auth_time: 5 }],
  ['refused-iss-of-another-provider', { iss: 'https://evil.example' }],
  ['refused-iss-with-a-final-slash', { iss: `${ISSUER}/` }],
  ['refused-iss-missing', { iss: undefined }],
  ['refused-iss-is-a-list', { iss: [ISSUER] }],
  ['refused-aud-of-another-client', { aud: 'client-2' }],
  ['refused-aud-missing', { aud: undefined }],
  ['refused-aud-empty-list', { aud: [] }],
  ['refused-aud-is-an-object', { aud: { [CLIENT]: true } }],
  ['refused-aud-list-with-a-number', { aud: [CLIENT, 5], azp: CLIENT }],
  ['refused-aud-of-several-without-azp', { aud: [CLIENT, 'other'] }],
  ['refused-azp-of-another-client', { azp: 'client-2' }],
  ['refused-azp-is-null', { azp: null }],
  ['refused-sub-missing', { sub: undefined }],
  ['refused-sub-empty', { sub: '' }],
  ['refused-sub-of-256-bytes', { sub: 's'.repeat(256) }],
  ['refused-sub-is-a-number', { sub: 5 }],
  ['refused-sub-with-a-line-end', { sub: 'a\nb' }],
  ['refused-sub-with-a-space', { sub: 'a b' }],
  ['refused-iat-missing', { iat: undefined }],
  ['refused-iat-in-the-future', { iat: NOW + 61 }],
  ['refused-iat-of-last-year', { iat: NOW - 365 * 86400 }],
  ['refused-iat-is-a-text', { iat: String(NOW) }],
  ['refused-exp-missing', { exp: undefined }],
  ['refused-exp-past', { exp: NOW - 60 }],
  ['refused-exp-is-a-text', { exp: String(NOW + 60) }],
  ['refused-exp-negative', { exp: -1 }],
  ['refused-exp-is-true', { exp: true }],
  ['refused-nonce-of-another-login', { nonce: 'nonce-of-this-login-0123456788' }],
  ['refused-nonce-missing', { nonce: undefined }],
  ['refused-nonce-empty', { nonce: '' }],
  ['refused-nonce-is-a-list', { nonce: ['nonce-of-this-login-0123456789'] }],
  ['refused-at-hash-of-another-token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  ['refused-at-hash-cut', { at_hash: '_6TFANGGnfP1km_XHtg5' }],
  ['refused-at-hash-is-null', { at_hash: null }],
  ['refused-acr-is-a-list', { acr: ['eidas2'] }],
  ['refused-acr-too-long', { acr: 'a'.repeat(256) }],
  ['refused-amr-is-a-text', { amr: 'pwd' }],
  ['refused-amr-of-33-values', { amr: Array.from({ length: 33 }, () => 'a') }],
  ['refused-auth-time-in-the-future', { auth_time: NOW + 61 }],
  ['refused-auth-time-is-a-text', { auth_time: '5' }],
  ['refused-sid-is-a-number', { sid: 5 }],
]) seed('id_token', name, json({ ...ID_TOKEN, ...change }));
seed('id_token', 'refused-exp-1e300', json(ID_TOKEN).replace(String(NOW + 60), '1e300'));
seed('id_token', 'refused-iat-1e300', json(ID_TOKEN).replace(String(NOW - 5), '1e300'));
seed('id_token', 'refused-repeated-sub', json(ID_TOKEN).replace('{', '{"sub":"admin",'));

// --- userinfo
const PLAIN = { sub: 'subject-1', email: 'a@b.fr', given_name: 'Angéla', siret: '13002526500013' };
const SIGNED = { iss: ISSUER, aud: CLIENT, exp: NOW + 60, iat: NOW, ...PLAIN };
for (const [name, content] of [
  ['accepted-plain-json', json(PLAIN)],
  ['accepted-plain-json-in-white-space', `\r\n\t ${json(PLAIN)}\n`],
  ['accepted-signed', `signed\n${json(SIGNED)}`],
  ['accepted-signed-for-several-with-azp', `signed\n${json({ ...SIGNED, aud: [CLIENT, 'x'], azp: CLIENT })}`],
  ['refused-plain-of-another-subject', json({ ...PLAIN, sub: 'subject-2' })],
  ['refused-plain-without-subject', json(without(PLAIN, 'sub'))],
  ['refused-plain-subject-is-a-list', json({ ...PLAIN, sub: ['subject-1'] })],
  ['refused-plain-repeats-sub', `{"sub":"subject-2",${json(PLAIN).slice(1)}`],
  ['refused-signed-of-another-subject', `signed\n${json({ ...SIGNED, sub: 'subject-2' })}`],
  ['refused-signed-by-another-issuer', `signed\n${json({ ...SIGNED, iss: 'https://evil.example' })}`],
  ['refused-signed-for-another-client', `signed\n${json({ ...SIGNED, aud: 'client-2' })}`],
  ['refused-signed-without-aud', `signed\n${json(without(SIGNED, 'aud'))}`],
  ['refused-signed-without-iss', `signed\n${json(without(SIGNED, 'iss'))}`],
  ['refused-signed-and-expired', `signed\n${json({ ...SIGNED, exp: NOW - 61 })}`],
  ['refused-signed-without-exp', `signed\n${json(without(SIGNED, 'exp'))}`],
  ['refused-signed-and-absurdly-old', `signed\n${json({ ...SIGNED, iat: NOW - 86401 })}`],
  ['refused-signed-without-iat', `signed\n${json(without(SIGNED, 'iat'))}`],
  ['refused-signed-by-others', vectors.kRfc7515A2],
  ['refused-encrypted', vectors.kRfc7516A1],
  ['refused-json-list', `[${json(PLAIN)}]`],
  ['refused-html', '<html>Unauthorized</html>'],
  ['refused-empty', ''],
]) seed('userinfo', name, content);

// --- introspection: accepted only when the token is in force
const TOKEN_IN_FORCE = {
  active: true, sub: 'subject-1', client_id: 'client-2', exp: NOW + 3600, iat: NOW - 60, iss: ISSUER, scope: 'openid email', token_type: 'Bearer',
};
const introspection = (token = {}, answer = {}) =>
  `signed\n${json({ iss: ISSUER, aud: CLIENT, iat: NOW, token_introspection: { ...TOKEN_IN_FORCE, ...token }, ...answer })}`;
for (const [name, content] of [
  ['accepted-all-members', introspection({ aud: ['api-1', 'api-2'], jti: 'x', sid: 'sid-1' }, { exp: NOW + 60, nbf: NOW })],
  ['accepted-only-what-is-needed', introspection({ iat: undefined, iss: undefined, scope: undefined })],
  ['accepted-aud-is-a-list-of-us-alone', introspection({}, { aud: [CLIENT] })],
  ['accepted-two-minutes-old-within-the-skew', introspection({}, { iat: NOW - 120 })],
  ['refused-inactive', introspection({}, { token_introspection: { active: false } })],
  ['refused-inactive-among-claims-that-are-none', introspection({ active: false, sub: 1, exp: 'never' })],
  ['refused-iss-of-another-provider', introspection({}, { iss: 'https://evil.example' })],
  ['refused-iss-missing', introspection({}, { iss: undefined })],
  ['refused-aud-of-another-client', introspection({}, { aud: 'client-2' })],
  ['refused-aud-of-several-with-our-azp', introspection({}, { aud: [CLIENT, 'x'], azp: CLIENT })],
  ['refused-aud-missing', introspection({}, { aud: undefined })],
  ['refused-iat-stale', introspection({}, { iat: NOW - 121 })],
  ['refused-iat-in-the-future', introspection({}, { iat: NOW + 61 })],
  ['refused-iat-missing', introspection({}, { iat: undefined })],
  ['refused-answer-expired', introspection({}, { exp: NOW - 60 })],
  ['refused-token-introspection-missing', introspection({}, { token_introspection: undefined, ...TOKEN_IN_FORCE })],
  ['refused-token-introspection-is-a-list', introspection({}, { token_introspection: [TOKEN_IN_FORCE] })],
  ['refused-active-is-a-text', introspection({ active: 'true' })],
  ['refused-active-repeated', introspection().replace('"active":true', '"active":false,"active":true')],
  ['refused-sub-missing', introspection({ sub: undefined })],
  ['refused-sub-with-a-line-end', introspection({ sub: 'a\nb' })],
  ['refused-client-id-missing', introspection({ client_id: undefined })],
  ['refused-token-expired', introspection({ exp: NOW - 60 })],
  ['refused-token-without-exp', introspection({ exp: undefined })],
  ['refused-refresh-token', introspection({ token_type: undefined })],
  ['refused-token-bound-to-a-key', introspection({ cnf: { jkt: 'x' } })],
  ['refused-token-of-another-issuer', introspection({ iss: 'https://evil.example' })],
  ['refused-scope-is-a-list', introspection({ scope: ['openid'] })],
  ['refused-token-aud-empty', introspection({ aud: [] })],
  ['refused-plain-json', json(TOKEN_IN_FORCE)],
  ['refused-signed-by-others', vectors.kRfc7515A2],
  ['refused-encrypted', vectors.kRfc7516A1],
  ['refused-html', '<html>Unauthorized</html>'],
  ['refused-empty', ''],
]) seed('introspection', name, content);

// --- claims
for (const [name, content] of [
  ['accepted-default-claims', json({ ...PLAIN, uid: '1', idp_id: 'x', usual_name: 'Du“b”ois', phone: null, is_service_public: true, custom: { structureTravail: 'DINUM', n: 5, o: {} } })],
  ['accepted-lists', json({ roles: ['agent', 'a;b', 'c\\d', '', '"'], empty: [], mixed: ['a', 1], organizations: [{ id: 1 }] })],
  ['accepted-control-characters-and-quotes', json({ given_name: 'a\r\nSet-Cookie: x', usual_name: '"\\\u007f\t<é😀>' })],
  ['accepted-two-claims-of-one-variable', json({ 'a-b': '1', a_b: '2', 'A_B': '3', 'chorusdt:matricule': 'M' })],
  ['accepted-claims-that-imitate-the-id-token', json({ sub: 'admin', iss: 'https://evil.example', acr: 'eidas3', amr: ['x'], auth_time: 1, sid: 'y', nonce: 'n', aud: 'z' })],
  ['accepted-claim-without-a-name', json({ '': 'x', 'a\nb': 'y', ['n'.repeat(129)]: 'z' })],
  ['accepted-value-beyond-its-limit', json({ email: 'a'.repeat(9000) })],
  ['accepted-nested-and-numbers', '{"a":{"b":[1,2.50,-0,1e5,{"c":null}]},"n":12345678901234567890}'],
  ['refused-seven-long-values', json(Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`k${i}`, 'v'.repeat(8000)])))],
  ['refused-300-claims', json(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 1])))],
  ['refused-a-list', '[1]'],
]) seed('claims', name, content);

// --- callback
const CODE = `code=SplxlOBeZQQYbYS6WxSbIA&state=abc&iss=${encodeURIComponent(ISSUER)}`;
for (const [name, query] of [
  ['accepted-code', CODE],
  ['accepted-error-with-iss', `error=access_denied&error_description=User+auth+aborted&state=abc&iss=${encodeURIComponent(ISSUER)}`],
  ['accepted-error-login-required', 'error=login_required&state=abc'],
  ['accepted-error-invalid-scope', 'error=invalid_scope&state=abc'],
  ['accepted-error-server-error', 'error=server_error&state=abc'],
  ['accepted-error-temporarily-unavailable', 'error=temporarily_unavailable&state=abc'],
  ['accepted-error-level-not-reached', 'error=access_denied&error_description=requested%20ACRs%20could%20not%20be%20satisfied'],
  ['accepted-error-with-html', `error=x&error_description=${encodeURIComponent('<script>alert(1)</script>\r\n')}`],
  ['accepted-error-description-of-8-kilobytes', `error=x&error_description=${'d'.repeat(8000)}`],
  ['accepted-iss-of-another-provider', 'code=a&state=b&iss=https%3A%2F%2Fevil.example'],
  ['accepted-code-without-state', 'code=a'],
  ['refused-code-and-error', `${CODE}&error=access_denied`],
  ['refused-state-only', 'state=abc'],
  ['refused-state-repeated', `${CODE}&state=def`],
  ['refused-code-repeated-with-an-escaped-name', `${CODE}&c%6Fde=x`],
  ['refused-broken-escape', 'code=%4&state=b'],
  ['refused-escaped-nul', 'code=a%00b&state=b'],
  ['refused-nul-byte', Buffer.from('code=a\0b&state=b')],
  ['refused-parameter-without-name', 'code=a&=b'],
  ['refused-empty-item', 'code=a&&state=b'],
  ['refused-final-ampersand', 'code=a&'],
  ['accepted-description-that-takes-more-room-when-escaped', `error=x&error_description=${'é'.repeat(4000)}`],
  ['refused-65-parameters', `code=a${Array.from({ length: 65 }, (_, i) => `&p${i}=1`).join('')}`],
  ['refused-17-kilobytes', `code=${'a'.repeat(17000)}`],
  ['refused-empty', ''],
]) seed('callback', name, query);

// --- cookie: accepted is one session handle
const HANDLE = b64(Buffer.alloc(64, 0x5a)), S = '__Host-proconnect', L = '__Host-proconnect-login';
for (const [name, header] of [
  ['accepted-session-alone', `${S}=${HANDLE}`],
  ['accepted-session-among-others', `a=1; ${S}=${HANDLE}; ${L}=${b64(Buffer.alloc(32, 1))}; b=2`],
  ['accepted-without-spaces', `a=1;${S}=${HANDLE};b=2`],
  ['accepted-blanks-round-everything', `\t ; ;${S}\t = \t${HANDLE} ;`],
  ['accepted-names-that-only-begin-like-ours', `${S}x=1; x${S}=2; ${S}=${HANDLE}; ${S.toLowerCase()}=3`],
  ['refused-session-twice', `${S}=${HANDLE}; ${S}=${HANDLE}`],
  ['refused-session-twice-one-of-them-empty', `${S}=; ${S}=${HANDLE}`],
  ['refused-session-cut', `${S}=${HANDLE.slice(0, 85)}`],
  ['refused-session-longer', `${S}=${HANDLE}A`],
  ['refused-session-not-canonical', `${S}=${HANDLE.slice(0, 85)}b`],
  ['refused-session-in-quotes', `${S}="${HANDLE}"`],
  ['refused-session-of-10-kilobytes', `${S}=${'A'.repeat(10000)}`],
  ['refused-session-with-nul', Buffer.from(`${S}=${HANDLE.slice(0, 40)}\0${HANDLE.slice(41)}`)],
  ['refused-session-with-high-bytes', Buffer.from(`${S}=${HANDLE.slice(0, 40)}\xff${HANDLE.slice(41)}`, 'latin1')],
  ['refused-session-after-a-comma', `a=1, ${S}=${HANDLE}`],
  ['refused-session-in-a-value', `a=${S}=${HANDLE}`],
  ['refused-name-without-equals', `${S}`],
  ['refused-login-twice', `${L}=${b64(Buffer.alloc(32, 1))}; ${L}=${b64(Buffer.alloc(32, 2))}`],
  ['refused-semicolons-only', ';;;;;; ; ;'],
  ['refused-two-thousand-pairs', 'a=b;'.repeat(2000)],
  ['refused-empty', ''],
]) seed('cookie', name, header);

// --- return_address
for (const [name, address] of [
  ['accepted-a-page', '/private/page?a=1&b=%2F%2Fevil.example#'.slice(0, -1)],
  ['accepted-the-root', '/'],
  ['accepted-escapes', '/%C3%A9t%C3%A9/a%20b?q=%0d%0a'],
  ['accepted-two-slashes-later', '/a//b'],
  ['accepted-colon-and-at', '/a:b@c'],
  ['accepted-dots-in-names', '/.well-known/...a/b..c/.../'],
  ['refused-two-slashes', '//evil.example'],
  ['refused-three-slashes', '///evil.example'],
  ['refused-slash-and-backslash', '/\\evil.example'],
  ['refused-backslash-later', '/a\\..\\b'],
  ['refused-slash-tab-slash', '/\t/evil.example'],
  ['refused-slash-line-end-slash', '/\r\n/evil.example'],
  ['refused-escaped-second-slash', '/%2Fevil.example'],
  ['refused-escaped-second-backslash', '/%5cevil.example'],
  ['refused-escaped-line-end', '/a%0d%0aSet-Cookie:%20a=b'],
  ['refused-escaped-nul', '/a%00'],
  ['refused-absolute', 'https://evil.example/'],
  ['refused-scheme-without-slashes', 'https:evil.example'],
  ['refused-javascript', 'javascript:alert(1)'],
  ['refused-space-in-front', ' /a'],
  ['refused-space-inside', '/a b'],
  ['refused-fragment', '/a#b'],
  ['refused-dot-dot', '/..//evil.example'],
  ['refused-dot-dot-escaped', '/a/%2e%2E/%2e%2e//evil.example'],
  ['refused-not-ascii', '/é'],
  ['refused-del', '/a\x7f'],
  ['refused-relative', 'page'],
  ['refused-query-only', '?a'],
  ['refused-4097-bytes', `/${'a'.repeat(4096)}`],
  ['refused-empty', ''],
]) seed('return_address', name, address);

// --- url
for (const [name, text] of [
  ['accepted-https', 'https://provider.example/api/v2?x=1'],
  ['accepted-capitals', 'HTTPS://Provider.EXAMPLE:443'],
  ['accepted-port', 'http://localhost:8080/'],
  ['accepted-ipv6', 'https://[::1]:8443/a'],
  ['accepted-ipv4', 'http://127.0.0.1'],
  ['accepted-query-without-path', 'https://a?b'],
  ['refused-user-name', 'https://a:b@evil.example/'],
  ['refused-fragment', 'https://a/#b'],
  ['refused-backslash', 'https://a\\@evil.example'],
  ['refused-port-zero', 'https://a:0/'],
  ['refused-port-empty', 'https://a:/'],
  ['refused-port-too-large', 'https://a:65536/'],
  ['refused-port-with-sign', 'https://a:+443/'],
  ['refused-host-empty', 'https:///a'],
  ['refused-bracket-open', 'https://[::1/'],
  ['refused-ipv6-with-zone', 'https://[fe80::1%25eth0]/'],
  ['refused-scheme-ftp', 'ftp://a/'],
  ['refused-scheme-relative', '//a/'],
  ['refused-broken-escape', 'https://a/%zz'],
  ['refused-space', 'https://a/ b'],
  ['refused-line-end', 'https://a/\r\nb'],
  ['refused-not-ascii', 'https://é.example/'],
]) seed('url', name, text);

// --- rule: the words of a line Require proconnect, then the value of its claim
for (const [name, words, value] of [
  ['accepted-role', ['roles', 'agent_public_etat'], 'agent_public_etat;agent_public'],
  ['accepted-level-and-above', ['acr', '>=', 'eidas1-mfa'], 'eidas2'],
  ['accepted-certification', ['acr', 'certification-dirigeant'], 'https://proconnect.gouv.fr/assurance/certification-dirigeant'],
  ['accepted-method', ['amr', 'totp'], 'pwd;otp'],
  ['accepted-domain', ['email_domain', 'interieur.gouv.fr', '*.lyon.fr'], 'a@x.LYON.fr'],
  ['accepted-domain-with-accents', ['email_domain', 'mairie-épinal.fr'], 'a@xn--mairie-pinal-heb.fr'],
  ['accepted-domain-of-two-ats', ['email_domain', 'lyon.fr'], 'a@b@lyon.fr'],
  ['accepted-siret', ['siret', '130 025 265 00013'], '13002526500013'],
  ['accepted-siret-of-too-many-digits', ['siret', '13002526500013'], '130025265000131'],
  ['accepted-custom', ['custom.structureTravail', '59194'], '59194'],
  ['accepted-custom-with-a-space', ['custom.a b', '1'], '1'],
  ['accepted-pattern', ['usual_name', '=~', 'DU'], 'DUPONT'],
  ['accepted-file', ['email', 'file:/nowhere'], 'a@b.fr'],
  ['accepted-escaped-element', ['groups', 'a;b'], 'a\\;b;c\\'],
  ['refused-unknown-claim', ['rolles', 'x'], ''],
  ['refused-without-value', ['roles'], ''],
  ['refused-empty-value', ['roles', ''], ''],
  ['refused-operator', ['roles', '==', 'x'], ''],
  ['refused-level', ['acr', 'eidas9'], ''],
  ['refused-method', ['amr', 'sms'], ''],
  ['refused-domain-of-a-long-label', ['email_domain', `${'a'.repeat(64)}.fr`], ''],
  ['refused-domain-with-two-dots', ['email_domain', 'a..fr'], ''],
  ['refused-siren', ['siren', '13002526500013'], ''],
  ['refused-relative-file', ['email', 'file:agents.txt'], ''],
  ['refused-empty', [], ''],
]) seed('rule', name, parts(words.join('\n'), value));

// --- base64url
for (const [name, text] of [
  ['accepted-empty', ''], ['accepted-one-byte', 'AA'], ['accepted-two-bytes', 'AAA'], ['accepted-whole-alphabet', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'],
  ['refused-padding', 'AA=='], ['refused-one-character', 'A'], ['refused-unused-bits', 'AB'], ['refused-other-alphabet', 'ab+/'], ['refused-line-end', 'AAAA\n'], ['refused-nul', Buffer.from('AA\0A')],
]) seed('base64url', name, text);

// --- ticket: a state, or "sealed" and the content of the box
const u16 = n => Buffer.from([n >> 8, n & 255]);
function ticket({ version = 1, issued = NOW, flags = 0, attempt = 1, browser = Buffer.alloc(32, 9), address = '/private?a=1', acr = ['eidas2'], count = acr.length, tail = '' } = {}) {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(issued));
  return Buffer.concat([Buffer.from('sealed\n'), Buffer.from([version]), Buffer.alloc(16, 7), time, Buffer.from([flags, attempt]), browser, u16(address.length), Buffer.from(address),
    u16(count), ...acr.map(a => Buffer.concat([u16(a.length), Buffer.from(a)])), Buffer.from(tail)]);
}
for (const [name, content] of [
  ['accepted-usual', ticket()],
  ['accepted-all-flags-and-levels', ticket({ flags: 255, attempt: 255, acr: Array.from({ length: 16 }, (_, i) => `level-${i}`) })],
  ['accepted-without-address-and-levels', ticket({ address: '', acr: [] })],
  ['accepted-time-before-the-epoch', ticket({ issued: -5 })],
  ['accepted-address-of-4096-bytes', ticket({ address: `/${'a'.repeat(4095)}` })],
  ['refused-address-of-4097-bytes', ticket({ address: `/${'a'.repeat(4096)}` })],
  ['refused-version-2', ticket({ version: 2 })],
  ['refused-bytes-after-the-end', ticket({ tail: 'x' })],
  ['refused-cut', ticket().subarray(0, 60)],
  ['refused-cut-in-the-id', ticket().subarray(0, 12)],
  ['refused-17-levels', ticket({ acr: Array.from({ length: 17 }, () => 'a') })],
  ['refused-more-levels-announced', ticket({ count: 3 })],
  ['refused-fewer-levels-announced', ticket({ count: 0 })],
  ['refused-level-of-256-bytes', ticket({ acr: ['a'.repeat(256)] })],
  ['refused-65535-levels-announced', ticket({ count: 65535 })],
  ['refused-empty-box', 'sealed\n'],
  ['refused-state-of-zeros', b64(Buffer.alloc(120))],
  ['refused-state-not-base64url', '<script>'],
  ['refused-state-of-9000-characters', 'A'.repeat(9000)],
  ['refused-state-shorter-than-a-seal', 'AAAA'],
  ['refused-empty', ''],
]) seed('ticket', name, content);

// --- attributes: the decrypted block
const u16le = n => { const b = Buffer.alloc(2); b.writeUInt16LE(n); return b; };
const u32le = n => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
function item(variable, value, { kind = 0, flags = 0, claim = '', valueBytes = Buffer.byteLength(value), claimBytes = Buffer.byteLength(variable) - 11, end = '\0' } = {}) {
  return Buffer.concat([u32le(valueBytes), u16le(claimBytes), Buffer.from([kind, flags]), Buffer.from(`${variable}\0${value}${end}${claim}`)]);
}
function block(items, { version = 1, reserved = 0, count = items.length, json = 200, tail = '' } = {}) {
  return Buffer.concat([Buffer.from([version, reserved]), u16le(count), u32le(json), ...items, Buffer.from(tail)]);
}
const EMAIL = item('PROCONNECT_EMAIL', 'a@b.fr');
for (const [name, content] of [
  ['accepted-empty', block([])],
  ['accepted-each-kind', block([EMAIL, item('PROCONNECT_AGE', '5', { kind: 1 }), item('PROCONNECT_ROLES', 'a;b', { kind: 2 }), item('PROCONNECT_A_B', 'x', { flags: 2, claim: 'a-b' })])],
  ['accepted-escaped-values', block([item('PROCONNECT_NAME', '"a"\t\\', { flags: 4 }), item('PROCONNECT_LIST', 'a\\;b;c\\', { kind: 2, flags: 4 })])],
  ['accepted-derived', block([item('PROCONNECT_SESSION', 'x', { flags: 1 })])],
  ['accepted-the-same-variable-twice', block([EMAIL, EMAIL])],
  ['accepted-json-size-too-small', block([EMAIL], { json: 3 })],
  ['accepted-json-size-zero', block([EMAIL], { json: 0 })],
  ['accepted-claim-without-name', block([item('PROCONNECT_', '')])],
  ['refused-another-version', block([EMAIL], { version: 2 })],
  ['refused-reserved-byte', block([EMAIL], { reserved: 1 })],
  ['refused-one-item-more-announced', block([EMAIL], { count: 2 })],
  ['refused-one-item-fewer-announced', block([EMAIL, EMAIL], { count: 1 })],
  ['refused-value-longer-than-the-block', block([item('PROCONNECT_EMAIL', 'a', { valueBytes: 0xffffffff })])],
  ['refused-variable-longer-than-the-block', block([item('PROCONNECT_EMAIL', 'a', { claimBytes: 0xffff })])],
  ['refused-value-without-its-end', block([item('PROCONNECT_EMAIL', 'a', { end: 'x' })])],
  ['refused-unknown-kind', block([item('PROCONNECT_EMAIL', 'a', { kind: 3 })])],
  ['refused-unknown-flag', block([item('PROCONNECT_EMAIL', 'a', { flags: 8 })])],
  ['refused-json-size-beyond-all', block([EMAIL], { json: 0x7fffffff })],
  ['refused-bytes-after-the-end', block([EMAIL], { tail: 'x' })],
  ['refused-cut', block([EMAIL]).subarray(0, 20)],
]) seed('attributes', name, content);

// --- tokens: the decrypted block, or any text as tokens to encode
const time = n => { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(n)); return b; };
const asText = text => Buffer.concat([Buffer.from([0]), u32le(Buffer.byteLength(text)), Buffer.from(text)]);
const asParts = (...texts) => Buffer.concat([Buffer.from([texts.length]), ...texts.map(t => Buffer.concat([u16le(Buffer.byteLength(t)), Buffer.from(t)]))]);
const tokens = (...list) => Buffer.concat([Buffer.from([1]), time(NOW), ...list]);
for (const [name, content] of [
  ['accepted-jwt-opaque-and-none', tokens(asParts('{"alg":"ES256"}', '{}', 'sig'), asText('opaque+/='), asText(''))],
  ['accepted-jwe-of-five-parts', tokens(asParts('a', '', 'b', 'c', 'd'), asParts('x'), asText(''))],
  ['accepted-time-at-its-end', Buffer.concat([Buffer.from([1]), Buffer.alloc(8, 0xff), asText('a'), asText('b'), asText('c')])],
  ['refused-another-version', Buffer.concat([Buffer.from([2]), time(NOW), asText(''), asText(''), asText('')])],
  ['refused-six-parts', tokens(asParts('a', 'b', 'c', 'd', 'e', 'f'), asText(''), asText(''))],
  ['refused-text-longer-than-the-block', tokens(Buffer.from([0, 255, 255, 255, 255]), asText(''), asText(''))],
  ['refused-part-longer-than-the-block', tokens(Buffer.from([1, 255, 255]), asText(''), asText(''))],
  ['refused-one-token-missing', tokens(asText('a'), asText('b'))],
  ['refused-bytes-after-the-end', tokens(asText(''), asText(''), asText(''), Buffer.from('x'))],
  ['refused-three-texts-to-encode', parts(vectors.kRfc7515A1, 'opaque token with spaces', 'a..b.')],
  ['refused-dots-to-encode', parts('.....', '..', '.')],
  ['refused-empty', ''],
]) seed('tokens', name, content);

// --- session_table: 'a' or 'u', then patches of area, offset, length, bytes
const patch = (area, offset, bytes) => Buffer.concat([Buffer.from([area]), u16le(offset), Buffer.from([bytes.length]), bytes]);
const TABLE = 0, SHARD = 1, BUCKETS = 2, ENTRIES = 3, CHUNKS = 4;
const entry = (number, field) => number * 128 + { created: 64, expires: 72, last_used: 80, idle: 88, serial: 96, state: 104, attributes: 108, tokens: 112, chunk: 116, next: 120, id: 0 }[field];
const chunk = (number, field) => number * 256 + { next: 0, label: 4, bytes: 8 }[field];
const FULL = Buffer.alloc(4, 0xff);
for (const [name, ...patches] of [
  ['untouched'],
  ['bucket-leads-out-of-the-table', ...Array.from({ length: 8 }, (_, i) => patch(BUCKETS, 4 * i, FULL))],
  ['all-buckets-lead-to-one-record', ...Array.from({ length: 8 }, (_, i) => patch(BUCKETS, 4 * i, u32le(2)))],
  ['records-in-a-circle', ...[1, 2, 5, 6].map((n, i, all) => patch(ENTRIES, entry(n, 'next'), u32le(all[(i + 1) % 4])))],
  ['record-is-its-own-successor', patch(ENTRIES, entry(5, 'next'), u32le(5))],
  ['chunks-in-a-circle', patch(CHUNKS, chunk(14, 'next'), u32le(10))],
  ['chunk-leads-out-of-the-table', patch(CHUNKS, chunk(11, 'next'), FULL)],
  ['chunk-of-another-record', patch(ENTRIES, entry(5, 'chunk'), u32le(15))],
  ['label-of-another-record', patch(CHUNKS, chunk(12, 'label'), u32le((6 << 9) | 2))],
  ['mark-of-a-repair-left', patch(CHUNKS, chunk(12, 'label'), u32le(0x80000000 + ((5 << 9) | 2)))],
  ['part-of-four-gigabytes', patch(ENTRIES, entry(5, 'attributes'), FULL), patch(ENTRIES, entry(5, 'tokens'), FULL)],
  ['part-longer-than-its-chain', patch(ENTRIES, entry(5, 'attributes'), u32le(61440))],
  ['record-being-written', patch(ENTRIES, entry(5, 'state'), Buffer.from('WRIG'))],
  ['record-of-unknown-state', patch(ENTRIES, entry(6, 'state'), u32le(77))],
  ['live-record-marked-free', patch(ENTRIES, entry(6, 'state'), u32le(0))],
  ['the-same-id-twice', patch(ENTRIES, entry(6, 'id'), Buffer.alloc(32, 1)), patch(ENTRIES, entry(5, 'id'), Buffer.alloc(32, 1))],
  ['tombstone-brought-back', patch(ENTRIES, entry(4, 'state'), Buffer.from('LIVE'))],
  ['times-at-their-ends', patch(ENTRIES, entry(5, 'created'), Buffer.alloc(8, 0x80)), patch(ENTRIES, entry(6, 'last_used'), Buffer.concat([Buffer.alloc(7, 0xff), Buffer.from([0x7f])])),
    patch(ENTRIES, entry(6, 'idle'), Buffer.concat([Buffer.alloc(7, 0xff), Buffer.from([0x7f])]))],
  ['idle-negative', patch(ENTRIES, entry(5, 'idle'), Buffer.alloc(8, 0xff))],
  ['serial-at-its-end', patch(ENTRIES, entry(1, 'serial'), Buffer.alloc(8, 0xff))],
  ['no-limit', patch(SHARD, 0, u32le(0))],
  ['limit-beyond-the-table', patch(SHARD, 0, FULL)],
  ['entries-begun-beyond-the-table', patch(SHARD, 4, FULL)],
  ['entries-begun-zero', patch(SHARD, 4, u32le(0))],
  ['free-entry-is-a-live-one', patch(SHARD, 8, u32le(5))],
  ['free-entries-in-a-circle', patch(SHARD, 8, u32le(3)), patch(ENTRIES, entry(3, 'next'), u32le(3))],
  ['chunks-begun-beyond-the-table', patch(SHARD, 12, FULL)],
  ['chunks-begun-zero', patch(SHARD, 12, u32le(0))],
  ['free-chunk-is-in-use', patch(SHARD, 16, u32le(11))],
  ['free-chunks-in-a-circle', patch(CHUNKS, chunk(3, 'next'), u32le(3))],
  ['free-chunk-with-a-label', patch(CHUNKS, chunk(4, 'label'), u32le((5 << 9) | 1))],
  ['live-count-beyond-all', patch(SHARD, 20, FULL)],
  ['live-count-zero', patch(SHARD, 20, u32le(0))],
  ['tombstone-count-wrong', patch(SHARD, 24, u32le(99))],
  ['chunks-in-use-beyond-all', patch(SHARD, 28, FULL)],
  ['shard-of-zeros', patch(SHARD, 0, Buffer.alloc(88))],
  ['shard-of-ones', patch(SHARD, 0, Buffer.alloc(88, 0xff))],
  ['entries-of-noise', ...Array.from({ length: 7 }, (_, i) => patch(ENTRIES, 128 * i, Buffer.from(Array.from({ length: 128 }, (_, j) => (i * 37 + j * 11 + j * j) & 255))))],
]) {
  seed('session_table', `accepted-${name}`, Buffer.concat([Buffer.from('a'), ...patches]));
  if (patches.length) seed('session_table', `accepted-in-use-${name}`, Buffer.concat([Buffer.from('u'), ...patches]));
}
for (const [name, offset, bytes] of [
  ['no-magic', 0, Buffer.alloc(8)], ['another-version', 8, u32le(9)], ['another-header-size', 12, u32le(64)], ['another-entry-size', 20, u32le(64)], ['another-mutex-size', 28, u32le(64)],
  ['more-shards', 32, u32le(4)], ['no-shards', 32, u32le(0)], ['buckets-no-power-of-two', 36, u32le(7)], ['more-entries', 40, FULL], ['more-chunks', 44, FULL],
  ['capacity-of-a-larger-table', 48, u32le(100000)], ['total-bytes-beyond-all', 56, Buffer.alloc(8, 0xff)], ['no-capacity', 64, Buffer.alloc(8)], ['capacity-beyond-all', 64, Buffer.alloc(8, 0xff)],
]) {
  seed('session_table', `refused-${name}`, Buffer.concat([Buffer.from('a'), patch(TABLE, offset, bytes)]));
  seed('session_table', `refused-in-use-${name}`, Buffer.concat([Buffer.from('u'), patch(TABLE, offset, bytes)]));
}
seed('session_table', 'accepted-both-flags-of-a-takeover', Buffer.concat([Buffer.from('u'), patch(TABLE, 72, u32le(1)), patch(TABLE, 76, FULL)]));

// --- provider_board: patches
const STAMP = 0, NUMBERS = 1, DISCOVERY_0 = 2, JWKS_0 = 3, DISCOVERY_1 = 4, JWKS_1 = 5;
for (const [name, ...patches] of [
  ['accepted-untouched'],
  ['accepted-the-other-pair-damaged', patch(DISCOVERY_1, 0, Buffer.alloc(8, 0xff)), patch(JWKS_1, 0, Buffer.alloc(8, 0xff))],
  ['accepted-numbers-of-ones', patch(NUMBERS, 8, Buffer.alloc(80, 0xff))],
  ['accepted-numbers-at-their-ends', ...Array.from({ length: 10 }, (_, i) => patch(NUMBERS, 8 + 8 * i, Buffer.concat([Buffer.alloc(7, 0xff), Buffer.from([0x7f])])))],
  ['accepted-numbers-negative', ...Array.from({ length: 10 }, (_, i) => patch(NUMBERS, 8 + 8 * i, Buffer.concat([Buffer.alloc(7), Buffer.from([0x80])])))],
  ['accepted-last-error-unknown', patch(NUMBERS, 48, u32le(12345))],
  ['accepted-other-generation', patch(NUMBERS, 0, u32le(7))],
  ['accepted-generation-at-its-end', patch(NUMBERS, 0, Buffer.alloc(8, 0xff))],
  ['accepted-unknown-key-fetch-in-the-future', patch(NUMBERS, 72, u32le(0xfffffff0))],
  ['accepted-text-changed', patch(DISCOVERY_0, 8, Buffer.from([0, 255, 10]))],
  ['refused-no-generation', patch(NUMBERS, 0, Buffer.alloc(8))],
  ['refused-discovery-longer-than-its-room', patch(DISCOVERY_0, 0, Buffer.alloc(8, 0xff))],
  ['refused-keys-one-byte-longer-than-their-room', patch(JWKS_0, 0, u32le(131073))],
  ['refused-no-stamp', patch(STAMP, 0, Buffer.alloc(8))],
  ['refused-another-version', patch(STAMP, 3, Buffer.from([9]))],
  ['refused-another-issuer', patch(STAMP, 16, Buffer.from('x'))],
  ['refused-issuer-longer-than-its-room', patch(STAMP, 8, Buffer.alloc(8, 0xff))],
]) seed('provider_board', name, Buffer.concat([Buffer.alloc(0), ...patches]));

// --- session_snapshot: a file, or "sealed" and blocks
function record({ id = 1, realm = 'r', created = NOW - 60, expires = NOW + 3600, lastUsed = NOW, idle = 3600, serial = 1, attributes = 'aaaa', tokens: text = 'tt', attributesBytes = attributes.length, tokensBytes = text.length } = {}) {
  return Buffer.concat([Buffer.alloc(32, id), Buffer.alloc(16, realm), Buffer.alloc(16, 's'), time(created), time(expires), time(lastUsed), time(idle), time(serial), u32le(attributesBytes), u32le(tokensBytes), Buffer.from(attributes + text)]);
}
const blockOf = (records, count = records.length, bytes) => { const payload = Buffer.concat(records); return Buffer.concat([u32le(bytes ?? payload.length), u32le(count), payload]); };
const last = total => blockOf([time(total)], 0);
const sealed = (...blocks) => Buffer.concat([Buffer.from('sealed\n'), ...blocks]);
for (const [name, content] of [
  ['accepted-no-session', sealed(last(0))],
  ['accepted-two-sessions', sealed(blockOf([record(), record({ id: 2, attributes: 'a'.repeat(1000) })]), last(2))],
  ['accepted-two-blocks', sealed(blockOf([record()]), blockOf([record({ id: 2 })]), last(2))],
  ['accepted-one-of-two-expired', sealed(blockOf([record(), record({ id: 2, expires: NOW })]), last(2))],
  ['accepted-created-in-the-future', sealed(blockOf([record({ created: NOW + 301 })]), last(1))],
  ['accepted-the-same-id-twice', sealed(blockOf([record(), record()]), last(2))],
  ['accepted-more-than-the-table-holds', sealed(blockOf(Array.from({ length: 20 }, (_, i) => record({ id: i + 1, lastUsed: NOW - i }))), last(20))],
  ['accepted-empty-parts', sealed(blockOf([record({ attributes: '', tokens: '' })]), last(1))],
  ['refused-no-last-block', sealed(blockOf([record()]))],
  ['refused-wrong-total', sealed(blockOf([record()]), last(2))],
  ['refused-bytes-after-the-end', sealed(last(0), last(0))],
  ['refused-total-of-four-bytes', sealed(blockOf([u32le(0)], 0))],
  ['refused-more-records-announced', sealed(blockOf([record()], 2), last(2))],
  ['refused-record-cut', sealed(blockOf([record().subarray(0, 80)], 1), last(1))],
  ['refused-part-longer-than-the-block', sealed(blockOf([record({ attributesBytes: 0xffffffff })]), last(1))],
  ['refused-parts-that-overflow-together', sealed(blockOf([record({ attributesBytes: 0x80000000, tokensBytes: 0x80000006 })]), last(1))],
  ['refused-block-longer-than-the-file', sealed(blockOf([record()], 1, 0xffffffff))],
  ['refused-bare-magic', 'PCSNAPSH'],
  ['refused-header-without-mac', Buffer.concat([Buffer.from('PCSNAPSH'), u32le(1), u32le(0x01020304), time(NOW), Buffer.alloc(32)])],
  ['refused-empty', ''],
]) seed('session_snapshot', name, content);

// --- provider_snapshot
const SNAPSHOT = { version: 1, issuer: ISSUER, discovery_fetched: NOW - 100, jwks_fetched: NOW - 50, discovery: json(METADATA), jwks: set({ ...ec, kid: 'a' }) };
for (const [name, content] of [
  ['accepted-usual', SNAPSHOT],
  ['accepted-fetched-in-the-future', { ...SNAPSHOT, discovery_fetched: NOW + 86400, jwks_fetched: NOW * 100 }],
  ['accepted-fetched-long-ago', { ...SNAPSHOT, discovery_fetched: 0, jwks_fetched: 0 }],
  ['refused-another-version', { ...SNAPSHOT, version: 2 }],
  ['refused-version-is-a-text', { ...SNAPSHOT, version: '1' }],
  ['refused-another-issuer', { ...SNAPSHOT, issuer: 'https://evil.example' }],
  ['refused-discovery-of-another-issuer', { ...SNAPSHOT, discovery: json({ ...METADATA, issuer: 'https://evil.example' }) }],
  ['refused-discovery-on-http', { ...SNAPSHOT, discovery: json({ ...METADATA, token_endpoint: 'http://a/' }) }],
  ['refused-keys-unusable', { ...SNAPSHOT, jwks: '{"keys":[]}' }],
  ['refused-keys-missing', without(SNAPSHOT, 'jwks')],
  ['refused-time-is-a-text', { ...SNAPSHOT, jwks_fetched: 'now' }],
  ['refused-time-negative', { ...SNAPSHOT, jwks_fetched: -1 }],
  ['refused-nested-too-deeply', { ...SNAPSHOT, more: [[[]]] }],
  ['refused-cut', json(SNAPSHOT).slice(0, 300)],
  ['refused-empty', ''],
]) seed('provider_snapshot', name, typeof content === 'string' ? content : json(content));

// --- login: query -- token response -- claims -- userinfo
const CALLBACK = `code=c&state=@STATE@&iss=${encodeURIComponent(ISSUER)}`;
const RESPONSE = json({ ...TOKENS, id_token: '@ID_TOKEN@' });
const LOGIN_CLAIMS = { ...without(ID_TOKEN, 'at_hash'), nonce: '@NONCE@' };
const login = (query = CALLBACK, response = RESPONSE, claims = LOGIN_CLAIMS, userinfo = PLAIN) => parts(query, response, json(claims), json(userinfo));
for (const [name, content] of [
  ['accepted-usual', login()],
  ['accepted-identity-with-odd-claims', login(undefined, undefined, undefined, { ...PLAIN, 'a\nb': 1, x: [], y: { z: null } })],
  ['refused-another-state', login(CALLBACK.replace('@STATE@', 'abc'))],
  ['refused-no-state', login('code=c')],
  ['refused-state-twice', login(`${CALLBACK}&state=@STATE@`)],
  ['refused-state-with-something-after-it', login(CALLBACK.replace('@STATE@', '@STATE@AAAA'))],
  ['refused-iss-of-another-provider', login('code=c&state=@STATE@&iss=https%3A%2F%2Fevil.example')],
  ['refused-iss-missing', login('code=c&state=@STATE@')],
  ['refused-error-response', login(`error=access_denied&state=@STATE@&iss=${encodeURIComponent(ISSUER)}`)],
  ['refused-nonce-of-another-login', login(undefined, undefined, { ...LOGIN_CLAIMS, nonce: 'x' })],
  ['refused-level-not-asked-for', login(undefined, undefined, { ...LOGIN_CLAIMS, acr: 'eidas0' })],
  ['refused-level-missing', login(undefined, undefined, without(LOGIN_CLAIMS, 'acr'))],
  ['refused-userinfo-of-another-subject', login(undefined, undefined, undefined, { ...PLAIN, sub: 'subject-2' })],
  ['refused-id-token-of-alg-none', login(undefined, json({ ...TOKENS, id_token: vectors.kRfc7515A5 }))],
  ['refused-id-token-encrypted', login(undefined, json({ ...TOKENS, id_token: vectors.kRfc7516A1 }))],
  ['refused-token-response-is-html', login(undefined, '<html></html>')],
  ['refused-identity-too-large', login(undefined, undefined, undefined, { ...PLAIN, ...Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`k${i}`, 'v'.repeat(8000)])) })],
  ['refused-empty', ''],
]) seed('login', name, content);
