// The provider's keys: named, not named, unknown, rotated at the worst moment, and keys that are none.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { newKey, sign } from '../support/jose.mjs';
import { MisbehavingProvider } from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { loginRefused, loginWorks } from '../support/refusal.mjs';
import { Standin } from '../support/standin.mjs';
import { startSite } from '../support/site.mjs';

// Two threads in each child: a handful of logins at once are in several processes for certain.
const manyProcesses = 'ServerLimit 16\nStartServers 8\nThreadsPerChild 2\nMinSpareThreads 2\nMaxSpareThreads 32\nMaxRequestWorkers 32\n';
const names = ['absent', 'several', 'many', 'twins', 'unknown', 'wild', 'between', 'userinfo', 'during', 'refetchFails', 'weakRsa', 'offCurve', 'notToVerify', 'withPrivateHalf', 'otherKind', 'onlyWeak', 'oct'];
const providers = {};
for (const name of names) providers[name] = await MisbehavingProvider.start();
const providerOf = (name) => providers[name];

// What is published from the beginning, since httpd looks by itself.
providerOf('absent').keys.push(newKey('RS256'));
providerOf('several').keys.push(newKey('ES256'), newKey('ES256'), newKey('RS256'));
while (providerOf('many').keys.length < 40) providerOf('many').keys.push(newKey('ES256'));
providerOf('twins').keys.push(newKey('ES256', { kid: providerOf('twins').keys[0].kid }));
const octKey = randomBytes(32);
providerOf('oct').published = [{ kty: 'oct', alg: 'HS256', use: 'sig', kid: 'oct', k: octKey.toString('base64url') }, providerOf('oct').keys[0].jwk];
const onlyWeak = newKey('RS256', { bits: 1024 });
providerOf('onlyWeak').published = [onlyWeak.jwk];
// A key that must not be used stands beside a good one: the good one works, a token by the other is refused.
const badKeys = [
  ['weakRsa', 'an RSA key of 1024 bits', newKey('RS256', { bits: 1024 }), (jwk) => jwk],
  ['offCurve', 'an EC point that is not on the curve', newKey('ES256'), (jwk) => ({ ...jwk, y: Buffer.alloc(32, 7).toString('base64url') })],
  ['notToVerify', 'a key for encryption', newKey('ES256', { use: 'enc' }), (jwk) => jwk],
  ['withPrivateHalf', 'a key published with its private half', newKey('ES256'), (jwk, key) => ({ ...key.privateKey.export({ format: 'jwk' }), ...jwk })],
  ['otherKind', 'a key on P-384 that says ES256', newKey('ES384', { curve: 'P-384' }), (jwk) => ({ ...jwk, alg: 'ES256' })],
];
for (const [name, , bad, publish] of badKeys) providerOf(name).published = [publish(bad.jwk, bad), providerOf(name).keys[0].jwk];

const site = await startProviderSites({ label: 'answers-keys',
  config: ({ apache }) => `${manyProcesses}CustomLog "${apache.path('logs/processes.log')}" "%P %U"`,
  hosts: Object.fromEntries(names.map((name) => [name, { provider: providerOf(name), config: name === 'oct' ? 'ProConnectSigningAlgorithm HS256' : '' }])) });
const { hosts } = site;
after(() => site.close());

/** JWKS requests that `action` causes, once the keys are known. */
async function jwksRequests(name, action) {
  const before = providerOf(name).count('jwks');
  await action();
  return providerOf(name).count('jwks') - before;
}

test('kid absent, one key of the kind: accepted', async () => {
  const provider = providerOf('absent');
  for (const key of provider.keys) {
    provider.idToken = (claims) => sign(claims, { ...key, kid: undefined });
    await loginWorks(site, { vhost: hosts.absent });
  }
});

