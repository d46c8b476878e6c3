// The discovery document or the keys cannot be used: without an earlier copy no login begins, with one everything goes on.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { brokenJson } from '../support/broken-json.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { loginRefused, loginWorks } from '../support/refusal.mjs';
import { eventually } from '../support/scratch.mjs';

const elsewhere = await wrong.MisbehavingProvider.start();
const spoilt = (name) => (right) => ({ ...right, body: brokenJson[name](right.body) });
const manyKeys = (count) => wrong.instead(`{"keys":[${'{"kty":"EC"},'.repeat(count - 1)}{}]}`);
const cases = [
  ['discovery', 'another issuer', wrong.withMembers({ issuer: 'https://evil.example/api/v2' }), 'PC2011'],
  ['discovery', 'our issuer with a slash more', (right) => ({ ...right, body: right.body.replace(/("issuer":"[^"]*)"/, '$1/"') }), 'PC2011'],
  ['discovery', 'no issuer', wrong.withMembers({ issuer: undefined }), 'PC2010'],
  ['discovery', 'an issuer that is no string', wrong.withMembers({ issuer: 1 }), 'PC2010'],
  ['discovery', 'no authorization_endpoint', wrong.withMembers({ authorization_endpoint: undefined }), 'PC2010'],
  ['discovery', 'no token_endpoint', wrong.withMembers({ token_endpoint: undefined }), 'PC2010'],
  ['discovery', 'no userinfo_endpoint', wrong.withMembers({ userinfo_endpoint: undefined }), 'PC2010'],
  ['discovery', 'no jwks_uri', wrong.withMembers({ jwks_uri: undefined }), 'PC2010'],
  ['discovery', 'a token_endpoint on http', wrong.withMembers({ token_endpoint: 'http://proconnect.example.gouv.fr/token' }), 'PC2010'],
  ['discovery', 'a jwks_uri on http', wrong.withMembers({ jwks_uri: 'http://proconnect.example.gouv.fr/jwks' }), 'PC2010'],
  ['discovery', 'an end_session_endpoint on http', wrong.withMembers({ end_session_endpoint: 'http://proconnect.example.gouv.fr/end' }), 'PC2010'],
  ['discovery', 'an authorization_endpoint that is a script', wrong.withMembers({ authorization_endpoint: 'javascript:alert(1)' }), 'PC2010'],
  ['discovery', 'an authorization_endpoint with a line break', wrong.withMembers({ authorization_endpoint: 'https://proconnect.example.gouv.fr/\r\nSet-Cookie: a=b' }), 'PC2010'],
  ['discovery', 'a file as userinfo_endpoint', wrong.withMembers({ userinfo_endpoint: 'file:///etc/passwd' }), 'PC2010'],
  ['discovery', 'an HTML page', wrong.html, 'PC2010'],
  ['discovery', 'nothing', wrong.instead(''), 'PC2010'],
  ['discovery', 'an array', wrong.instead('[]'), 'PC2010'],
  ['discovery', 'a key twice', spoilt('a key twice'), 'PC2010'],
  ['discovery', 'arrays 10 000 deep', spoilt('arrays 10 000 deep'), 'PC2010'],
  ['discovery', '10 MiB', wrong.huge(10 * 1024 * 1024), 'PC2005'],
  ['discovery', '10 MiB compressed', wrong.compressed(10 * 1024 * 1024), 'PC2010'],
  ['discovery', 'one drop at a time', wrong.drip, 'PC2002'],
  ['discovery', 'half of it', wrong.truncated, 'PC2001'],
  ['discovery', 'no answer', wrong.hang, 'PC2002'],
  ['discovery', 'a closed connection', wrong.drop, 'PC2001'],
  ['discovery', 'another protocol', wrong.noHttp, 'PC2001'],
  ['discovery', 'status 500', wrong.instead('oops', { status: 500 }), 'PC2004'],
  ['discovery', 'a redirect', wrong.redirect(`${elsewhere.issuer}/.well-known/openid-configuration`), 'PC2004'],
  ['jwks', 'an HTML page', wrong.html, 'PC2012'],
  ['jwks', 'nothing', wrong.instead(''), 'PC2012'],
  ['jwks', 'no array of keys', wrong.instead('{"keys":{}}'), 'PC2012'],
  ['jwks', 'no key', wrong.instead('{"keys":[]}'), 'PC2012'],
  ['jwks', 'a thousand keys', manyKeys(1000), 'PC2012'],
  ['jwks', 'a million keys', manyKeys(1_000_000), 'PC2005'],
  ['jwks', 'a lone surrogate', spoilt('a lone high surrogate'), 'PC2012'],
  ['jwks', 'no answer', wrong.hang, 'PC2002'],
  ['jwks', 'a redirect', wrong.redirect(`${elsewhere.issuer}/jwks`, 307), 'PC2004'],
].map(([endpoint, what, misbehaviour, code]) => ({ name: `${endpoint}: ${what}`, endpoint, misbehaviour, code }));

const site = await startProviderSites({ label: 'answers-discovery', hosts: Object.fromEntries(cases.map(({ name, code }) => [name, { config: `ProConnectTimeout ${code === 'PC2002' ? 2 : 10}s` }])) });
after(async () => { await site.close(); await elsewhere.stop(); });
const providers = site.vhosts.map(({ provider }) => provider);
const misbehave = () => cases.forEach(({ name, endpoint, misbehaviour }) => site.hosts[name].provider.on(endpoint, misbehaviour));
const copies = () => readdirSync(site.apache.path('state')).filter((file) => file.includes('provider')).map((file) => site.apache.path(`state/${file}`));

/** As if the server had been stopped two hours ago: what it knows is due to be fetched anew. */
function age(file) {
  const copy = JSON.parse(readFileSync(file, 'utf8'));
  for (const name of ['discovery_fetched', 'jwks_fetched']) copy[name] -= 7200;
  writeFileSync(file, JSON.stringify(copy));
}

test('each of them is well at first', async () => {
  for (const vhost of site.vhosts) await loginWorks(site, { vhost });
});

test('the wrong answers begin while httpd is stopped: it starts with what it knew, and asks again', async () => {
  await site.apache.stop();
  assert.equal(copies().length, cases.length);
  copies().forEach(age);
  misbehave();
  for (const provider of providers) provider.requests.length = 0;
  await site.apache.start();
  await eventually('each provider is asked again', () => cases.every(({ name, endpoint }) => site.hosts[name].provider.count(endpoint) > 0), { within: 30_000 * patience, every: 200 });
});

for (const { name } of cases) {
  test(`the last good copy is kept: ${name}`, async () => { await loginWorks(site, { vhost: site.hosts[name] }); });
}

test('the log says what was wrong, in a line of its own for each', async () => {
  for (const code of new Set(cases.map((one) => one.code))) assert.ok(site.apache.logged(code).length > 0, `${code} is nowhere in the log`);
});

test('without an earlier copy httpd starts all the same', async () => {
  await site.apache.stop();
  for (const file of copies()) rmSync(file);
  await site.apache.start();
  const answer = await site.browser().send(site.vhosts[0].url('/'));
  assert.equal(answer.status, 200);
});

for (const { name, code } of cases) {
  test(`refused, no login begins: ${name}`, async () => {
    const began = Date.now();
    const browser = site.browser();
    await loginRefused(site, { vhost: site.hosts[name], code, browser });
    assert.ok(Date.now() - began < 6000 * patience, `${Date.now() - began} ms`);
    assert.equal(site.hosts[name].provider.count('authorize'), 1, 'a login began');  // the one at first
  });
}

test('no redirect was followed', () => assert.deepEqual(elsewhere.requests, []));

test('nothing wrong was saved', async () => {
  await site.apache.stop();
  assert.deepEqual(copies(), []);
});

test('nothing alarming is left in the logs', () => site.close());
