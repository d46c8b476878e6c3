// Other modules of the same server must neither open what is protected nor keep people out.
import assert from 'node:assert/strict';
import { mkdirSync, utimesSync } from 'node:fs';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { protectedText, startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({
  label: 'neighbours', modules: ['cache', 'cache_disk'], start: false,
  vhosts: [
    { client: { alg: 'ES256' }, config: ({ apache }) => `
    CacheRoot "${apache.path('cache')}"
    CacheEnable disk /
    <Location "/front">
        AuthType ProConnect
        ProConnectUnauthenticated pass
        Require all granted
    </Location>
    <Directory "${apache.htdocs}/front">
        RewriteEngine On
        RewriteRule ^(?!index) /private/variables.cgi?from=%{REQUEST_URI} [L]
    </Directory>
    ErrorDocument 302 /private/notice.txt` },
    { client: { alg: 'ES256' }, bare: true, config: ({ apache }) => `
    FallbackResource /index.cgi
    <Location "/">
        AuthType ProConnect
        Require valid-user
    </Location>
    <Directory "${apache.htdocs}">
        AddHandler cgi-script .cgi
    </Directory>` },
  ],
});
after(() => site.close());
const { apache } = site;
mkdirSync(apache.path('cache'), { mode: 0o777 });
const { chmodSync } = await import('node:fs');
chmodSync(apache.path('cache'), 0o777);
await apache.writeFile('htdocs/front/index.html', 'front\n');
await apache.writeFile('htdocs/index.cgi', `#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n${protectedText}\\n'\nexec env -0\n`, 0o755);
const longAgo = new Date(Date.now() - 30 * 86_400_000);
utimesSync(apache.path('htdocs/private/notice.txt'), longAgo, longAgo);
await apache.start();
const [shared, whole] = site.vhosts;

test('mod_cache keeps no protected page for the next one who asks', async () => {
  const agent = site.browser('agent-etat');
  const page = await agent.login(shared.url('/private/notice.txt'));
  expectProtected(page);
  assert.match(page.headers['cache-control'] ?? '', /private/);
  expectProtected(await agent.send(shared.url('/private/notice.txt')));
  const stranger = await site.browser().send(shared.url('/private/notice.txt'));
  expectNothingProtected(stranger);
  assert.equal(stranger.status, 302);
});

test('a page that mod_rewrite leads into a protected place knows the session and does not loop', async () => {
  const agent = site.browser('agent-etat');
  const page = await agent.login(shared.url('/front/anything'));
  const variables = variablesOf(page);
  assert.match(variables.REMOTE_USER, /^[0-9a-f]{64}$/);
  assert.equal(page.url, shared.url('/front/anything'));
  assert.ok(page.history.length < 8, `${page.history.length} redirects`);
});

test('an ErrorDocument for redirects shows nothing protected', async () => {
  const answer = await site.browser().send(shared.url('/private/notice.txt'));
  expectNothingProtected(answer);
  expectLoginRedirect(site, answer);
});

test('a whole site that is protected and has a FallbackResource lets people log in and out', async () => {
  const agent = site.browser('agent-etat');
  const page = await agent.login(whole.url('/some/route'));
  assert.equal(page.status, 200);
  assert.ok(page.text.includes(protectedText));
  const session = await agent.fetch(whole.url('/proconnect/session'), { from: whole.url('/') });
  assert.ok(session.json.expires_in > 0);
  const out = await agent.open(whole.url('/proconnect/logout'), { from: whole.url('/') });
  assert.equal(new URL(out.url).pathname, '/proconnect/logged-out');
});

test('a body that nobody will read is not invited', async () => {
  const answer = await sendRaw(shared.port, `PUT /private/x HTTP/1.1\r\nHost: 127.0.0.1:${shared.port}\r\nExpect: 100-continue\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.doesNotMatch(answer, /100 Continue/);
});

test('a browser that looks ahead, or an image on a page of the site, logs nobody out', async () => {
  const agent = site.browser('agent-etat');
  await agent.login(shared.url('/private/notice.txt'));
  for (const headers of [{ 'sec-purpose': 'prefetch' }, { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' }]) {
    const answer = await agent.send(shared.url('/proconnect/logout'), { headers: { 'sec-fetch-site': 'same-origin', ...headers } });
    assert.equal(answer.status, 200);
    assert.match(answer.text, /method="post"/);
  }
  expectProtected(await agent.send(shared.url('/private/notice.txt')));
});

test('nothing alarming is left in the logs', () => site.close());
