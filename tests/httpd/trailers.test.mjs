// What a client sends behind a chunked body comes too late to be looked at with the headers: it must not become one of ours, whatever MergeTrailers says.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sendRaw } from '../support/http.mjs';
import { startSite } from '../support/site.mjs';

const seen = '<LocationMatch "reads.cgi$">\n        Header always set X-Seen "expr=%{req:X-ProConnect-Email}|%{req:X_ProConnect_Uid}|%{req:X-Other}"\n    </LocationMatch>';
const site = await startSite({ label: 'trailers', logLevel: 'warn', start: false, vhosts: [
  { client: { alg: 'ES256' }, config: `MergeTrailers On\n    ${seen}\n    <Location "/private">\n        ProConnectHeaders on\n    </Location>` },
  { client: { alg: 'ES256' }, config: seen },
] });
after(() => site.close());
const script = '#!/bin/sh\ncat >/dev/null\nprintf \'Content-Type: text/plain\\r\\n\\r\\nread\\n\'\n';
for (const directory of ['public', 'private']) await site.apache.writeFile(`htdocs/${directory}/reads.cgi`, script, 0o755);
await site.apache.start();
const trailers = ['X-ProConnect-Email: evil@example.org', 'X_ProConnect_Uid: evil', 'x-proconnect-sub: evil', 'X-Other: evil'];

/** What the application found among its headers once it had read the whole body. */
async function seenBy(vhost, path, cookie) {
  const head = [`POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${vhost.port}`, 'Connection: close', 'Transfer-Encoding: chunked', 'Content-Type: text/plain',
    `Origin: ${vhost.origin}`, `Trailer: ${trailers.map((line) => line.split(':')[0]).join(', ')}`, ...(cookie ? [`Cookie: ${cookie}`] : [])];
  const text = await sendRaw(vhost.port, `${head.join('\r\n')}\r\n\r\n4\r\nbody\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`);
  assert.match(text, /^HTTP\/1\.1 200 /, text.slice(0, 300));
  return /^x-seen: ?(.*?)\r?$/im.exec(text)[1];
}

for (const [name, vhost] of [['MergeTrailers On', site.vhosts[0]], ['the default', site.vhosts[1]]]) {
  test(`on a public page, with ${name}`, async () => {
    assert.equal(await seenBy(vhost, '/public/reads.cgi'), '||');
  });
}

test('beside the real claims of somebody who is signed in', async () => {
  const [vhost] = site.vhosts;
  const browser = site.browser('agent-etat');
  await browser.login(vhost.url('/private/'));
  const [email, uid, other] = (await seenBy(vhost, '/private/reads.cgi', browser.jar.header(new URL(vhost.url('/private/'))))).split('|');
  assert.match(email, /@/);
  assert.ok(![email, uid, other].some((value) => value.includes('evil')), `${email} ${uid} ${other}`);
});

test('and the administrator is told that MergeTrailers On does not hold', () => {
  const lines = `${site.apache.process.output.stderr}\n${site.apache.logged(/MergeTrailers/).join('\n')}`;
  assert.match(lines, /MergeTrailers On does not hold/);
});
