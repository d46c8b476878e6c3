// What the application receives: REMOTE_USER, PROCONNECT_* and nothing that the client sent.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const allScopes = 'openid given_name usual_name email uid siret siren idp_id idp_acr organization_label roles phone organizational_unit belonging_population chorusdt groups custom';
const site = await startSite({ label: 'variables', vhosts: [
  { client: { alg: 'ES256', scopes: allScopes }, config: ({ apache }) => `ProConnectScope "${allScopes}"
    LogFormat "%u %{PROCONNECT_EMAIL}e" who
    CustomLog "${apache.path('logs/who.log')}" who
    <Location "/private/by-email">
        ProConnectRemoteUser email
    </Location>
    ScriptAlias "/private/by-email" "${apache.htdocs}/private/variables.cgi"
    <Location "/private/for-camille">
        Require user camille.dupont@interieur.gouv.fr
        ProConnectRemoteUser email
    </Location>
    ScriptAlias "/private/for-camille" "${apache.htdocs}/private/variables.cgi"
    <Location "/private/expression">
        RequestHeader set X-Seen "expr=%{reqenv:PROCONNECT_GIVEN_NAME}"
    </Location>
    ScriptAlias "/private/expression" "${apache.htdocs}/private/variables.cgi"` },
  { client: { alg: 'ES256' } },
] });
after(() => site.close());

async function variablesFor(persona, path = '/private/variables.cgi') {
  return variablesOf(await site.browser(persona).login(site.url(path)));
}

