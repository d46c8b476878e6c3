// What happens to those who are not logged in is the administrator's choice for each location: login, deny or pass.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'unauthenticated', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    <Location "/private/denied">
        ProConnectUnauthenticated deny
    </Location>
    <Location "/open">
        AuthType ProConnect
        ProConnectUnauthenticated pass
        Require all granted
    </Location>
    <Location "/open-but-named">
        AuthType ProConnect
        ProConnectUnauthenticated pass
        Require valid-user
    </Location>
    <Location "/open-to-camille">
        AuthType ProConnect
        ProConnectUnauthenticated pass
        ProConnectRemoteUser email
        Require user camille.dupont@interieur.gouv.fr
    </Location>
    <Location "/private/again">
        ProConnectPrompt login
    </Location>
    <Location "/private/hint">
        ProConnectSiretHint 13002526500013
        ProConnectLoginHint "expr=%{QUERY_STRING}"
    </Location>
    ScriptAlias "/private/denied" "${apache.htdocs}/private/variables.cgi"
    ScriptAlias "/private/again" "${apache.htdocs}/private/variables.cgi"
    ScriptAlias "/open" "${apache.htdocs}/public/variables.cgi"
    ScriptAlias "/open-but-named" "${apache.htdocs}/private/variables.cgi"
    ScriptAlias "/open-to-camille" "${apache.htdocs}/private/variables.cgi"` }] });
after(() => site.close());

test('deny answers 401 with a page, and lets in who is logged in elsewhere', async () => {
  const browser = site.browser('agent-etat');
  const refused = await browser.send(site.url('/private/denied'));
  expectNothingProtected(refused);
  assert.equal(refused.status, 401);
  assert.ok(refused.headers['www-authenticate']);
  expectProtected(await browser.login(site.url('/private/')));
  expectProtected(await browser.send(site.url('/private/denied')));
});

test('pass lets everybody through, and names those who are logged in', async () => {
  const browser = site.browser('agent-etat');
  const nobody = variablesOf(await browser.send(site.url('/open')));
  assert.equal(nobody.REMOTE_USER, undefined);
  assert.equal(nobody.PROCONNECT_SUB, undefined);
  await browser.login(site.url('/private/'));
  const somebody = variablesOf(await browser.send(site.url('/open')));
  assert.match(somebody.REMOTE_USER, /^[0-9a-f]{64}$/);
  assert.equal(somebody.AUTH_TYPE, 'ProConnect');
});

test('pass does not override Require valid-user', async () => {
  const browser = site.browser('agent-etat');
  expectLoginRedirect(site, await browser.send(site.url('/open-but-named')));
  expectProtected(await browser.login(site.url('/open-but-named')));
});

test('pass lets nobody through where a particular user is required', async () => {
  const anonymous = await site.browser().send(site.url('/open-to-camille'));
  expectNothingProtected(anonymous);
  assert.ok([302, 401, 403].includes(anonymous.status), `${anonymous.status}`);
  const other = site.browser('agent-territorial');
  await other.login(site.url('/private/'));
  expectNothingProtected(await other.send(site.url('/open-to-camille')));
  const camille = site.browser('agent-etat');
  await camille.login(site.url('/private/'));
  expectProtected(await camille.send(site.url('/open-to-camille')));
});

test('pass gives nobody a forged identity', async () => {
  const variables = variablesOf(await site.browser().send(site.url('/open'), { headers: { cookie: `proconnect=${'A'.repeat(86)}`, 'x-proconnect-sub': 'evil', remote_user: 'evil' } }));
  assert.equal(variables.REMOTE_USER, undefined);
  assert.ok(!Object.entries(variables).some(([name, value]) => /PROCONNECT|REMOTE_USER/.test(name) && value === 'evil'));
});

test('ProConnectPrompt login asks ProConnect to ask again', async () => {
  const parameters = expectLoginRedirect(site, await site.browser().send(site.url('/private/again')));
  assert.equal(parameters.get('prompt'), 'login');
  expectProtected(await site.browser('agent-etat').login(site.url('/private/again')));
});

test('hints are sent when they are what ProConnect accepts', async () => {
  const parameters = expectLoginRedirect(site, await site.browser().send(site.url('/private/hint?camille.dupont@interieur.gouv.fr')));
  assert.equal(parameters.get('siret_hint'), '13002526500013');
  assert.equal(parameters.get('login_hint'), 'camille.dupont@interieur.gouv.fr');
});

test('a hint that ProConnect would refuse is not sent to it', async () => {
  const answer = await site.browser().send(site.url('/private/hint?no-mail-address'));
  if (answer.status === 302) assert.equal(expectLoginRedirect(site, answer).get('login_hint'), null);
  else expectErrorPage(site, answer, { status: answer.status, code: 'PC5001' });
});

test('nothing alarming is left in the logs', () => site.close());
