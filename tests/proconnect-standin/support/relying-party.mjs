// A small service provider and a small browser, for the stand-in's own tests.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createHash, randomBytes } from 'node:crypto';
import {
  SignJWT, compactDecrypt, createRemoteJWKSet, decodeProtectedHeader, importJWK, jwtVerify,
} from 'jose';
import { startStandIn } from '../standin.mjs';

export const SECRET = 'test-only-secret-0123456789abcdef0123456789';
export const CALLBACK = 'http://localhost:8080/proconnect/callback';

/** One HTTP exchange, redirects not followed. */
export function send(url, { method = 'GET', headers = {}, form, json, ca } = {}) {
  const body = form ? new URLSearchParams(form).toString() : json !== undefined ? JSON.stringify(json) : undefined;
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  return new Promise((resolve, reject) => {
    const call = url.startsWith('https:') ? httpsRequest : httpRequest;
    const req = call(url, {
      method,
      ca,
      headers: { ...(body === undefined ? {} : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }), ...headers },
    }, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk)).on('error', reject).on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: res.statusCode,
          headers: res.headers,
          text,
          get json() { return JSON.parse(text); },
          get pageCode() { return /id="error-code">([^<]*)</.exec(text)?.[1]; },
        });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Cookies by path, for one host: enough of a browser to log in. */
export class Browser {
  cookies = new Map();

  headers = {};

  async open(url, options = {}) {
    const { pathname } = new URL(url);
    const cookie = [...this.cookies.values()].filter(({ path }) => pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`).join('; ');
    const response = await send(url, { ...options, headers: { ...this.headers, ...(cookie ? { cookie } : {}), ...options.headers } });
    for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
    return response;
  }

  /** Follows redirects on the stand-in's own host; stops before leaving it. */
  async visit(url, options) {
    let here = url;
    let response = await this.open(here, options);
    let hops = 1;
    while (response.headers.location) {
      const next = new URL(response.headers.location, here);
      if (next.origin !== new URL(here).origin) return Object.assign(response, { location: next, hops });
      here = next.href;
      response = await this.open(here);
      hops += 1;
    }
    return Object.assign(response, { url: here, hops });
  }

  #keep(line) {
    const [pair, ...attributes] = line.split('; ');
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const path = attributes.find((item) => item.startsWith('path='))?.slice(5) ?? '/';
    if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(`${path} ${name}`);
    else this.cookies.set(`${path} ${name}`, { name, value, path });
  }
}

/** Starts a stand-in for one test file. */
export async function standInFor(t, options) {
  const standIn = await startStandIn(options);
  t.after(() => standIn.close());
  const control = async (method, path, json) => {
    const response = await send(`${standIn.control}${path}`, { method, json });
    if (response.status !== 200) throw Object.assign(new Error(response.text), { status: response.status });
    return response.json;
  };
  return {
    ...standIn,
    controlUrl: standIn.control,
    control,
    /** Registers a client and returns its relying party. */
    async client(settings = {}) {
      const id = settings.client_id ?? `client-${randomBytes(4).toString('hex')}`;
      const registered = await control('POST', '/clients', {
        client_id: id, client_secret: SECRET, redirect_uris: [CALLBACK], ...settings,
      });
      return new RelyingParty(standIn.issuer, { ...settings, client_id: id }, registered.private_keys);
    },
  };
}

export class RelyingParty {
  browser = new Browser();

  constructor(issuer, client, privateKeys = []) {
    this.issuer = issuer;
    this.client = client;
    this.privateKeys = privateKeys;
    this.redirectUri = client.redirect_uris?.[0] ?? CALLBACK;
  }

  /** Parameters set to undefined are left out. */
  authorizeUrl(params = {}) {
    this.sent = {
      response_type: 'code',
      client_id: this.client.client_id,
      redirect_uri: this.redirectUri,
      scope: 'openid given_name usual_name email uid siret idp_id idp_acr organization_label roles custom',
      state: randomBytes(24).toString('base64url'),
      nonce: randomBytes(24).toString('base64url'),
      ...params,
    };
    if (typeof this.sent.claims === 'object') this.sent.claims = JSON.stringify(this.sent.claims);
    const query = Object.entries(this.sent).filter(([, value]) => value !== undefined);
    return `${this.issuer}/authorize?${new URLSearchParams(query)}`;
  }

  /** Up to the callback. Returns its parameters, or the page that stood in the way. */
  async authorize(persona, params, headers = {}) {
    const named = persona ? { 'X-Standin-Persona': persona } : {};
    const answer = await this.browser.visit(this.authorizeUrl(params), { headers: { ...named, ...headers } });
    return answer.location ? Object.fromEntries(answer.location.searchParams) : answer;
  }

  /** A whole login; throws when it ends in an error. */
  async login(persona, params, { verifier } = {}) {
    const answer = await this.authorize(persona, params);
    if (!answer.code) throw new Error(`no code: ${answer.error ?? answer.pageCode}`);
    const tokens = await this.redeem(answer.code, verifier ? { code_verifier: verifier } : {});
    if (tokens.error) throw new Error(`no tokens: ${tokens.error}`);
    return { ...tokens, idToken: await this.verify(tokens.id_token, 'id_token') };
  }

  async redeem(code, more = {}) {
    return this.token({ grant_type: 'authorization_code', code, redirect_uri: this.redirectUri, ...more });
  }

  async token(form) {
    return (await this.post('/token', form)).json;
  }

  async post(path, form, headers) {
    return send(`${this.issuer}${path}`, { method: 'POST', headers, form: { ...await this.authentication(), ...form } });
  }

  async authentication() {
    const { client_id: id, token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = this.client;
    if (method !== 'private_key_jwt') return { client_id: id, client_secret: this.client.client_secret ?? SECRET };
    const assertion = await new SignJWT({ jti: randomBytes(8).toString('hex') })
      .setProtectedHeader({ alg, kid: `client:${alg}` }).setIssuer(id).setSubject(id).setAudience(`${this.issuer}/token`)
      .setIssuedAt().setExpirationTime('1m').sign(await this.#privateKey(alg));
    return {
      client_id: id,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
  }

  async userinfo(accessToken, options = {}) {
    const response = await send(`${this.issuer}/userinfo`, { headers: { Authorization: `Bearer ${accessToken}` }, ...options });
    const claims = response.status !== 200 ? undefined
      : response.text.startsWith('{') ? response.json : (await this.verify(response.text, 'userinfo')).payload;
    return { status: response.status, type: response.headers['content-type'], claims, response };
  }

  /** Decrypts when encrypted, verifies when signed. */
  async verify(token, what) {
    let jwt = token;
    let jwe;
    if (token.split('.').length === 5) {
      jwe = decodeProtectedHeader(token);
      jwt = new TextDecoder().decode((await compactDecrypt(token, await this.#privateKey(jwe.alg))).plaintext);
      if (jwe.cty === 'json') return { jwe, payload: JSON.parse(jwt) };
    }
    const { alg } = decodeProtectedHeader(jwt);
    const key = alg.startsWith('HS') ? new TextEncoder().encode(this.client.client_secret ?? SECRET)
      : createRemoteJWKSet(new URL(`${this.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(jwt, key, { issuer: this.issuer, audience: this.client.client_id });
    if (what === 'id_token' && payload.nonce !== this.sent.nonce) throw new Error('nonce differs');
    return { payload, header: protectedHeader, jwe, jwt };
  }

  async #privateKey(alg) {
    return importJWK(this.privateKeys.find(({ jwk }) => jwk.alg === alg).jwk, alg);
  }
}

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return {
    verifier,
    params: { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
  };
}
