// What ProConnect checks on an authorization request before its engine sees it, and what it changes in it.

import { ENDPOINTS } from './config.mjs';
import { ProConnectPage } from './errors.mjs';

// The documentation's list. `response_mode` is accepted and ignored; everything else is refused.
const DOCUMENTED = new Set([
  'response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'claims', 'acr_values', 'prompt', 'idp_hint',
  'login_hint', 'siret_hint', 'code_challenge', 'code_challenge_method', 'response_mode',
]);
const REQUIRED = ['client_id', 'response_type', 'redirect_uri', 'scope', 'state', 'nonce'];

const WEB_ADDRESS = /^https?:\/\/[^/].+$/;
const EMAIL = /^[^\s@<>()[\]\\,;:"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*\.)+[A-Za-z]{2,}$/;
const ASCII = /^[\x20-\x7e]*$/;

const MAX_BODY = 64 * 1024;

/**
 * The first thing wrong with the parameters, in words, or undefined. Parameters that ProConnect leaves to its engine
 * (PKCE, prompt, scopes, an empty response_type…) are not looked at here: those errors go back to the client.
 * @param {URLSearchParams} params
 */
export function problemWith(params, { shortState = false } = {}) {
  for (const name of params.keys()) {
    if (!DOCUMENTED.has(name)) return `property ${name} should not exist`;
    if (params.getAll(name).length > 1) return `${name} must be a string`;
  }
  for (const name of REQUIRED) if (!params.has(name)) return `${name} must be a string`;

  const value = (name) => params.get(name) ?? undefined;
  if (!WEB_ADDRESS.test(value('redirect_uri'))) return `redirect_uri must match ${WEB_ADDRESS} regular expression`;
  if (value('scope') === '') return 'scope should not be empty';
  if (value('state').length < 32 && !shortState) return 'state must be at least 32 characters';
  if (!ASCII.test(value('nonce')) || value('nonce').length < 32 || value('nonce').length > 512) {
    return 'nonce must be 32 to 512 ASCII characters';
  }
  if (params.has('login_hint') && !EMAIL.test(value('login_hint'))) return 'login_hint must be an e-mail address';
  if (params.has('siret_hint') && value('siret_hint').length !== 14) return 'siret_hint must be exactly 14 characters';
  return undefined;
}

/**
 * The request as handed to the engine, and what was taken out of it.
 * - `prompt`: there is never a consent page, and `login` is for login.mjs to honour. What the engine has to refuse
 *   (`select_account`, `none` together with something else) is left to it.
 * - `claims`: ProConnect's id_token always has acr, sid and auth_time; the engine wants to be asked for them.
 */
export function rewrite(params, { minimalIdToken }) {
  const forEngine = new URLSearchParams(params);
  forEngine.delete('response_mode');

  const prompts = (params.get('prompt') ?? '').split(' ').filter(Boolean);
  if (prompts.every((prompt) => prompt === 'login' || prompt === 'consent')) forEngine.delete('prompt');

  if (!minimalIdToken) {
    const claims = parseObject(params.get('claims') ?? '{}');
    const idToken = claims && (claims.id_token ?? {});
    if (isObject(idToken)) {
      claims.id_token = { acr: null, sid: null, auth_time: null, ...idToken };
      forEngine.set('claims', JSON.stringify(claims));
    }
  }
  return {
    forEngine,
    silent: prompts.length === 1 && prompts[0] === 'none',
    forceLogin: prompts.includes('login'),
  };
}

/** Koa middleware in front of the engine's authorization endpoint. */
export function authorizeMiddleware({ clients, requestLog }) {
  return async function authorize(ctx, next) {
    const resuming = ctx.path.startsWith(`${ENDPOINTS.authorize}/`);
    if (resuming || ctx.path === ENDPOINTS.authorize) forgetEngineSession(ctx.req);
    if (ctx.path !== ENDPOINTS.authorize || !['GET', 'POST'].includes(ctx.method)) return next();

    ctx.set('Cache-Control', 'no-store');
    const params = new URLSearchParams(ctx.method === 'POST' ? await readBody(ctx.req) : ctx.querystring);
    ctx.method = 'GET';

    // how tests drive the stand-in: never part of the strict check
    const wish = {
      persona: ctx.get('X-Standin-Persona') || params.get('persona') || undefined,
      error: ctx.get('X-Standin-Error') || undefined,
      errorDescription: decodeHeader(ctx.get('X-Standin-Error-Description')),
    };
    params.delete('persona');
    requestLog.authorizeParameters(ctx.req, params);

    const options = clients.options(params.get('client_id'));
    const problem = problemWith(params, { shortState: options.short_state });
    if (problem) throw new ProConnectPage('Y000400', problem, { status: 400 });

    const clientId = params.get('client_id');
    clients.learnLoopbackUri(clientId, 'redirect_uris', params.get('redirect_uri'));
    const { forEngine, silent, forceLogin } = rewrite(params, { minimalIdToken: options.minimal_id_token });
    ctx.state.wish = { ...wish, silent, forceLogin: forceLogin && !options.prompt_login_keeps_session };
    ctx.querystring = forEngine.toString();
    return next();
  };
}

/**
 * Every login starts without the engine's own session, as at ProConnect, which keeps its session elsewhere
 * (sessions.mjs): each login gets its own sid, grant and tokens.
 */
function forgetEngineSession(req) {
  if (!req.headers.cookie) return;
  req.headers.cookie = req.headers.cookie.split(/;\s*/)
    .filter((cookie) => !/^_session(\.sig)?=/.test(cookie)).join('; ');
}

async function readBody(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > MAX_BODY) throw new ProConnectPage('Y000400', 'request body too large', { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Header values are Latin-1 on the wire; percent-encoding carries the rest (line breaks included). */
function decodeHeader(value) {
  if (!value) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // left as it is: the engine refuses it with the right words
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
