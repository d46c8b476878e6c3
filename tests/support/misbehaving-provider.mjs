// A small OpenID provider in this very process. It answers rightly until a story replaces one of its answers by a wrong one, which may be any
// bytes at all: what the stand-in, which is a real provider, cannot be made to do.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { gzipSync } from 'node:zlib';
import { newKey, sign } from './jose.mjs';
import { freePort } from './scratch.mjs';
import { rememberSecret, rememberTokens } from './secrets.mjs';

export class MisbehavingProvider {
  /** @param tls  {certFile, keyFile, options}: speaks https   @param host  the name in its addresses   @param listen  false: the port stays closed */
  static async start({ tls, host = '127.0.0.1', keys = [newKey('ES256')], listen = true } = {}) {
    const provider = new MisbehavingProvider();
    Object.assign(provider, { tls, host, keys, port: await freePort(), requests: [], clients: [], wrong: new Map(), codes: new Map() });
    provider.origin = `${tls ? 'https' : 'http'}://${host}:${provider.port}`;
    provider.issuer = `${provider.origin}/api/v2`;
    provider.well();
    if (listen) await provider.listen();
    return provider;
  }

  async listen() {
    const answer = (request, response) => this.#answer(request, response).catch(() => response.destroy());
    this.server = this.tls
      ? https.createServer({ key: readFileSync(this.tls.keyFile), cert: readFileSync(this.tls.certFile), ...this.tls.options }, answer)
      : http.createServer(answer);
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
  }

  async stop() {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** As the stand-in does: @returns {client_id, client_secret} */
  async register(settings = {}) {
    const client = { client_id: randomUUID(), client_secret: randomBytes(32).toString('hex'), ...settings };
    rememberSecret('client_secret', client.client_secret);
    this.clients.push(client);
    return client;
  }

  /**
   * Replaces an answer: discovery, authorize, token, userinfo, jwks, end_session.
   * @param wrong  gets the right answer {status, headers, body} and {request, response}; returns another, or nothing when it has answered by itself
   */
  on(endpoint, wrong) {
    this.wrong.set(endpoint, wrong);
  }

  /** From now on every answer is right. */
  well() {
    this.wrong.clear();
    this.idToken = (claims) => sign(claims, this.keys[0]);
    this.userinfo = (claims) => claims;  // plain JSON; a string is sent as a JWT
  }

  /** How often an endpoint was asked. */
  count(endpoint) {
    return this.requests.filter((request) => request.endpoint === endpoint).length;
  }

  get metadata() {
    const { issuer } = this;
    return {
      issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, userinfo_endpoint: `${issuer}/userinfo`, jwks_uri: `${issuer}/jwks`,
      end_session_endpoint: `${issuer}/session/end`, authorization_response_iss_parameter_supported: true,
    };
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.origin);
    const form = new URLSearchParams(await textOf(request));
    const endpoint = { '.well-known/openid-configuration': 'discovery', 'session/end': 'end_session' }[url.pathname.slice(8)] ?? url.pathname.slice(8);
    this.requests.push({ endpoint, method: request.method, form, authorization: request.headers.authorization?.split(' ')[0] });
    const right = this[`answer_${endpoint}`]?.({ url, form, request }) ?? json({ error: 'not_found' }, 404);
    const wrong = this.wrong.get(endpoint);
    const given = wrong ? await wrong(right, { request, response, url, form }) : right;
    if (!given || response.destroyed) return;
    const body = Buffer.from(given.body ?? '');
    response.writeHead(given.status, { 'content-length': body.length, ...given.headers });
    response.end(body);
  }

  answer_discovery() { return json(this.metadata); }

  answer_jwks() { return json({ keys: this.published ?? this.keys.map(({ jwk }) => jwk) }); }

  answer_authorize({ url }) {
    const { redirect_uri: redirectUri, state, nonce, client_id: client } = Object.fromEntries(url.searchParams);
    const code = secret('code');
    this.codes.set(code, { nonce, client });
    const target = new URL(redirectUri);
    for (const [name, value] of Object.entries({ code, state, iss: this.issuer })) target.searchParams.set(name, value);
    return { status: 303, headers: { location: target.href }, body: '' };
  }

