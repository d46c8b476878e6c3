// Without a session not one byte of what is protected gets out, whatever serves it and however its address is written.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { freePort } from '../support/scratch.mjs';
import { protectedText, startSite } from '../support/site.mjs';

let reached = 0;
const applicationPort = await freePort();
const application = createServer((request, response) => {
  reached += 1;
  response.setHeader('X-Content', protectedText);
  response.end(protectedText);
});
await new Promise((resolve) => application.listen(applicationPort, '127.0.0.1', resolve));

const site = await startSite({ label: 'protection', modules: ['proxy', 'proxy_http', 'autoindex'], vhosts: [{
  client: { alg: 'ES256' },
  config: ({ apache }) => `ProxyPass "/private/app" "http://127.0.0.1:${applicationPort}/"
    <Location "/private/listing">
        Options +Indexes
    </Location>
    RewriteEngine on
    RewriteRule "^/short$" "/private/notice.txt" [PT]
    RewriteRule "^/jump$" "http://127.0.0.1:${applicationPort}/jump" [P]
    <Location "/jump">
        AuthType ProConnect
        Require valid-user
    </Location>
    Alias "/private/alias" "${apache.htdocs}/private/notice.txt"
    <Directory "${apache.htdocs}/by-directory">
        AuthType ProConnect
        Require valid-user
    </Directory>
    <Location "/private/status">
        SetHandler server-status
    </Location>
    ErrorDocument 403 /private/notice.txt`,
}] });
after(async () => { await site.close(); application.close(); application.closeAllConnections(); });
await site.apache.writeFile('htdocs/private/listing/CONTENU-RESERVE-AUX-AGENTS.txt', 'x');
await site.apache.writeFile('htdocs/by-directory/notice.txt', `${protectedText}\n`);
await site.apache.writeFile('htdocs/by-htaccess/.htaccess', 'AuthType ProConnect\nRequire valid-user\n');
await site.apache.writeFile('htdocs/by-htaccess/notice.txt', `${protectedText}\n`);
await site.apache.writeFile('htdocs/public/including.shtml', '<!--#include virtual="/private/notice.txt" -->\n');

const served = ['/private/', '/private/index.html', '/private/notice.txt', '/private/image.svg', '/private/variables.cgi', '/private/variables.cgi/extra/path', '/private/app',
  '/private/app/deep?x=1', '/private/listing/', '/private/alias', '/private/status', '/jump', '/short', '/by-directory/notice.txt', '/by-htaccess/notice.txt', '/private/missing'];

for (const path of served) {
  test(`${path} gives nothing away without a session`, async () => {
    for (const options of [{}, { method: 'POST', body: 'x=1' }, { method: 'HEAD' }, { headers: { range: 'bytes=0-10' } }, { headers: { accept: 'application/json' } }, { method: 'TRACE' },
      { headers: { 'if-none-match': '*' } }, { headers: { expect: '100-continue' }, method: 'PUT', body: 'x' }, { headers: { 'x-forwarded-for': '127.0.0.1', 'x-original-url': '/', 'x-rewrite-url': '/' } }]) {
      const answer = await site.browser().send(site.url(path), options);
      expectNothingProtected(answer);
      // httpd itself answers TRACE, with the client's own request.
      assert.ok(answer.status >= 300 || options.method === 'TRACE', `${options.method ?? 'GET'}: ${answer.status}`);
    }
  });
}

test('no unauthenticated request reached the application behind the proxy', () => assert.equal(reached, 0));

const spellings = ['/%70rivate/notice.txt', '/privat%65/notice.txt', '//private/notice.txt', '/private//notice.txt', '///private/notice.txt', '/./private/notice.txt', '/public/../private/notice.txt',
  '/public/%2e%2e/private/notice.txt', '/public/.%2e/private/notice.txt', '/private;x/notice.txt', '/private/;x/notice.txt', '/private/notice.txt;x', '/private%2fnotice.txt', '/private%5cnotice.txt',
  '/private/notice.txt%00', '/private/notice.txt%20', '/private/notice.txt/', '/PRIVATE/notice.txt', '/private/./notice.txt', '/private/app/../notice.txt', '/x/..//private/notice.txt',
  '/%2570rivate/notice.txt', '/private%3b/notice.txt', '/private/notice.txt?', '/private/notice.txt#', '/private/%6eotice.txt', '\\private\\notice.txt', '/private/app%2f..%2fx', '/public/..%2fprivate/notice.txt',
  '/%c0%afprivate/notice.txt', '/private\u00a0/notice.txt', '/private/app;jsessionid=1', '/%70rivate/app', '//private/app', '/private/../jump', '/jump;x', '/%6aump', '/jump/'];

test('no spelling of the address gets around the protection', async () => {
  for (const path of spellings) {
    const raw = Buffer.from(path, 'utf8').toString('latin1');
    const text = await sendRaw(site.vhosts[0].port, Buffer.from(`GET ${raw} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nConnection: close\r\n\r\n`, 'latin1'));
    assert.ok(!text.includes(protectedText), `${path} got through:\n${text.slice(0, 400)}`);
  }
  assert.equal(reached, 0);
});

test('absolute request lines, old versions and odd methods do not get around it either', async () => {
  const { port } = site.vhosts[0];
  for (const request of [
    `GET http://127.0.0.1:${port}/private/notice.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    'GET /private/notice.txt HTTP/1.0\r\n\r\n',
    'GET /private/notice.txt\r\n\r\n',
    'get /private/notice.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'FOO /private/notice.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET /private/notice.txt HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n',
    'POST /private/variables.cgi HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\nConnection: close\r\n\r\n0\r\n\r\nGET /private/notice.txt HTTP/1.1\r\nHost: x\r\n\r\n',
  ]) {
    const text = await sendRaw(port, request);
    assert.ok(!text.includes(protectedText), request.split('\r\n')[0]);
  }
});

test('a public page that includes a protected one does not show it', async () => {
  const page = await site.browser().send(site.url('/public/including.shtml'));
  expectNothingProtected(page);
});

test('a pipelined request after an authenticated one has to show its own session', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  const cookie = browser.jar.header(new URL(site.url('/')));
  const { port } = site.vhosts[0];
  const text = await sendRaw(port, `GET /private/image.svg HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\nGET /private/notice.txt HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
  assert.equal(text.split(protectedText).length - 1, 1);
  assert.match(text, /HTTP\/1\.1 302/);
});

test('with a session each of them is served', async () => {
  const browser = site.browser('agent-etat');
  await browser.login(site.url('/private/'));
  for (const path of served.filter((name) => !/missing|status|listing|HEAD/.test(name))) expectProtected(await browser.open(site.url(path)));
  assert.ok(reached > 0);
});

test('nothing alarming is left in the logs', () => site.close());