test('kid absent, several keys of the kind: each is tried, a forged token fits none', async () => {
  const provider = providerOf('several');
  for (const key of provider.keys) {
    provider.idToken = (claims) => sign(claims, { ...key, kid: undefined });
    await loginWorks(site, { vhost: hosts.several });
  }
  provider.idToken = (claims) => sign(claims, { ...newKey('ES256'), kid: undefined });
  await loginRefused(site, { vhost: hosts.several, code: 'PC3003' });
});

test('kid absent, more keys than are worth trying: the work is bounded', async () => {
  const provider = providerOf('many');
  provider.idToken = (claims) => sign(claims, { ...provider.keys[3], kid: undefined });
  await loginWorks(site, { vhost: hosts.many });
  provider.idToken = (claims) => sign(claims, { ...provider.keys[39], kid: undefined });
  await loginRefused(site, { vhost: hosts.many, code: 'PC3003' });
  provider.idToken = (claims) => sign(claims, provider.keys[39]);
  await loginWorks(site, { vhost: hosts.many });
});

test('one kid for two keys: both are tried', async () => {
  const provider = providerOf('twins');
  for (const key of provider.keys) {
    provider.idToken = (claims) => sign(claims, key);
    await loginWorks(site, { vhost: hosts.twins });
  }
});

