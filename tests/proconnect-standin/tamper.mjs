// Answers that are wrong on purpose, each a small change of the right one: a claim replaced, a signature by another
// key, a header that must not be believed. The engine itself cannot make them.

import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { newSigningKey } from './keys.mjs';
import { createRules } from './faults.mjs';

const JSON_TARGETS = { token: 'token', discovery: 'discovery', jwks: 'jwks' };
export const TAMPER_TARGETS = ['authorize', 'id_token', 'userinfo', 'introspection', ...Object.keys(JSON_TARGETS)];

const TIMES = ['exp', 'iat', 'nbf', 'auth_time'];

/**
 * @param {function} currentKeys  the stand-in's signing keys (private JWKs)
 * @returns rules by target, and the Koa middleware that applies them
 */
export function createTampering({ currentKeys, issuer }) {
  const rules = createRules();

  async function middleware(endpoint, ctx) {
    if (ctx.status === 303 && (endpoint === 'authorize' || endpoint === 'resume')) return authorizeAnswer(ctx);
    if (ctx.status !== 200) return undefined;
    if (endpoint === 'token' && ctx.body?.id_token) {
      const rule = rules.take('id_token');
      if (rule) ctx.body.id_token = await changedJwt(ctx.body.id_token, rule, secretOf(ctx));
    }
    if (endpoint === 'userinfo' || endpoint === 'introspection') {
      const rule = rules.take(endpoint);
      if (rule) ctx.body = await changed(ctx.body, rule, secretOf(ctx), ctx);
    }
    if (endpoint in JSON_TARGETS && typeof ctx.body === 'object') {
      const rule = rules.take(endpoint);
      if (rule) ctx.body = changedObject(ctx.body, rule);
    }
    return undefined;
  }

  function authorizeAnswer(ctx) {
    const location = ctx.response.get('location');
    if (location.startsWith(`${issuer}/`) || location.startsWith('/')) return; // to the login page
    const rule = rules.take('authorize');
    if (!rule) return;
    const url = new URL(location);
    for (const name of rule.remove ?? []) url.searchParams.delete(name);
    for (const [name, value] of Object.entries(rule.set ?? {})) {
      url.searchParams.delete(name);
      for (const one of [].concat(value)) url.searchParams.append(name, one); // an array repeats the parameter
    }
    ctx.set('Location', url.href);
  }

  async function changed(body, rule, secret, ctx) {
    if (typeof body !== 'string') return changedObject(body, rule);
    const type = ctx.response.get('content-type'); // Koa would guess another one for the new body
    const result = await changedJwt(body, rule, secret);
    ctx.body = result;
    ctx.set('Content-Type', type);
    return result;
  }

  /**
   * @param {object}   rule
   * @param {object}   [rule.set]            claims to add or replace; exp, iat, nbf, auth_time also as "now+60"
   * @param {string[]} [rule.remove]         claims to leave out
   * @param {string}   [rule.payload_text]   the whole payload, literally (JSON that no serializer would write)
   * @param {object}   [rule.header]         header members to add or replace; rule.remove_header: to leave out
   * @param {string}   [rule.sign]           again (default), keep, none, other-key, der, client-secret, public-key-as-secret
   * @param {string}   [rule.signature]      the signature, literally (base64url)
   * @param {number}   [rule.flip]           flips a bit in this part of the token, counted from 0; also for a JWE
   */
  async function changedJwt(token, rule, secret) {
    const parts = token.split('.');
    if (parts.length === 3 && Object.keys(rule).some((name) => name !== 'flip' && name !== 'times')) {
      const header = { ...decode(parts[0]), ...rule.header };
      for (const name of rule.remove_header ?? []) delete header[name];
      const payload = rule.payload_text ?? JSON.stringify(changedObject(decode(parts[1]), rule));
      await signAgain(parts, { header, payload, rule, secret });
    }
    if (rule.flip !== undefined) parts[rule.flip] = flipped(parts[rule.flip]);
    return parts.join('.');
  }

  async function signAgain(parts, { header, payload, rule, secret }) {
    const original = decode(parts[0]).alg;
    const kind = rule.sign ?? 'again';
    if (!rule.header?.alg) {
      if (kind === 'none') header.alg = 'none';
      if (kind === 'client-secret' || kind === 'public-key-as-secret') header.alg = 'HS256';
    }
    parts[0] = encode(JSON.stringify(header));
    parts[1] = encode(payload);
    const data = Buffer.from(`${parts[0]}.${parts[1]}`);
    const alg = kind === 'public-key-as-secret' ? 'RS256' : original;
    const key = kind === 'other-key' && alg !== 'HS256'
      ? await newSigningKey(alg) : currentKeys().find((candidate) => candidate.alg === alg);
    if (rule.signature !== undefined) parts[2] = rule.signature;
    else if (kind === 'none') parts[2] = '';
    else if (kind === 'other-key' && alg === 'HS256') parts[2] = hmac(`${secret}-not`, data);
    else if (kind === 'client-secret' || (kind !== 'public-key-as-secret' && alg === 'HS256')) {
      if (kind !== 'keep') parts[2] = hmac(secret, data);
    } else if (kind === 'public-key-as-secret') parts[2] = hmac(publicPem(key), data);
    else if (kind !== 'keep') parts[2] = signature(key, data, kind === 'der' ? 'der' : 'ieee-p1363');
  }

  return { rules, middleware };
}

function changedObject(object, { set = {}, remove = [] }) {
  const result = { ...object, ...set };
  for (const name of TIMES) {
    const [, offset] = /^now([+-]\d+)?$/.exec(set[name]) ?? [null, null];
    if (offset !== null) result[name] = Math.floor(Date.now() / 1000) + Number(offset ?? 0);
  }
  for (const name of remove) delete result[name];
  return result;
}

function signature(jwk, data, dsaEncoding) {
  return sign('sha256', data, { key: createPrivateKey({ key: jwk, format: 'jwk' }), dsaEncoding }).toString('base64url');
}

function publicPem(jwk) {
  return createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' })).export({ type: 'spki', format: 'pem' });
}

function hmac(secret, data) {
  return createHmac('sha256', secret).update(data).digest('base64url');
}

function flipped(part) {
  const bytes = Buffer.from(part, 'base64url');
  bytes[bytes.length >> 1] ^= 1;
  return bytes.toString('base64url');
}

const secretOf = (ctx) => ctx.oidc?.client?.clientSecret;
const encode = (text) => Buffer.from(text).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
