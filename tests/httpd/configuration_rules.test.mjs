// `Require proconnect …`: a line that is not understood stops configtest with one sentence, at its place, with the nearest right word.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serverToJudge } from '../support/configtest.mjs';

const { apache, configtest: judge } = await serverToJudge('configuration-rules');
after(() => apache.close());
const list = await apache.writeFile('conf/agents.txt', 'camille.dupont@interieur.gouv.fr\n');

const configtest = (rules) => judge(`<Location "/private">
    AuthType ProConnect
${rules}
</Location>`);

const accepted = [
  'idp_id 9e139e69-de07-4cbe-987f-d12cb38c0368', 'acr >= eidas1-mfa', 'acr eidas2 eidas3', 'acr certification-dirigeant', 'amr mfa', 'amr pwd totp',
  'email_domain interieur.gouv.fr lyon.fr *.gouv.fr', 'email_domain mairie-épinal.fr', `email file:${list}`, `email a@b.fr file:${list}`, 'roles agent_public_etat agent_public_territorial',
  'siret 13002526500013', 'siret "130 025 265 00013"', 'siren 130025265', 'custom.structureTravail 59194', 'usual_name =~ "^DU"', 'organization_label "Ville de Lyon"', 'idp_acr eidas1',
  'chorusdt:matricule 12', 'belonging_population agent', 'sub 1', 'groups a b',
];
for (const rule of accepted) {
  test(`Require proconnect ${rule.replace(list, 'LIST')}`, async () => {
    const { code, stderr } = await configtest(`    Require proconnect ${rule}`);
    assert.deepEqual([code, stderr.trim()], [0, 'Syntax OK']);
  });
}

/** [what follows "Require proconnect", what the sentence says] */
const refused = [
  ['', /names no claim/], ['rolles agent_public', /'rolles'.*did you mean 'roles'\?/], ['mail a@b.fr', /'mail'.*did you mean 'email'\?/],
  ['Email a@b.fr', /'Email'.*did you mean 'email'\?/], ['domain lyon.fr', /'domain'/], ['custom 5', /custom\.structureTravail/], ['custom. 5', /custom\./],
  ['acr', /no value.*eidas1-mfa/], ['acr eidas4', /level 'eidas4'.*did you mean 'eidas\d'\?/], ['acr >= eidas', /level 'eidas'/], ['acr >=', /one level/], ['acr >= eidas1 eidas2', /one level/],
  ['acr >= certification-dirigeant', /no place in the order/], ['acr certification-dirigeants', /did you mean 'certification-dirigeant'\?/], ['acr =~ eidas', /no '=~'/], ['acr>=eidas1', /space before and after/],
  ['amr mfas', /method 'mfas'.*did you mean 'mfa'\?/], ['amr >= mfa', /'>=' with acr only/], ['amr =~ m', /no '=~'/],
  ['email_domain @lyon.fr', /a domain, for instance/], ['email_domain lyon..fr', /a domain/], ['email_domain *.', /a domain/], ['email_domain *', /a domain/], ['email_domain =~ lyon', /no '=~'/],
  ['email lyon.fr', /an address/], ['email a@b@c.fr', /an address/], ['email file:agents.txt', /whole path/], ['email file:', /whole path/],
  ['siret 130025265', /14 digits/], ['siret 1300252650001x', /14 digits/], ['siren 13002526500013', /9 digits/],
  ['roles == agent', /no operator '=='/], ['roles != agent', /Require not/], ['roles < agent', /no operator/], ['roles =~', /one regular expression/], ['roles =~ a b', /one regular expression/], ['roles =~ (', /regular expression that cannot be read/],
  ['roles', /no value/], ['roles ""', /.+/],
];
for (const [rule, says] of refused) {
  test(`refuses Require proconnect ${rule}`, async () => {
    const { code, stderr } = await configtest(`    Require valid-user\n    Require proconnect ${rule}`);
    assert.notEqual(code, 0, `accepted: ${stderr}`);
    assert.match(stderr, /Require proconnect/);
    assert.match(stderr, says);
    assert.ok(stderr.includes(`line 9 of ${apache.siteFile}`), `not its place: ${stderr}`);
  });
}

test('a rule inside <If>, <RequireAny> and <RequireNone> is read as strictly', async () => {
  for (const around of ['If "true"', 'RequireAny', 'RequireNone', 'Limit POST']) {
    const section = around.split(' ')[0];
    const { code, stderr } = await configtest(`    <RequireAll>\n    Require valid-user\n    </RequireAll>\n    <${around}>\n        Require proconnect rolles agent_public\n    </${section}>`);
    assert.notEqual(code, 0, `accepted in <${section}>`);
    assert.match(stderr, /did you mean 'roles'\?/, `${section}: ${stderr}`);
  }
});

test('a list that cannot be read is told at configtest, and keeps nothing from starting', async () => {
  const { code, stderr } = await configtest('    Require proconnect email file:/nowhere/agents.txt');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /PC6004 .*\/nowhere\/agents\.txt/);
});

test('nothing alarming is left in the logs', () => apache.close());
