// A form whose session has expired is not lost: after the login its user sends it with one click, and nobody else does.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { expectErrorPage, expectMachineRefusal, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const received = [];
const backend = createServer((request, answer) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ method: request.method, url: request.url, type: request.headers['content-type'], body: Buffer.concat(chunks) });
    answer.end('reçu');
  });
});
await new Promise((resolve) => { backend.listen(0, '127.0.0.1', resolve); });
after(() => backend.close());

const site = await startSite({
  label: 'kept-post',
  modules: ['proxy', 'proxy_http'],
  vhosts: [{
    client: { alg: 'ES256' },
    config: ({ apache }) => `ProxyPass "/private/api" "http://127.0.0.1:${backend.address().port}/api"
    <Location "/private/off">
        ProConnectKeepPost off
    </Location>
    <Location "/private/large">
        ProConnectKeepPost 2m
    </Location>
    <Location "/private/named">
        ProConnectRemoteUser siret
    </Location>
    ScriptAlias "/private/named" "${apache.path('htdocs/private/form.cgi')}"
    ScriptAlias "/private/large" "${apache.path('htdocs/private/form.cgi')}"
    ScriptAlias "/private/form" "${apache.path('htdocs/private/form.cgi')}"`,
  }, { client: { alg: 'ES256' } }],
});
after(() => site.close());
await site.apache.writeFile('htdocs/private/form.cgi', `#!/bin/sh
body=$(base64 -w0)  # all of it before the first byte of the answer: httpd writes before it reads
printf 'Content-Type: text/plain\\r\\n\\r\\n'
printf '%s\\n%s\\n%s\\n%s\\n' "$REQUEST_METHOD" "$REQUEST_URI" "$CONTENT_TYPE" "$PROCONNECT_EMAIL"
printf %s "$body"
`, 0o755);

const page = site.url('/private/');
const form = site.url('/private/form?step=2');
const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };

async function expired(persona = 'agent-etat') {
  const browser = site.browser(persona);
  expectProtected(await browser.login(page));
  browser.jar.set(page, 'proconnect', Buffer.alloc(64, 5).toString('base64url'));
  return browser;
}

const post = (browser, address, body, headers = urlencoded, options = {}) => browser.send(address, { method: 'POST', from: page, headers, body, ...options });

/** Through the login to the page that asks. */
async function question(browser, answer) {
  assert.equal(answer.status, 303, answer.text.slice(0, 500));
  const last = await browser.open(answer.headers.location);
  assert.equal(last.status, 200, last.text.slice(0, 800));
  return last;
}

function buttonOf(asked) {
  return site.url(/<form method="post" action="([^"]*)"/.exec(asked.text)[1].replaceAll('&amp;', '&'));
}

const send = (browser, asked, options = {}) => browser.send(buttonOf(asked), { method: 'POST', from: asked.url, body: '', ...options });

const binary = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 256));
const multipart = Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="é.bin"\r\n\r\n'), binary, Buffer.from('\r\n--b--\r\n')]);
for (const [name, type, body] of [
  ['urlencoded', 'application/x-www-form-urlencoded', Buffer.from('nom=Zo%C3%A9&x=1')],
  ['multipart with a binary file', 'multipart/form-data; boundary=b', multipart],
  ['JSON', 'application/json', Buffer.from('{"a":[1,2,"é"]}')],
  ['without a body', 'text/plain', Buffer.alloc(0)],
]) {
  test(`a form ${name} reaches a CGI program byte for byte`, async () => {
    const browser = await expired();
    const asked = await question(browser, await post(browser, form, body, { 'content-type': type }));
    assert.match(asked.text, /\/private\/form/);
    assert.ok(asked.text.includes(`${body.length} octets`));
    assert.ok(!asked.text.includes('Zo%C3%A9'));
    const answer = await send(browser, asked);
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    const [method, uri, contentType, email, base64] = answer.text.split('\n');
    assert.deepEqual([method, uri, contentType, email], ['POST', '/private/form?step=2', type, 'camille.dupont@interieur.gouv.fr']);
    assert.deepEqual(Buffer.from(base64, 'base64'), body);
  });
}

