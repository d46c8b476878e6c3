// `Require proconnect …`: the right people get in, in every combination; the others are told why and nothing more.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectErrorPage, expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const places = {
  state: 'Require proconnect roles agent_public_etat',
  domain: 'Require proconnect email_domain interieur.gouv.fr',
  below: 'Require proconnect email_domain *.gouv.fr',
  siret: 'Require proconnect siret "130 025 265 00013"',
  name: 'Require proconnect usual_name =~ "^DU"',
  custom: 'Require proconnect custom.structureTravail 59194',
  'not-firm': '<RequireAll>\nRequire valid-user\nRequire not proconnect siret 55208131766522\n</RequireAll>',
  'not-firm-for-all': '<RequireAll>\nRequire all granted\nRequire not proconnect siret 55208131766522\n</RequireAll>',
  none: '<RequireAll>\nRequire valid-user\n<RequireNone>\nRequire proconnect siret 55208131766522\nRequire proconnect email nobody@nowhere.fr\n</RequireNone>\n</RequireAll>',
  all: '<RequireAll>\nRequire proconnect roles agent_public\nRequire proconnect siret 21690123100011\n</RequireAll>',
  any: 'Require proconnect email_domain lyon.fr\nRequire proconnect usual_name DURAND',
  deep: '<RequireAny>\n<RequireAll>\nRequire proconnect roles agent_public_etat\nRequire not proconnect email camille.dupont@interieur.gouv.fr\n</RequireAll>\nRequire proconnect email_domain lyon.fr\n</RequireAny>',
  unreadable: 'Require proconnect email file:/nowhere/agents.txt',
  'not-unreadable': '<RequireAll>\nRequire valid-user\nRequire not proconnect email file:/nowhere/agents.txt\n</RequireAll>',
  own: 'ProConnectRefusal "Réservé à l’équipe <paie>."\nRequire proconnect email secret.person@interieur.gouv.fr',
  user: 'Require user nobody',
};
const site = await startSite({ label: 'access-rules', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
${Object.entries(places).map(([name, rules]) => `<Location "/private/${name}">\n${rules}\n</Location>\nAlias "/private/${name}" "${apache.htdocs}/private/notice.txt"`).join('\n')}
    <Location "/private/listed">
        Require proconnect email file:${apache.path('conf/agents.txt')}
    </Location>
    Alias "/private/listed" "${apache.htdocs}/private/notice.txt"
    <Location "/private/if">
        <If "%{QUERY_STRING} == 'x'">
            Require proconnect email_domain lyon.fr
        </If>
    </Location>
    Alias "/private/if" "${apache.htdocs}/private/notice.txt"` }], start: false });
after(() => site.close());
await site.apache.writeFile('conf/agents.txt', '# les agents\nCamille.Dupont@interieur.gouv.fr\n');
await site.apache.start();
site.apache.allow(/PC6004/);

const agents = new Map();
/** The browser of a persona who is signed in. */
async function agent(persona) {
  if (!agents.has(persona)) {
    const browser = site.browser(persona);
    expectProtected(await browser.login(site.url('/private/')));
    agents.set(persona, browser);
  }
  return agents.get(persona);
}

const expected = {
  state: { in: ['agent-etat', 'agent-carte'], out: ['agent-territorial', 'salarie-prive-admis', 'minimal', 'roles-vides'] },
  domain: { in: ['agent-etat', 'agent-carte'], out: ['agent-territorial', 'accents'] },
  below: { in: ['agent-etat', 'accents'], out: ['agent-territorial', 'salarie-prive-admis'] },
  siret: { in: ['agent-etat'], out: ['agent-territorial', 'sans-siret'] },
  name: { in: ['agent-etat', 'agent-carte'], out: ['agent-territorial', 'minimal'] },
  'not-firm': { in: ['agent-etat', 'agent-territorial'], out: ['salarie-prive-admis', 'sans-siret'] },
  'not-firm-for-all': { in: ['agent-etat'], out: ['salarie-prive-admis', 'sans-siret'] },
  none: { in: ['agent-etat', 'agent-territorial'], out: ['salarie-prive-admis', 'sans-siret'] },
  all: { in: ['agent-territorial'], out: ['agent-etat', 'salarie-prive-admis'] },
  any: { in: ['agent-territorial', 'agent-carte'], out: ['agent-etat'] },
  deep: { in: ['agent-territorial', 'agent-carte'], out: ['agent-etat', 'salarie-prive-admis'] },
  listed: { in: ['agent-etat'], out: ['agent-carte', 'agent-territorial'] },
  unreadable: { in: [], out: ['agent-etat'] },
  'not-unreadable': { in: [], out: ['agent-etat'] },
  user: { in: [], out: ['agent-etat'] },
  'if?x': { in: ['agent-territorial'], out: ['agent-etat'] },
  'if?y': { in: ['agent-territorial', 'agent-etat'], out: [] },
};

for (const [place, { in: admitted, out: refused }] of Object.entries(expected)) {
  test(`${place}: ${(places[place] ?? place).replaceAll('\n', ' ')}`, async () => {
    for (const persona of admitted) expectProtected(await (await agent(persona)).open(site.url(`/private/${place}`)));
    for (const persona of refused) expectErrorPage(site, await (await agent(persona)).send(site.url(`/private/${place}`)), { status: 403, code: /PC600[1-5]/ });
    expectLoginRedirect(site, await site.browser().send(site.url(`/private/${place}`)));
  });
}

test('who has no session is never let in by a negation alone, and comes back to the page', async () => {
  const browser = site.browser('agent-etat');
  expectLoginRedirect(site, await site.browser().send(site.url('/private/not-firm-for-all')));
  expectProtected(await browser.login(site.url('/private/not-firm-for-all')));
  const firm = site.browser('salarie-prive-admis');
  expectErrorPage(site, await firm.login(site.url('/private/not-firm-for-all')), { status: 403, code: 'PC6002' });
});

test('the page says the condition in French or English, and offers another account and the support', async () => {
  const browser = await agent('agent-territorial');
  const french = await browser.send(site.url('/private/state?a=b'));
  assert.match(french.text, /réservé aux agents publics de l’État/);
  assert.match(french.text, /href="\/proconnect\/login\?switch&amp;return=%2Fprivate%2Fstate%3Fa%3Db"/);
  assert.match(french.text, /mailto:assistance@example\.gouv\.fr/);
  const english = await browser.send(site.url('/private/state'), { headers: { 'accept-language': 'en' } });
  expectErrorPage(site, english, { status: 403, code: 'PC6002', language: 'en' });
  assert.match(english.text, /reserved for public agents of the State/);
});

test('ProConnectRefusal replaces the sentence, escaped, and who is on the list stays private', async () => {
  const answer = await (await agent('agent-etat')).send(site.url('/private/own'));
  expectErrorPage(site, answer, { status: 403, code: 'PC6002' });
  assert.match(answer.text, /Réservé à l’équipe &lt;paie&gt;\./);
  assert.doesNotMatch(answer.text, /secret\.person/);
  assert.doesNotMatch(site.apache.errorLog().split('\n').filter((line) => line.includes('PC6002')).join('\n'), /secret\.person/);
});

test('a program gets problem+json and no redirect', async () => {
  const answer = await (await agent('agent-territorial')).fetch(site.url('/private/state'));
  assert.equal(answer.status, 403);
  assert.match(answer.headers['content-type'], /application\/problem\+json/);
  assert.match(answer.json.detail, /agents publics de l’État/);
  assert.match(answer.json.reference, /PC6002/);
  expectNothingProtected(answer);
});

test('a list is read again when it changes, and refuses everybody while it is missing', async () => {
  const camille = await agent('agent-etat');
  const claude = await agent('agent-territorial');
  await site.apache.writeFile('conf/agents.txt', 'claude.martin@lyon.fr\n');
  await sleep(2100);
  expectProtected(await claude.send(site.url('/private/listed')));
  expectErrorPage(site, await camille.send(site.url('/private/listed')), { status: 403, code: 'PC6002' });
  await site.apache.writeFile('conf/agents.txt', 'claude.martin@lyon.fr\n', 0o000);
  const { rmSync } = await import('node:fs');
  rmSync(site.apache.path('conf/agents.txt'));
  await sleep(2100);
  for (const browser of [camille, claude]) expectErrorPage(site, await browser.send(site.url('/private/listed')), { status: 403, code: 'PC6004' });
  assert.ok(site.apache.logged(/PC6004 .*agents\.txt cannot be opened/).length >= 1);
});

test('nothing alarming is left in the logs', () => site.close());
