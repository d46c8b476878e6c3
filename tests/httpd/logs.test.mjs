// The logs: one line for each failure, the user in the access log, and nothing secret at any level.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { expectErrorPage, expectProtected } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { eventually } from '../support/scratch.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'logs', logLevel: 'warn auth_proconnect:trace8', vhosts: [{ client: { alg: 'ES256' },
  config: ({ apache }) => `CustomLog "${apache.path('logs/claims.log')}" "%u|%{PROCONNECT_EMAIL}e|%{PROCONNECT_SESSION}e|%>s|%U|%q|%r"` }] });
after(() => site.close());

test('the access log names the user of a protected page and nobody else', async () => {
  const browser = site.browser('agent-etat');
  const variables = variablesOf(await browser.login(site.url('/private/variables.cgi')));
  await browser.send(site.url('/'));
  // httpd writes the line after it has sent the answer.
  const lines = await eventually('the page is logged with its user', () => {
    const all = readFileSync(site.apache.path('logs/claims.log'), 'utf8').trim().split('\n');
    return all.some((line) => line.startsWith(`${variables.REMOTE_USER}|camille.dupont@interieur.gouv.fr|${variables.PROCONNECT_SESSION}|200|/private/variables.cgi|`)) && all;
  });
  assert.ok(lines.filter((line) => line.includes('|/|')).every((line) => line.startsWith('-|-|')));
});

test('neither code nor state of the callback reaches the access log', async () => {
  const browser = site.browser();
  const address = new URL(await browser.callbackAddress(site.url('/private/'), 'agent-etat'));
  expectProtected(await browser.open(address.href));
  const logs = site.apache.accessLog() + readFileSync(site.apache.path('logs/claims.log'), 'utf8') + site.apache.errorLog();
  for (const name of ['code', 'state']) assert.ok(!logs.includes(address.searchParams.get(name)), `${name} in a log`);
  assert.match(logs, /GET \/proconnect\/callback/);
});

test('nor do those of a callback that is refused', async () => {
  const browser = site.browser();
  const address = new URL(await browser.callbackAddress(site.url('/private/'), 'agent-territorial'));
  await site.browser().send(address.href);
  const logs = site.apache.accessLog() + site.apache.errorLog();
  for (const name of ['code', 'state']) assert.ok(!logs.includes(address.searchParams.get(name)), `${name} in a log`);
});

test('an error is one line: level, code, stable words, reference, detail', async () => {
  const before = site.apache.errorLog().length;
  const answer = await site.browser('abandon').login(site.url('/private/'));
  const { line } = expectErrorPage(site, answer, { status: 403, code: 'PC2040' });
  assert.match(line, /\[auth_proconnect:info\].* PC2040 authorization_access_denied ref=[A-Za-z0-9-]{8,}: ./);
  assert.doesNotMatch(line, /AH\?+/);
  const codes = site.apache.errorLog().slice(before).split('\n').filter((text) => /PC\d{4}/.test(text));
  assert.equal(codes.length, 1, codes.join('\n'));
});

test('at the usual level an ordinary day leaves no line of ours', async () => {
  const quiet = await startSite({ label: 'logs-quiet', standin: site.standin, logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' } }] });
  try {
    const browser = quiet.browser('agent-etat');
    expectProtected(await browser.login(quiet.url('/private/')));
    await browser.open(quiet.url('/proconnect/logout'), { from: quiet.url('/private/') });
    await quiet.browser().send(quiet.url('/proconnect/callback?code=x&state=y'));
    assert.deepEqual(quiet.apache.logged(/auth_proconnect/), []);
  } finally {
    await quiet.close();
  }
});

test('a callback that httpd refuses by itself leaves neither code, state nor cookie in a log', async () => {
  const deep = await startSite({ label: 'logs-refused', standin: site.standin, vhosts: [{ client: { alg: 'ES256' } }] });
  try {
    const browser = deep.browser();
    const address = new URL(await browser.callbackAddress(deep.url('/private/'), 'agent-etat'));
    const target = address.pathname + address.search;
    const host = `Host: 127.0.0.1:${deep.vhosts[0].port}`;
    const cookie = browser.jar.header(address);
    const binding = cookie.match(/proconnect-login=([^;]+)/)[1];
    const requests = [
      [`GET ${target} HTTP/1.1`, host, `Cookie: ${cookie}; big=${'y'.repeat(9000)}`],
      [`GET ${target} HTTP/1.1`],
      [`GET http://127.0.0.1:${deep.vhosts[0].port}${target} HTTP/1.1`, host, `Cookie ${cookie}`],
      [`GET ${target} HTTP/1.1`, host, 'Expect: wonders', `Cookie: ${cookie}`],
      [`GET ${target}&long=${'z'.repeat(9000)} HTTP/1.1`, host, `Cookie: ${cookie}`],
    ];
    for (const lines of requests) assert.match(await sendRaw(deep.vhosts[0].port, `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.[01] [45]/);
    await deep.apache.stop();
    const logs = deep.apache.accessLog() + deep.apache.errorLog();
    assert.equal(logs.match(/GET [^ ]*\/proconnect\/callback/g).length >= requests.length, true, 'the requests are in the access log');
    for (const secret of [address.searchParams.get('code'), address.searchParams.get('state').slice(0, 40), binding]) assert.ok(!logs.includes(secret), 'a secret in a log');
  } finally {
    await deep.close();
  }
});

test('what a client writes cannot forge a line of the log', async () => {
  await site.browser().send(site.url('/proconnect/callback?error=x%0a%5Bauth_proconnect:error%5D%20forged&error_description=%0d%0aforged&state=%0aforged'));
  await site.browser().send(site.url('/proconnect/%0aforged'));
  for (const line of site.apache.errorLog().split('\n').filter(Boolean)) assert.match(line, /^\[/);
});

test('nothing alarming is left in the logs', () => site.close());