test('gives every claim of an ordinary agent as a variable', async () => {
  const variables = await variablesFor('agent-etat');
  const expected = {
    AUTH_TYPE: 'ProConnect', PROCONNECT_EMAIL: 'camille.dupont@interieur.gouv.fr', PROCONNECT_GIVEN_NAME: 'Camille', PROCONNECT_USUAL_NAME: 'DUPONT',
    PROCONNECT_UID: 'uid-agent-etat', PROCONNECT_SIRET: '13002526500013', PROCONNECT_SIREN: '130025265',
    PROCONNECT_ORGANIZATION_LABEL: 'Direction interministérielle fictive', PROCONNECT_ROLES: 'agent_public;agent_public_etat', PROCONNECT_ACR: 'eidas1',
    PROCONNECT_ISS: site.standin.issuer,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(variables[name], value, name);
  assert.equal(variables.REMOTE_USER, variables.PROCONNECT_SUB);
  assert.match(variables.PROCONNECT_IDP_ID, /^[0-9a-f-]{36}$/);
  assert.match(variables.PROCONNECT_AUTH_TIME, /^\d{10}$/);
  assert.ok(variables.PROCONNECT_SID);
  const now = Date.now() / 1000;
  assert.ok(Math.abs(Number(variables.PROCONNECT_EXPIRES) - now - 3600) < 60 || Math.abs(Number(variables.PROCONNECT_EXPIRES) - now - 12 * 3600) < 60, `PROCONNECT_EXPIRES ${variables.PROCONNECT_EXPIRES}`);
  assert.ok(variables.PROCONNECT_SESSION.length >= 16);
});

test('PROCONNECT_CLAIMS holds all of them as one JSON object', async () => {
  const variables = await variablesFor('agent-etat');
  const claims = JSON.parse(variables.PROCONNECT_CLAIMS);
  assert.equal(claims.sub, variables.REMOTE_USER);
  assert.equal(claims.given_name, 'Camille');
  assert.deepEqual(claims.roles, ['agent_public', 'agent_public_etat']);
  assert.equal(claims.acr, 'eidas1');
});

test('PROCONNECT_SESSION is another one after each login and is not the cookie', async () => {
  const first = site.browser('agent-etat');
  const one = variablesOf(await first.login(site.url('/private/variables.cgi'))).PROCONNECT_SESSION;
  const again = variablesOf(await first.send(site.url('/private/variables.cgi'))).PROCONNECT_SESSION;
  const two = await variablesFor('agent-etat');
  assert.equal(again, one);
  assert.notEqual(two.PROCONNECT_SESSION, one);
  assert.ok(!first.jar.get(site.url('/'), 'proconnect').value.includes(one));
});

test('keeps accents, ligatures and typographic signs as UTF-8', async () => {
  const variables = await variablesFor('accents');
  assert.equal(variables.PROCONNECT_GIVEN_NAME, 'Élise Zoë');
  assert.equal(variables.PROCONNECT_USUAL_NAME, 'Œuvré-Ÿ');
  assert.equal(variables.PROCONNECT_ORGANIZATION_LABEL, 'Préfecture de l’Île-de-Noël – pôle « cœur »');
});

test('names with a colon become underscores', async () => {
  const variables = await variablesFor('chorusdt');
  assert.equal(variables.PROCONNECT_CHORUSDT_MATRICULE, 'USER_AGC');
  assert.equal(variables.PROCONNECT_CHORUSDT_SOCIETE, 'CHT');
});

test('custom comes as JSON and its scalars as variables of their own', async () => {
  const variables = await variablesFor('custom-riche');
  const custom = JSON.parse(variables.PROCONNECT_CUSTOM);
  assert.equal(custom.structureTravail, 59194);
  assert.deepEqual(custom.affectation.bureau, { etage: 3, numero: 'B-12' });
  assert.equal(variables.PROCONNECT_CUSTOM_STRUCTURETRAVAIL, '59194');
  assert.equal(variables.PROCONNECT_CUSTOM_MATRICULE, '0042');
  assert.equal(variables.PROCONNECT_CUSTOM_FONCTION_PRINCIPALE, 'Régisseur');
});

test('a claim the user does not have leaves no variable', async () => {
  const variables = await variablesFor('minimal');
  for (const name of ['GIVEN_NAME', 'USUAL_NAME', 'SIRET', 'ROLES', 'CUSTOM']) assert.equal(variables[`PROCONNECT_${name}`], undefined, name);
  assert.ok(variables.PROCONNECT_EMAIL);
});

test('line breaks, quotes and markup in claims split neither a variable nor a log line', async () => {
  const variables = await variablesFor('injection');
  for (const [name, value] of Object.entries(variables)) {
    if (name.startsWith('PROCONNECT_')) assert.doesNotMatch(value, /[\r\n\0]/, name);
  }
  assert.equal(variables.PATH === '/tmp' || variables.HTTP_HOST === 'evil', false);
  assert.doesNotMatch(site.apache.errorLog(), /^\[error\] fausse ligne/m);
  for (const line of site.apache.accessLog().split('\n').filter(Boolean)) assert.match(line, /^127\.0\.0\.1 /);
});

test('NUL and control characters never reach the application', async () => {
  const answer = await site.browser('valeurs-nul').login(site.url('/private/variables.cgi'));
  if (answer.status !== 200) {
    assert.match(answer.text, /PC(2006|3001|3020)/);
    return;
  }
  const variables = variablesOf(answer);
  assert.match(variables.PROCONNECT_USUAL_NAME, /^avant.*après$/);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(variables.PROCONNECT_GIVEN_NAME, /[\u0000-\u001f\u007f]/);
});

test('values of 4 KiB arrive whole', async () => {
  const variables = await variablesFor('valeurs-longues');
  assert.equal(variables.PROCONNECT_ORGANIZATION_LABEL, 'é'.repeat(2048));
  assert.equal(variables.PROCONNECT_UID.length, 4096);
});

test('a value of 64 KiB is cut or refused by rule and harms nobody', async () => {
  const answer = await site.browser('valeurs-enormes').login(site.url('/private/variables.cgi'));
  if (answer.status === 200) assert.ok((variablesOf(answer).PROCONNECT_ORGANIZATION_LABEL ?? '').length <= 65536);
  else assert.match(answer.text, /PC(3020|4002)/);
  expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
});

test('groups are joined by semicolons, and a semicolon inside one cannot make two', async () => {
  const variables = await variablesFor('groupes');
  assert.ok(variables.PROCONNECT_GROUPS.startsWith('lecteurs;rédacteurs;'));
  assert.doesNotMatch(variables.PROCONNECT_GROUPS, /(^|;)a;b(;|$)/);
  assert.deepEqual(JSON.parse(variables.PROCONNECT_CLAIMS).groups, ['lecteurs', 'rédacteurs', 'a;b', 'c,d']);
});

test('the location chooses which claim becomes REMOTE_USER', async () => {
  const browser = site.browser('agent-etat');
  assert.equal(variablesOf(await browser.login(site.url('/private/by-email'))).REMOTE_USER, 'camille.dupont@interieur.gouv.fr');
  const bySub = variablesOf(await browser.send(site.url('/private/variables.cgi')));
  assert.equal(bySub.REMOTE_USER, bySub.PROCONNECT_SUB);
});

test('Require user compares REMOTE_USER', async () => {
  expectProtected(await site.browser('agent-etat').login(site.url('/private/for-camille')));
  const other = await site.browser('agent-territorial').login(site.url('/private/for-camille'));
  assert.ok([401, 403].includes(other.status), `${other.status}`);
});

test('an expression and a log format can use the variables', async () => {
  const seen = await variablesFor('accents', '/private/expression');
  assert.equal(seen.HTTP_X_SEEN, 'Élise Zoë');
  const variables = await variablesFor('agent-etat');
  const { readFileSync } = await import('node:fs');
  assert.ok(readFileSync(site.apache.path('logs/who.log'), 'utf8').includes(`${variables.REMOTE_USER} camille.dupont@interieur.gouv.fr`));
});

test('a public page sees no variable, whatever the client sends', async () => {
  const variables = variablesOf(await site.browser().send(site.url('/public/variables.cgi')));
  assert.deepEqual(Object.keys(variables).filter((name) => name.startsWith('PROCONNECT_') || name === 'REMOTE_USER'), []);
});

test('two service providers know the same agent under two numbers', async () => {
  const one = await variablesFor('agent-etat');
  const two = variablesOf(await site.browser('agent-etat').login(site.vhosts[1].url('/private/variables.cgi')));
  assert.notEqual(one.REMOTE_USER, two.REMOTE_USER);
});

test('nothing alarming is left in the logs', () => site.close());
