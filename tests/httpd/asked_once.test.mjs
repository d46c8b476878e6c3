// httpd asks its rules twice, first without a user. What a connection has seen before must change no answer, whatever comes next on it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const places = {
  rule: 'Require proconnect roles agent_public_etat',
  'rule-other': 'Require proconnect email_domain lyon.fr',
  'rule-and-user': '<RequireAll>\nRequire proconnect roles agent_public_etat\nRequire user nobody\n</RequireAll>',
  'rule-or-ip': '<RequireAny>\nRequire ip 192.0.2.0/24\nRequire proconnect roles agent_public_etat\n</RequireAny>',
  'rule-and-ip': '<RequireAll>\nRequire ip 192.0.2.0/24\nRequire proconnect roles agent_public_etat\n</RequireAll>',
  'other-or-open': '<RequireAny>\nRequire proconnect email_domain lyon.fr\nRequire all granted\n</RequireAny>',
  valid: 'Require valid-user',
  nobody: 'Require user nobody',
  open: 'Require all granted',
  'open-pass': 'ProConnectUnauthenticated pass\nRequire all granted',
  'open-nameless': 'ProConnectRemoteUser phone_number\nRequire all granted',
  'open-headers': 'ProConnectHeaders on\nRequire all granted',
  'rule-headers': 'ProConnectHeaders on\nRequire proconnect roles agent_public_etat',
  denied: 'Require all denied',
  'not-rule': '<RequireAll>\nRequire all granted\nRequire not proconnect roles agent_public_etat\n</RequireAll>',
  'not-other': '<RequireAll>\nRequire all granted\nRequire not proconnect email_domain lyon.fr\n</RequireAll>',
  'rule-not-rule': '<RequireAll>\nRequire not proconnect siret 13002526500013\nRequire proconnect roles agent_public_etat\n</RequireAll>',
  'rule-not-valid': '<RequireAll>\nRequire proconnect roles agent_public_etat\nRequire not valid-user\n</RequireAll>',
  'valid-not-other': '<RequireAll>\nRequire valid-user\nRequire not proconnect email_domain lyon.fr\n</RequireAll>',
  'none-of-rule': '<RequireAll>\nRequire all granted\n<RequireNone>\nRequire proconnect roles agent_public_etat\n</RequireNone>\n</RequireAll>',
  'expr-user': 'Require expr "-n %{REMOTE_USER}"',
  'expr-variable': 'Require expr "-n reqenv(\'PROCONNECT_SUB\')"',
  'expr-no-variable': 'Require expr "-z reqenv(\'PROCONNECT_SUB\')"',
  'rule-or-expr': '<RequireAny>\nRequire proconnect email_domain lyon.fr\nRequire expr "-z reqenv(\'PROCONNECT_SUB\')"\n</RequireAny>',
  'rule-beside-open': 'Require proconnect roles agent_public_etat\nRequire all granted',
  'rules-all-any': '<RequireAny>\n<RequireAll>\nRequire proconnect roles agent_public_etat\n</RequireAll>\nRequire all granted\n</RequireAny>',
  merged: 'AuthMerging Or\nRequire proconnect roles agent_public_etat',
  level: 'Require proconnect acr >= eidas1-mfa',
  'cached-answer': 'Header always set Cache-Control "max-age=60"\nRequire all granted',
  elsewhere: 'AuthType None\nRequire all granted',
  'rule-and-env': '<RequireAll>\nRequire proconnect roles agent_public_etat\nRequire env PROCONNECT_SUB\n</RequireAll>',
  'rule-limit-open': 'Require proconnect roles agent_public_etat\n<Limit GET>\nRequire all granted\n</Limit>',
  basic: 'AuthType Basic\nAuthName "x"\nAuthUserFile /dev/null\nRequire valid-user',
  'basic-rule': 'AuthType Basic\nAuthName "x"\nAuthUserFile /dev/null\nRequire proconnect roles agent_public_etat',
  // mod_access_compat, which Debian enables
  'any-of-all': 'Satisfy Any\nOrder allow,deny\nAllow from all\nRequire proconnect email_domain lyon.fr',
  'any-of-nobody': 'Satisfy Any\nOrder deny,allow\nDeny from all\nRequire proconnect roles agent_public_etat',
  'all-of-nobody': 'Order deny,allow\nDeny from all\nRequire proconnect roles agent_public_etat',
  'all-of-all': 'Order allow,deny\nAllow from all\nRequire proconnect roles agent_public_etat',
};
const site = await startSite({ label: 'asked-once', start: false, mpm: 'prefork', modules: ['authz_host', 'access_compat', 'auth_basic', 'authn_file'], config: 'MaxKeepAliveRequests 0\nKeepAliveTimeout 60', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    LogLevel authz_core:debug
    <Directory "${apache.htdocs}/private">
        DirectoryIndex variables.cgi
    </Directory>
${Object.entries(places).map(([name, rules]) => `<Location "/private/${name}">\n${rules}\n</Location>\nAlias "/private/${name}" "${apache.htdocs}/private/variables.cgi"`).join('\n')}` }] });
const connections = [];
after(() => {
  for (const agent of connections) agent.destroy();
  return site.close();
});
await site.apache.start();
const address = (place) => site.url(`/private/${place}`);

async function signedIn(persona) {
  const browser = site.browser(persona);
  expectProtected(await browser.login(site.url('/private/')));
  return browser;
}

/** The same person on a new connection, kept. */
function onNewConnection({ jar }, persona) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  connections.push(agent);
  const browser = site.browser(persona, { agent });
  browser.jar = jar;
  return browser;
}

/** What an answer says, without what no two answers share. */
function essence(answer) {
  const own = answer.status === 200 ? Object.entries(variablesOf(answer)).filter(([name]) => /^(PROCONNECT_|HTTP_X_PROCONNECT|REMOTE_USER$|AUTH_TYPE$)/.test(name)) : [];
  return {
    status: answer.status,
    goesTo: answer.headers.location?.split('?')[0],
    code: /PC\d{4}/.exec(answer.text)?.[0],
    cache: answer.headers['cache-control'],
    variables: Object.fromEntries(own.filter(([name]) => !/EXPIRES|LOGOUT|CLAIMS/.test(name))),
  };
}

/** Where others than our rules refuse before a user is known, httpd has no page. With the user known there is ours, to the same effect. */
function expectSame(answer, alone, place) {
  const isHttpds = alone.status === 403 && alone.code === undefined;
  assert.deepEqual(isHttpds ? { ...alone, status: answer.status } : essence(answer), alone, place);
}

for (const persona of ['agent-etat', 'agent-territorial']) {
  const home = persona === 'agent-etat' ? 'rule' : 'rule-other';
  test(`${persona}: every place answers a connection that was let in by a rule as it answers a new one`, async () => {
    const browser = await signedIn(persona);
    const alone = {};
    for (const place of Object.keys(places)) alone[place] = essence(await browser.send(address(place)));
    assert.equal(new Set(Object.values(alone).map(({ status }) => status)).size >= 3, true, 'the places are all alike: this shows nothing');
    const kept = onNewConnection(browser, persona);
    for (let turn = 0; turn < 4; turn += 1) await kept.send(address(home));
    for (const place of Object.keys(places)) {
      for (const before of [1, 2]) {
        for (let turn = 0; turn < before; turn += 1) assert.equal((await kept.send(address(home))).status, 200);
        const answer = await kept.send(address(place));
        assert.ok(answer.onOldConnection, 'a new connection: this shows nothing');
        expectSame(answer, alone[place], place);
        expectSame(await kept.send(address(place)), alone[place], `${place}, again`);
      }
    }
  });
}

test('one who leaves in between gets what nobody gets', async () => {
  const browser = await signedIn('agent-etat');
  const kept = onNewConnection(browser, 'agent-etat');
  for (const place of Object.keys(places)) {
    const stranger = essence(await site.browser().send(address(place)));
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await kept.send(address('rule'))).status, 200);
    const answer = await kept.send(address(place), { headers: { cookie: 'other=1' } });
    assert.ok(answer.onOldConnection, 'a new connection: this shows nothing');
    assert.deepEqual(essence(answer), stranger, place);
  }
});
