// Rules on acr and amr ask ProConnect for what they need, check what comes back, and send a session that falls short to log in again: once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectProtected, sessionCookie } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const proof = 'https://proconnect.gouv.fr/assurance/certification-dirigeant';
const places = {
  mfa: 'Require proconnect acr >= eidas1-mfa',
  eidas2: 'Require proconnect acr >= eidas2',
  exactly1: 'Require proconnect acr eidas1',
  both: '<RequireAll>\nRequire proconnect acr >= eidas1\nRequire proconnect acr >= eidas0-mfa\n</RequireAll>',
  any: 'Require proconnect acr >= eidas1-mfa\nRequire proconnect email_domain lyon.fr',
  'with-role': '<RequireAll>\nRequire proconnect acr >= eidas1-mfa\nRequire proconnect roles agent_public_etat\n</RequireAll>',
  leader: 'Require proconnect acr certification-dirigeant',
  method: 'Require proconnect amr mfa',
  card: 'Require proconnect amr hwk',
};
const site = await startSite({ label: 'step-up', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => Object.entries(places)
  .map(([name, rules]) => `<Location "/private/${name}">\n${rules}\n</Location>\nScriptAlias "/private/${name}" "${apache.htdocs}/private/variables.cgi"`).join('\n') }] });
after(() => site.close());

/** What an answer's redirect to ProConnect asks for. */
function asked(answer) {
  const parameters = expectLoginRedirect(site, answer);
  assert.equal(parameters.get('acr_values'), null);
  return { acr: JSON.parse(parameters.get('claims')).id_token.acr, prompt: parameters.get('prompt') };
}
const essential = (...values) => ({ essential: true, values });
const logins = (answer) => answer.history.filter((step) => step.status === 302 && step.headers.location.startsWith(`${site.standin.issuer}/authorize?`)).length;

test('the login a page needs asks for every level the page accepts, and for no other', async () => {
  const nobody = site.browser();
  const first = async (place) => asked(await nobody.send(site.url(`/private/${place}`))).acr;
  assert.deepEqual(await first('mfa'), essential('eidas1-mfa', 'eidas2', 'eidas3'));
  assert.deepEqual(await first('exactly1'), essential('eidas1'));
  assert.deepEqual(await first('both'), essential('eidas1-mfa', 'eidas2', 'eidas3'));
  assert.deepEqual(await first('with-role'), essential('eidas1-mfa', 'eidas2', 'eidas3'));
  assert.deepEqual(await first('leader'), essential(proof));
  assert.equal(await first('any'), undefined, 'another alternative may do');
  assert.equal(await first('method'), undefined);
  assert.equal(await first(''), undefined);
});

test('the first login at such a page is enough', async () => {
  const page = await site.browser('agent-etat').login(site.url('/private/mfa?x=1'));
  assert.equal(variablesOf(page).PROCONNECT_ACR, 'eidas3');
  assert.equal(page.url, site.url('/private/mfa?x=1'));
  assert.equal(logins(page), 1);
});

test('a session that falls short logs in again once, at the page asked for, under another id', async () => {
  const browser = site.browser('agent-etat');
  const before = variablesOf(await browser.login(site.url('/private/echo')));
  assert.equal(before.PROCONNECT_ACR, 'eidas1');
  const cookie = sessionCookie(browser, site.origin);
  const step = await browser.send(site.url('/private/mfa?a=b'));
  assert.deepEqual(asked(step), { acr: essential('eidas1-mfa', 'eidas2', 'eidas3'), prompt: null });
  const page = await browser.open(site.url('/private/mfa?a=b'));
  assert.equal(page.url, site.url('/private/mfa?a=b'));
  const variables = variablesOf(page);
  assert.equal(variables.PROCONNECT_ACR, 'eidas3');
  assert.notEqual(variables.PROCONNECT_SESSION, before.PROCONNECT_SESSION);
  assert.notEqual(sessionCookie(browser, site.origin), cookie);
  assert.equal(logins(page), 1);
  assert.ok(!Object.keys(variables).some((name) => name.includes('STEP_UP')), 'the mark is not for the application');
  expectProtected(await browser.send(site.url('/private/eidas2')));
});

test('down again: a page that accepts one lower level alone asks for that', async () => {
  const browser = site.browser('agent-etat');
  await browser.login(site.url('/private/mfa'));
  const page = await browser.open(site.url('/private/exactly1'));
  assert.equal(variablesOf(page).PROCONNECT_ACR, 'eidas1');
});

