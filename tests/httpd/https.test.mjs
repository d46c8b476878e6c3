// Over TLS: the cookie's __Host- name, HTTP/2, a provider behind a private authority, and a proxy that ends TLS in front of httpd.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Browser } from '../support/browser.mjs';
import { expectErrorPage, expectLoginRedirect, expectProtected, sessionCookie } from '../support/expect.mjs';
import { freePort } from '../support/scratch.mjs';
import { hostName, startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'https', modules: ['http2'], standinTls: true, config: 'Protocols h2 http/1.1', vhosts: [{ https: true, client: { alg: 'ES256' } }] });
after(() => site.close());

/** One request over HTTP/2. */
async function overHttp2(session, path, headers = {}) {
  const stream = session.request({ ':path': path, accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...headers });
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  const answer = await new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
  });
  await new Promise((resolve) => stream.once('close', resolve));
  return { status: answer[':status'], headers: answer, cookies: [].concat(answer['set-cookie'] ?? []), text: Buffer.concat(chunks).toString('utf8'), url: site.url(path) };
}

function connect() {
  return http2.connect(site.origin, { ca: site.authority.ca, servername: hostName, lookup: (host, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) });
}

test('on https the cookies are Secure and have the __Host- name', async () => {
  const browser = site.browser('agent-etat');
  const page = await browser.login(site.url('/private/variables.cgi'));
  assert.match(variablesOf(page).REMOTE_USER, /^[0-9a-f]{64}$/);
  const set = page.history.filter(({ url }) => url.startsWith(site.origin)).flatMap(({ cookies }) => cookies);
  for (const cookie of set) assert.match(cookie, /^__Host-proconnect(-login)?=[^;]*;.*;\s*Secure/i);
  assert.ok(sessionCookie(browser, site.origin));
  assert.deepEqual(browser.refusedCookies, []);
});

test('the whole login over HTTP/2', async () => {
  const session = connect();
  try {
    const first = await overHttp2(session, '/private/variables.cgi?over=h2');
    expectLoginRedirect(site, first);
    const browser = site.browser('agent-etat');
    for (const cookie of first.cookies) browser.jar.take(cookie, new URL(site.origin));
    let callback;
    await browser.open(first.headers.location, { until: (target) => { if (target.startsWith(site.origin)) callback = target; return callback; } });
    const cookie = () => browser.jar.header(new URL(site.url('/')));
    const back = await overHttp2(session, callback.slice(site.origin.length), { cookie: cookie() });
    assert.ok([302, 303].includes(back.status), `${back.status} ${back.text.slice(0, 300)}`);
    for (const text of back.cookies) browser.jar.take(text, new URL(site.origin));
    const page = await overHttp2(session, '/private/variables.cgi?over=h2', { cookie: cookie() });
    const variables = variablesOf(page);
    assert.equal(variables.SERVER_PROTOCOL, 'HTTP/2.0');
    assert.equal(variables.PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
    assert.equal(variables.QUERY_STRING, 'over=h2');
  } finally {
    session.close();
  }
});

test('cookies in several header fields, as HTTP/2 allows, are read', async () => {
  const browser = site.browser('agent-etat');
  await browser.login(site.url('/private/'));
  const session = connect();
  try {
    const page = await overHttp2(session, '/private/', { cookie: ['theme=dark', `__Host-proconnect=${sessionCookie(browser, site.origin).value}`] });
    expectProtected(page);
  } finally {
    session.close();
  }
});

test('fifty requests at once on one HTTP/2 connection are each served to the right user', async () => {
  const browsers = [site.browser('agent-etat'), site.browser('agent-territorial')];
  for (const browser of browsers) await browser.login(site.url('/private/'));
  const session = connect();
  try {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => overHttp2(session, '/private/variables.cgi', { cookie: browsers[index % 2].jar.header(new URL(site.url('/'))) })));
    answers.forEach((answer, index) => assert.equal(variablesOf(answer).PROCONNECT_USUAL_NAME, index % 2 ? 'MARTIN' : 'DUPONT'));
    const refused = await overHttp2(session, '/private/', { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' });
    assert.equal(refused.status, 401);
  } finally {
    session.close();
  }
});

test('a provider whose certificate nobody vouches for is refused, and the log says so', async () => {
  const other = await startSite({ label: 'https-unknown-ca', standin: site.standin, start: false, vhosts: [{ client: { alg: 'ES256' } }] }).catch((error) => error);
  assert.ok(!(other instanceof Error), String(other));
  try {
    await other.apache.start();
    const { line } = expectErrorPage(other, await other.browser().send(other.url('/private/')), { status: 503, code: 'PC2003' });
    assert.match(line, /certificate|authority|CA/i);
  } finally {
    await other.close();
  }
});

for (const [name, headersOfProxy] of [
  ['a proxy that says nothing', {}],
  ['a proxy that sends X-Forwarded headers', { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'somebody.else.example', 'x-forwarded-for': '192.0.2.7' }],
]) {
  test(`behind ${name} and ends TLS, ProConnectBaseURL is enough`, async () => {
    const proxyPort = await freePort();
    const origin = `https://${hostName}:${proxyPort}`;
    const standin = await (await import('../support/standin.mjs')).Standin.start();
    const inner = await startSite({ label: 'https-behind-proxy', standin, start: false, vhosts: [{ client: {
      alg: 'ES256', redirect_uris: [`${origin}/proconnect/callback`], post_logout_redirect_uris: [`${origin}/proconnect/logged-out`] } }] });
    await inner.apache.writeFile('conf/site.conf', readFileSync(inner.apache.siteFile, 'utf8').replace(/ProConnectBaseURL .*/, `ProConnectBaseURL ${origin}`));
    const proxy = https.createServer({ key: readFileSync(site.certificate.keyFile), cert: readFileSync(site.certificate.certFile) }, (incoming, outgoing) => {
      const upstream = http.request({ host: '127.0.0.1', port: inner.vhosts[0].port, method: incoming.method, path: incoming.url, headers: { ...incoming.headers, ...headersOfProxy } }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      incoming.pipe(upstream);
    });
    await new Promise((resolve) => proxy.listen(proxyPort, '127.0.0.1', resolve));
    try {
      await inner.apache.start();
      const browser = new Browser({ persona: 'agent-etat', ca: site.authority.ca });
      const page = await browser.login(`${origin}/private/variables.cgi?through=proxy`);
      assert.equal(variablesOf(page).QUERY_STRING, 'through=proxy');
      assert.equal(page.url, `${origin}/private/variables.cgi?through=proxy`);
      assert.ok(sessionCookie(browser, origin), 'no __Host- cookie behind the proxy');
      assert.deepEqual(browser.refusedCookies, []);
      const out = await browser.open(`${origin}/proconnect/logout`, { from: `${origin}/private/` });
      assert.equal(out.url.split('?')[0], `${origin}/proconnect/logged-out`);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
      await inner.close();
      await standin.stop();
    }
  });
}

test('nothing alarming is left in the logs', () => site.close());
