import test from 'node:test';
import assert from 'node:assert/strict';
import { standInFor, send, SECRET } from '../support/relying-party.mjs';

test('controls', async (t) => {
  const standIn = await standInFor(t);
  const { control } = standIn;
  const jwks = () => send(`${standIn.issuer}/jwks`);
  const kids = async () => (await jwks()).json.keys.map(({ kid }) => kid);

  await t.test('discovery and JWKS as ProConnect serves them', async () => {
    const discovery = await send(`${standIn.issuer}/.well-known/openid-configuration`);
    const {
      issuer, token_endpoint_auth_methods_supported: methods, scopes_supported: scopes, ...rest
    } = discovery.json;
    assert.equal(issuer, standIn.issuer);
    assert.equal(discovery.headers['cache-control'], 'public, max-age=600');
    assert.deepEqual(methods, ['client_secret_post', 'private_key_jwt']);
    assert.ok(!scopes.includes('offline_access'));
    assert.deepEqual(rest.response_types_supported, ['code']);
    assert.deepEqual(rest.code_challenge_methods_supported, ['S256']);
    assert.deepEqual(rest.subject_types_supported, ['public']);
    assert.deepEqual([...rest.id_token_signing_alg_values_supported].sort(), ['ES256', 'HS256', 'RS256']);
    assert.deepEqual([...rest.id_token_encryption_alg_values_supported].sort(), ['ECDH-ES', 'RSA-OAEP']);
    assert.deepEqual(rest.id_token_encryption_enc_values_supported, ['A256GCM']);
    assert.equal(rest.authorization_response_iss_parameter_supported, true);
    for (const [name, path] of Object.entries({
      authorization_endpoint: 'authorize', token_endpoint: 'token', userinfo_endpoint: 'userinfo', jwks_uri: 'jwks',
      end_session_endpoint: 'session/end', introspection_endpoint: 'token/introspection', revocation_endpoint: 'token/revocation',
    })) assert.equal(rest[name], `${standIn.issuer}/${path}`);

    const keys = await jwks();
    assert.match(keys.headers['content-type'], /^application\/jwk-set\+json/);
    assert.equal(keys.headers['cache-control'], 'public, max-age=600');
    assert.deepEqual(keys.json.keys.map(({ alg }) => alg).sort(), ['ES256', 'RS256']);
    assert.ok(keys.json.keys.every(({ kid, use, d }) => kid && use === 'sig' && d === undefined));
  });

  await t.test('keys rotate with or without the old ones', async () => {
    const rp = await standIn.client({ alg: 'ES256' });
    const before = await kids();
    const { id_token: old } = await rp.login('agent-etat');
    await control('POST', '/rotate-keys', { keep_old: true, alg: 'ES256' });
    assert.equal((await kids()).length, 3);
    await rp.verify(old);
    const { idToken } = await rp.login('agent-etat');
    assert.ok(!before.includes(idToken.header.kid));
    await control('POST', '/rotate-keys', { keep_old: false });
    assert.equal((await kids()).length, 2);
    await assert.rejects(rp.verify(old));
    assert.ok((await rp.login('agent-etat')).access_token, 'sessions and clients survive');
  });

  await t.test('the request log tells names, never secrets', async () => {
    const rp = await standIn.client();
    await control('DELETE', '/requests');
    const { access_token: token } = await rp.login('agent-etat', { acr_values: 'eidas1' });
    await rp.userinfo(token);
    const log = await control('GET', '/requests');
    const [authorize] = log.filter(({ endpoint }) => endpoint === 'authorize');
    assert.equal(authorize.values.acr_values, 'eidas1');
    assert.equal(authorize.values.state, rp.sent.state);
    const [posted] = await control('GET', '/requests?endpoint=token');
    assert.deepEqual(posted.body.sort(), ['client_id', 'client_secret', 'code', 'grant_type', 'redirect_uri']);
    assert.equal(posted.grant_type, 'authorization_code');
    assert.equal(posted.status, 200);
    assert.ok(log.some(({ endpoint, authorization }) => endpoint === 'userinfo' && authorization === 'Bearer'));
    assert.ok(!JSON.stringify(log).includes(SECRET));
    assert.ok(!JSON.stringify(log).includes(token));
  });

  await t.test('endpoints fail on request, so many times', async () => {
    await control('POST', '/fail', { endpoint: 'jwks', status: 503, body: 'later', content_type: 'text/html', times: 2, headers: { 'Retry-After': '5' } });
    for (const status of [503, 503, 200]) assert.equal((await jwks()).status, status);
    await control('POST', '/fail', { endpoint: 'jwks', status: 200, body: { keys: [] }, times: 1 });
    assert.deepEqual((await jwks()).json, { keys: [] });
    await control('POST', '/fail', { endpoint: 'jwks', status: 200, body_bytes: 100_000, times: 1 });
    assert.equal((await jwks()).text.length, 100_000);
    for (const rule of [{ drop: true }, { truncate: true, body: '{"keys"' }]) {
      await control('POST', '/fail', { endpoint: 'jwks', times: 1, ...rule });
      await assert.rejects(jwks());
    }
    await control('POST', '/fail', { endpoint: 'jwks', status: 200, body: 'abc', drip_milliseconds: 5, times: 1 });
    assert.equal((await jwks()).text, 'abc');
    await control('POST', '/fail', { endpoint: 'jwks', hang: true, times: 1 });
    const nothing = jwks().catch(() => 'cut'); // only the end of the stand-in ends it
    assert.equal(await Promise.race([nothing, new Promise((resolve) => { setTimeout(resolve, 100, 'silence'); })]), 'silence');
    await control('POST', '/fail', { endpoint: 'discovery' });
    await control('DELETE', '/fail');
    assert.equal((await send(`${standIn.issuer}/.well-known/openid-configuration`)).status, 200);
  });

  await t.test('endpoints are slow on request', async () => {
    await control('POST', '/delay', { endpoint: 'jwks', milliseconds: 150, times: 1 });
    const before = Date.now();
    await jwks();
    assert.ok(Date.now() - before >= 140);
  });

  await t.test('answers are wrong on request', async () => {
    const rp = await standIn.client({ alg: 'ES256' });
    const payload = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString());
    const header = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url').toString());
    const tokens = async (rule) => {
      await control('POST', '/tamper', { target: 'id_token', times: 1, ...rule });
      return rp.redeem((await rp.authorize('agent-etat')).code);
    };
    const aud = (await tokens({ set: { aud: 'x', exp: 'now-600' }, remove: ['nonce'] })).id_token;
    assert.equal(payload(aud).aud, 'x');
    assert.ok(payload(aud).exp < Date.now() / 1000 - 590);
    assert.equal(payload(aud).nonce, undefined);
    rp.client.client_id = 'x'; // rightly signed all the same
    await rp.verify(aud).catch((error) => assert.equal(error.code, 'ERR_JWT_EXPIRED'));
    rp.client.client_id = payload(aud).client_id ?? rp.sent.client_id;

    const unsigned = (await tokens({ sign: 'none' })).id_token;
    assert.equal(header(unsigned).alg, 'none');
    assert.ok(unsigned.endsWith('.'));
    assert.equal(header((await tokens({ remove_header: ['kid'] })).id_token).kid, undefined);
    for (const rule of [{ sign: 'other-key' }, { sign: 'keep', set: { acr: 'eidas3' } }, { sign: 'der' }, { sign: 'public-key-as-secret' }, { flip: 2 }]) {
      await assert.rejects(async () => rp.verify((await tokens(rule)).id_token), JSON.stringify(rule));
    }
    assert.equal((await tokens({ payload_text: '{"a":1,"a":2}' })).id_token.split('.')[1], Buffer.from('{"a":1,"a":2}').toString('base64url'));

    await control('POST', '/tamper', { target: 'token', set: { token_type: 'mac' }, remove: ['id_token'], times: 1 });
    const answer = await rp.redeem((await rp.authorize('agent-etat')).code);
    assert.equal(answer.token_type, 'mac');
    assert.equal(answer.id_token, undefined);

    const { access_token: token } = await rp.login('agent-etat');
    await control('POST', '/tamper', { target: 'userinfo', set: { sub: 'other' }, times: 1 });
    const other = await rp.userinfo(token);
    assert.equal(other.claims.sub, 'other');
    assert.equal(other.type, 'application/jwt');

    await control('POST', '/tamper', { target: 'authorize', set: { iss: 'https://other.example', state: ['a', 'b'] }, times: 1 });
    const redirect = (await rp.browser.visit(rp.authorizeUrl(), { headers: { 'X-Standin-Persona': 'agent-etat' } })).location;
    assert.equal(redirect.searchParams.get('iss'), 'https://other.example');
    assert.deepEqual(redirect.searchParams.getAll('state'), ['a', 'b']);
  });

  await t.test('bad calls are told so', async () => {
    for (const [path, body] of [
      ['/rotate-keys', { alg: 'none' }], ['/delay', { endpoint: 'nowhere', milliseconds: 1 }], ['/fail', {}],
      ['/settings', { colour: 1 }], ['/auto-login', { persona: 'nobody' }], ['/clients', { client_id: 'x' }], ['/tamper', {}],
    ]) await assert.rejects(control('POST', path, body), { status: 400 }, path);
    await assert.rejects(control('GET', '/nowhere'), { status: 404 });
    const fromBrowser = await send(standIn.controlUrl, { headers: { Origin: 'http://evil.example' } });
    assert.equal(fromBrowser.status, 403);
  });

  await t.test('clients are listed without their secrets, replaced, removed; presets come back', async () => {
    const rp = await standIn.client({ client_id: 'mine' });
    assert.ok(!JSON.stringify(await control('GET', '/clients')).includes(SECRET));
    await standIn.client({ client_id: 'mine', id_token_signed_response_alg: 'RS256' });
    assert.equal((await rp.login('agent-etat')).idToken.header.alg, 'RS256');
    await control('DELETE', '/clients/mine');
    assert.equal((await rp.authorize('agent-etat')).pageCode, 'invalid_client');
    await control('POST', '/reset');
    const presets = await control('GET', '/clients');
    assert.ok(presets.length >= 15);
    assert.ok((await control('GET', '/clients/standin-ecdh')).private_keys.some(({ pem }) => pem.includes('PRIVATE KEY')));
  });
});
