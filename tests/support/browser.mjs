// A browser without a screen: cookies, top-level navigation with redirects one by one, and the Sec-Fetch headers of a real one.
import { CookieJar } from './cookies.mjs';
import { request } from './http.mjs';
import { rememberUrl } from './secrets.mjs';

const maxRedirects = 20;
const pageAccept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

export class Browser {
  /**
   * @param persona  who logs in at the stand-in without a click
   * @param agent    of node:http(s): keeps connections; without one, each request has its own
   */
  constructor({ language = 'fr-FR,fr;q=0.9', ca, persona, agent } = {}) {
    this.agent = agent;
    this.jar = new CookieJar();
    this.language = language;
    this.ca = ca;
    this.persona = persona;
    this.refusedCookies = [];
  }

  /** One request, nothing followed. `from`: the page whose link or form leads here; without it the address was typed. */
  async send(address, { method = 'GET', headers = {}, body, from, fetchSite, navigation = true, rawPath } = {}) {
    const url = new URL(address);
    rememberUrl(url);
    const site = fetchSite ?? siteOf(from, url);
    const sameSite = site !== 'cross-site';
    const cookie = this.jar.header(url, { sameSite, topLevelGet: navigation && method === 'GET' });
    const sent = {
      accept: navigation ? pageAccept : '*/*',
      'accept-language': this.language,
      'sec-fetch-site': site,
      'sec-fetch-mode': navigation ? 'navigate' : 'cors',
      'sec-fetch-dest': navigation ? 'document' : 'empty',
      ...(navigation ? { 'sec-fetch-user': '?1', 'upgrade-insecure-requests': '1' } : {}),
      ...(from && method !== 'GET' ? { origin: new URL(from).origin } : {}),
      ...(cookie ? { cookie } : {}),
      ...(this.persona && isProvider(url) ? { 'x-standin-persona': this.persona } : {}),
      ...headers,
    };
    const answer = await request(address, { method, headers: sent, body, ca: this.ca, rawPath, agent: this.agent });
    for (const text of answer.cookies) {
      const refusal = this.jar.take(text, url);
      if (refusal) this.refusedCookies.push(refusal);
    }
    if (answer.headers.location) rememberUrl(new URL(answer.headers.location, url));
    return answer;
  }

  /** Follows redirects to the end. The last answer, with `history`: every answer on the way, the last one included. */
  async open(address, { until, ...options } = {}) {
    const history = [];
    let current = address;
    let next = options;
    let crossed = false;
    for (;;) {
      const answer = await this.send(current, crossed ? { ...next, fetchSite: next.fetchSite ?? 'same-site' } : next);
      history.push(answer);
      const { location } = answer.headers;
      const followed = [301, 302, 303, 307, 308].includes(answer.status) && location;
      const target = followed ? absolute(location, current) : undefined;
      if (!followed || until?.(target, answer)) return Object.assign(answer, { history });
      if (history.length > maxRedirects) throw new Error(`more than ${maxRedirects} redirects, the last to ${redacted(target)}`);
      crossed ||= new URL(target).origin !== new URL(current).origin;
      const keepsMethod = answer.status === 307 || answer.status === 308;
      next = { headers: options.headers, from: options.from, ...(keepsMethod ? { method: options.method, body: options.body } : {}) };
      current = target;
    }
  }

  /** The address bar: opens the page and logs in as `persona` wherever ProConnect asks. */
  login(address, persona, options = {}) {
    if (persona) this.persona = persona;
    return this.open(address, options);
  }

  /** Goes to ProConnect and stops in front of the callback. @returns the callback's address, not yet visited */
  async callbackAddress(address, persona, callbackPath = '/proconnect/callback') {
    let found;
    if (persona) this.persona = persona;
    const last = await this.open(address, { until: (target) => {
      if (new URL(target).pathname !== callbackPath) return false;
      found = target;
      return true;
    } });
    if (!found) throw new Error(`no callback: ${last.status} from ${redacted(last.url)}\n${last.text.slice(0, 600)}`);
    return found;
  }

  /** A call made by a script of the page. */
  fetch(address, options = {}) {
    return this.send(address, { navigation: false, ...options });
  }
}

/** An absolute address; a path keeps its bytes as the server sent them. */
function absolute(location, base) {
  if (/^https?:\/\//i.test(location)) return location;
  if (location.startsWith('/') && !location.startsWith('//')) return new URL(base).origin + location;
  return new URL(location, base).href;
}

/** Sec-Fetch-Site, with a site being a host (ports do not count). */
function siteOf(from, url) {
  if (!from) return 'none';
  const source = new URL(from);
  if (source.origin === url.origin) return 'same-origin';
  return source.hostname === url.hostname && source.protocol === url.protocol ? 'same-site' : 'cross-site';
}

function isProvider(url) {
  return url.pathname.startsWith('/api/v2/');
}

/** An address for messages: without its query, which may hold a code. */
export function redacted(address) {
  const url = new URL(address);
  return `${url.origin}${url.pathname}${url.search ? '?…' : ''}`;
}
