import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { standInFor, pkce } from '../support/relying-party.mjs';

test('a whole login', async (t) => {
  const standIn = await standInFor(t);

  for (const alg of ['ES256', 'RS256', 'HS256']) {
    await t.test(`signed ${alg}`, async () => {
      const rp = await standIn.client({ alg });
      const { idToken, ...tokens } = await rp.login('agent-etat');
      assert.equal(idToken.header.alg, alg);
      assert.equal(tokens.token_type, 'Bearer');
      assert.equal(tokens.expires_in, 3600);
      assert.ok(tokens.refresh_token);
      assert.deepEqual(Object.keys(idToken.payload).sort(),
        ['acr', 'at_hash', 'aud', 'auth_time', 'exp', 'iat', 'iss', 'nonce', 'sid', 'sub']);
      assert.equal(idToken.payload.acr, 'eidas1');
      assert.match(idToken.payload.sub, /^[0-9a-f]{64}$/);
      const half = createHash('sha256').update(tokens.access_token).digest().subarray(0, 16).toString('base64url');
      assert.equal(idToken.payload.at_hash, half);

      const { claims, type } = await rp.userinfo(tokens.access_token);
      assert.match(type, /^application\/jwt/);
      assert.equal(claims.sub, idToken.payload.sub);
      assert.equal(claims.aud, rp.client.client_id);
      assert.equal(claims.iss, rp.issuer);
      assert.equal(claims.email, 'camille.dupont@interieur.gouv.fr');
      assert.equal(claims.idp_id, '9e139e69-de07-4cbe-987f-d12cb38c0368');
      assert.equal(claims.idp_acr, 'eidas1');
    });
  }

  await t.test('plain userinfo, announced as application/jwt on GET all the same', async () => {
    const rp = await standIn.client();
    const { access_token: token } = await rp.login('agent-territorial');
    const got = await rp.userinfo(token);
    assert.equal(got.type, 'application/jwt');
    assert.deepEqual(got.claims.roles, ['agent_public', 'agent_public_territorial']);
    assert.equal(got.claims.aud, undefined);
    const posted = await rp.userinfo(token, { method: 'POST' });
    assert.match(posted.type, /^application\/json/);
    assert.deepEqual(posted.claims, got.claims);
  });

  await t.test('plain userinfo, announced honestly or as anything', async () => {
    for (const [wanted, found] of [['honest', /^application\/json/], ['text/html', /^text\/html/]]) {
      const rp = await standIn.client({ userinfo_content_type: wanted });
      const { access_token: token } = await rp.login('agent-etat');
      assert.match((await rp.userinfo(token)).type, found);
    }
  });

  for (const encryption of ['ECDH-ES', 'RSA-OAEP']) {
    await t.test(`encrypted ${encryption}`, async () => {
      const rp = await standIn.client({ alg: 'ES256', encryption, jwks: 'generate' });
      const { idToken, access_token: token } = await rp.login('agent-etat');
      assert.equal(idToken.jwe.alg, encryption);
      assert.equal(idToken.jwe.enc, 'A256GCM');
      assert.equal(idToken.header.alg, 'ES256');
      const { claims, response } = await rp.userinfo(token);
      assert.equal(response.text.split('.').length, 5);
      assert.equal(claims.sub, idToken.payload.sub);
    });
  }

  await t.test('userinfo encrypted but not signed', async () => {
    const rp = await standIn.client({ userinfo_encrypted_response_alg: 'ECDH-ES', jwks: 'generate' });
    const { access_token: token } = await rp.login('agent-etat');
    assert.equal((await rp.userinfo(token)).claims.usual_name, 'DUPONT');
  });

  await t.test('algorithms ProConnect does not have are refused at registration', async () => {
    for (const settings of [
      { id_token_signed_response_alg: 'PS256' },
      { id_token_signed_response_alg: 'none' },
      { encryption: 'RSA-OAEP-256', jwks: 'generate' },
      { userinfo_encrypted_response_alg: 'ECDH-ES', userinfo_encrypted_response_enc: 'A128GCM', jwks: 'generate' },
      { token_endpoint_auth_method: 'client_secret_basic' },
      { colour: 'blue' },
    ]) await assert.rejects(standIn.client(settings), { status: 400 });
  });

  await t.test('private_key_jwt', async () => {
    for (const alg of ['ES256', 'RS256']) {
      const rp = await standIn.client({
        client_secret: null, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, jwks: 'generate',
      });
      assert.ok((await rp.login('agent-etat')).access_token);
    }
  });

  await t.test('PKCE S256', async () => {
    const rp = await standIn.client();
    const { params, verifier } = pkce();
    assert.ok((await rp.login('agent-etat', params, { verifier })).access_token);
    const { code } = await rp.authorize('agent-etat', params);
    assert.equal((await rp.redeem(code, { code_verifier: pkce().verifier })).error, 'invalid_grant');
    assert.equal((await rp.redeem(code)).error, 'invalid_grant');
  });

  await t.test('one redirect from authorize to callback, with state and iss', async () => {
    const rp = await standIn.client();
    const answer = await rp.browser.visit(rp.authorizeUrl(), { headers: { 'X-Standin-Persona': 'agent-etat' } });
    assert.equal(answer.hops, 1);
    assert.equal(answer.status, 303);
    assert.equal(answer.location.searchParams.get('state'), rp.sent.state);
    assert.equal(answer.location.searchParams.get('iss'), standIn.issuer);
  });

  await t.test('the persona as a query parameter, and by POST', async () => {
    const rp = await standIn.client();
    assert.ok((await rp.authorize(undefined, { persona: 'accents' })).code);
    const url = new URL(rp.authorizeUrl({ persona: 'accents' }));
    const answer = await rp.browser.visit(`${standIn.issuer}/authorize`, { method: 'POST', form: url.searchParams });
    assert.ok(answer.location.searchParams.get('code'));
  });

  await t.test('by the login page, several tabs at a time', async () => {
    const rp = await standIn.client();
    const tabs = [];
    for (const persona of ['accents', 'agent-carte', 'injection']) {
      const page = await rp.authorize();
      assert.match(page.text, /doublure locale/i);
      assert.match(page.text, /Œuvré-Ÿ/);
      tabs.push([persona, page.url, rp.sent.state]);
    }
    for (const [persona, url, state] of tabs.reverse()) {
      const answer = await rp.browser.visit(url, { method: 'POST', form: { persona } });
      assert.ok(answer.location.searchParams.get('code'));
      assert.equal(answer.location.searchParams.get('state'), state);
    }
  });

  await t.test('everybody for once, by auto-login', async () => {
    const rp = await standIn.client();
    await standIn.control('POST', '/auto-login', { persona: 'chorusdt' });
    const { access_token: token } = await rp.login(undefined, { scope: 'openid chorusdt phone groups' });
    await standIn.control('POST', '/auto-login', {});
    assert.deepEqual(Object.keys((await rp.userinfo(token)).claims).sort(), ['chorusdt:matricule', 'chorusdt:societe', 'sub']);
  });

  await t.test('sub differs by person, FI and service provider, and is stable', async () => {
    const [one, other] = [await standIn.client(), await standIn.client()];
    const sub = async (rp, persona) => (await rp.login(persona)).idToken.payload.sub;
    const subs = [await sub(one, 'deux-fi-a'), await sub(one, 'deux-fi-b'), await sub(other, 'deux-fi-a'), await sub(one, 'accents')];
    assert.equal(new Set(subs).size, 4);
    assert.equal(await sub(one, 'deux-fi-a'), subs[0]);
  });

  await t.test('every persona either logs in or gives its error', async () => {
    const { personas } = await standIn.control('GET', '');
    assert.ok(personas.length > 40);
    for (const { id, error } of personas) {
      const rp = await standIn.client({ network: id === 'agent-rie' ? 'rie' : 'internet' });
      const answer = await rp.authorize(id);
      if (id === 'salarie-prive') assert.equal(answer.pageCode, 'Y500015');
      else if (error) assert.equal(answer.error, error);
      else assert.ok((await rp.userinfo((await rp.redeem(answer.code)).access_token)).claims.sub, id);
    }
  });

  await t.test('a hybrid FI has one idp_id on each network', async () => {
    const seen = [];
    for (const network of ['internet', 'rie']) {
      const rp = await standIn.client({ network });
      seen.push((await rp.userinfo((await rp.login('hybride')).access_token)).claims.idp_id);
    }
    assert.notEqual(seen[0], seen[1]);
    const rie = await standIn.client({ network: 'rie' });
    assert.equal((await rie.authorize('agent-etat')).pageCode, 'STANDIN');
  });
});