test('a form reaches an application behind ProxyPass byte for byte, once', async () => {
  const browser = await expired();
  const asked = await question(browser, await post(browser, site.url('/private/api/save?a=b'), multipart, { 'content-type': 'multipart/form-data; boundary=b' }));
  assert.equal(received.length, 0);
  assert.equal((await send(browser, asked)).text, 'reçu');
  assert.equal(received.length, 1);
  assert.deepEqual({ ...received[0], body: received[0].body.length }, { method: 'POST', url: '/api/save?a=b', type: 'multipart/form-data; boundary=b', body: multipart.length });
  expectErrorPage(site, await send(browser, asked), { status: 404, code: 'PC1031' });
  assert.equal(received.length, 1, 'sent twice');
});

test('another user neither sees nor sends it, and its owner still can', async () => {
  const browser = await expired();
  const answer = await post(browser, form, 'a=1');
  const fresh = site.browser('agent-territorial');
  fresh.jar.set(page, 'proconnect-login', browser.jar.get(page, 'proconnect-login').value);
  const refused = await fresh.open(answer.headers.location);
  expectErrorPage(site, refused, { status: 403, code: 'PC1030' });
  fresh.persona = 'agent-etat';
  await fresh.open(`${site.url('/proconnect/login?switch&return=')}${encodeURIComponent(new URL(refused.url).pathname + new URL(refused.url).search)}`);
  const asked = await fresh.send(refused.url);
  assert.equal(asked.status, 200, asked.text.slice(0, 800));
  assert.match(asked.text, /Envoyer votre formulaire/);
});

test('another browser does not see it, even with its address', async () => {
  const browser = await expired();
  const asked = await question(browser, await post(browser, form, 'a=1'));
  const thief = site.browser('agent-etat');
  expectProtected(await thief.login(page));
  expectErrorPage(site, await thief.send(asked.url), { status: 404, code: 'PC1031' });
  expectErrorPage(site, await send(thief, asked), { status: 404, code: 'PC1031' });
  assert.equal((await send(browser, asked)).status, 200);
});

for (const [name, headers] of [
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['another host of the domain', { 'sec-fetch-site': 'same-site' }],
  ['a sandbox', { 'sec-fetch-site': [], origin: 'null' }],
  ['another site, in an old browser', { 'sec-fetch-site': [], origin: 'https://evil.example' }],
  ['a browser that does not say, though the Referer does', { 'sec-fetch-site': [], origin: [], referer: page }],
]) {
  test(`a form of ${name} is not kept, and the user is told`, async () => {
    const browser = await expired();
    const cookie = browser.jar.header(new URL(page));
    expectErrorPage(site, await post(browser, form, 'a=1', { ...urlencoded, ...headers, cookie }), { status: 401, code: 'PC1014' });
  });
}

test('an old browser that names its origin has its form kept', async () => {
  const browser = await expired();
  const answer = await post(browser, form, 'a=1', { ...urlencoded, 'sec-fetch-site': [], origin: site.origin });
  assert.equal((await send(browser, await question(browser, answer))).status, 200);
});

test('without a session before, after a logout, and where it is off, nothing is kept', async () => {
  expectErrorPage(site, await post(site.browser(), form, 'a=1'), { status: 401, code: 'PC1014' });
  const browser = site.browser('agent-etat');
  await browser.login(page);
  await browser.open(site.url('/proconnect/logout'), { from: page });
  expectErrorPage(site, await post(browser, form, 'a=1'), { status: 401, code: 'PC1014' });
  expectErrorPage(site, await post(await expired(), site.url('/private/off/x'), 'a=1'), { status: 401, code: 'PC1014' });
});

test('what a browser says of its own login counts only as the server wrote it', async () => {
  const now = Math.floor(Date.now() / 1000);
  const tag = Buffer.alloc(16, 9).toString('base64url');
  const mac = Buffer.alloc(16).toString('base64url');
  const nobody = site.browser();
  const binding = Buffer.alloc(32, 7).toString('base64url');
  for (const mark of [`0f${now}.${tag}.${tag}`, `0f${now}.${tag}.${tag}~`, `0f${now}.${tag}.${tag}~${mac}`, `~0f${now}.${tag}.${tag}~${mac}`]) {
    nobody.jar.set(page, 'proconnect-login', `${binding}~${mark}`);
    expectErrorPage(site, await post(nobody, form, 'a=1'), { status: 401, code: 'PC1014' });
  }
  const browser = await expired();
  const own = browser.jar.get(page, 'proconnect-login').value;
  assert.ok(own.length < 200, `${own.length} characters`);
  const [ownBinding, mark, ownMac] = own.split('~');
  for (const changed of [`${binding}~${mark}~${ownMac}`, `${ownBinding}~1${mark.slice(1)}~${ownMac}`, `${ownBinding}~${mark}~${mac}`, `${ownBinding}~${mark}~${ownMac}A`, `${ownBinding}~${mark}`]) {
    browser.jar.set(page, 'proconnect-login', changed);
    expectErrorPage(site, await post(browser, form, 'a=1'), { status: 401, code: 'PC1014' });
  }
  browser.jar.set(page, 'proconnect-login', own);
  assert.equal((await send(browser, await question(browser, await post(browser, form, 'a=1')))).status, 200);
});

