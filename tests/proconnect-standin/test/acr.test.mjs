import test from 'node:test';
import assert from 'node:assert/strict';
import { standInFor } from '../support/relying-party.mjs';

const essential = (...values) => ({ claims: { id_token: { acr: { essential: true, values } } } });
const refused = 'requested ACRs could not be satisfied';

test('levels and ProConnect', async (t) => {
  const standIn = await standInFor(t);
  await t.test('levels and means', (sub) => levels(sub, standIn));
  await t.test('the session at ProConnect', (sub) => sessions(sub, standIn));
});

async function levels(t, standIn) {
  // a browser of its own each time: no session to answer from
  const fresh = () => standIn.client({ alg: 'ES256' });
  const acr = async (persona, params) => (await (await fresh()).login(persona, params)).idToken.payload.acr;
  const answer = async (persona, params) => (await fresh()).authorize(persona, params);

  await t.test('an essential acr is compared by membership: a stronger user is refused', async () => {
    assert.equal((await answer('agent-carte', essential('eidas1'))).error_description, refused);
    assert.equal((await answer('agent-carte', essential('eidas1'))).error, 'access_denied');
    assert.equal((await answer('acr-eidas1', essential('eidas2', 'eidas3'))).error_description, refused);
    assert.equal(await acr('agent-carte', essential('eidas1', 'eidas2')), 'eidas2');
  });

  await t.test('the strongest level asked for that can be reached', async () => {
    assert.equal(await acr('agent-etat', essential('eidas1', 'eidas1-mfa', 'eidas2')), 'eidas2');
    assert.equal(await acr('agent-etat', { acr_values: 'eidas3 eidas1' }), 'eidas3');
    assert.equal(await acr('agent-etat', { claims: { id_token: { acr: { essential: true, value: 'eidas1-mfa' } } } }), 'eidas1-mfa');
  });

  await t.test('a voluntary level that cannot be reached changes nothing', async () => {
    assert.equal(await acr('acr-eidas1', { acr_values: 'eidas3' }), 'eidas1');
    assert.equal(await acr('acr-eidas1', { claims: { id_token: { acr: { values: ['eidas3'] } } } }), 'eidas1');
  });

  await t.test('levels nobody knows are dropped from the request', async () => {
    assert.equal(await acr('acr-eidas1', essential('unknown')), 'eidas1');
    assert.equal((await answer('acr-eidas1', essential('unknown', 'eidas3'))).error_description, refused);
  });

  await t.test('every level, and the former names', async () => {
    for (const level of ['eidas0', 'eidas0-mfa', 'eidas1', 'eidas1-mfa', 'eidas2', 'eidas3']) {
      assert.equal(await acr(`acr-${level}`, essential(level)), level);
    }
    assert.match(await acr('acr-ancien'), /consistency-checked-2fa$/);
    assert.match(await acr('dirigeant', essential('https://proconnect.gouv.fr/assurance/certification-dirigeant')), /dirigeant$/);
  });

  await t.test('idp_acr follows the level of the login', async () => {
    const rp = await fresh();
    const { access_token: token } = await rp.login('agent-etat', essential('eidas3'));
    assert.equal((await rp.userinfo(token)).claims.idp_acr, 'eidas3');
  });

  await t.test('essential values that are no list: invalid_request', async () => {
    const claims = { id_token: { acr: { essential: true, values: 'eidas1' } } };
    assert.equal((await answer('agent-etat', { claims })).error, 'invalid_request');
  });

  await t.test('amr only when asked for', async () => {
    const claims = { id_token: { amr: null } };
    const amr = async (persona, params) => (await (await fresh()).login(persona, params)).idToken.payload.amr;
    assert.equal(await amr('agent-carte'), undefined);
    assert.deepEqual(await amr('agent-carte', { claims }), ['pop', 'hwk', 'pin', 'mfa']);
    assert.deepEqual(await amr('agent-carte', { claims: { id_token: { amr: { essential: true } } } }), ['pop', 'hwk', 'pin', 'mfa']);
    assert.deepEqual(await amr('amr-vide', { claims }), []);
    assert.equal(await amr('amr-aucun', { claims }), undefined);
  });

  await t.test('a minimal id_token has acr only when asked for', async () => {
    const minimal = await standIn.client({ minimal_id_token: true });
    const { payload } = (await minimal.login('agent-etat')).idToken;
    assert.equal(payload.acr, undefined);
    assert.equal(payload.sid, undefined);
    assert.equal((await minimal.login('agent-etat', { claims: { id_token: { acr: null } } })).idToken.payload.acr, 'eidas1');
  });
}