test('kid unknown: one refetch for all logins of all processes, then none for a minute', async () => {
  const provider = providerOf('unknown');
  await loginWorks(site, { vhost: hosts.unknown });
  provider.idToken = (claims) => sign(claims, newKey('ES256'));
  provider.on('jwks', (right) => new Promise((resolve) => { setTimeout(resolve, 300, right); }));
  const lines = [];
  const requests = await jwksRequests('unknown', async () => {
    lines.push(...await Promise.all(Array.from({ length: 6 }, () => loginRefused(site, { vhost: hosts.unknown, code: 'PC3008' }))));
    for (let time = 0; time < 3; time += 1) lines.push(await loginRefused(site, { vhost: hosts.unknown, code: 'PC3008' }));
  });
  assert.equal(requests, 1);
  const processes = new Set(lines.map((line) => /\[pid (\d+)/.exec(line)[1]));
  assert.ok(processes.size >= 2, `all in process ${[...processes]}`);
  provider.well();
  await loginWorks(site, { vhost: hosts.unknown });
});

for (const [name, kid] of [['8 000 characters', 'k'.repeat(8000)], ['line breaks and quotes', 'x"\r\n[error] forged\u001b[31m'], ['a path', '../../etc/passwd']]) {
  test(`kid of ${name}: refused, and the log stays one line`, async () => {
    const provider = providerOf('wild');
    provider.idToken = (claims) => sign(claims, { ...provider.keys[0], kid });
    const line = await loginRefused(site, { vhost: hosts.wild, code: 'PC3008' });
    assert.ok(line.length < 1000, `${line.length} characters`);
    assert.doesNotMatch(site.apache.errorLog(), /^\[error\] forged/m);
  });
}

test('kid that is no string: refused', async () => {
  const provider = providerOf('wild');
  provider.idToken = (claims) => sign(claims, provider.keys[0], { header: { kid: 1 } });
  await loginRefused(site, { vhost: hosts.wild, code: 'PC3001' });
});

test('keys rotated between login and login: accepted after one refetch', async () => {
  const provider = providerOf('between');
  await loginWorks(site, { vhost: hosts.between });
  const requests = await jwksRequests('between', async () => {
    provider.keys = [newKey('ES256')];
    for (let time = 0; time < 3; time += 1) await loginWorks(site, { vhost: hosts.between });
  });
  assert.equal(requests, 1);
});

test('keys rotated between the id_token and userinfo: accepted after one refetch', async () => {
  const provider = providerOf('userinfo');
  await loginWorks(site, { vhost: hosts.userinfo });
  const fresh = newKey('ES256');
  const requests = await jwksRequests('userinfo', async () => {
    provider.userinfo = (claims, frame) => {
      if (!provider.keys.includes(fresh)) provider.keys.push(fresh);
      return sign({ ...claims, ...frame }, fresh);
    };
    await loginWorks(site, { vhost: hosts.userinfo });
  });
  assert.equal(requests, 1);
});

test('keys rotated in the middle of eight logins at once: every one is accepted, after one refetch', async () => {
  const provider = providerOf('during');
  await loginWorks(site, { vhost: hosts.during });
  const [old] = provider.keys;
  const fresh = newKey('ES256');
  let signed = 0;
  provider.idToken = (claims) => {
    signed += 1;
    if (signed === 4) provider.published = [old.jwk, fresh.jwk];  // ProConnect keeps the old key for a while
    return sign(claims, signed < 4 ? old : fresh);
  };
  const requests = await jwksRequests('during', () => Promise.all(Array.from({ length: 8 }, () => loginWorks(site, { vhost: hosts.during }))));
  assert.equal(requests, 1);
  const callbacks = readFileSync(site.apache.path('logs/processes.log'), 'utf8').split('\n').filter((line) => line.endsWith('/proconnect/callback'));
  assert.ok(new Set(callbacks.map((line) => line.split(' ')[0])).size >= 2, 'all logins were in one process');
});

test('the refetch fails: this login is refused, the keys known before go on', async () => {
  const provider = providerOf('refetchFails');
  await loginWorks(site, { vhost: hosts.refetchFails });
  provider.on('jwks', () => ({ status: 500, body: 'oops' }));
  provider.idToken = (claims) => sign(claims, newKey('ES256'));
  await loginRefused(site, { vhost: hosts.refetchFails, code: 'PC3008' });
  provider.idToken = (claims) => sign(claims, provider.keys[0]);
  await loginWorks(site, { vhost: hosts.refetchFails });
});

for (const [name, what, bad] of badKeys) {
  test(`ignored: ${what}`, async () => {
    const provider = providerOf(name);
    await loginWorks(site, { vhost: hosts[name] });
    provider.idToken = (claims) => sign(claims, bad, { alg: bad.alg === 'RS256' ? 'RS256' : 'ES256' });
    await loginRefused(site, { vhost: hosts[name], code: 'PC3008' });
  });
}

test('ignored: an oct key of the JWKS, for HS256', async () => {
  const provider = providerOf('oct');
  provider.idToken = (claims) => sign(claims, hosts.oct.client.client_secret);
  await loginWorks(site, { vhost: hosts.oct });
  provider.idToken = (claims) => sign(claims, octKey, { header: { kid: 'oct' } });
  await loginRefused(site, { vhost: hosts.oct, code: 'PC3003' });
});

test('a JWKS with nothing but ignored keys is none', async () => {
  providerOf('onlyWeak').idToken = (claims) => sign(claims, onlyWeak);
  await loginRefused(site, { vhost: hosts.onlyWeak, code: 'PC2012' });
});

test('the real engine: keys rotated just before it signs, and again', async () => {
  const standin = await Standin.start();
  const rotating = await startSite({ label: 'answers-rotation', standin, vhosts: [{ client: { alg: 'ES256' } }] });
  const asked = async () => (await standin.get('requests?endpoint=jwks')).length;
  try {
    await loginWorks(rotating);
    const before = await asked();
    const browser = rotating.browser();
    const callback = await browser.callbackAddress(rotating.url('/private/'), 'agent-etat');
    await standin.post('rotate-keys', { keep_old: false });
    assert.equal((await browser.open(callback)).status, 200);
    assert.equal(await asked() - before, 1);
    await standin.post('rotate-keys', { keep_old: false });
    await loginRefused(rotating, { code: 'PC3008' });
    assert.equal(await asked() - before, 1, 'a second refetch in the same minute');
  } finally {
    await rotating.close();
    await standin.stop();
  }
});

test('nothing alarming is left in the logs', () => site.close());
