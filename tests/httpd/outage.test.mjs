// ProConnect is away, hangs or comes back: pages and sessions never notice, a login says so in time, recovery needs nobody.
import assert from 'node:assert/strict';
import http from 'node:http';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, beforeEach, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { expectProtected } from '../support/expect.mjs';
import { newKey, sign } from '../support/jose.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { expectRefusal, loginRefused, loginWorks } from '../support/refusal.mjs';
import { eventually } from '../support/scratch.mjs';

const timeout = 2000;
const provider = await wrong.MisbehavingProvider.start({ listen: false });
const hanging = await wrong.MisbehavingProvider.start();
hanging.on('discovery', wrong.hang);
const site = await startProviderSites({ label: 'outage', start: false, hosts: {
  one: { provider, config: 'ProConnectTimeout 2s' },
  hanging: { provider: hanging, config: 'ProConnectTimeout 2s' },
} });
after(() => site.close());
beforeEach(() => provider.well());
const vhost = site.hosts.one;
const page = vhost.url('/private/');

/** @returns how long it took, in milliseconds */
async function timed(action) {
  const began = Date.now();
  await action();
  return Date.now() - began;
}

/** A login stopped in front of the callback: [browser, address]. */
async function atCallback() {
  const browser = site.browser();
  return [browser, await browser.callbackAddress(page)];
}

function expectRetryAfter(answer) {
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/, 'no Retry-After');
  assert.ok(Number(answer.headers['retry-after']) <= 60);
}

test('httpd starts without ProConnect and serves its public pages', async () => {
  await site.apache.start();
  const answer = await site.browser().send(vhost.url('/'));
  assert.equal(answer.status, 200);
  assert.match(answer.text, /Page publique/);
});

test('a login gets 503, a plain page and Retry-After, at once; a script gets 401 as ever', async () => {
  const browser = site.browser();
  let answer;
  const took = await timed(async () => { answer = await browser.send(page); });
  const line = expectRefusal(site, browser, answer, { vhost, code: 'PC2001' });
  assert.match(line, /connection refused|not asked again yet/);
  assert.match(answer.text, /ProConnect ne répond pas/);
  expectRetryAfter(answer);
  assert.ok(took < timeout * patience, `${took} ms`);
  const script = await browser.fetch(page, { headers: { accept: 'application/json' } });
  assert.equal(script.status, 401);
});

test('five logins at once to a provider that accepts and never answers: each gets its page within the time-out', async () => {
  const took = await timed(() => Promise.all(Array.from({ length: 5 }, () => loginRefused(site, { vhost: site.hosts.hanging, code: /PC200[27]/ }))));
  assert.ok(took < (2 * timeout + 1500) * patience, `${took} ms`);
});

test('the outage is told once in a while, not each time it is looked at', async () => {
  await eventually('the background tries', () => site.apache.logged('PC2001').length > 0);
  const own = site.apache.logged(/PC200[12]/).filter((line) => !line.includes('ref='));
  assert.ok(own.length <= 4, `${own.length} lines for two providers`);
});

test('recovery is noticed by itself within 30 seconds, without a single request, and told', async () => {
  const requests = provider.requests.length;
  await provider.listen();
  await eventually('the background notices', () => site.apache.logged('answers again').length > 0, { within: 30_000 * patience, every: 200 });
  assert.ok(provider.requests.length > requests);
  assert.ok(site.apache.logged('answers again')[0].includes(provider.issuer));
  await loginWorks(site, { vhost });
});

test('ProConnect goes away: live sessions are served, end by themselves and begin again, and logins get the page', async () => {
  const browser = await loginWorks(site, { vhost });
  const leaving = await loginWorks(site, { vhost });
  const [underWay, callback] = await atCallback();
  await provider.stop();
  expectProtected(await browser.send(page));
  assert.equal((await browser.fetch(vhost.url('/proconnect/session'), { fetchSite: 'same-origin' })).status, 200);
  const out = await leaving.send(vhost.url('/proconnect/logout'), { from: page });
  assert.ok(out.status < 500, `${out.status}`);
  assert.notEqual((await leaving.send(page)).status, 200, 'logged out, and yet in');
  const answer = await underWay.send(callback);
  expectRefusal(site, underWay, answer, { vhost, code: 'PC2001' });
  expectRetryAfter(answer);
  expectProtected(await browser.send(page));
});