test('a form larger than the limit is told so, and the limit is per location', async () => {
  expectErrorPage(site, await post(await expired(), form, 'x'.repeat(65 * 1024)), { status: 400, code: 'PC1032' });
  const browser = await expired();
  const large = 'y'.repeat(1024 * 1024);
  const asked = await question(browser, await post(browser, site.url('/private/large'), large));
  const answer = await send(browser, asked);
  assert.equal(Buffer.from(answer.text.split('\n')[4], 'base64').toString(), large);
});

test('a browser keeps four forms, the oldest goes', async () => {
  const browser = await expired();
  const answers = [];
  const before = browser.jar.get(page, 'proconnect-login').value;   // not counted as a row of logins
  for (let n = 0; n < 5; n += 1) {
    answers.push(await post(browser, form, `n=${n}`));
    browser.jar.set(page, 'proconnect-login', before);
  }
  expectErrorPage(site, await browser.open(answers[0].headers.location), { status: 404, code: 'PC1031' });
  for (const answer of answers.slice(1)) await question(browser, answer);
});

test('the confirmation counts only from the page itself', async () => {
  const browser = await expired();
  const asked = await question(browser, await post(browser, form, 'a=1'));
  for (const headers of [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, { 'sec-fetch-site': [], origin: 'null' }]) {
    const cookie = browser.jar.header(new URL(page));
    expectErrorPage(site, await send(browser, asked, { headers: { ...headers, cookie } }), { status: 404, code: 'PC1031' });
  }
  const wrong = buttonOf(asked).replace(/token=.*/, `token=${'A'.repeat(22)}`);
  expectErrorPage(site, await browser.send(wrong, { method: 'POST', from: asked.url, body: '' }), { status: 404, code: 'PC1031' });
  assert.equal((await send(browser, asked)).status, 200);
});

test('a graceful restart in between does no harm', async () => {
  const browser = await expired();
  const answer = await post(browser, form, 'restart=1');
  await site.apache.graceful();
  assert.equal((await send(browser, await question(browser, answer))).status, 200);
});

test('a script that posts without a session is told 401 and nothing is kept', async () => {
  const browser = await expired();
  expectMachineRefusal(await browser.fetch(form, { method: 'POST', from: page, headers: { 'content-type': 'application/json' }, body: '{}' }));
});

test('neither the token nor the form is in a log', async () => {
  const browser = await expired();
  const asked = await question(browser, await post(browser, form, 'geheim=SECRETVALUE'));
  await send(browser, asked);
  assert.equal(site.apache.logged(/SECRETVALUE|token=/).length, 0);
});

test('a page that cannot name its user says that the form was not sent, and sends nobody in circles', async () => {
  const browser = await expired('sans-siret');
  const answer = await post(browser, site.url('/private/named'), 'a=1');
  assert.equal(answer.status, 303);
  expectErrorPage(site, await browser.open(answer.headers.location), { status: 403, code: 'PC1033' });
});

test('a form of one site is none of another on the same host, whose pages get the same cookies', async () => {
  const browser = await expired();
  const address = new URL(await (async () => (await post(browser, form, 'a=1')).headers.location)(), site.url('/'));
  const id = /form(?:\?|%3F)id(?:=|%3D)([\w-]{22})/.exec(decodeURIComponent(`${address}`))?.[1] ?? /id=([\w-]{22})/.exec((await browser.open(`${address}`)).url)[1];
  const other = site.vhosts[1];
  expectProtected(await browser.login(other.url('/private/')));
  expectErrorPage(site, await browser.send(other.url(`/proconnect/form?id=${id}`)), { status: 404, code: 'PC1031' });
});

test('nothing alarming is left in the logs', () => site.close());
