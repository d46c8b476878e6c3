// A cookie jar with the rules of a browser that matter here (RFC 6265bis): cookies belong to a host, not to a port.
import { rememberSecret } from './secrets.mjs';

export class CookieJar {
  #cookies = new Map();

  /** Takes one Set-Cookie value. @returns the refusal as text, or nothing */
  take(text, url) {
    const [pair, ...attributes] = text.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    rememberSecret(`cookie ${name}`, value);
    const cookie = { name, value, host: url.hostname, path: '/', secure: false, httpOnly: false, sameSite: 'lax', domain: undefined, expires: Infinity };
    for (const attribute of attributes) {
      const [key, setting = ''] = attribute.split(/=(.*)/s);
      switch (key.toLowerCase()) {
        case 'path': cookie.path = setting || '/'; break;
        case 'secure': cookie.secure = true; break;
        case 'httponly': cookie.httpOnly = true; break;
        case 'samesite': cookie.sameSite = setting.toLowerCase(); break;
        case 'domain': cookie.domain = setting; break;
        case 'max-age': cookie.expires = Number(setting) <= 0 ? 0 : Date.now() + Number(setting) * 1000; break;
        case 'expires': if (cookie.expires === Infinity) cookie.expires = Date.parse(setting); break;
        default: break;
      }
    }
    if (name.startsWith('__Host-') && (!cookie.secure || cookie.path !== '/' || cookie.domain !== undefined)) return `${name} breaks the rules of its prefix`;
    if (name.startsWith('__Secure-') && !cookie.secure) return `${name} breaks the rules of its prefix`;
    if (cookie.secure && url.protocol !== 'https:') return `${name} is Secure and came over http`;
    if (pair.length > 4096) return `${name} is longer than a browser keeps`;
    const key = `${cookie.host};${cookie.path};${name}`;
    if (cookie.expires <= Date.now()) this.#cookies.delete(key);
    else this.#cookies.set(key, cookie);
    return undefined;
  }

  /** The Cookie header for a request, or an empty string. */
  header(url, { sameSite = true, topLevelGet = true } = {}) {
    return this.all(url)
      .filter((cookie) => sameSite || cookie.sameSite === 'none' || (cookie.sameSite === 'lax' && topLevelGet))
      .map((cookie) => `${cookie.name}=${cookie.value}`).join('; ');
  }

  all(address) {
    const url = new URL(address);
    return [...this.#cookies.values()]
      .filter((cookie) => cookie.host === url.hostname && cookie.expires > Date.now())
      .filter((cookie) => !cookie.secure || url.protocol === 'https:')
      .filter((cookie) => url.pathname === cookie.path || url.pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`))
      .sort((a, b) => b.path.length - a.path.length);
  }

  get(address, name) {
    return this.all(address).find((cookie) => cookie.name === name);
  }

  /** Plants a cookie, as somebody who can write into this browser would. */
  set(address, name, value) {
    const url = new URL(address);
    this.#cookies.set(`${url.hostname};/;${name}`, { name, value, host: url.hostname, path: '/', secure: url.protocol === 'https:', httpOnly: true, sameSite: 'lax', expires: Infinity });
  }

  delete(name) {
    for (const [key, cookie] of this.#cookies) if (cookie.name === name) this.#cookies.delete(key);
  }

  clear() {
    this.#cookies.clear();
  }
}
