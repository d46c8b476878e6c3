// A session cookie that is not exactly one of ours is no session: the user logs in, nothing else happens.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectNothingProtected, expectProtected, sessionCookie } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'session-cookie', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const browser = site.browser('agent-etat');
expectProtected(await browser.login(site.url('/private/')));
const good = sessionCookie(browser, site.origin).value;
const binding = browser.jar.get(site.url('/'), 'proconnect-login')?.value ?? 'x';

const flipped = (at) => good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
const cases = {
  'one character of the id changed': `proconnect=${flipped(3)}`,
  'one character of the key changed': `proconnect=${flipped(60)}`,
  'the last character changed to another with the same bits in use': `proconnect=${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
  truncated: `proconnect=${good.slice(0, -1)}`,
  'one character longer': `proconnect=${good}A`,
  'twice the length': `proconnect=${good}${good}`,
  empty: 'proconnect=',
  'without a value': 'proconnect',
  'of 4000 characters': `proconnect=${'A'.repeat(4000)}`,
  'in quotes': `proconnect="${good}"`,
  'with padding': `proconnect=${good}==`,
  'in ordinary base64': `proconnect=${Buffer.from(good, 'base64url').toString('base64')}+/`,
  'with a percent escape': `proconnect=%41${good.slice(1)}`,
  'with spaces inside': `proconnect=${good.slice(0, 40)} ${good.slice(41)}`,
  'with bytes over 127': `proconnect=${'é'.repeat(43)}`,
  'under another case': `ProConnect=${good}`,
  'under the https name': `__Host-proconnect=${good}`,
  'as the binding cookie': `proconnect-login=${good}`,
  'with the binding in its place': `proconnect=${binding}`,
  'of the id alone': `proconnect=${good.slice(0, 43)}`,
};

for (const [name, cookie] of Object.entries(cases)) {
  test(`a cookie ${name} is treated as absent`, async () => {
    expectLoginRedirect(site, await site.browser().send(site.url('/private/'), { headers: { cookie: Buffer.from(cookie, 'utf8').toString('latin1') } }));
  });
}

test('a repeated cookie is no session, in whatever order', async () => {
  for (const cookie of [`proconnect=${good}; proconnect=${'A'.repeat(86)}`, `proconnect=${'A'.repeat(86)}; proconnect=${good}`]) {
    const answer = await site.browser().send(site.url('/private/'), { headers: { cookie } });
    expectNothingProtected(answer);
    assert.equal(answer.status, 302);
  }
});

test('the good cookie among others still works', async () => {
  expectProtected(await site.browser().send(site.url('/private/'), { headers: { cookie: `a=b; xproconnect=1; proconnect=${good};c=d; proconnectx=2` } }));
  expectProtected(await site.browser().send(site.url('/private/'), { headers: { cookie: `${'long='.concat('x'.repeat(3000))}; proconnect=${good}` } }));
});

for (const [name, bytes] of [['NUL', '\0'], ['a control character', '\x01'], ['a tab', '\t'], ['delete', '\x7f']]) {
  test(`a cookie with ${name} inside is refused or treated as absent`, async () => {
    const text = await sendRaw(site.vhosts[0].port, `GET /private/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nCookie: proconnect=${good.slice(0, 20)}${bytes}${good.slice(21)}\r\nConnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 (302|400)/);
    assert.doesNotMatch(text, /CONTENU/);
  });
}

test('all of them leave the good session alive', async () => {
  expectProtected(await browser.send(site.url('/private/')));
});

test('a forged cookie costs the server nothing that it would log as an error', () => {
  assert.deepEqual(site.apache.logged(/\[auth_proconnect:(error|crit|alert|emerg)\]/), []);
});

test('nothing alarming is left in the logs', () => site.close());