test('it comes back: the next login works at once', async () => {
  await provider.listen();
  await loginWorks(site, { vhost });
});

for (const endpoint of ['token', 'userinfo', 'jwks']) {
  test(`the ${endpoint} endpoint accepts and never answers: the page within the time-out, sessions meanwhile`, async () => {
    const live = await loginWorks(site, { vhost });
    const [browser, callback] = await atCallback();
    if (endpoint === 'jwks') provider.idToken = (claims) => sign(claims, newKey('ES256'));
    provider.on(endpoint, wrong.hang);
    let answer;
    const took = await timed(async () => {
      const login = browser.send(callback);
      assert.ok(await timed(async () => expectProtected(await live.send(page))) < (timeout - 200) * patience, 'a live session waited');
      answer = await login;
    });
    expectRefusal(site, browser, answer, { vhost, code: endpoint === 'jwks' ? 'PC3008' : 'PC2002' });
    expectRetryAfter(answer);
    assert.ok(took >= timeout - 200 && took < (timeout + 1500) * patience, `${took} ms`);
  });
}

test('forty logins at once while it hangs: a quarter of the workers waits, everybody is told, pages are served', async () => {
  const logins = [];
  for (let index = 0; index < 40; index += 1) logins.push(await atCallback());
  let waiting = 0, most = 0;
  provider.on('token', (right, { response }) => {
    waiting += 1;
    most = Math.max(most, waiting);
    response.once('close', () => { waiting -= 1; });
  });
  const answers = Promise.all(logins.map(([browser, callback]) => browser.send(callback)));
  await eventually('logins wait', () => waiting > 0);
  assert.ok(await timed(async () => assert.equal((await site.browser().send(vhost.url('/'))).status, 200)) < 1500 * patience, 'a public page waited');
  for (const [index, answer] of (await answers).entries()) {
    expectRefusal(site, logins[index][0], answer, { vhost, code: /PC200[27]/ });
    expectRetryAfter(answer);
  }
  assert.ok(most <= 8, `${most} of 32 workers waited at once`);
  assert.ok(most >= 4, `only ${most} logins got as far as the provider`);
});

test('one process that got all the logins keeps half its workers for the visitors whose connections it holds', async () => {
  const crowded = await startProviderSites({ label: 'outage-one-process', logLevel: 'warn', hosts: { one: { provider, config: 'ProConnectTimeout 6s' } },
    config: 'ServerLimit 8\nStartServers 1\nThreadsPerChild 4\nMaxRequestWorkers 32\nMinSpareThreads 1\nMaxSpareThreads 32' });
  after(() => crowded.apache.close());
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });   // of one process, too
  const open = crowded.hosts.one.url('/');
  const ask = () => new Promise((resolve, reject) => {
    http.get(open, { agent }, (answer) => answer.resume().once('end', () => resolve(answer.statusCode))).once('error', reject);
  });
  const logins = [];
  for (let index = 0; index < 6; index += 1) {
    const browser = crowded.browser();
    logins.push([browser, await browser.callbackAddress(crowded.hosts.one.url('/private/'))]);
  }
  let waiting = 0;
  provider.on('token', () => { waiting += 1; });
  const answers = Promise.all(logins.map(([browser, callback]) => browser.send(callback)));
  // A burst may wait for a second, since it passes at once when ProConnect is well.
  await eventually('the others are told', () => crowded.apache.logged('PC2007').length >= 2, { within: 3000 * patience, every: 50 });
  for (let turn = 0; turn < 10; turn += 1) {
    assert.ok(await timed(async () => assert.equal(await ask(), 200)) < 1000 * patience, 'a page waited for ProConnect');
  }
  for (const answer of await answers) assert.equal(answer.status, 503);
  // httpd may have begun another process meanwhile, when none of the first one's workers was idle.
  const parent = readFileSync(crowded.apache.path('run/apache2.pid'), 'utf8').trim();
  const processes = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(/\s+/).length;
  assert.ok(waiting >= 2 && waiting <= 2 * processes, `${waiting} waited in ${processes} processes of four threads`);
  agent.destroy();
});

