// What the client writes into its request never looks like something this module wrote.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { sendRaw } from '../support/http.mjs';
import { freePort } from '../support/scratch.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

// The application behind the proxy answers with the headers it received, names as they came.
const applicationPort = await freePort();
const application = createServer((request, response) => response.end(JSON.stringify(request.rawHeaders)));
await new Promise((resolve) => application.listen(applicationPort, '127.0.0.1', resolve));

const site = await startSite({ label: 'request-headers', modules: ['proxy', 'proxy_http'], vhosts: [{
  client: { alg: 'ES256' },
  config: `<Location "/private/app">
        ProConnectHeaders On
    </Location>
    ProxyPass "/private/app" "http://127.0.0.1:${applicationPort}/"
    ProxyPass "/public/app" "http://127.0.0.1:${applicationPort}/"`,
}] });
after(async () => { await site.close(); application.close(); application.closeAllConnections(); });

const browser = site.browser('accents');
const imitations = {
  'X-ProConnect-Email': 'evil@example.org', X_ProConnect_Email: 'evil@example.org', 'x-proconnect-sub': 'evil', 'X-PROCONNECT-Roles': 'evil',
  'x-Proconnect_uid': 'evil', X_PROCONNECT_SIRET: 'evil', 'X-ProConnect-Nothing-We-Know': 'evil', REMOTE_USER: 'evil', 'Remote-User': 'evil',
  'X-Remote-User': 'evil', AUTH_TYPE: 'evil', PROCONNECT_EMAIL: 'evil', 'ProConnect-Email': 'evil', 'X.ProConnect.Email': 'evil',
};

function raw(path, headers, cookie, connection = 'close') {
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${site.vhosts[0].port}`, 'Accept: text/html', `Connection: ${connection}`, ...(cookie ? [`Cookie: ${cookie}`] : []), ...headers];
  return sendRaw(site.vhosts[0].port, `${lines.join('\r\n')}\r\n\r\n`);
}

const cookieHeader = () => browser.jar.header(new URL(site.url('/private/')));

function headersSeen(answer) {
  const list = JSON.parse(typeof answer === 'string' ? answer.slice(answer.indexOf('['), answer.lastIndexOf(']') + 1) : answer.text);
  const seen = {};
  for (let index = 0; index < list.length; index += 2) (seen[list[index].toLowerCase()] ??= []).push(list[index + 1]);
  return seen;
}

test('the application behind the proxy receives the claims as headers, percent-encoded', async () => {
  const seen = headersSeen(await browser.login(site.url('/private/app')));
  assert.deepEqual(seen['x-proconnect-email'], ['elise.oeuvre@culture.gouv.fr']);
  assert.deepEqual(seen['x-proconnect-usual-name'], [encodeURIComponent('Œuvré-Ÿ')]);
  assert.match(seen['x-proconnect-sub'][0], /^[0-9a-f]{64}$/);
});

test('imitations of our headers are gone before the application sees them', async () => {
  const seen = headersSeen(await browser.send(site.url('/private/app'), { headers: imitations }));
  assert.ok(!JSON.stringify(Object.entries(seen).filter(([name]) => /proconnect/i.test(name))).includes('evil'), JSON.stringify(seen));
  assert.deepEqual(seen['x-proconnect-email'], ['elise.oeuvre@culture.gouv.fr']);
});

test('repeated and folded imitations are gone too', async () => {
  const text = await raw('/private/app', ['X-ProConnect-Email: evil1', 'x-proconnect-email: evil2', 'X_ProConnect_Email: evil3', 'X-ProConnect-EMAIL:evil4'], cookieHeader());
  const seen = headersSeen(text.slice(text.indexOf('\r\n\r\n')));
  assert.deepEqual(seen['x-proconnect-email'], ['elise.oeuvre@culture.gouv.fr']);
  assert.ok(!/evil\d/.test(text));
  const folded = await raw('/private/app', ['X-Other: one', ' X-ProConnect-Email: evil', 'X-ProConnect-Uid:', '\tevil'], cookieHeader());
  assert.ok(!/"x-proconnect-[a-z-]*","[^"]*evil/i.test(folded), folded);
});

test('a Connection header cannot make the proxy drop ours', async () => {
  const plain = await raw('/private/app', [], cookieHeader());
  const seen = headersSeen(await raw('/private/app', ['X-Hop: one'], cookieHeader(), 'close, X-ProConnect-Email,x_proconnect_sub , X-Hop,, x-proconnect-roles'));
  const names = (headers) => Object.keys(headers).filter((name) => name.startsWith('x-proconnect-')).sort();
  assert.deepEqual(names(seen), names(headersSeen(plain)));
  assert.ok(names(seen).includes('x-proconnect-email') && names(seen).includes('x-proconnect-sub'));
  assert.equal(seen['x-hop'], undefined, 'what else Connection names is dropped as ever');
});

test('they are gone on public pages as well, where no claim takes their place', async () => {
  const seen = headersSeen(await browser.send(site.url('/public/app'), { headers: imitations }));
  assert.deepEqual(Object.keys(seen).filter((name) => /^x[-_.]?proconnect/.test(name)), [], JSON.stringify(seen));
});

test('a CGI program sees no imitation, neither by name nor as REMOTE_USER', async () => {
  for (const path of ['/private/variables.cgi', '/public/variables.cgi']) {
    const variables = variablesOf(await browser.send(site.url(path), { headers: imitations }));
    for (const [name, value] of Object.entries(variables)) {
      if (/PROCONNECT|^REMOTE_USER$|^AUTH_TYPE$/.test(name)) assert.notEqual(value.slice(0, 4), 'evil', name);
    }
    if (path.startsWith('/public')) assert.equal(variables.REMOTE_USER, undefined);
  }
});

test('an Authorization header neither lets in nor becomes REMOTE_USER', async () => {
  for (const authorization of [`Basic ${Buffer.from('admin:admin').toString('base64')}`, 'Bearer abcdef', `Digest username="admin"`]) {
    const answer = await site.browser().send(site.url('/private/variables.cgi'), { headers: { authorization } });
    assert.ok([302, 401].includes(answer.status));
    const variables = variablesOf(await browser.send(site.url('/private/variables.cgi'), { headers: { authorization } }));
    assert.match(variables.REMOTE_USER, /^[0-9a-f]{64}$/);
  }
});

test('the session cookie does not reach the application behind the proxy', async () => {
  const seen = headersSeen(await browser.send(site.url('/private/app'), { headers: { cookie: `theme=dark; ${cookieHeader()}; other=1` } }));
  assert.ok(!JSON.stringify(seen).includes(browser.jar.get(site.url('/'), 'proconnect').value), 'the application could use the session');
  assert.match(seen.cookie?.[0] ?? '', /theme=dark/);
  assert.match(seen.cookie?.[0] ?? '', /other=1/);
});

test('claims with line breaks and quotes cannot split a header', async () => {
  const other = site.browser('injection');
  const seen = headersSeen(await other.login(site.url('/private/app')));
  assert.equal(seen['set-cookie'], undefined);
  assert.equal(seen['x-admin'], undefined);
  assert.equal(seen['x-proconnect-given-name'].length, 1);
});

test('nothing alarming is left in the logs', () => site.close());
