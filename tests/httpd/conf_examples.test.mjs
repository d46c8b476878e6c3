// Every file of conf-examples/ is loaded by a real httpd, and does what its comments promise: only paths, ports and the platform are replaced.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { Apache } from '../support/apache.mjs';
import { Browser } from '../support/browser.mjs';
import { makeAuthority } from '../support/certificates.mjs';
import { expectMachineRefusal } from '../support/expect.mjs';
import { freePort } from '../support/scratch.mjs';
import { Standin } from '../support/standin.mjs';
import { variablesOf } from '../support/site.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../conf-examples');
const examples = readdirSync(folder).filter((name) => name.endsWith('.conf'));
const cleanups = [];
after(async () => { for (const cleanup of cleanups.reverse()) await cleanup(); });

/** Starts httpd with the example. `replace`: [[text, text]…] beyond what every example needs. */
async function site(name, { replace = [], standinHost, modules = [] } = {}) {
  const apache = await Apache.create({ label: `example-${name.replace('.conf', '')}`, modules: ['ssl', 'proxy', 'proxy_http', ...modules] });
  cleanups.push(() => apache.close());
  const authority = await makeAuthority(apache.path('conf'));
  // A stand-in with a name of its own speaks https; no name server knows it.
  const tls = standinHost ? await authority.issue(standinHost) : undefined;
  const standin = await Standin.start({ tls, host: standinHost });
  cleanups.push(() => standin.stop());

  let text = readFileSync(join(folder, name), 'utf8');
  const host = /ServerName +(\S+)/.exec(text)[1];
  const origin = `https://${host}:${apache.ports[0]}`;
  const client = await standin.register({ alg: 'ES256', redirect_uris: [`${origin}/proconnect/callback`], post_logout_redirect_uris: [`${origin}/proconnect/logged-out`] });
  const certificate = await authority.issue(host);
  await apache.writeFile('conf/client_secret', `${client.client_secret}\n`, 0o600);
  await apache.writeFile('conf/index.cgi', '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nexec env -0\n', 0o755);
  for (const path of ['index.cgi', 'app/index.cgi', 'intranet/index.cgi', 'administration/index.cgi', 'news/index.cgi', 'api/index.cgi']) {
    await apache.writeFile(`htdocs/${path}`, readFileSync(apache.path('conf/index.cgi')), 0o755);
  }
  const replacements = [
    [/\*:443/g, `127.0.0.1:${apache.ports[0]}`],
    [/SSLCertificateFile +.*/g, `SSLCertificateFile ${certificate.certFile}`],
    [/SSLCertificateKeyFile +.*/g, `SSLCertificateKeyFile ${certificate.keyFile}`],
    [/\/etc\/apache2\/proconnect\/client_secret/g, apache.path('conf/client_secret')],
    [/\/etc\/apache2\/proconnect\/rie-ca\.pem/g, authority.caFile],
    [/\/etc\/apache2\/proconnect\/pages/g, join(folder, 'pages')],
    [/\/etc\/apache2\/proconnect\/notice\.txt/g, apache.path('conf/notice.txt')],
    [/\/var\/www\/html/g, apache.htdocs],
    [/( *)ProConnectBaseURL .*/g, ''],
    [/ProConnectPlatform +.*/g, `ProConnectPlatform ${standin.issuer}\n    ProConnectBaseURL ${origin}`],
    [/ProConnectClientID +.*/g, `ProConnectClientID ${client.client_id}`],
    ...replace,
  ];
  for (const [pattern, value] of replacements) text = text.replace(pattern, value);
  await apache.configure(`DirectoryIndex index.cgi\n${text}`);
  await apache.start();
  return { apache, standin, origin, browser: (persona) => new Browser({ persona, ca: authority.ca }) };
}

for (const name of examples) {
  test(`${name} passes configtest with nothing replaced but paths`, async () => {
    const apache = await Apache.create({ label: 'example-configtest', logLevel: 'warn', modules: ['ssl', 'proxy', 'proxy_http'] });
    try {
      const authority = await makeAuthority(apache.path('conf'));
      const { certFile, keyFile } = await authority.issue('any', ['any.example']);
      await apache.writeFile('conf/client_secret', 'a-secret-of-some-length-0123456789\n', 0o600);
      const text = readFileSync(join(folder, name), 'utf8')
        .replace(/(SSLCertificateFile +).*/g, `$1${certFile}`).replace(/(SSLCertificateKeyFile +).*/g, `$1${keyFile}`)
        .replaceAll('/etc/apache2/proconnect/client_secret', apache.path('conf/client_secret'))
        .replaceAll('/etc/apache2/proconnect/rie-ca.pem', authority.caFile).replaceAll('/etc/apache2/proconnect/pages', join(folder, 'pages')).replaceAll('/var/www/html', apache.htdocs);
      await apache.configure(text);
      const { code, stderr } = await apache.configtest();
      assert.equal(code, 0, stderr);
      const lines = stderr.trim().split('\n').filter((line) => !/ProConnectRemoteUser/.test(line));
      assert.deepEqual(lines, ['Syntax OK']);
    } finally {
      await apache.close();
    }
  });
}

