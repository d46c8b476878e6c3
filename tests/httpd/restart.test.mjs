// Sessions outlive the server's restarts; only a server told to forget forgets.
import assert from 'node:assert/strict';
import { statSync, existsSync, readFileSync, writeFileSync, truncateSync } from 'node:fs';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectProtected, sessionCookie } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'restart', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const page = site.url('/private/variables.cgi');

async function loggedIn(persona = 'agent-etat') {
  const browser = site.browser(persona);
  variablesOf(await browser.login(page));
  return browser;
}

test('sessions survive graceful restarts, one after the other', async () => {
  const browsers = [await loggedIn(), await loggedIn('agent-territorial'), await loggedIn('accents')];
  for (let time = 0; time < 3; time += 1) {
    await site.apache.graceful();
    for (const browser of browsers) assert.equal((await browser.send(page)).status, 200);
  }
  assert.equal(variablesOf(await browsers[2].send(page)).PROCONNECT_USUAL_NAME, 'Œuvré-Ÿ');
});

test('a login begun before a graceful restart is finished after it', async () => {
  const browser = site.browser();
  const callback = await browser.callbackAddress(page, 'agent-etat');
  await site.apache.graceful();
  variablesOf(await browser.open(callback));
});

test('a session made after a graceful restart survives the next', async () => {
  await site.apache.graceful();
  const browser = await loggedIn();
  await site.apache.graceful();
  variablesOf(await browser.send(page));
});

test('sessions survive a graceful restart with a changed configuration', async () => {
  const browser = await loggedIn();
  const config = readFileSync(site.apache.siteFile, 'utf8');
  await site.apache.writeFile('conf/site.conf', `ProConnectSessionMax 5000\n${config.replace('Require valid-user', 'Require valid-user\n        ProConnectRemoteUser email')}`);
  await site.apache.graceful();
  assert.equal(variablesOf(await browser.send(page)).REMOTE_USER, 'camille.dupont@interieur.gouv.fr');
  await site.apache.writeFile('conf/site.conf', config);
  await site.apache.graceful();
  assert.match(variablesOf(await browser.send(page)).REMOTE_USER, /^[0-9a-f]{64}$/);
});

test('sessions survive a full stop and start', async () => {
  const browsers = [await loggedIn(), await loggedIn('accents')];
  const before = variablesOf(await browsers[0].send(page));
  await site.apache.restart();
  const then = variablesOf(await browsers[0].send(page));
  for (const name of ['REMOTE_USER', 'PROCONNECT_SESSION', 'PROCONNECT_EXPIRES', 'PROCONNECT_CLAIMS']) {
    if (name !== 'PROCONNECT_EXPIRES') assert.equal(then[name], before[name], name);
  }
  assert.equal(variablesOf(await browsers[1].send(page)).PROCONNECT_USUAL_NAME, 'Œuvré-Ÿ');
});

test('the snapshot is for root alone and shows neither name nor cookie', async () => {
  const browser = await loggedIn();
  const { value } = sessionCookie(browser, site.origin);
  await site.apache.stop();
  const file = site.apache.path('state/sessions');
  assert.ok(existsSync(file), 'no snapshot');
  assert.equal(statSync(file).mode & 0o077, 0, 'others may read the snapshot');
  const content = readFileSync(file);
  for (const text of ['camille', 'DUPONT', 'interieur.gouv.fr', value, value.slice(0, 43)]) assert.ok(!content.includes(text), text);
  assert.ok(!content.includes(Buffer.from(value, 'base64url').subarray(0, 32)), 'the cookie’s id stands in the snapshot');
  await site.apache.start();
  variablesOf(await browser.send(page));
});

test('a session ended by logout does not come back with the snapshot', async () => {
  const browser = await loggedIn();
  const { value } = sessionCookie(browser, site.origin);
  await browser.open(site.url('/proconnect/logout'), { from: page });
  await site.apache.restart();
  const thief = site.browser();
  thief.jar.set(page, 'proconnect', value);
  expectLoginRedirect(site, await thief.send(page));
});

for (const [name, spoil] of [
  ['cut in half', (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
  ['changed in one byte', (file) => { const bytes = readFileSync(file); bytes[Math.floor(bytes.length / 2)] ^= 1; writeFileSync(file, bytes); }],
  ['empty', (file) => truncateSync(file, 0)],
  ['replaced by noise', (file) => writeFileSync(file, Buffer.alloc(100_000, 0xa5))],
]) {
  test(`a snapshot ${name} is ignored with a warning, and httpd starts`, async () => {
    const browser = await loggedIn();
    await site.apache.stop();
    spoil(site.apache.path('state/sessions'));
    const warnings = site.apache.logged('PC4005').length;
    await site.apache.start();
    expectLoginRedirect(site, await browser.send(page));
    assert.ok(site.apache.logged('PC4005').length > warnings, 'no warning');
    expectProtected(await site.browser('agent-etat').login(page));
  });
}

test('a server told not to keep sessions forgets them at a full stop', async () => {
  const config = readFileSync(site.apache.siteFile, 'utf8');
  await site.apache.stop();
  await site.apache.configure(`ProConnectSessionSnapshot off\n${config}`);
  await site.apache.start();
  const browser = await loggedIn();
  await site.apache.restart();
  expectLoginRedirect(site, await browser.send(page));
  await site.apache.stop();
  await site.apache.configure(config);
  await site.apache.start();
});

test('a changed server key ends nothing but the logins under way', async () => {
  const browser = await loggedIn();
  const underWay = site.browser();
  const callback = await underWay.callbackAddress(page, 'agent-etat');
  const { randomBytes } = await import('node:crypto');
  await site.apache.writeFile('state/server.key', randomBytes(32), 0o600);
  await site.apache.graceful();
  const answer = await underWay.open(callback);
  assert.ok(answer.history.length > 1 || answer.status >= 400, 'a state under an unknown key was accepted');
  variablesOf(await browser.send(page));
});

test('with the former key kept as .previous, not even those end, and a snapshot under it is read', async () => {
  const browser = await loggedIn();
  const underWay = site.browser();
  const callback = await underWay.callbackAddress(page, 'agent-etat');
  const { randomBytes } = await import('node:crypto');
  await site.apache.stop();
  await site.apache.writeFile('state/server.key.previous', readFileSync(site.apache.path('state/server.key')), 0o600);
  await site.apache.writeFile('state/server.key', randomBytes(32), 0o600);
  await site.apache.start();
  variablesOf(await browser.send(page));
  variablesOf(await underWay.open(callback));
});

test('nothing alarming is left in the logs', () => site.close());
