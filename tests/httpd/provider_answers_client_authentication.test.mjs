// How the module proves to the token endpoint who it is: by secret or by key, and what the administrator reads when that is refused.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { decode, newKey, thumbprint } from '../support/jose.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { loginRefused, loginWorks } from '../support/refusal.mjs';
import { startSite } from '../support/site.mjs';

const keys = { es: newKey('ES256'), rs: newKey('RS256'), other: newKey('ES256') };
const byKey = (name) => ({ apache }) => `ProConnectClientKey "${apache.path(`conf/${name}.pem`)}"\n    ProConnectTokenEndpointAuth private_key_jwt`;
const registeredKey = (name) => ({ jwks: { keys: [{ ...keys[name].jwk, kid: thumbprint(keys[name].jwk) }] } });
const privateKeyJwt = (alg, name) => ({ alg: 'ES256', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, ...registeredKey(name) });

const site = await startSite({ label: 'client-authentication', start: false, vhosts: [
  { client: { alg: 'ES256' } },
  { client: privateKeyJwt('ES256', 'es'), config: byKey('es') },
  { client: privateKeyJwt('RS256', 'rs'), config: byKey('rs') },
  { client: privateKeyJwt('ES256', 'other'), config: byKey('es') },
  { client: { alg: 'ES256' }, config: byKey('es') },
  { client: { alg: 'ES256' }, config: 'ProConnectTokenEndpointAuth client_secret_basic' },
  { client: { alg: 'ES256' }, secret: randomBytes(32).toString('hex') },
] });
const [post, es256, rs256, otherKey, notAllowed, basic, wrongSecret] = site.vhosts;
// A secret with every character that an encoding may stumble over.
const oddSecret = 'a:b+c/d=e%f&g"h~\\i-0123456789';
const basics = await startProviderSites({ label: 'client-authentication-basic', hosts: {
  basic: { config: 'ProConnectTokenEndpointAuth client_secret_basic', secret: oddSecret }, post: { secret: oddSecret } } });
after(async () => { await site.close(); await basics.close(); });
for (const [name, key] of Object.entries(keys)) await site.apache.writeFile(`conf/${name}.pem`, key.pem, 0o600);
await site.apache.start();

const lastTokenRequest = async () => (await site.standin.get('requests?endpoint=token')).at(-1);

test('client_secret_post: the secret is in the form and nowhere else', async () => {
  await loginWorks(site, { vhost: post });
  const request = await lastTokenRequest();
  assert.ok(request.body.includes('client_secret'));
  assert.ok(!request.authorization);
  assert.ok(!request.query?.includes('client_secret'));
});

for (const [name, vhost] of [['ES256', es256], ['RS256', rs256]]) {
  test(`private_key_jwt with ${name}: twice in a row, and no secret is sent`, async () => {
    for (let time = 0; time < 2; time += 1) await loginWorks(site, { vhost });  // an assertion is good for once
    const request = await lastTokenRequest();
    assert.ok(request.body.includes('client_assertion'));
    assert.ok(!request.body.includes('client_secret'));
    assert.ok(!request.authorization);
  });
}

test('private_key_jwt with a key that is not registered: refused, and the administrator is told', async () => {
  const line = await loginRefused(site, { vhost: otherKey, code: 'PC2020' });
  assert.ok(line.includes(`ProConnect refused client_id ${otherKey.client.client_id}: invalid_client`), line);
  assert.match(line, /ProConnectClientKey/);
});

test('private_key_jwt for a client registered with a secret: refused, and the administrator is told', async () => {
  const line = await loginRefused(site, { vhost: notAllowed, code: 'PC2020' });
  assert.match(line, /invalid_client|unauthorized_client/);
});

test('client_secret_basic, which ProConnect does not take: the refusal is told', async () => {
  const line = await loginRefused(site, { vhost: basic, code: 'PC2020' });
  assert.ok(line.includes(`ProConnect refused client_id ${basic.client.client_id}: invalid_client`), line);
  assert.equal((await lastTokenRequest()).authorization, 'Basic');
});

test('a wrong secret: the refusal is told, and the secret is not', async () => {
  const line = await loginRefused(site, { vhost: wrongSecret, code: 'PC2020' });
  assert.match(line, /ProConnectClientSecret/);
  assert.ok(!line.includes(wrongSecret.secret));
});

test('client_secret_basic at a provider that takes it: encoded as RFC 6749 says, and not in the form', async () => {
  const vhost = basics.hosts.basic;
  let header;
  vhost.provider.on('token', (right, { request }) => { header = request.headers.authorization; return right; });
  await loginWorks(basics, { vhost });
  const [id, secret] = Buffer.from(header.replace(/^Basic /, ''), 'base64').toString('utf8').split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  assert.equal(id, vhost.client.client_id);
  assert.equal(secret, oddSecret);
  const { form } = vhost.provider.requests.findLast(({ endpoint }) => endpoint === 'token');
  assert.ok(!form.has('client_secret') && !form.has('client_id'));
});

test('client_secret_post at the same: the odd secret arrives as it is', async () => {
  const vhost = basics.hosts.post;
  await loginWorks(basics, { vhost });
  const { form, authorization } = vhost.provider.requests.findLast(({ endpoint }) => endpoint === 'token');
  assert.equal(form.get('client_secret'), oddSecret);
  assert.equal(authorization, undefined);
});

test('a token request holds the PKCE verifier and our redirect URI', async () => {
  const { provider } = basics.hosts.post;
  const { form } = provider.requests.findLast(({ endpoint }) => endpoint === 'token');
  assert.equal(form.get('grant_type'), 'authorization_code');
  assert.equal(form.get('redirect_uri'), basics.hosts.post.url('/proconnect/callback'));
  assert.match(form.get('code_verifier'), /^[\w.~-]{43,128}$/);
});

test('an assertion names us and the endpoint, lives a minute at most, and has an id of its own', async () => {
  // The same key at a provider that lets us look at what it receives.
  const watched = await startProviderSites({ label: 'client-authentication-key', start: false, hosts: { key: { config: byKey('es') } } });
  try {
    await watched.apache.writeFile('conf/es.pem', keys.es.pem, 0o600);
    await watched.apache.start();
    const { key: vhost } = watched.hosts;
    for (let time = 0; time < 2; time += 1) await loginWorks(watched, { vhost });
    const assertions = vhost.provider.requests.filter(({ endpoint }) => endpoint === 'token').map(({ form }) => form.get('client_assertion').split('.'));
    const [first, second] = assertions.map(([, claims]) => decode(claims));
    assert.equal(decode(assertions[0][0]).alg, 'ES256');
    assert.equal(decode(assertions[0][0]).kid, thumbprint(keys.es.jwk));
    assert.equal(first.iss, vhost.client.client_id);
    assert.equal(first.sub, vhost.client.client_id);
    assert.equal(first.aud, vhost.provider.metadata.token_endpoint);
    assert.ok(first.exp - first.iat <= 60 && Math.abs(first.iat - Date.now() / 1000) < 30);
    assert.notEqual(first.jti, second.jti);
  } finally {
    await watched.close();
  }
});

test('nothing alarming is left in the logs', async () => { await site.close(); await basics.close(); });
