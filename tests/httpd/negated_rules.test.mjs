// `Require not proconnect …`: whoever it excludes stays out, wherever it stands and whatever else is asked on the way.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { protectedText, startSite } from '../support/site.mjs';

const notFromLyon = '<RequireAll>\nRequire all granted\nRequire not proconnect siret 21690123100011\n</RequireAll>';
const site = await startSite({ label: 'negated-rules', extraPorts: 1, start: false,
  config: ({ apache }) => `<VirtualHost 127.0.0.1:${apache.ports[1]}>\n    ServerName plain\n</VirtualHost>
<Directory "${apache.htdocs}/shared">\n    AllowOverride AuthConfig\n</Directory>`,
  vhosts: [{ client: { alg: 'ES256' }, config: `
    <Location "/typed">
        AuthType ProConnect
        ${notFromLyon}
    </Location>
    <Location "/untyped">
        ${notFromLyon}
    </Location>
    <Location "/looks-elsewhere">
        AuthType ProConnect
        <RequireAll>
            Require all granted
            Require not proconnect siret 21690123100011
            Require expr "-U '/private/notice.txt' || true"
        </RequireAll>
    </Location>` }] });
after(() => site.close());
for (const place of ['typed', 'untyped', 'looks-elsewhere', 'shared', 'positive']) await site.apache.writeFile(`htdocs/${place}/n.txt`, `${protectedText}\n`);
await site.apache.writeFile('htdocs/shared/.htaccess', `AuthType ProConnect\n${notFromLyon}\n`);
await site.apache.start();
const plain = (path) => `http://127.0.0.1:${site.apache.ports[1]}${path}`;

/** Browsers of the excluded and of somebody else, signed in. */
const [excluded, welcome] = [site.browser('agent-territorial'), site.browser('agent-etat')];
for (const browser of [excluded, welcome]) expectProtected(await browser.login(site.url('/private/')));

for (const place of ['/typed/n.txt', '/shared/n.txt', '/looks-elsewhere/n.txt']) {
  test(`${place}: nobody logs in first, the excluded is refused, anybody else is let in`, async () => {
    expectLoginRedirect(site, await site.browser().send(site.url(place)));
    expectErrorPage(site, await excluded.send(site.url(place)), { status: 403, code: 'PC6002' });
    expectProtected(await welcome.send(site.url(place)));
  });
}

test('without AuthType ProConnect the rule cannot be asked: nobody at all gets in, and the log says why', async () => {
  for (const browser of [site.browser(), excluded, welcome]) {
    const answer = await browser.send(site.url('/untyped/n.txt'));
    expectNothingProtected(answer);
    assert.equal(answer.status, 500);
  }
  assert.ok(site.apache.logged(/PC5001.*AuthType ProConnect/).length >= 3);
});

test('a virtual host without ProConnect lets nobody in by such a rule, nor by any other', async () => {
  for (const rules of [notFromLyon, 'Require proconnect roles agent_public_etat', 'Require valid-user',
    '<RequireAny>\nRequire not proconnect siret 21690123100011\nRequire proconnect roles agent_public_etat\n</RequireAny>'.replace('Require not', 'Require')]) {
    await site.apache.writeFile('htdocs/shared/.htaccess', `AuthType ProConnect\n${rules}\n`);
    const answer = await site.browser().send(plain('/shared/n.txt'));
    expectNothingProtected(answer);
    assert.equal(answer.status, 500, rules);
  }
  assert.ok(site.apache.logged(/PC5001.*no ProConnectPlatform applies/).length >= 3);
});
