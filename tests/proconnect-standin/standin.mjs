// Puts the parts together: one HTTP(S) server with the engine under /api/v2 and the control API under /_standin.

import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Provider from 'oidc-provider';
import { authorizeMiddleware } from './authorize.mjs';
import { createClients, readClientsFile } from './clients.mjs';
import { ENDPOINTS, LIFE_TIMES, PREFIX, engineConfiguration } from './config.mjs';
import { createControls } from './controls.mjs';
import { pageCode, ProConnectPage } from './errors.mjs';
import { createFaults } from './faults.mjs';
import { newKeySet, rotated } from './keys.mjs';
import { createLogin } from './login.mjs';
import { logoutMiddleware } from './logout.mjs';
import { PAGE_HEADERS, pages, sendPage } from './pages.mjs';
import { createRequestLog } from './request-log.mjs';
import { responseMiddleware, refuseBasic } from './responses.mjs';
import { createSessions } from './sessions.mjs';
import { createStorage } from './storage.mjs';
import { createTampering } from './tamper.mjs';

const PRESETS = fileURLToPath(new URL('./clients.json', import.meta.url));
const PATHS = new Map(Object.entries(ENDPOINTS).map(([name, path]) => [path, name]));

/**
 * Starts a stand-in.
 * @param {object}  [options]
 * @param {number}  [options.port]       0 = any free one
 * @param {string}  [options.host]
 * @param {object}  [options.tls]        {key, cert} in PEM: serve https
 * @param {string}  [options.publicUrl]  the address clients use, when it is not the one listened on
 * @param {string[]} [options.clientFiles]  more clients, besides clients.json
 * @param {function} [options.log]       gets one line for each request
 * @returns {Promise<{issuer, control, close}>}
 */
export async function startStandIn({ port = 0, host = '127.0.0.1', tls, publicUrl, clientFiles = [], log = () => {} } = {}) {
  const lifeTimes = { ...LIFE_TIMES };
  const automatic = {}; // persona: who every login without a choice is for
  const clients = createClients();
  const storage = createStorage(clients.metadata);
  const sessions = createSessions(lifeTimes);
  const requestLog = createRequestLog();
  const faults = createFaults();
  const login = createLogin({ clients, sessions, automatic });
  const cookieKeys = [randomBytes(32).toString('hex')];
  let keys = await newKeySet();
  let engine; // {provider, callback}; made anew when the keys change

  // The port has to be known before the engine can be made: early callers wait.
  let opened;
  const ready = new Promise((resolve) => { opened = resolve; });
  const server = tls ? createHttpsServer(tls) : createHttpServer();
  server.on('request', (req, res) => {
    ready.then(() => serve(req, res)).catch((error) => {
      log(`error: ${error.message}`);
      if (!res.headersSent) res.writeHead(500).end();
      else res.destroy();
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const local = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${server.address().port}`;
  const base = new URL(publicUrl ?? local);
  const issuer = `${base.origin}${PREFIX}`;
  const tampering = createTampering({ currentKeys: () => keys, issuer });

  function buildEngine() {
    const provider = new Provider(issuer, engineConfiguration({
      keys, cookieKeys, Adapter: storage.Adapter, lifeTimes, clients, login, renderError, renderLoggedOut,
    }));
    provider.proxy = true; // believes the two headers set in `serve`, nothing else reaches it
    provider.app.on('error', (error) => log(`error: ${error.message}`));
    provider.on('server_error', (ctx, error) => log(`server_error: ${error.message}`));
    provider.use(errorPages);
    provider.use(async (ctx, next) => {
      await next();
      requestLog.form(ctx.req, ctx.oidc?.body);
      await tampering.middleware(ctx.req.standinEndpoint, ctx);
    });
    provider.use(responseMiddleware({ clients }));
    provider.use(refuseBasic);
    provider.use(authorizeMiddleware({ clients, requestLog }));
    provider.use(login.interactionMiddleware(provider));
    provider.use(logoutMiddleware({ clients, sessions, issuer }));
    return { provider, callback: provider.callback() };
  }

  async function loadClients() {
    for (const client of readClientsFile(PRESETS)) await clients.register(client);
    for (const client of clientFiles.flatMap(readClientsFile)) await clients.register(client, validateClient);
  }

  const validateClient = (metadata) => { new engine.provider.Client(metadata); };

  const control = createControls({
    issuer,
    clients,
    requestLog,
    faults,
    tampering,
    sessions,
    storage,
    lifeTimes,
    automatic,
    validateClient,
    endpointNames: [...Object.keys(ENDPOINTS), 'resume', 'login'],
    keys: () => keys,
    async rotateKeys(how) {
      keys = await rotated(keys, how);
      engine = buildEngine();
    },
    async reset() {
      [faults.delays, faults.failures, tampering.rules, requestLog, sessions, storage, clients].forEach((part) => part.clear());
      Object.assign(lifeTimes, LIFE_TIMES);
      delete automatic.persona;
      await loadClients();
    },
  });

  async function serve(req, res) {
    const url = new URL(req.url, base);
    if (url.pathname === '/_standin' || url.pathname.startsWith('/_standin/')) return control(req, res, url);
    const endpoint = endpointAt(url.pathname);
    const entry = requestLog.record(endpoint, req, url);
    res.on('close', () => {
      entry.status = res.headersSent ? res.statusCode : undefined;
      log(`${req.method} ${url.pathname} ${entry.status ?? 'cut'}`);
    });
    if (await faults.apply(endpoint, req, res)) return undefined;
    // The engine writes every address from these, whatever name the request came in by.
    req.headers['x-forwarded-proto'] = base.protocol.slice(0, -1);
    req.headers['x-forwarded-host'] = base.host;
    req.standinEndpoint = endpoint;
    if (!url.pathname.startsWith(`${PREFIX}/`)) return notFound(res);
    req.baseUrl = PREFIX;
    req.url = req.url.slice(PREFIX.length);
    return engine.callback(req, res);
  }

  engine = buildEngine();
  await loadClients();
  opened();

  return {
    issuer,
    control: `${local}/_standin`,
    close() {
      server.closeAllConnections?.();
      return new Promise((resolve) => { server.close(resolve); });
    },
  };
}

function endpointAt(pathname) {
  const path = pathname.startsWith(`${PREFIX}/`) ? pathname.slice(PREFIX.length) : '';
  if (path.startsWith('/authorize/')) return 'resume';
  if (path.startsWith('/interaction/')) return 'login';
  return PATHS.get(path) ?? 'other';
}

/** Errors thrown in front of the engine: ProConnect's page. */
async function errorPages(ctx, next) {
  try {
    await next();
  } catch (error) {
    if (!(error instanceof ProConnectPage) && !(error instanceof Provider.errors.OIDCProviderError)) throw error;
    ctx.status = error.statusCode;
    renderError(ctx, undefined, error);
  }
}

function renderError(ctx, out, error) {
  const message = (error.expose && error.error_description) || 'Une erreur technique est survenue.';
  sendPage(ctx, pages.error(pageCode(error), message));
}

function renderLoggedOut(ctx) {
  sendPage(ctx, pages.loggedOut());
}

function notFound(res) {
  res.writeHead(404, PAGE_HEADERS);
  res.end(pages.error('Y000404', 'Page introuvable.'));
}