test('it answers again: logins work within 30 seconds', async () => {
  await eventually('a login works', async () => (await site.browser().login(page)).status === 200, { within: 30_000 * patience, every: 500 });
});

test('a longer outage is over within 30 seconds too, though nobody asks', async () => {
  const noticed = () => site.apache.logged('answers again').filter((line) => line.includes(hanging.issuer)).length;
  assert.equal(noticed(), 0);
  hanging.well();
  await eventually('the background notices', () => noticed() > 0, { within: 30_000 * patience, every: 200 });
  await loginWorks(site, { vhost: site.hosts.hanging });
  hanging.on('discovery', wrong.hang);
});

test('discovery and keys are gone, the rest answers: logins go on with the last good copy, through graceful restarts too', async () => {
  for (const endpoint of ['discovery', 'jwks']) provider.on(endpoint, wrong.instead('gone', { status: 404 }));
  await loginWorks(site, { vhost });
  await site.apache.graceful();
  await loginWorks(site, { vhost });
});

const copies = () => readdirSync(site.apache.path('state')).filter((name) => name.startsWith('sessions.provider-')).map((name) => site.apache.path(`state/${name}`));
const copyOf = ({ issuer }) => copies().find((file) => readFileSync(file, 'utf8').includes(issuer));

test('the last good copy outlives a full stop, in a file beside the sessions that is for root alone', async () => {
  const browser = await loginWorks(site, { vhost });
  await site.apache.stop();
  await provider.stop();
  const file = copyOf(provider);
  assert.equal(statSync(file).mode & 0o077, 0);
  assert.ok(!readFileSync(file, 'utf8').includes(vhost.client.client_secret));
  await site.apache.start();
  expectProtected(await browser.send(page));
  const begun = await site.browser().send(page);
  assert.equal(begun.status, 302);
  assert.ok(begun.headers.location.startsWith(`${provider.issuer}/authorize?`));
  await provider.listen();
  for (const endpoint of ['discovery', 'jwks']) provider.on(endpoint, wrong.hang);
  await loginWorks(site, { vhost });
});

for (const [name, spoil, warns] of [
  ['cut in half', (file) => writeFileSync(file, readFileSync(file).subarray(0, 300)), true],
  ['noise', (file) => writeFileSync(file, Buffer.alloc(5000, 0xa5)), true],
  ['empty', (file) => writeFileSync(file, ''), false],
  ['of another issuer', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"issuer":"[^"]*"/, '"issuer":"https://evil.example/api/v2"')), true],
  ['with endpoints on http', (file) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`${provider.issuer}/token`, 'http://evil.example/token')), true],
  ['that others may write', (file) => chmodSync(file, 0o666), false],
]) {
  test(`a copy ${name} is not used, and httpd starts and asks ProConnect`, async () => {
    await loginWorks(site, { vhost });
    await site.apache.stop();
    const file = copyOf(provider);
    spoil(file);
    provider.requests.length = 0;
    const warnings = site.apache.logged('PC4005').length;
    await site.apache.start();
    await loginWorks(site, { vhost });
    assert.ok(provider.count('discovery') > 0, 'the spoilt copy was used');
    if (warns) assert.ok(site.apache.logged('PC4005').length > warnings, 'no warning');
  });
}

test('ProConnectSessionSnapshot off keeps no copy either', async () => {
  await site.apache.stop();
  for (const file of copies()) writeFileSync(file, '');
  await site.apache.configure(`ProConnectSessionSnapshot off\n${readFileSync(site.apache.siteFile, 'utf8')}`);
  await site.apache.start();
  await loginWorks(site, { vhost });
  await site.apache.stop();
  for (const file of copies()) assert.equal(statSync(file).size, 0, 'a copy all the same');
  assert.ok(!existsSync(site.apache.path('state/off')));
});

test('nothing alarming is left in the logs', () => site.close());