async function sessions(t, standIn) {
  const rp = await standIn.client();
  const silent = { prompt: 'none' };
  const begin = async (persona, params) => {
    rp.browser.cookies.clear();
    return (await rp.login(persona, params)).idToken.payload;
  };

  await t.test('prompt=none without a session: login_required, even for a test that names a persona', async () => {
    assert.equal((await rp.authorize('agent-etat', silent)).error, 'login_required');
  });

  await t.test('prompt=none with a session: a code, same auth_time, another sid', async () => {
    const first = await begin('agent-etat');
    const again = (await rp.login(undefined, silent)).idToken.payload;
    assert.equal(again.sub, first.sub);
    assert.equal(again.auth_time, first.auth_time);
    assert.notEqual(again.sid, first.sid);
  });

  await t.test('no prompt: silent too, and for another client of the same browser', async () => {
    await begin('agent-etat');
    assert.ok((await rp.authorize()).code);
    const other = await standIn.client();
    other.browser = rp.browser;
    assert.ok((await other.authorize()).code);
    const closed = await other.authorize('salarie-prive');
    assert.equal(closed.pageCode, 'Y500015');
  });

  await t.test('prompt=login: the page, unless the client is set otherwise', async () => {
    await begin('agent-etat');
    assert.match((await rp.authorize(undefined, { prompt: 'login' })).url, /\/interaction\//);
    const lenient = await standIn.client({ prompt_login_keeps_session: true });
    lenient.browser = rp.browser;
    assert.ok((await lenient.authorize(undefined, { prompt: 'login' })).code);
  });

  await t.test('another persona takes over', async () => {
    const first = await begin('agent-etat');
    const second = (await rp.login('accents')).idToken.payload;
    assert.notEqual(second.sub, first.sub);
    assert.equal((await rp.login()).idToken.payload.sub, second.sub);
  });

  await t.test('eidas2 and eidas3 always need a new session, other levels do not', async () => {
    await begin('agent-etat', essential('eidas1-mfa'));
    assert.ok((await rp.authorize(undefined, { ...silent, ...essential('eidas1-mfa') })).code);
    assert.equal((await rp.authorize(undefined, { ...silent, ...essential('eidas2') })).error, 'login_required');
    await begin('agent-etat', essential('eidas2'));
    assert.equal((await rp.authorize(undefined, { ...silent, ...essential('eidas2') })).error, 'login_required');
    assert.match((await rp.authorize(undefined, essential('eidas2', 'eidas3'))).url, /\/interaction\//);
    assert.ok((await rp.authorize(undefined, silent)).code, 'without an essential acr the session is good');
  });

  await t.test('a hint for somebody else is not answered from the session', async () => {
    await begin('agent-etat');
    assert.equal((await rp.authorize(undefined, { ...silent, login_hint: 'other@lyon.fr' })).error, 'login_required');
    assert.ok((await rp.authorize(undefined, { ...silent, login_hint: 'camille.dupont@interieur.gouv.fr' })).code);
  });

  await t.test('cleared from outside', async () => {
    await begin('agent-etat');
    await standIn.control('POST', '/clear-sessions');
    assert.equal((await rp.authorize(undefined, silent)).error, 'login_required');
  });
}
