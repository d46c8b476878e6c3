import test from 'node:test';
import assert from 'node:assert/strict';
import { standInFor, pkce } from '../support/relying-party.mjs';

const STATE_FI = '9e139e69-de07-4cbe-987f-d12cb38c0368';

test('what an authorization request may say', async (t) => {
  const standIn = await standInFor(t);
  const rp = await standIn.client();

  const onPage = [
    ['an unknown parameter', { foo: '1' }, 'Y000400'],
    ['id_token_hint', { id_token_hint: 'x' }, 'Y000400'],
    ['max_age', { max_age: '1' }, 'Y000400'],
    ['request', { request: 'x' }, 'Y000400'],
    ['a state of 31 characters', { state: 'x'.repeat(31) }, 'Y000400'],
    ['no state', { state: undefined }, 'Y000400'],
    ['a nonce of 31 characters', { nonce: 'x'.repeat(31) }, 'Y000400'],
    ['a nonce of 513 characters', { nonce: 'x'.repeat(513) }, 'Y000400'],
    ['a nonce that is not ASCII', { nonce: 'é'.repeat(40) }, 'Y000400'],
    ['no nonce', { nonce: undefined }, 'Y000400'],
    ['no response_type', { response_type: undefined }, 'Y000400'],
    ['an empty scope', { scope: '' }, 'Y000400'],
    ['a login_hint that is not an address', { login_hint: 'Camille' }, 'Y000400'],
    ['a siret_hint of 13 characters', { siret_hint: '1'.repeat(13) }, 'Y000400'],
    ['a siret_hint of 15 characters', { siret_hint: '1'.repeat(15) }, 'Y000400'],
    ['a redirect_uri that is no address', { redirect_uri: 'example.com' }, 'Y000400'],
    ['a redirect_uri not registered', { redirect_uri: 'https://evil.example/callback' }, 'Y030031'],
    ['a redirect_uri with one slash more', { redirect_uri: `${rp.redirectUri}/` }, 'Y030031'],
    ['a client not registered', { client_id: 'nobody' }, 'invalid_client'],
  ];
  for (const [what, params, code] of onPage) {
    await t.test(`${what}: page ${code}`, async () => {
      const page = await rp.authorize('agent-etat', params);
      assert.equal(page.status, 400);
      assert.equal(page.pageCode, code);
    });
  }

  await t.test('a repeated parameter: page Y000400', async () => {
    const page = await rp.browser.visit(`${rp.authorizeUrl()}&state=${'y'.repeat(32)}`);
    assert.equal(page.pageCode, 'Y000400');
  });

  const onRedirect = [
    ['PKCE plain', { ...pkce().params, code_challenge_method: 'plain' }, 'invalid_request', /not supported value/],
    ['PKCE without method', { code_challenge: pkce().params.code_challenge }, 'invalid_request', /plain code_challenge_method/],
    ['prompt=select_account', { prompt: 'select_account' }, 'invalid_request', /unsupported prompt value requested/],
    ['prompt=none login', { prompt: 'none login' }, 'invalid_request', /prompt none must only be used alone/],
    ['prompt=none consent', { prompt: 'none consent' }, 'invalid_request', /prompt none must only be used alone/],
    ['response_type=foo', { response_type: 'foo' }, 'unsupported_response_type', /./],
    ['response_type empty', { response_type: '' }, 'invalid_request', /response_type/],
    ['a scope without openid', { scope: 'email' }, 'invalid_request', /openid scope must be requested/],
    ['claims that are not JSON', { claims: '{' }, 'invalid_request', /claims/],
    ['an unknown idp_hint', { idp_hint: '00000000-0000-4000-8000-000000000000' }, 'idp_hint_not_found', /./],
  ];
  for (const [what, params, error, description] of onRedirect) {
    await t.test(`${what}: ${error} with state and iss`, async () => {
      const answer = await rp.authorize('agent-etat', params);
      assert.equal(answer.error, error);
      assert.match(answer.error_description, description);
      assert.equal(answer.state, rp.sent.state);
      assert.equal(answer.iss, standIn.issuer);
    });
  }

  await t.test('a scope that is not open to the client: invalid_scope', async () => {
    const few = await standIn.client({ scopes: ['openid', 'email'] });
    assert.equal((await few.authorize('agent-etat', { scope: 'openid email siret' })).error_description, 'requested scope is not allowed');
    assert.ok((await few.authorize('agent-etat', { scope: 'openid email unknown' })).code);
  });

  await t.test('what is welcome', async () => {
    for (const params of [
      { prompt: 'login' }, { prompt: 'consent' }, { prompt: 'login consent' }, { response_mode: 'fragment' },
      { login_hint: 'camille.dupont@interieur.gouv.fr' }, { siret_hint: '13002526500013' }, { idp_hint: STATE_FI },
      { nonce: 'n'.repeat(512) }, { state: 's'.repeat(32) },
    ]) assert.ok((await rp.authorize('agent-etat', params)).code, JSON.stringify(params));
  });

  await t.test('hints on the login page', async () => {
    rp.browser.cookies.clear();
    const page = await rp.authorize(undefined, { idp_hint: STATE_FI, siret_hint: '13002526500013' });
    assert.match(page.text, /13002526500013/);
    assert.doesNotMatch(page.text, /value="agent-territorial"/);
    assert.equal((await rp.authorize('agent-territorial', { idp_hint: STATE_FI })).pageCode, 'STANDIN');
  });

  await t.test('every error on request, with any description', async () => {
    for (const error of ['access_denied', 'server_error', 'temporarily_unavailable', 'invalid_request', 'login_required', 'anything']) {
      assert.equal((await rp.authorize(undefined, {}, { 'X-Standin-Error': error })).error, error);
    }
    const answer = await rp.authorize(undefined, {}, {
      'X-Standin-Error': 'access_denied',
      'X-Standin-Error-Description': encodeURIComponent('<b>é</b>\r\n'),
    });
    assert.equal(answer.error_description, '<b>é</b>\r\n');
  });

  await t.test('giving up on the login page', async () => {
    rp.browser.cookies.clear();
    const page = await rp.authorize();
    const answer = await rp.browser.visit(page.url, { method: 'POST', form: { persona: 'abandon' } });
    assert.equal(answer.location.searchParams.get('error'), 'access_denied');
    assert.equal(answer.location.searchParams.get('iss'), standIn.issuer);
  });

  await t.test('the login page without its cookie: page Y030110', async () => {
    rp.browser.cookies.clear();
    const page = await rp.authorize();
    rp.browser.cookies.clear();
    assert.equal((await rp.browser.visit(page.url)).pageCode, 'Y030110');
  });

  await t.test('the private sector: page Y500015, unless the client takes it', async () => {
    rp.browser.cookies.clear();
    assert.equal((await rp.authorize('salarie-prive')).pageCode, 'Y500015');
    const page = await rp.authorize();
    assert.equal((await rp.browser.visit(page.url, { method: 'POST', form: { persona: 'salarie-prive' } })).pageCode, 'Y500015');
    assert.ok((await rp.authorize('salarie-prive-admis')).code);
    const open = await standIn.client({ accepts_private_sector: true });
    assert.ok((await open.authorize('salarie-prive')).code);
  });

  await t.test('any port of localhost, when registered so', async () => {
    const any = await standIn.client({ redirect_uris: ['http://localhost:*/cb'] });
    any.redirectUri = 'http://localhost:45678/cb';
    assert.ok((await any.login('agent-etat')).access_token);
    assert.equal((await any.authorize('agent-etat', { redirect_uri: 'http://127.0.0.1:45678/cb' })).pageCode, 'Y030031');
    assert.equal((await any.authorize('agent-etat', { redirect_uri: 'http://localhost:45678/cb2' })).pageCode, 'Y030031');
  });
});
