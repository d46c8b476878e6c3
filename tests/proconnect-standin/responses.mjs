// What ProConnect's own web server adds to the engine's answers.

import { ENDPOINTS } from './config.mjs';

const CACHEABLE = new Set([ENDPOINTS.jwks, ENDPOINTS.discovery]);
const CLIENT_AUTHENTICATED = new Set([ENDPOINTS.token, ENDPOINTS.introspection, ENDPOINTS.revocation]);

export function responseMiddleware({ clients }) {
  return async function response(ctx, next) {
    await next();
    if (ctx.status !== 200) return;
    if (CACHEABLE.has(ctx.path)) ctx.set('Cache-Control', 'public, max-age=600');
    // ProConnect announces application/jwt on GET whatever the body is.
    if (ctx.path === ENDPOINTS.userinfo && ctx.method === 'GET') {
      const { userinfo_content_type: type } = clients.options(ctx.oidc.client.clientId);
      if (type === 'jwt') ctx.set('Content-Type', 'application/jwt');
      else if (type !== 'honest') ctx.set('Content-Type', type);
    }
  };
}

/**
 * ProConnect documents client_secret_post and private_key_jwt only. The engine would also take the Authorization
 * header from a client registered for client_secret_post.
 */
export async function refuseBasic(ctx, next) {
  if (CLIENT_AUTHENTICATED.has(ctx.path) && /^basic /i.test(ctx.get('Authorization'))) {
    ctx.req.resume();
    ctx.status = 401;
    ctx.set('WWW-Authenticate', 'Basic realm="client_secret_basic is not accepted"');
    ctx.body = { error: 'invalid_client', error_description: 'client authentication failed' };
    return undefined;
  }
  return next();
}