  answer_token({ form }) {
    const login = this.codes.get(form.get('code'));
    if (!login) return json({ error: 'invalid_grant' }, 400);
    this.codes.delete(form.get('code'));
    const accessToken = secret('access_token');
    const now = Math.floor(Date.now() / 1000);
    this.claims = {
      iss: this.issuer, sub: '6f0a4c1e-person', aud: login.client, iat: now, exp: now + 60, auth_time: now, nonce: login.nonce, acr: 'eidas1', amr: ['pwd'],
      at_hash: createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url'),
    };
    const idToken = this.idToken(this.claims);
    rememberTokens({ id_token: idToken });
    return json({ access_token: accessToken, token_type: 'Bearer', expires_in: 60, id_token: idToken });
  }

  answer_userinfo() {
    const { sub, iss, aud, iat, exp } = this.claims ?? {};
    const content = this.userinfo({ sub, email: 'camille.dupont@interieur.gouv.fr', given_name: 'Camille', usual_name: 'DUPONT', siret: '13002526500013' }, { iss, aud, iat, exp });
    if (typeof content !== 'string') return json(content);
    if (/^eyJ/.test(content)) rememberSecret('userinfo', content);
    return { status: 200, headers: { 'content-type': 'application/jwt' }, body: content };
  }

  answer_end_session() { return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ended' }; }
}

const json = (content, status = 200) => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(content) });

function secret(kind) {
  const value = randomBytes(32).toString('base64url');
  rememberSecret(kind, value);
  return value;
}

async function textOf(stream) {
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text += piece;
  return text;
}

// ---- misbehaviours, for on()

/** Another status, body or type. */
export const instead = (body, { status = 200, type = 'application/json', headers = {} } = {}) => () => ({ status, headers: { 'content-type': type, ...headers }, body });
/** Members of the JSON replaced (undefined: left out). */
export const withMembers = (members) => (right) => ({ ...right, body: JSON.stringify({ ...JSON.parse(right.body), ...members }) });
export const html = instead('<!DOCTYPE html><html><title>Maintenance</title><p>Revenez plus tard</html>', { type: 'text/html; charset=utf-8' });
export const redirect = (location, status = 302) => instead('', { status, headers: { location } });
/** Accepts and says nothing. */
export const hang = () => undefined;
export const drop = (right, { response }) => response.destroy();
/** Announces more than it sends, then closes. */
export const truncated = (right, { response }) => {
  response.writeHead(right.status, { ...right.headers, 'content-length': right.body.length + 500 });
  response.write(right.body, () => response.destroy());
};
/** Announces less than it sends. */
export const announcesLess = (right, { response }) => {
  response.socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${right.body.length >> 1}\r\n\r\n${right.body}`);
};
/** One byte every few milliseconds, and never the last one. */
export const drip = (right, { response }) => {
  response.writeHead(right.status, { ...right.headers, 'content-length': right.body.length });
  let sent = 0;
  const timer = setInterval(() => response.write(right.body[sent++ % right.body.length]), 50);
  response.once('close', () => clearInterval(timer));
};
/** As many bytes as asked, inside a JSON string, in chunks without an announced length. */
export const huge = (bytes) => (right, { response }) => {
  response.writeHead(200, right.headers);
  response.write('{"padding":"');
  const piece = 'x'.repeat(64 * 1024);
  let sent = 0;
  const more = () => {
    while (sent < bytes) {
      sent += piece.length;
      if (!response.write(piece)) return void response.once('drain', more);
    }
    response.end('"}');
  };
  more();
};
/** The right answer compressed, which nobody asked for, with as many blanks before it. */
export const compressed = (bytes = 0) => {
  const blanks = bytes > 0 ? gzipSync(Buffer.alloc(bytes, ' '), { level: 1 }) : Buffer.alloc(0);
  return (right) => ({ ...right, headers: { ...right.headers, 'content-encoding': 'gzip' }, body: Buffer.concat([blanks, gzipSync(right.body)]) });
};
export const hugeHeaders = (right, { response }) => {
  response.socket.end(`HTTP/1.1 200 OK\r\n${`x-filler: ${'y'.repeat(8000)}\r\n`.repeat(100)}content-length: ${right.body.length}\r\n\r\n${right.body}`);
};
export const noHttp = (right, { response }) => { response.socket.end('220 mail.example.gouv.fr ESMTP ready\r\n'); };
