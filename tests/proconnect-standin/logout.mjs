// Logout: ProConnect asks for no confirmation, it answers with the redirect at once.

import { ENDPOINTS } from './config.mjs';
import { ProConnectPage } from './errors.mjs';

const ENGINE_SESSION_COOKIE = '_session';

/**
 * Koa middleware around the engine's end-session endpoint. The engine checks id_token_hint, client_id and the return
 * address, then would show a page with a confirmation form; its outcome is applied here instead.
 */
export function logoutMiddleware({ clients, sessions, issuer }) {
  return async function logout(ctx, next) {
    if (ctx.path !== ENDPOINTS.end_session || !['GET', 'POST'].includes(ctx.method)) return next();
    ctx.req.headers.accept = 'text/html'; // errors here are pages, whoever asks
    const { state, client_id: clientId, id_token_hint: hint, post_logout_redirect_uri: uri } = ctx.query;
    if (typeof state === 'string' && state.length < 32) {
      throw new ProConnectPage('Y000400', 'state must be at least 32 characters');
    }
    clients.learnLoopbackUri(clientId ?? audienceOf(hint), 'post_logout_redirect_uris', uri);

    await next();

    const details = ctx.oidc?.session?.state;
    if (ctx.status !== 200 || !details) return undefined;
    await ctx.oidc.session.destroy();
    ctx.cookies.set(ENGINE_SESSION_COOKIE, null, { overwrite: true });
    sessions.end(ctx);
    ctx.status = 303;
    ctx.redirect(details.postLogoutRedirectUri
      ? withState(details.postLogoutRedirectUri, details.state)
      : `${issuer}${ENDPOINTS.end_session}/success`);
    ctx.body = '';
    return undefined;
  };
}

function withState(uri, state) {
  if (state === undefined) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}state=${encodeURIComponent(state)}`;
}

/** Only to find the client early; the engine verifies the token. */
function audienceOf(jwt) {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString()).aud;
  } catch {
    return undefined;
  }
}
