// What arrived, for tests to look at: names of parameters everywhere, values only where there is nothing secret.

const MAX_ENTRIES = 10_000;
const SHOWN_AT_LOGOUT = ['client_id', 'post_logout_redirect_uri', 'state'];

export function createRequestLog() {
  const entries = [];
  const byRequest = new WeakMap();
  let count = 0;

  return {
    /** Called once for each request, before anything else. */
    record(endpoint, req, url) {
      const entry = {
        n: ++count,
        at: Date.now(),
        endpoint,
        method: req.method,
        path: url.pathname,
        query: [...new Set(url.searchParams.keys())],
        body: [],
        authorization: req.headers.authorization?.split(' ')[0],
        accept: req.headers.accept,
        user_agent: req.headers['user-agent'],
        remote_port: req.socket.remotePort, // two requests with the same port came over one connection
        status: undefined,
      };
      if (endpoint === 'end_session') {
        entry.values = Object.fromEntries(SHOWN_AT_LOGOUT.filter((name) => url.searchParams.has(name))
          .map((name) => [name, url.searchParams.get(name)]));
      }
      byRequest.set(req, entry);
      entries.push(entry);
      if (entries.length > MAX_ENTRIES) entries.shift();
      return entry;
    },
    /** An authorization request carries no secret: its values are kept. */
    authorizeParameters(req, params) {
      const entry = byRequest.get(req);
      if (entry) entry.values = Object.fromEntries(params);
    },
    /** Names of the form fields, once the engine has read them; and which grant was asked for. */
    form(req, body) {
      const entry = byRequest.get(req);
      if (!entry || !body) return;
      entry.body = Object.keys(body);
      if (typeof body.grant_type === 'string') entry.grant_type = body.grant_type;
      if (typeof body.token_type_hint === 'string') entry.token_type_hint = body.token_type_hint;
    },
    list: () => entries,
    clear: () => { entries.length = 0; },
  };
}
