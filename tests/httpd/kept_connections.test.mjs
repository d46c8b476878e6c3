// Many requests through one connection: what it remembers of a session holds for that cookie, and as long as the store has that session.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const places = {
  state: 'Require proconnect roles agent_public_etat',
  lyon: 'Require proconnect email_domain lyon.fr',
  'not-state': '<RequireAll>\nRequire valid-user\nRequire not proconnect roles agent_public_etat\n</RequireAll>',
  'not-lyon': '<RequireAll>\nRequire valid-user\nRequire not proconnect email_domain lyon.fr\n</RequireAll>',
  certificate: 'Require proconnect amr mfa',
};
const site = await startSite({ label: 'kept-connections', start: false, config: 'MaxKeepAliveRequests 0\nKeepAliveTimeout 60', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
${Object.entries(places).map(([name, rules]) => `<Location "/private/${name}">\n${rules}\n</Location>\nAlias "/private/${name}" "${apache.htdocs}/private/notice.txt"`).join('\n')}
    <Location "/private/listed">
        Require proconnect email file:${apache.path('conf/agents.txt')}
    </Location>
    Alias "/private/listed" "${apache.htdocs}/private/notice.txt"
    <Location "/private/brief">
        ProConnectExtendSession off
    </Location>
    Alias "/private/brief" "${apache.htdocs}/private/notice.txt"
    <Directory "${apache.htdocs}/by-htaccess">
        AllowOverride AuthConfig
    </Directory>` }] });
const connections = [];
after(() => {
  for (const agent of connections) agent.destroy();
  return site.close();
});
await site.apache.writeFile('conf/agents.txt', 'camille.dupont@interieur.gouv.fr\n');
await site.apache.writeFile('htdocs/by-htaccess/index.html', 'CONTENU-RESERVE-AUX-AGENTS\n');
await site.apache.start();
const page = site.url('/private/');
const variables = site.url('/private/variables.cgi');

/** One connection to each server, kept. */
function connection() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  connections.push(agent);
  return agent;
}

/** Somebody who has logged in and whose connection has seen the session often enough to remember it. */
async function settled(persona, agent = connection()) {
  const browser = site.browser(persona, { agent });
  expectProtected(await browser.login(page));
  for (let turn = 0; turn < 3; turn += 1) expectProtected(await browser.send(page));
  return browser;
}

async function sendOnSame(browser, address, options) {
  const answer = await browser.send(address, options);
  assert.ok(answer.onOldConnection, 'a new connection: this shows nothing');
  return answer;
}

/** What the session makes, without what each request has of its own. */
function ofSession(answer) {
  return Object.fromEntries(Object.entries(variablesOf(answer)).filter(([name]) => /^(PROCONNECT_|REMOTE_USER$|AUTH_TYPE$)/.test(name)));
}

test('all requests of a connection get the same variables, and those that a connection of its own gets', async () => {
  const browser = await settled('accents');
  const seen = [];
  for (let turn = 0; turn < 5; turn += 1) seen.push(ofSession(await sendOnSame(browser, variables)));
  browser.agent = undefined;
  const alone = ofSession(await browser.send(variables));
  assert.ok(Object.keys(alone).length > 10 && alone.PROCONNECT_CLAIMS.length > 50);
  for (const one of seen) assert.deepEqual(one, alone);
});

test('the cookie is asked for each time: none, a damaged one and another key get nobody in', async () => {
  const browser = await settled('agent-etat');
  const cookie = browser.jar.get(page, 'proconnect').value;
  for (const value of [undefined, '', `${cookie}A`, cookie.slice(0, -1), cookie.slice(0, 43) + 'A'.repeat(43), 'A'.repeat(43) + cookie.slice(43)]) {
    const answer = await sendOnSame(browser, page, { headers: { cookie: value === undefined ? 'other=1' : `proconnect=${value}` } });
    expectLoginRedirect(site, answer);
  }
  expectProtected(await sendOnSame(browser, page));
});

test('a session that ends elsewhere is over here with the next request', async () => {
  const browser = await settled('agent-etat');
  const elsewhere = site.browser('agent-etat');
  elsewhere.jar = browser.jar;
  expectProtected(await elsewhere.send(page));
  const cookie = `proconnect=${browser.jar.get(page, 'proconnect').value}`;
  assert.ok((await elsewhere.send(site.url('/proconnect/logout'), { from: page })).status < 400);
  const answer = await sendOnSame(browser, page, { headers: { cookie } });
  expectNothingProtected(answer);
  expectLoginRedirect(site, answer);
});

test('many people through one connection, as a proxy in front sends them: each is who the cookie says', async () => {
  const agent = connection();
  const people = { 'agent-etat': 'DUPONT', 'agent-territorial': 'MARTIN' };
  const browsers = {};
  for (const persona of Object.keys(people)) browsers[persona] = await settled(persona, agent);
  for (const persona of ['agent-etat', 'agent-territorial', 'agent-etat', 'agent-etat', 'agent-territorial', 'agent-territorial', 'agent-etat']) {
    assert.equal(variablesOf(await sendOnSame(browsers[persona], variables)).PROCONNECT_USUAL_NAME, people[persona]);
  }
  const wrong = { state: ['agent-territorial', 'agent-etat'], lyon: ['agent-etat', 'agent-territorial'] };
  for (let turn = 0; turn < 3; turn += 1) {
    for (const [place, [outside, inside]] of Object.entries(wrong)) {
      expectProtected(await sendOnSame(browsers[inside], site.url(`/private/${place}`)));
      assert.equal((await sendOnSame(browsers[outside], site.url(`/private/${place}`))).status, 403);
    }
  }
});

test('rules are kept apart, negated ones too, in whatever order they are met', async () => {
  const browser = await settled('agent-etat');
  const statuses = { state: 200, lyon: 403, 'not-state': 403, 'not-lyon': 200 };
  for (let turn = 0; turn < 3; turn += 1) {
    for (const [place, status] of Object.entries(statuses)) {
      assert.equal((await sendOnSame(browser, site.url(`/private/${place}`))).status, status, `${place}, turn ${turn}`);
    }
  }
});

test('a list that changes counts at once for a connection that was let in by it', async () => {
  const browser = await settled('agent-etat');
  for (let turn = 0; turn < 3; turn += 1) expectProtected(await sendOnSame(browser, site.url('/private/listed')));
  await site.apache.writeFile('conf/agents.txt', 'somebody.else@interieur.gouv.fr\n');
  await sleep(2500);
  assert.equal((await sendOnSame(browser, site.url('/private/listed'))).status, 403);
});

test('an .htaccess that changes counts at once', async () => {
  const browser = await settled('agent-etat');
  const place = site.url('/by-htaccess/');
  // Several in turn: each is read into memory that the one before has just left.
  for (let turn = 0; turn < 4; turn += 1) {
    await site.apache.writeFile('htdocs/by-htaccess/.htaccess', 'AuthType ProConnect\nRequire proconnect siret 13002526500013\n');
    expectProtected(await sendOnSame(browser, place));
    await site.apache.writeFile('htdocs/by-htaccess/.htaccess', 'AuthType ProConnect\nRequire proconnect siret 13002526500999\n');
    assert.equal((await sendOnSame(browser, place)).status, 403, `turn ${turn}`);
  }
});

test('a step-up on the connection replaces the session there too', async () => {
  const browser = await settled('agent-etat');
  const before = variablesOf(await sendOnSame(browser, variables));
  const after_ = await browser.open(site.url('/private/certificate'));
  expectProtected(after_);
  const now = variablesOf(await sendOnSame(browser, variables));
  assert.equal(now.PROCONNECT_SUB, before.PROCONNECT_SUB);
  assert.match(now.PROCONNECT_AMR, /mfa/);
});
