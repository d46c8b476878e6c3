// Refresh and introspection as the library takes them, against the engine that ProConnect runs.
import assert from 'node:assert/strict';
import { dirname, join, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { SECRET, standInFor } from '../proconnect-standin/support/relying-party.mjs';
import { run } from '../support/scratch.mjs';

const module = resolve(process.env.PROCONNECT_MODULE ?? join(dirname(fileURLToPath(import.meta.url)), '../../build/mod_auth_proconnect.so'));
const program = join(dirname(module), 'tests/token_steps');

async function step(name, rp, input) {
  const { client_id: clientId, alg: algorithm } = rp.client;
  const asked = { issuer: rp.issuer, client_id: clientId, client_secret: SECRET, algorithm, ...input };
  const { code, stdout, stderr } = await run(program, [name], { input: JSON.stringify(asked) });
  assert.equal(code, 0, `token_steps: ${stderr}`);
  return JSON.parse(stdout);
}

/** The tokens of a login, as a refresh needs them. */
async function login(rp) {
  const { idToken, ...tokens } = await rp.login('agent-etat');
  return { ...tokens, nonce: rp.sent.nonce, sub: idToken.payload.sub };
}
const refresh = (rp, tokens, changed) => step('refresh', rp, { ...tokens, ...changed });
const introspect = (rp, token, changed) => step('introspect', rp, { token, ...changed });

const refused = ({ outcome, code }) => `${outcome} ${code}`;

test('refresh and introspection', async (t) => {
  const standIn = await standInFor(t);
  const tamper = (target, rule) => standIn.control('POST', '/tamper', { target, times: 1, ...rule });

  for (const alg of ['ES256', 'RS256', 'HS256']) {
    await t.test(`renews tokens signed ${alg}, and renews the new ones`, async () => {
      const rp = await standIn.client({ alg });
      const tokens = await login(rp);
      const second = await refresh(rp, tokens);
      assert.equal(second.outcome, 'renewed', second.detail);
      assert.equal(second.sub, tokens.sub);
      assert.notEqual(second.refresh_token, tokens.refresh_token);
      assert.equal((await rp.userinfo(second.access_token)).status, 200);
      const third = await refresh(rp, tokens, { refresh_token: second.refresh_token });
      assert.equal(third.outcome, 'renewed', third.detail);
      assert.equal((await rp.userinfo(third.access_token)).status, 200);
    });

    await t.test(`believes an answer about a token signed ${alg}`, async () => {
      const rp = await standIn.client({ alg });
      const tokens = await login(rp);
      const active = await introspect(rp, tokens.access_token);
      assert.equal(active.outcome, 'active', active.detail);
      assert.equal(active.sub, tokens.sub);
      assert.equal(active.client_id, rp.client.client_id);
      assert.match(active.scope, /openid/);
      assert.ok(active.expires_in > 3500 && active.expires_in <= 3600);
    });
  }

  const rp = await standIn.client({ alg: 'ES256' });

  await t.test('says that the tokens are gone when the refresh token was used already, was given back or is none', async () => {
    const used = await login(rp);
    await refresh(rp, used);
    assert.equal(refused(await refresh(rp, used)), 'gone PC2021');
    const returned = await login(rp);
    await rp.post('/token/revocation', { token: returned.refresh_token });
    assert.equal(refused(await refresh(rp, returned)), 'gone PC2021');
    assert.equal(refused(await refresh(rp, await login(rp), { refresh_token: 'nonsense' })), 'gone PC2021');
  });

  await t.test('drops the tokens when the new id_token has another iss or sub', async () => {
    for (const [set, code] of [[{ sub: 'somebody-else' }, 'PC3013'], [{ iss: 'https://evil.example' }, 'PC3010']]) {
      const tokens = await login(rp);
      await tamper('id_token', { set });
      assert.equal(refused(await refresh(rp, tokens)), `gone ${code}`);
    }
  });

  await t.test('keeps the tokens, and they still work, when the provider fails or refuses the client', async () => {
    const tokens = await login(rp);
    await standIn.control('POST', '/fail', { endpoint: 'token', status: 503, times: 1 });
    assert.equal(refused(await refresh(rp, tokens)), 'failed PC2004');
    assert.equal(refused(await refresh(rp, tokens, { client_secret: 'x'.repeat(40) })), 'failed PC2020');
    assert.equal((await refresh(rp, tokens)).outcome, 'renewed');
  });

  await t.test('keeps the tokens when the new id_token is forged', async () => {
    for (const [rule, code] of [[{ sign: 'none' }, 'PC3002'], [{ sign: 'public-key-as-secret' }, 'PC3002'], [{ sign: 'other-key' }, 'PC3003']]) {
      const tokens = await login(rp);
      await tamper('id_token', { set: { sub: 'somebody-else' }, ...rule });
      assert.equal(refused(await refresh(rp, tokens)), `failed ${code}`);
    }
  });

  await t.test('tells a token that is not in force from a failure', async () => {
    const tokens = await login(rp);
    assert.equal((await introspect(rp, 'nonsense')).outcome, 'inactive');
    await rp.post('/token/revocation', { token: tokens.access_token });
    assert.equal((await introspect(rp, tokens.access_token)).outcome, 'inactive');
    assert.equal(refused(await introspect(rp, tokens.access_token, { client_secret: 'x'.repeat(40) })), 'failed PC2020');
  });

  await t.test('takes a token that another client was given, and says whose it is', async () => {
    const api = await standIn.client({ alg: 'ES256' });
    const tokens = await login(rp);
    const active = await introspect(api, tokens.access_token);
    assert.equal(active.outcome, 'active', active.detail);
    assert.equal(active.client_id, rp.client.client_id);
    assert.equal(active.sub, tokens.sub);
  });

  await t.test('never takes a refresh token or an id_token for an access token', async () => {
    const tokens = await login(rp);
    assert.equal(refused(await introspect(rp, tokens.refresh_token)), 'failed PC3020');
    assert.equal((await introspect(rp, tokens.id_token)).outcome, 'inactive');
  });

  const now = Math.floor(Date.now() / 1000);
  for (const [what, rule, code] of [
    ['another iss', { set: { iss: 'https://evil.example' } }, 'PC3010'],
    ['no iss', { remove: ['iss'] }, 'PC3010'],
    ['another aud', { set: { aud: 'somebody-else' } }, 'PC3011'],
    ['others in aud', { set: { aud: [rp.client.client_id, 'somebody-else'], azp: rp.client.client_id } }, 'PC3011'],
    ['a stale iat', { set: { iat: 'now-300' } }, 'PC3015'],
    ['an iat in the future', { set: { iat: 'now+300' } }, 'PC3015'],
    ['no iat', { remove: ['iat'] }, 'PC3015'],
    ['no signature', { sign: 'none' }, 'PC3002'],
    ['the public key as the secret of an HMAC', { sign: 'public-key-as-secret' }, 'PC3002'],
    ['the signature of another key', { sign: 'other-key' }, 'PC3003'],
    ['a kid that is nobody’s', { header: { kid: 'nobody' } }, 'PC3008'],
    ['the typ of another token', { header: { typ: 'at+jwt' } }, 'PC3007'],
    ['nothing about the token', { remove: ['token_introspection'] }, 'PC3020'],
    ['a token that has expired', { set: { token_introspection: { active: true, sub: 'a', client_id: 'b', token_type: 'Bearer', exp: now - 3600 } } }, 'PC3014'],
  ]) {
    await t.test(`refuses an answer with ${what}`, async () => {
      const tokens = await login(rp);
      await tamper('introspection', rule);
      assert.equal(refused(await introspect(rp, tokens.access_token)), `failed ${code}`);
      assert.equal((await introspect(rp, tokens.access_token)).outcome, 'active');
    });
  }

  await t.test('goes on after the provider changed its keys', async () => {
    const tokens = await login(rp);
    await standIn.control('POST', '/rotate-keys', { keep_old: true });
    assert.equal((await refresh(rp, tokens)).outcome, 'renewed');
    assert.equal((await introspect(rp, (await login(rp)).access_token)).outcome, 'active');
  });
});
