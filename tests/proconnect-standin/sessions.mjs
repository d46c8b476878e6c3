// ProConnect's own session: the person is logged in at ProConnect, whatever the service provider. It makes the next
// login silent.

import { randomBytes } from 'node:crypto';

export const SESSION_COOKIE = 'pc_session_id';
const MAX_SESSIONS = 100_000;

export function createSessions(lifeTimes) {
  const sessions = new Map();

  function take(id) {
    const session = sessions.get(id);
    if (session && session.expiresAt <= Date.now()) {
      sessions.delete(id);
      return undefined;
    }
    return session;
  }

  return {
    get: (ctx) => take(ctx.cookies.get(SESSION_COOKIE)),

    /** Remembers a login under a new id; the former one of this browser is dead. */
    begin(ctx, { persona, acr, amr, authTime }) {
      sessions.delete(ctx.cookies.get(SESSION_COOKIE));
      if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value);
      const id = randomBytes(24).toString('base64url');
      sessions.set(id, { persona, acr, amr, authTime, expiresAt: Date.now() + lifeTimes.session * 1000 });
      ctx.cookies.set(SESSION_COOKIE, id, { httpOnly: true, sameSite: 'lax', signed: false, overwrite: true });
    },

    end(ctx) {
      sessions.delete(ctx.cookies.get(SESSION_COOKIE));
      ctx.cookies.set(SESSION_COOKIE, null, { signed: false, overwrite: true });
    },

    clear: () => sessions.clear(),
    get size() {
      return sessions.size;
    },
  };
}