test('one of several alternatives is enough, and a step-up is made for the one that needs it', async () => {
  const lyon = await site.browser('agent-territorial').login(site.url('/private/any'));
  expectProtected(lyon);
  assert.equal(logins(lyon), 1);
  const state = await site.browser('agent-etat').login(site.url('/private/any'));
  assert.equal(variablesOf(state).PROCONNECT_ACR, 'eidas3');
  assert.equal(logins(state), 2);
});

test('nobody is sent to log in again for what a higher level would not change', async () => {
  const browser = site.browser('agent-territorial');
  expectProtected(await browser.login(site.url('/private/')));
  const answer = await browser.send(site.url('/private/with-role'));
  expectErrorPage(site, answer, { status: 403, code: 'PC6003' });
});

test('who cannot reach the level is told so by ProConnect, keeps the session, and does not go round', async () => {
  const browser = site.browser('acr-eidas1');
  expectProtected(await browser.login(site.url('/private/')));
  const answer = await browser.open(site.url('/private/mfa'));
  expectErrorPage(site, answer, { status: 403, code: 'PC2048' });
  assert.equal(logins(answer), 1);
  expectProtected(await browser.send(site.url('/private/')));
});

test('certified heads of companies are known by their proof', async () => {
  const leader = site.browser('dirigeant');
  expectProtected(await leader.login(site.url('/private/')));
  assert.equal(variablesOf(await leader.open(site.url('/private/leader'))).PROCONNECT_ACR, proof);
  const agent = site.browser('agent-etat');
  await agent.login(site.url('/private/'));
  expectErrorPage(site, await agent.open(site.url('/private/leader')), { status: 403, code: 'PC2048' });
});

test('a rule on amr is met by what the provider says of the login', async () => {
  expectProtected(await site.browser('agent-etat').login(site.url('/private/method')));
  const card = await site.browser('amr-materiel').login(site.url('/private/card'));
  expectProtected(card);
  assert.equal(logins(card), 1);
});

test('a session without the method is asked once for two factors and a fresh login', async () => {
  const browser = site.browser('amr-pwd');
  await browser.login(site.url('/private/'));
  const step = await browser.send(site.url('/private/method'));
  assert.deepEqual(asked(step), { acr: essential('eidas0-mfa', 'eidas1-mfa', 'eidas2', 'eidas3', 'https://proconnect.gouv.fr/assurance/self-asserted-2fa', 'https://proconnect.gouv.fr/assurance/consistency-checked-2fa'), prompt: 'login' });
});

test('a session that still falls short after the step-up gets the page, and no loop', async () => {
  for (const persona of ['amr-pwd', 'amr-vide', 'amr-aucun', 'agent-etat']) {
    const browser = site.browser(persona);
    await browser.login(site.url('/private/'));
    const answer = await browser.open(site.url('/private/card'));
    expectErrorPage(site, answer, { status: 403, code: /PC600[35]/ });
    assert.equal(logins(answer), 1, persona);
    const again = await browser.open(site.url('/private/card'));
    assert.equal(again.status, 403);
    assert.equal(logins(again), 0, persona);
  }
});

test('programs that fall short are refused, never redirected, and so are forms that cannot be kept', async () => {
  const browser = site.browser('agent-etat');
  await browser.login(site.url('/private/'));
  const answer = await browser.fetch(site.url('/private/mfa'));
  assert.equal(answer.status, 403);
  assert.match(answer.headers['content-type'], /problem\+json/);
  assert.match(answer.json.reference, /PC6003/);
  const form = await browser.send(site.url('/private/mfa'), { method: 'POST', body: 'a=b', from: site.url('/'), fetchSite: 'same-site' });
  assert.equal(form.status, 403);
});

test('a step-up whose code ProConnect always refuses ends at a page, never in a loop', async () => {
  const browser = site.browser('agent-etat');
  variablesOf(await browser.login(site.url('/private/echo')));
  await site.standin.post('fail', { endpoint: 'token', status: 400, body: '{"error":"invalid_grant"}', times: 100 });
  try {
    const answer = await browser.open(site.url('/private/mfa'));
    expectErrorPage(site, answer, { status: 400, code: 'PC2021' });
    assert.equal(logins(answer), 1);
    assert.equal((await browser.send(site.url('/private/echo'))).status, 200, 'the session itself goes on');
  } finally {
    await site.standin.post('fail', { endpoint: 'token', times: 0 });
  }
  variablesOf(await browser.open(site.url('/private/mfa')));
});

test('nothing alarming is left in the logs', () => site.close());
