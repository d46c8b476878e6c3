// Two virtual hosts with a client each: a session of one is nothing at the other. And sites with their own prefix and cookie name.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'vhosts', vhosts: [
  { client: { alg: 'ES256' } },
  { client: { alg: 'RS256' } },
  { client: { alg: 'ES256' }, prefix: '/agents/connexion', config: 'ProConnectPrefix /agents/connexion\n    ProConnectCookieName intranet' },
] });
after(() => site.close());
const [first, second, third] = site.vhosts;

test('the session of one virtual host is not valid at the other', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(first.url('/private/')));
  const answer = await browser.send(second.url('/private/'));
  assert.equal(answer.status, 302);
  assert.equal(new URL(answer.headers.location).searchParams.get('client_id'), second.client.client_id);
});

test('a state made for one client does not open for the other', async () => {
  const browser = site.browser();
  const callback = await browser.callbackAddress(first.url('/private/'), 'agent-etat');
  const answer = await browser.send(callback.replace(first.origin, second.origin));
  assert.notEqual(answer.status, 200);
  assert.equal(browser.jar.get(second.url('/'), 'proconnect'), undefined);
});

test('each of them serves its own users, from two browsers at once', async () => {
  const [one, two] = [site.browser('agent-etat'), site.browser('agent-territorial')];
  const [a, b] = await Promise.all([one.login(first.url('/private/variables.cgi')), two.login(second.url('/private/variables.cgi'))]);
  assert.equal(variablesOf(a).PROCONNECT_USUAL_NAME, 'DUPONT');
  assert.equal(variablesOf(b).PROCONNECT_USUAL_NAME, 'MARTIN');
});

test('the prefix and the name of the cookie are the administrator’s to choose', async () => {
  const browser = site.browser('agent-etat');
  const page = await browser.login(third.url('/private/'));
  expectProtected(page);
  assert.ok(page.history.some(({ url }) => url.startsWith(third.url('/agents/connexion/callback?'))));
  assert.ok(browser.jar.get(third.url('/'), 'intranet'));
  const elsewhere = await browser.send(third.url('/proconnect/callback'));
  assert.equal(elsewhere.status, 404);
  const out = await browser.open(third.url('/agents/connexion/logout'), { from: third.url('/private/') });
  assert.equal(new URL(out.url).pathname, '/agents/connexion/logged-out');
});

test('a virtual host without ProConnect is left alone', async () => {
  const plain = await startSite({ label: 'vhosts-plain', standin: site.standin, vhosts: [{ client: { alg: 'ES256' } }], extraPorts: 1,
    config: ({ apache }) => `<VirtualHost 127.0.0.1:${apache.ports[1]}>\n    ServerName plain\n</VirtualHost>` });
  try {
    const answer = await plain.browser().send(`http://127.0.0.1:${plain.apache.ports[1]}/proconnect/callback`);
    assert.equal(answer.status, 404);
    assert.doesNotMatch(answer.text, /PC\d{4}/);
    expectLoginRedirect(plain, await plain.browser().send(plain.url('/private/')));
  } finally {
    await plain.close();
  }
});

test('nothing alarming is left in the logs', () => site.close());
