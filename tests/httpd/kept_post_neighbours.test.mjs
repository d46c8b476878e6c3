// A kept form that is handed over is, for every other module, the request its user sent at first: rules, filters, firewalls, rewriting, gateways.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import http2 from 'node:http2';
import { after, test } from 'node:test';
import { eventually } from '../support/scratch.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const received = [];
const backend = createServer((request, answer) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer.setHeader('X-Content', 'CONTENU-RESERVE-AUX-AGENTS');
    answer.end('reçu');
  });
});
await new Promise((resolve) => { backend.listen(0, '127.0.0.1', resolve); });
after(() => backend.close());

const site = await startSite({
  label: 'kept-neighbours',
  start: false,
  modules: ['lua', 'ext_filter', 'request', 'actions', 'proxy', 'proxy_http', 'http2'],
  config: ({ apache }) => `ExtFilterDefine witness mode=input cmd="/usr/bin/tee -a ${apache.path('logs/witness')}"\nProtocols h2c http/1.1`,
  vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    LuaHookFixups "${apache.path('conf/firewall.lua')}" judge
    <Location "/private/filtered">
        SetInputFilter witness
    </Location>
    <Location "/private/remembered">
        KeptBodySize 1000
    </Location>
    <Directory "${apache.htdocs}/private/front">
        RewriteEngine on
        RewriteCond "%{REQUEST_URI}" "!form\\.cgi"
        RewriteRule "^.*$" "form.cgi" [L]
    </Directory>
    <Directory "${apache.htdocs}/private/fallback">
        FallbackResource "/private/form.cgi"
    </Directory>
    Action by-program "/private/form.cgi" virtual
    <Location "/private/action">
        SetHandler by-program
    </Location>
    ScriptAlias "/private/filtered" "${apache.htdocs}/private/form.cgi"
    ScriptAlias "/private/remembered" "${apache.htdocs}/private/form.cgi"
    ScriptAlias "/private/judged" "${apache.htdocs}/private/form.cgi"` },
  { client: { alg: 'ES256' }, bare: true, config: `
    ProxyPass "/" "http://127.0.0.1:${backend.address().port}/"
    <Location "/">
        AuthType ProConnect
        Require valid-user
        ProConnectHeaders on
    </Location>` }],
});
const program = `#!/bin/sh
body=$(cat)
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s %s\\n%s' "$REQUEST_METHOD" "$REQUEST_URI" "$PROCONNECT_EMAIL" "$body"
`;
for (const place of ['', 'front/', 'fallback/']) await site.apache.writeFile(`htdocs/private/${place}form.cgi`, program, 0o755);
// It reads what comes with the request early and once, and leaves internal redirects and subrequests alone, as firewalls do.
await site.apache.writeFile('conf/firewall.lua', `function judge(r)
  if r.is_initial_req and r.method == "POST" and r.uri == "/private/judged" then
    local body = r:requestbody()
    if body and string.find(body, "DROP TABLE") then return 403 end
  end
  return apache2.DECLINED
end
`);
await site.apache.writeFile('logs/witness', '', 0o666);
await site.apache.start();
after(() => site.close());

const email = 'camille.dupont@interieur.gouv.fr';
const page = site.url('/private/echo');
const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };

/** A form that was sent without a session, up to the page that asks. */
async function kept(place, body, vhost = site.vhosts[0], start = vhost.url('/private/echo')) {
  const browser = site.browser('agent-etat');
  const first = await browser.login(start);
  assert.equal(first.status, 200, first.text.slice(0, 300));
  browser.jar.set(start, 'proconnect', Buffer.alloc(64, 5).toString('base64url'));
  const answer = await browser.send(vhost.url(place), { method: 'POST', from: start, headers: urlencoded, body });
  assert.equal(answer.status, 303, answer.text.slice(0, 300));
  const asked = await browser.open(answer.headers.location);
  assert.equal(asked.status, 200, asked.text.slice(0, 500));
  const button = vhost.url(/<form method="post" action="([^"]*)"/.exec(asked.text)[1].replaceAll('&amp;', '&'));
  return { browser, button, click: () => browser.send(button, { method: 'POST', from: asked.url, body: '' }) };
}

test('a firewall that reads the body early and once sees the form, and can refuse it', async () => {
  const browser = site.browser('agent-etat');
  variablesOf(await browser.login(page));
  const bad = await browser.send(site.url('/private/judged'), { method: 'POST', from: page, headers: urlencoded, body: 'q=DROP TABLE agents' });
  assert.equal(bad.status, 403, 'the firewall of this story does not work');
  assert.equal((await (await kept('/private/judged', 'q=DROP TABLE agents')).click()).status, 403);
  assert.equal((await (await kept('/private/judged', 'q=harmless')).click()).status, 200);
});

for (const [what, place] of [
  ['a filter over the body', '/private/filtered?x=1'],
  ['a module that keeps bodies itself', '/private/remembered?x=1'],
  ['rewriting in a directory, which redirects inside', '/private/front/deep/path?x=1'],
  ['FallbackResource', '/private/fallback/deep/path?x=1'],
  ['an Action', '/private/action?x=1'],
]) {
  test(`${what} gets the whole form, as when it is sent with a session`, async () => {
    const browser = site.browser('agent-etat');
    variablesOf(await browser.login(page));
    const body = `name=${place.length}&rest=${'é'.repeat(200)}`;
    const expected = `POST ${place} ${email}\n${body}`;
    assert.equal((await browser.send(site.url(place), { method: 'POST', from: page, headers: urlencoded, body })).text, expected);
    const { click } = await kept(place, body);
    assert.equal((await click()).text, expected);
  });
}

test('what the filter saw is the form', async () => {
  await (await kept('/private/filtered', 'witness=SEEN-BY-THE-FILTER')).click();
  assert.match(readFileSync(site.apache.path('logs/witness'), 'utf8'), /witness=SEEN-BY-THE-FILTER/);
});

test('where the whole site is protected and proxied, the application gets the form with its user', async () => {
  const [, whole] = site.vhosts;
  const { click } = await kept('/save?a=b', 'c=d', whole, whole.url('/'));
  received.length = 0;
  assert.equal((await click()).text, 'reçu');
  assert.equal(received.length, 1);
  const { method, url, body, headers } = received[0];
  assert.deepEqual([method, url, body, headers['content-type'], headers['content-length'], headers['x-proconnect-email']], ['POST', '/save?a=b', 'c=d', urlencoded['content-type'], '3', email]);
  assert.doesNotMatch(headers.cookie ?? '', /proconnect/);
});

test('over HTTP/2 too, with something in the body of the confirmation', async () => {
  const { browser, button } = await kept('/private/form.cgi?h=2', 'over=h2');
  const session = http2.connect(site.origin);
  try {
    const stream = session.request({ ':method': 'POST', ':path': button.slice(site.origin.length), cookie: browser.jar.header(new URL(page)), 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html', ...urlencoded });
    stream.end('x='.repeat(5000));
    let text = '';
    stream.setEncoding('utf8');
    for await (const part of stream) text += part;
    assert.equal(text, `POST /private/form.cgi?h=2 ${email}\nover=h2`);
  } finally {
    session.close();
  }
});

test('the next request on the same connection is read from its begin', async () => {
  const { browser, click } = await kept('/private/form.cgi', 'first=1');
  assert.match((await click()).text, /first=1$/);
  assert.match((await browser.send(site.url('/private/form.cgi'), { method: 'POST', from: page, headers: urlencoded, body: 'second=2' })).text, /second=2$/);
});

test('the access log has the address of the form, and no token', async () => {
  await (await kept('/private/form.cgi?log=1', 'a=1')).click();
  const log = () => readFileSync(site.apache.path('logs/access.log'), 'utf8');
  await eventually('the request is logged', () => log().includes('"POST /private/form.cgi?log=1 HTTP/1.1" 200'));
  assert.ok(!log().includes('token='));
});

test('nothing alarming is left in the logs', () => site.close());
