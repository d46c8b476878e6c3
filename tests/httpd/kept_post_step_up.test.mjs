// A form whose session does not reach the level its page asks for is not lost either: it waits for the step-up, and for a page that says why it was not sent.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const places = {
  mfa: 'Require proconnect acr >= eidas1-mfa',
  exactly1: 'Require proconnect acr eidas1',
  card: 'Require proconnect amr hwk',
  state: 'Require proconnect roles agent_public_etat',
  'with-role': '<RequireAll>\nRequire proconnect acr >= eidas1-mfa\nRequire proconnect roles agent_public_etat\n</RequireAll>\nProConnectRefusal "Adressez-vous au <guichet>."',
  off: 'Require proconnect acr >= eidas1-mfa\nProConnectKeepPost off',
};
const site = await startSite({ label: 'kept-step-up', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `ProConnectAuditLog "${apache.path('logs/audit.json')}"\n${Object.entries(places)
  .map(([name, rules]) => `<Location "/private/${name}">\n${rules}\n</Location>\nScriptAlias "/private/${name}" "${apache.htdocs}/private/form.cgi"`).join('\n')}` }] });
after(() => site.close());
await site.apache.writeFile('htdocs/private/form.cgi', `#!/bin/sh
body=$(cat)
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s %s\\n%s' "$REQUEST_METHOD" "$REQUEST_URI" "$PROCONNECT_ACR" "$body"
`, 0o755);

const page = site.url('/private/echo');
const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (browser, place, body = 'a=1', options = {}) => browser.send(site.url(`/private/${place}`), { method: 'POST', from: page, headers: urlencoded, body, ...options });

async function loggedIn(persona = 'agent-etat') {
  const browser = site.browser(persona);
  variablesOf(await browser.login(page));
  return browser;
}

/** Whereto the answer to a form leads, whatever login it takes. */
async function follow(browser, answer) {
  assert.equal(answer.status, 303, answer.text.slice(0, 500));
  return browser.open(new URL(answer.headers.location, site.origin).href);
}

function expectQuestion(answer, place) {
  assert.equal(answer.status, 200, answer.text.slice(0, 900));
  assert.match(answer.text, /<h1>Envoyer votre formulaire/);
  assert.ok(answer.text.includes(`/private/${place}`));
  return answer;
}

const click = (browser, asked) => browser.send(site.url(/<form method="post" action="([^"]*)"/.exec(asked.text)[1].replaceAll('&amp;', '&')), { method: 'POST', from: asked.url, body: '' });

test('a form whose page asks for a higher level is sent after the step-up, by the same user, with one click', async () => {
  const browser = await loggedIn();
  const asked = expectQuestion(await follow(browser, await post(browser, 'mfa?x=1', 'nom=Zo%C3%A9')), 'mfa');
  const steps = asked.history.filter(({ headers }) => (headers.location ?? '').includes('/authorize?')).map(({ headers }) => new URL(headers.location).searchParams);
  assert.equal(steps.length, 1);
  assert.deepEqual(JSON.parse(steps[0].get('claims')).id_token.acr, { essential: true, values: ['eidas1-mfa', 'eidas2', 'eidas3'] });
  assert.equal((await click(browser, asked)).text, 'POST /private/mfa?x=1 eidas3\nnom=Zo%C3%A9');
  expectErrorPage(site, await click(browser, asked), { status: 404, code: 'PC1031' });
});

test('the step-up is an event of the audit log, with the rule that asked for it', async () => {
  const browser = await loggedIn();
  await follow(browser, await post(browser, 'mfa'));
  const events = readFileSync(site.apache.path('logs/audit.json'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const [stepUp, login] = events.slice(-2);
  assert.equal(stepUp.event, 'step-up');
  assert.equal(stepUp.condition, 'Require proconnect acr >= eidas1-mfa');
  assert.deepEqual(stepUp.asked_acr, ['eidas1-mfa', 'eidas2', 'eidas3']);
  assert.equal(login.step_up, true);
});

test('who cannot reach the level is told by ProConnect and then here, goes round no circle, and the form waits', async () => {
  const browser = await loggedIn('acr-eidas1');
  const told = await follow(browser, await post(browser, 'mfa'));
  expectErrorPage(site, told, { status: 403, code: 'PC2048' });
  const retry = /class="button" href="([^"]*)"/.exec(told.text)[1].replaceAll('&amp;', '&');
  assert.match(decodeURIComponent(retry), /return=\/proconnect\/form\?id=/);
  browser.persona = 'agent-etat';
  expectErrorPage(site, await browser.open(site.url(`/proconnect/login?switch&${retry.split('?')[1]}`), { from: page }), { status: 403, code: 'PC1030' });
});

