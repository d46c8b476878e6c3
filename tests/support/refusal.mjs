// A whole login that must fail, or must work, with everything that has to hold in either case.
import assert from 'node:assert/strict';
import { expectErrorPage, expectProtected, sessionCookie } from './expect.mjs';

const protocolSecrets = ['code', 'state', 'nonce', 'id_token_hint', 'code_challenge'];

/**
 * Nobody is logged in: no session cookie is left or was ever set, the page has the status and the code, the log exactly one line with the
 * page's reference, and that line no secret.
 * @returns the line
 */
export function expectRefusal(site, browser, answer, { status = 503, code, vhost = site.vhosts[0] }) {
  assert.ok(!sessionCookie(browser, vhost.origin), 'a session all the same');
  for (const { cookies, url } of answer.history ?? [answer]) {
    if (!url.startsWith(vhost.origin)) continue;
    for (const cookie of cookies) assert.doesNotMatch(cookie, /^(__Host-)?proconnect=[^;]/, 'a session cookie was set on the way');
  }
  const { reference, line } = expectErrorPage(site, answer, { status, code });
  assert.equal(site.apache.logged(reference).length, 1, 'more than one line of the log has the reference');
  expectNoSecret(line, secretsOf(answer, browser, vhost));
  return line;
}

/** Logs in from a browser of its own and expects that to be refused. @returns the line of the log */
export async function loginRefused(site, { persona = 'agent-etat', page = '/private/', vhost = site.vhosts[0], browser = site.browser(persona), ...expected }) {
  return expectRefusal(site, browser, await browser.login(vhost.url(page)), { vhost, ...expected });
}

/** Logs in from a browser of its own. @returns the browser, with its session */
export async function loginWorks(site, { persona = 'agent-etat', page = '/private/', vhost = site.vhosts[0], browser = site.browser(persona) } = {}) {
  expectProtected(await browser.login(vhost.url(page)));
  assert.ok(sessionCookie(browser, vhost.origin), 'no session cookie');
  return browser;
}

/** Neither one of these values nor anything that looks like a token, a code or a key. */
export function expectNoSecret(line, secrets = []) {
  for (const secret of secrets) assert.ok(!line.includes(secret), 'a secret of this login stands in the log');
  assert.doesNotMatch(line, /eyJ[\w-]{8}/, 'a token stands in the log');
  assert.doesNotMatch(line, /[\w-]{40,}/, 'something as long as a secret stands in the log');
}

function secretsOf(answer, browser, vhost) {
  const secrets = [vhost.client?.client_secret, ...browser.jar.all(`${vhost.origin}/`).map(({ value }) => value)];
  for (const { url, headers } of answer.history ?? [answer]) {
    for (const address of [url, headers.location]) {
      if (!address || !URL.canParse(address)) continue;
      for (const name of protocolSecrets) secrets.push(...new URL(address).searchParams.getAll(name));
    }
  }
  return secrets.filter((secret) => secret?.length >= 12);
}