test('minimal.conf: the public part is public, /app needs a login and gets the agent', async () => {
  const { origin, browser } = await site('minimal.conf');
  const agent = browser('agent-etat');
  assert.equal(variablesOf(await agent.send(`${origin}/`)).REMOTE_USER, undefined);
  const variables = variablesOf(await agent.login(`${origin}/app/`));
  assert.equal(variables.PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
});

test('several-locations.conf: each location keeps its own rule', async () => {
  const { origin, browser } = await site('several-locations.conf');
  const camille = browser('agent-etat');
  assert.equal(variablesOf(await camille.send(`${origin}/news/`)).REMOTE_USER, undefined);
  expectMachineRefusal(await camille.fetch(`${origin}/api/`));
  assert.equal((await camille.send(`${origin}/api/`)).status, 401);
  assert.match(variablesOf(await camille.login(`${origin}/intranet/`)).REMOTE_USER, /^[0-9a-f]{64}$/);
  assert.equal(variablesOf(await camille.open(`${origin}/administration/`)).REMOTE_USER, 'camille.dupont@interieur.gouv.fr');
  assert.match(variablesOf(await camille.send(`${origin}/news/`)).REMOTE_USER, /^[0-9a-f]{64}$/);
  assert.equal(variablesOf(await camille.fetch(`${origin}/api/`)).AUTH_TYPE, 'ProConnect');
  const other = browser('accents');
  variablesOf(await other.login(`${origin}/intranet/`));
  assert.notEqual((await other.open(`${origin}/administration/`)).status, 200);
});

test('login-page.conf: the service’s own templates, in both languages, and a silent way in', async () => {
  const { apache, origin, browser } = await site('login-page.conf');
  await apache.writeFile('conf/notice.txt', 'Fermé ce soir.\n');
  const agent = browser('agent-etat');
  const page = await agent.send(`${origin}/app/`);
  assert.equal(page.status, 401);
  for (const text of ['Avant de vous connecter', 'Ce service est réservé aux agents publics.', 'Fermé ce soir.', 'Vous n’avez pas de compte ProConnect ?', 'Portail des agents']) assert.ok(page.text.includes(text), text);
  assert.match(page.headers['content-security-policy'], /^default-src 'none'; style-src 'self' 'sha256-[^']+'; img-src 'self' data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'$/);
  const english = await agent.send(`${origin}/app/`, { headers: { 'accept-language': 'en' } });
  assert.match(english.text, /<html lang="en">/);
  assert.doesNotMatch(english.text, /Avant de vous connecter/);
  const link = /<a class="proconnect" href="([^"]*)"/.exec(page.text)[1].replaceAll('&amp;', '&');
  assert.equal(variablesOf(await agent.login(new URL(link, origin).href, undefined, { from: page.url })).PROCONNECT_EMAIL, 'camille.dupont@interieur.gouv.fr');
  const quiet = await browser().open(`${origin}/intranet/`);
  assert.equal(quiet.status, 401);
  assert.ok(quiet.text.includes('Avant de vous connecter'));
});

test('reverse-proxy.conf: the application gets the listed claims and no imitation; monitoring gets through', async () => {
  const port = await freePort();
  const application = createServer((request, response) => response.end(JSON.stringify({ path: request.url, headers: request.headers })));
  await new Promise((resolve) => application.listen(port, '127.0.0.1', resolve));
  cleanups.push(() => { application.close(); application.closeAllConnections(); });
  const { origin, browser } = await site('reverse-proxy.conf', { replace: [[/127\.0\.0\.1:8080/g, `127.0.0.1:${port}`]] });
  const agent = browser('accents');
  const page = await agent.login(`${origin}/demande?annee=2026`, undefined, { headers: { 'x-proconnect-siret': 'evil', 'x-proconnect-roles': 'evil' } });
  const { path, headers } = page.json;
  assert.equal(path, '/demande?annee=2026');
  assert.equal(decodeURIComponent(headers['x-proconnect-email']), 'elise.oeuvre@culture.gouv.fr');
  assert.equal(headers['x-proconnect-usual-name'], encodeURIComponent('Œuvré-Ÿ'));
  assert.equal(headers['x-proconnect-siret'], '13002526500013');
  assert.equal(headers['x-proconnect-roles'], undefined, 'a claim that is not on the list');
  const health = await browser().send(`${origin}/health`, { headers: { 'x-proconnect-email': 'evil' } });
  assert.equal(health.status, 200);
  assert.equal(health.json.headers['x-proconnect-email'], undefined);
  const out = await agent.open(`${origin}/proconnect/logout`, { from: `${origin}/` });
  assert.equal(out.url.split('?')[0], `${origin}/proconnect/logged-out`);
});

test('rie-proxy-private-ca.conf: calls to ProConnect go through the proxy and trust the private authority alone', async () => {
  const tunnels = [];
  const proxy = createServer((request, response) => { response.statusCode = 405; response.end(); });
  proxy.on('connect', (request, socket, head) => {
    tunnels.push(request.url);
    const target = connect(Number(request.url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length) target.write(head);
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
  });
  const port = await freePort();
  await new Promise((resolve) => proxy.listen(port, '127.0.0.1', resolve));
  cleanups.push(() => { proxy.close(); proxy.closeAllConnections(); });
  const { origin, browser, standin } = await site('rie-proxy-private-ca.conf', { standinHost: 'proconnect.example.rie.gouv.fr', replace: [[/http:\/\/proxy\.example\.rie\.gouv\.fr:3128/, `http://127.0.0.1:${port}`]] });
  const variables = variablesOf(await browser('agent-etat').login(`${origin}/`));
  assert.equal(variables.PROCONNECT_ISS, standin.issuer);
  assert.ok(tunnels.length > 0, 'the proxy was not used');
  assert.ok(tunnels.every((target) => target === new URL(standin.issuer).host), tunnels.join(' '));
});

test('nothing alarming is left in the logs', async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