test('a session that falls short even after the step-up gets the page that says the form was not sent', async () => {
  const browser = await loggedIn('amr-pwd');
  const refused = await follow(browser, await post(browser, 'card'));
  expectErrorPage(site, refused, { status: 403, code: 'PC1033' });
  assert.match(refused.text, /n’a pas été envoyé/);
  assert.match(refused.text, /\/private\/card/);
  assert.match(refused.text, /moyen de connexion/);
  assert.equal(refused.history.filter(({ headers }) => (headers.location ?? '').includes('/authorize?')).length, 1);
});

test('where a level is not all that is missing the page says so in the words of the place, without a login', async () => {
  const browser = await loggedIn('agent-territorial');
  const refused = await follow(browser, await post(browser, 'with-role'));
  expectErrorPage(site, refused, { status: 403, code: 'PC1033' });
  assert.ok(refused.text.includes('Adressez-vous au &lt;guichet&gt;.'));
  assert.equal(refused.history.filter(({ headers }) => (headers.location ?? '').includes('/authorize?')).length, 0);
  const english = await browser.send(refused.url, { headers: { 'accept-language': 'en' } });
  expectErrorPage(site, english, { status: 403, code: 'PC1033', language: 'en' });
});

test('a form whose session expired is refused before the click where its user may not enter, and is not gone', async () => {
  const browser = await loggedIn('agent-territorial');
  browser.jar.set(page, 'proconnect', Buffer.alloc(64, 5).toString('base64url'));
  const refused = await follow(browser, await post(browser, 'state'));
  expectErrorPage(site, refused, { status: 403, code: 'PC1033' });
  expectErrorPage(site, await browser.send(refused.url), { status: 403, code: 'PC1033' });
});

test('a form that is handed over when the level is gone again is kept again', async () => {
  const browser = await loggedIn();
  const asked = expectQuestion(await follow(browser, await post(browser, 'mfa', 'twice=1')), 'mfa');
  assert.match((await browser.open(site.url('/private/exactly1'))).text, /eidas1$/m);
  const again = await click(browser, asked);
  const second = expectQuestion(await follow(browser, again), 'mfa');
  assert.equal((await click(browser, second)).text, 'POST /private/mfa eidas3\ntwice=1');
});

test('a form handed over after an expired session carries a page’s own level through the login', async () => {
  const browser = await loggedIn();
  browser.jar.set(page, 'proconnect', Buffer.alloc(64, 5).toString('base64url'));
  const answer = await post(browser, 'mfa');
  assert.deepEqual(JSON.parse(new URL(answer.headers.location).searchParams.get('claims')).id_token.acr.values, ['eidas1-mfa', 'eidas2', 'eidas3']);
  const asked = expectQuestion(await follow(browser, answer), 'mfa');
  assert.equal((await click(browser, asked)).text, 'POST /private/mfa eidas3\na=1');
});

test('nothing is kept for other sites or programs, which are refused as before, nor where it is off: the page says that the form was not sent', async () => {
  const browser = await loggedIn();
  for (const headers of [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': [], origin: 'null' }]) {
    const cookie = browser.jar.header(new URL(page));
    expectErrorPage(site, await post(browser, 'mfa', 'a=1', { headers: { ...urlencoded, ...headers, cookie } }), { status: 403, code: 'PC6003' });
  }
  expectErrorPage(site, await post(browser, 'off'), { status: 403, code: 'PC1034' });
  assert.equal((await browser.fetch(site.url('/private/mfa'), { method: 'POST', from: page, headers: { 'content-type': 'application/json' }, body: '{}' })).status, 403);
});

test('nothing is kept for a browser whose login cookie is not the one its login left', async () => {
  const browser = await loggedIn();
  const own = browser.jar.get(page, 'proconnect-login').value;
  const [binding, ...mark] = own.split('~');
  for (const made_up of [Buffer.alloc(32, 7).toString('base64url'), `${Buffer.alloc(32, 7).toString('base64url')}~${mark.join('~')}`, binding, '']) {
    browser.jar.set(page, 'proconnect-login', made_up);
    expectErrorPage(site, await post(browser, 'mfa'), { status: 403, code: 'PC1034' });
  }
  browser.jar.set(page, 'proconnect-login', own);
  expectQuestion(await follow(browser, await post(browser, 'mfa')), 'mfa');
});

test('a form too large for it is told so', async () => {
  const browser = await loggedIn();
  const refused = await post(browser, 'mfa', 'x'.repeat(65 * 1024));
  expectErrorPage(site, refused, { status: 400, code: 'PC1032' });
  assert.doesNotMatch(refused.text, /session avait expiré/);
});

test('a form that its session may send goes straight through', async () => {
  const browser = await loggedIn();
  expectProtected(await browser.send(page, { method: 'POST', from: page, headers: urlencoded, body: 'a=1' }));
  await browser.open(site.url('/private/mfa'));
  assert.equal((await post(browser, 'mfa', 'b=2')).text, 'POST /private/mfa eidas3\nb=2');
  expectLoginRedirect(site, await site.browser().send(page));
});

test('nothing alarming is left in the logs', () => site.close());
