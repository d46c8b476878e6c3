// The control API under /_standin: how tests prepare the stand-in and look at what arrived. Loopback only.

import { LIFE_TIMES } from './config.mjs';
import { KEY_ALGORITHMS } from './keys.mjs';
import { findPersona, listPersonas } from './personas.mjs';
import { listIdentityProviders } from './identity-providers.mjs';
import { TAMPER_TARGETS } from './tamper.mjs';

const MAX_BODY = 1024 * 1024;
const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;

class BadCall extends Error {
  constructor(message, status = 400) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {object} standin  what standin.mjs is made of
 * @returns {function} answers one request under /_standin
 */
export function createControls(standin) {
  const { clients, requestLog, faults, tampering, sessions, storage, lifeTimes, automatic } = standin;
  const endpoints = standin.endpointNames;

  const routes = {
    'GET /': () => ({
      issuer: standin.issuer,
      clients: clients.list(),
      personas: listPersonas().map(({ id, title, provider, acr, reaches, amr, error }) => ({
        id, title, provider, acr, reaches, amr, error,
      })),
      identity_providers: listIdentityProviders(),
      life_times: lifeTimes,
      auto_login: automatic.persona ?? null,
      sessions: sessions.size,
      records: storage.size,
      delay: faults.delays.list(),
      fail: faults.failures.list(),
      tamper: tampering.rules.list(),
    }),

    'GET /clients': () => clients.list(),
    'POST /clients': async (input) => {
      const registered = [];
      for (const client of [].concat(input)) registered.push(await register(client));
      return Array.isArray(input) ? registered : registered[0];
    },
    'DELETE /clients': () => clients.clear(),

    'POST /rotate-keys': async ({ keep_old: keepOld = true, alg }) => {
      if (alg !== undefined) oneOf('alg', alg, KEY_ALGORITHMS);
      await standin.rotateKeys({ keepOld, alg });
      return { kids: standin.keys().map(({ kid }) => kid) };
    },

    'GET /requests': (_, query) => {
      const endpoint = query.get('endpoint');
      return requestLog.list().filter((entry) => !endpoint || entry.endpoint === endpoint);
    },
    'DELETE /requests': () => requestLog.clear(),

    'POST /delay': (rule) => {
      if (!Number.isInteger(rule.milliseconds)) throw new BadCall('milliseconds must be a whole number');
      faults.delays.set(endpoint(rule), rule.milliseconds === 0 ? { times: 0 } : rule);
    },
    'DELETE /delay': () => faults.delays.clear(),
    'POST /fail': (rule) => faults.failures.set(endpoint(rule), rule),
    'DELETE /fail': () => faults.failures.clear(),
    'POST /tamper': ({ target, ...rule }) => tampering.rules.set(oneOf('target', target, TAMPER_TARGETS), rule),
    'DELETE /tamper': () => tampering.rules.clear(),

    'POST /clear-sessions': ({ tokens = false }) => {
      sessions.clear();
      if (tokens) storage.clear();
    },
    'POST /settings': (changes) => {
      for (const [name, seconds] of Object.entries(changes)) {
        oneOf('setting', name, Object.keys(LIFE_TIMES));
        if (!Number.isInteger(seconds) || seconds < 1) throw new BadCall(`${name} must be a number of seconds`);
      }
      return Object.assign(lifeTimes, changes);
    },
    'POST /auto-login': ({ persona = null }) => {
      if (persona !== null && !findPersona(persona)) throw new BadCall(`no persona "${persona}"`);
      automatic.persona = persona ?? undefined;
    },
    'POST /reset': () => standin.reset(),
  };

  async function register(input) {
    let id;
    try {
      id = await clients.register(input, standin.validateClient);
    } catch (error) {
      throw new BadCall(error.error_description ?? error.message);
    }
    return oneClient(id);
  }

  async function oneClient(id) {
    const client = clients.list().find((candidate) => candidate.client_id === id);
    if (!client) throw new BadCall(`no client "${id}"`, 404);
    const privateKeys = await clients.privateKeys(id);
    if (!privateKeys) return client;
    return { ...client, jwks: (await clients.metadata(id)).jwks, private_keys: privateKeys };
  }

  function endpoint({ endpoint: name }) {
    return oneOf('endpoint', name === 'session_end' ? 'end_session' : name, endpoints);
  }

  async function dispatch(req, url) {
    if (!LOOPBACK.test(req.socket.remoteAddress)) throw new BadCall('loopback only', 403);
    // a web page in some browser must not drive the stand-in
    if (req.headers.origin) throw new BadCall('not for browsers', 403);
    const path = url.pathname.replace(/^\/_standin\/?/, '/').replace(/(.)\/$/, '$1');
    const [, clientId] = /^\/clients\/(.+)$/.exec(path) ?? [];
    if (clientId && req.method === 'GET') return oneClient(decodeURIComponent(clientId));
    if (clientId && req.method === 'DELETE') return clients.remove(decodeURIComponent(clientId));
    const route = routes[`${req.method} ${path}`];
    if (!route) throw new BadCall(`no ${req.method} ${path} here`, 404);
    return route(req.method === 'POST' ? await readJson(req) : {}, url.searchParams);
  }

  return async function control(req, res, url) {
    let status = 200;
    let body;
    try {
      const result = await dispatch(req, url);
      body = typeof result === 'object' && result !== null ? result : { ok: true };
    } catch (error) {
      status = error instanceof BadCall ? error.status : 500;
      body = { error: error.message };
    }
    const json = JSON.stringify(body);
    res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) });
    res.end(json);
  };
}

function oneOf(what, value, allowed) {
  if (!allowed.includes(value)) throw new BadCall(`${what} must be one of: ${allowed.join(', ')}`);
  return value;
}

async function readJson(req) {
  let text = '';
  for await (const chunk of req) {
    text += chunk;
    if (text.length > MAX_BODY) throw new BadCall('body too large', 413);
  }
  try {
    return JSON.parse(text || '{}') ?? {};
  } catch {
    throw new BadCall('the body is not JSON');
  }
}
