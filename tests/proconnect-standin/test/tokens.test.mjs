import test from 'node:test';
import assert from 'node:assert/strict';
import { standInFor, send, SECRET } from '../support/relying-party.mjs';

test('tokens and logout', async (t) => {
  const standIn = await standInFor(t);
  await t.test('tokens after the login', (sub) => tokens(sub, standIn));
  await t.test('logout', (sub) => logouts(sub, standIn));
});

async function tokens(t, standIn) {
  const refresh = (rp, token) => rp.token({ grant_type: 'refresh_token', refresh_token: token });

  await t.test('a code works once; used again it takes its tokens along', async () => {
    const rp = await standIn.client();
    const { code } = await rp.authorize('agent-etat');
    const { access_token: token } = await rp.redeem(code);
    assert.equal((await rp.redeem(code)).error, 'invalid_grant');
    assert.equal((await rp.userinfo(token)).status, 401);
  });

  await t.test('refresh tokens rotate; the old one is dead', async () => {
    const rp = await standIn.client({ alg: 'ES256' });
    const first = await rp.login('agent-etat', { claims: { id_token: { amr: null } } });
    const second = await refresh(rp, first.refresh_token);
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.ok((await rp.userinfo(second.access_token)).claims.email);
    const { payload } = await rp.verify(second.id_token, 'id_token');
    assert.equal(payload.sub, first.idToken.payload.sub);
    assert.equal(payload.sid, first.idToken.payload.sid);
    assert.deepEqual(payload.amr, first.idToken.payload.amr);
    assert.equal((await refresh(rp, first.refresh_token)).error, 'invalid_grant');
    assert.equal((await refresh(rp, second.refresh_token)).error, 'invalid_grant', 'a replay ends the whole family');
  });

  await t.test('a second login of the same browser leaves the first tokens alone', async () => {
    const rp = await standIn.client();
    const first = await rp.login('agent-etat');
    await rp.login('accents');
    assert.ok((await refresh(rp, first.refresh_token)).access_token);
  });

  await t.test('life times can be shortened', async () => {
    const rp = await standIn.client();
    await standIn.control('POST', '/settings', { access_token: 7, refresh_token: 1 });
    const tokens = await rp.login('agent-etat');
    await standIn.control('POST', '/settings', { access_token: 3600, refresh_token: 7200 });
    assert.equal(tokens.expires_in, 7);
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    assert.equal((await refresh(rp, tokens.refresh_token)).error, 'invalid_grant');
  });

  await t.test('client authentication: wrong secret, unknown client, Basic', async () => {
    const rp = await standIn.client();
    const { code } = await rp.authorize('agent-etat');
    const form = { grant_type: 'authorization_code', code, redirect_uri: rp.redirectUri };
    const id = rp.client.client_id;
    for (const [client, headers] of [
      [{ client_id: id, client_secret: 'wrong' }],
      [{ client_id: 'nobody', client_secret: SECRET }],
      [{ client_id: id }],
      [{}, { Authorization: `Basic ${Buffer.from(`${id}:${SECRET}`).toString('base64')}` }],
    ]) {
      const response = await send(`${standIn.issuer}/token`, { method: 'POST', headers, form: { ...form, ...client } });
      assert.equal(response.status, 401);
      assert.equal(response.json.error, 'invalid_client');
    }
    assert.ok((await rp.redeem(code)).access_token);
  });

  await t.test('introspection, plain: active with the sub the client knows; inactive comes alone', async () => {
    const rp = await standIn.client();
    const api = await standIn.client();
    const { access_token: token, idToken } = await rp.login('agent-etat');
    const { json } = await api.post('/token/introspection', { token });
    assert.equal(json.active, true);
    assert.equal(json.sub, idToken.payload.sub);
    assert.equal(json.client_id, rp.client.client_id);
    assert.match(json.scope, /openid/);
    assert.deepEqual((await api.post('/token/introspection', { token: 'nonsense' })).json, { active: false });
  });

  for (const alg of ['ES256', 'RS256', 'HS256']) {
    await t.test(`introspection signed ${alg}`, async () => {
      const rp = await standIn.client({ alg });
      const { access_token: token } = await rp.login('agent-etat');
      const response = await rp.post('/token/introspection', { token }, { Accept: 'application/token-introspection+jwt' });
      assert.match(response.headers['content-type'], /^application\/token-introspection\+jwt/);
      const { payload, header } = await rp.verify(response.text);
      assert.equal(header.alg, alg);
      assert.equal(header.typ, 'token-introspection+jwt');
      assert.equal(payload.token_introspection.active, true);
    });
  }

  await t.test('revocation', async () => {
    const rp = await standIn.client();
    const { access_token: token } = await rp.login('agent-etat');
    assert.equal((await rp.post('/token/revocation', { token, token_type_hint: 'access_token' })).status, 200);
    assert.equal((await rp.userinfo(token)).status, 401);
    assert.deepEqual((await rp.post('/token/introspection', { token })).json, { active: false });
  });
}

async function logouts(t, standIn) {
  const rp = await standIn.client({ alg: 'ES256' });
  const returnTo = 'http://localhost:8080/proconnect/logged-out';
  const state = 's'.repeat(32);
  const logout = (params) => rp.browser.visit(`${standIn.issuer}/session/end?${new URLSearchParams(params)}`);

  for (const by of ['id_token_hint', 'client_id']) {
    await t.test(`by ${by}: one 303 back with state, session and tokens gone`, async () => {
      const { id_token: hint, access_token: token } = await rp.login('agent-etat');
      const answer = await logout({
        [by]: by === 'client_id' ? rp.client.client_id : hint, post_logout_redirect_uri: returnTo, state,
      });
      assert.equal(answer.status, 303);
      assert.equal(answer.hops, 1);
      assert.equal(answer.location.href, `${returnTo}?state=${state}`);
      assert.equal((await rp.authorize(undefined, { prompt: 'none' })).error, 'login_required');
      assert.equal((await rp.userinfo(token)).status, 401);
    });
  }

  await t.test('without a session: the same answer', async () => {
    rp.browser.cookies.clear();
    const answer = await logout({ client_id: rp.client.client_id, post_logout_redirect_uri: returnTo, state });
    assert.equal(answer.location.href, `${returnTo}?state=${state}`);
  });

  await t.test('without a return address: a page', async () => {
    assert.match((await logout({ client_id: rp.client.client_id })).text, /id="logged-out"/);
  });

  await t.test('errors are pages', async () => {
    const { id_token: hint } = await rp.login('agent-etat');
    assert.equal((await logout({ id_token_hint: hint, post_logout_redirect_uri: 'https://evil.example/', state })).pageCode, 'Y030111');
    assert.equal((await logout({ id_token_hint: hint, post_logout_redirect_uri: returnTo, state: 'short' })).pageCode, 'Y000400');
    assert.equal((await logout({ id_token_hint: 'nonsense', post_logout_redirect_uri: returnTo, state })).pageCode, 'Y000400');
  });
}
