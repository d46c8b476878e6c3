// The service providers ("FS") registered at the stand-in: what the ProConnect form would ask, as JSON.

import { readFileSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { NETWORKS } from './identity-providers.mjs';

/** Settings of the stand-in, unknown to the engine, with their defaults. */
const OPTIONS = {
  accepts_private_sector: false, // true: personas marked private are let in instead of Y500015
  network: 'internet', // which of a hybrid FI's two idp_ids this client sees
  userinfo_content_type: 'jwt', // "jwt": always application/jwt on GET, as ProConnect; "honest": what the body is; or a literal type
  minimal_id_token: false, // true: acr, sid and auth_time only when `claims` asks for them
  short_state: false, // true: takes a `state` of less than 32 characters, which ProConnect refuses
  prompt_login_keeps_session: false, // true: prompt=login is answered from the session, as ProConnect's open code does
};

const RESPONSES = ['id_token', 'userinfo', 'introspection'];

const METADATA = new Set([
  'client_id', 'client_secret', 'client_name', 'redirect_uris', 'post_logout_redirect_uris', 'scope', 'jwks', 'jwks_uri',
  ...['token', 'introspection', 'revocation'].flatMap((endpoint) => [
    `${endpoint}_endpoint_auth_method`, `${endpoint}_endpoint_auth_signing_alg`,
  ]),
  ...RESPONSES.flatMap((name) => [
    `${name}_signed_response_alg`, `${name}_encrypted_response_alg`, `${name}_encrypted_response_enc`,
  ]),
]);

const LOOPBACK_ANY_PORT = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\]):\*\//;
const MAX_LEARNT_URIS = 1000;

export function createClients() {
  const clients = new Map(); // client_id -> { metadata, options, patterns }

  /**
   * Registers or replaces a client.
   * @param {object}   input     see README.md, "Clients"
   * @param {function} [validate]  throws when the engine would refuse the metadata
   */
  async function register(input, validate) {
    const { metadata, options } = readClient(input);
    const patterns = {};
    for (const field of ['redirect_uris', 'post_logout_redirect_uris']) {
      patterns[field] = metadata[field].filter((uri) => LOOPBACK_ANY_PORT.test(uri));
      metadata[field] = metadata[field].map((uri) => (LOOPBACK_ANY_PORT.test(uri) ? uri.replace(':*', '') : uri));
    }
    validate?.(await withKeys(metadata));
    clients.set(metadata.client_id, { metadata, options, patterns });
    return metadata.client_id;
  }

  /** ProConnect's integration accepts any port on localhost: an address registered with `:*` is learnt when met. */
  function learnLoopbackUri(clientId, field, uri) {
    const client = clients.get(clientId);
    if (!client || typeof uri !== 'string' || client.metadata[field].includes(uri)) return;
    const anyPort = uri.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d{1,5}(?=\/)/, '$1:*');
    if (client.patterns[field].includes(anyPort) && client.metadata[field].length < MAX_LEARNT_URIS) {
      client.metadata[field].push(uri);
    }
  }

  return {
    register,
    learnLoopbackUri,
    remove: (id) => clients.delete(id),
    clear: () => clients.clear(),
    /** What the engine knows of a client (a copy: the engine writes in it). */
    metadata: async (id) => clients.has(id) ? withKeys(clients.get(id).metadata) : undefined,
    name: (id) => clients.get(id)?.metadata.client_name ?? id,
    options: (id) => clients.get(id)?.options ?? OPTIONS,
    /** The private halves of keys made here, for the service provider's side of a test. */
    privateKeys: async (id) => clients.get(id)?.metadata.jwks === 'generate' ? (await generatedKeys()).privateKeys : undefined,
    /** Everything but the secrets. */
    list: () => [...clients.values()].map(({ metadata: { client_secret: _, ...metadata }, options, patterns }) => ({
      ...metadata, ...options, any_port: Object.values(patterns).flat(),
    })),
  };
}

/** The list in a clients file: an array, or {defaults, clients}. */
export function readClientsFile(path) {
  const content = JSON.parse(readFileSync(path, 'utf8'));
  const { defaults = {}, clients = [] } = Array.isArray(content) ? { clients: content } : content;
  return clients.map((client) => ({ ...defaults, ...client }));
}

/** Splits what was sent into engine metadata and stand-in options, and spells out the short forms. */
function readClient(input) {
  const { alg, encryption, scopes, ...rest } = input ?? {};
  const metadata = {};
  const options = { ...OPTIONS };
  for (const [name, value] of Object.entries(rest)) {
    if (name in OPTIONS) options[name] = value;
    else if (METADATA.has(name)) metadata[name] = value ?? undefined;
    else throw new TypeError(`unknown client setting "${name}"`);
  }
  if (typeof metadata.client_id !== 'string' || !metadata.client_id) throw new TypeError('client_id is missing');
  if (!NETWORKS.includes(options.network)) throw new TypeError(`network must be one of ${NETWORKS.join(', ')}`);

  if (scopes !== undefined) metadata.scope = [].concat(scopes).join(' ');
  for (const name of RESPONSES) {
    if (alg && !(`${name}_signed_response_alg` in metadata)) metadata[`${name}_signed_response_alg`] = alg;
    if (encryption && name !== 'introspection') metadata[`${name}_encrypted_response_alg`] ??= encryption;
    // the engine's own default would be an algorithm ProConnect does not allow
    if (metadata[`${name}_encrypted_response_alg`]) metadata[`${name}_encrypted_response_enc`] ??= 'A256GCM';
  }
  metadata.redirect_uris = [].concat(metadata.redirect_uris ?? []);
  metadata.post_logout_redirect_uris = [].concat(
    metadata.post_logout_redirect_uris
      ?? metadata.redirect_uris.map((uri) => uri.replace(/\/callback$/, '/logged-out')),
  );
  return { metadata, options };
}

async function withKeys(metadata) {
  const copy = structuredClone(metadata);
  if (copy.jwks === 'generate') copy.jwks = structuredClone((await generatedKeys()).jwks);
  return copy;
}

let keysOnceMade;

/** One set of keys for all clients with "jwks": "generate", made when first needed: RSA keys take their time. */
function generatedKeys() {
  keysOnceMade ??= newClientKeys();
  return keysOnceMade;
}

/** One key of each kind to sign with, one of each kind to be encrypted for. */
async function newClientKeys() {
  const wanted = [
    ['ES256', 'sig', { crv: 'P-256' }], ['RS256', 'sig', {}],
    ['ECDH-ES', 'enc', { crv: 'P-256' }], ['RSA-OAEP', 'enc', {}],
  ];
  const keys = await Promise.all(wanted.map(async ([alg, use, options]) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
    const common = { alg, use, kid: `client:${alg}` };
    const jwk = { ...await exportJWK(privateKey), ...common };
    const pem = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
    return { public: { ...await exportJWK(publicKey), ...common }, private: { jwk, pem } };
  }));
  return {
    jwks: { keys: keys.map((key) => key.public) },
    privateKeys: keys.map((key) => key.private),
  };
}
