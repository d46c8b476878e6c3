// ProConnectUnauthenticated silent: in without a click for those who are signed in at ProConnect, the login page for the others, and never a loop.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectMachineRefusal, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { request } from '../support/http.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'quiet-login', vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    <Location "/private">
        ProConnectUnauthenticated silent
        ProConnectConditions "Réservé aux agents."
    </Location>
    <Location "/private/again">
        ProConnectPrompt login
    </Location>
    ScriptAlias "/private/again" "${apache.htdocs}/private/variables.cgi"
    <Location "/ask">
        AuthType ProConnect
        Require valid-user
    </Location>
    ScriptAlias "/ask" "${apache.htdocs}/private/variables.cgi"` }] });
after(() => site.close());

const page = site.url('/private/variables.cgi?a=1');

function expectLoginPage(answer) {
  assert.equal(answer.status, 401, `${answer.status}\n${answer.text.slice(0, 400)}`);
  assert.match(answer.text, /<a class="proconnect" href="\/proconnect\/login/);
  assert.match(answer.text, /Réservé aux agents\./, 'not the page of the location itself');
  expectNothingProtected(answer);
}

test('the first visit asks ProConnect with prompt=none and marks the attempt with a cookie of one character', async () => {
  const answer = await site.browser().send(page);
  const parameters = expectLoginRedirect(site, answer);
  assert.equal(parameters.get('prompt'), 'none');
  const mark = answer.cookies.find((text) => text.startsWith('proconnect-silent='));
  assert.match(mark, /^proconnect-silent=1; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
});

test('without a session at ProConnect one lands on the login page of the page asked for, and a click logs in', async () => {
  const browser = site.browser();
  const answer = await browser.open(page);
  expectLoginPage(answer);
  assert.equal(answer.url, page, 'the address asked for is lost');
  assert.equal(answer.history.filter(({ url }) => url.includes('/authorize')).length, 1);
  const link = /<a class="proconnect" href="([^"]*)"/.exec(answer.text)[1].replaceAll('&amp;', '&');
  const inside = await browser.login(new URL(link, site.origin).href, 'agent-etat', { from: answer.url });
  expectProtected(inside);
  assert.equal(inside.url, page);
});

test('a reload, another tab and another page ask nothing more of ProConnect', async () => {
  const browser = site.browser();
  expectLoginPage(await browser.open(page));
  const before = (await site.standin.get('requests?endpoint=authorize')).length;
  for (let time = 0; time < 10; time += 1) expectLoginPage(await browser.send(site.url(`/private/?${time}`)));
  assert.equal((await site.standin.get('requests?endpoint=authorize')).length, before);
});

test('whoever has a session at ProConnect gets in without a click', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/ask')));
  browser.persona = undefined;  // nobody answers any question from here on
  browser.jar.take('proconnect=; Max-Age=0', new URL(site.origin));
  const answer = await browser.open(page);
  expectProtected(answer);
  assert.equal(answer.url, page);
  assert.equal(new URL(answer.history.find(({ url }) => url.includes('/authorize?')).url).searchParams.get('prompt'), 'none');
});

test('any other error of a silent attempt lands on the page too', async () => {
  for (const error of ['interaction_required', 'consent_required', 'account_selection_required', 'access_denied', 'server_error', 'temporarily_unavailable', 'invalid_scope', 'x']) {
    const browser = site.browser();
    const sent = await browser.send(page);
    const state = new URL(sent.headers.location).searchParams.get('state');
    const answer = await browser.open(`${site.url('/proconnect/callback')}?${new URLSearchParams({ error, state, iss: site.standin.issuer })}`);
    expectLoginPage(answer);
    assert.equal(answer.url, page, error);
  }
});

test('a browser that drops the mark gets the page at once instead of another attempt', async () => {
  const browser = site.browser();
  const sent = await browser.send(page);
  const login = sent.cookies.find((text) => text.startsWith('proconnect-login=')).split(';')[0];
  const state = new URL(sent.headers.location).searchParams.get('state');
  const answer = await request(`${site.url('/proconnect/callback')}?${new URLSearchParams({ error: 'login_required', state, iss: site.standin.issuer })}`, { headers: { accept: 'text/html', cookie: login } });
  assert.equal(answer.status, 401);
  assert.match(answer.text, /<a class="proconnect" href="\/proconnect\/login\?return=%2Fprivate%2Fvariables\.cgi%3Fa%3D1"/);
});

test('without any cookie there is no loop', async () => {
  let address = page;
  let hops = 0;
  for (; address && hops < 12; hops += 1) {
    const answer = await request(address, { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } });
    address = answer.headers.location && new URL(answer.headers.location, address).href;
    if (!address) assert.match(answer.text, /<h1>/);
  }
  assert.ok(hops < 12, 'goes round in circles');
});

test('crawlers, which do not announce a navigation, get the page and no attempt', async () => {
  for (const headers of [{ accept: 'text/html', 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' }, { accept: 'text/html', 'sec-fetch-mode': 'navigate' }]) {
    const answer = await request(page, { headers });
    expectLoginPage(answer);
    assert.deepEqual(answer.cookies, []);
  }
});

test('programs, frames and prefetches get 401 and no attempt', async () => {
  for (const headers of [{ accept: 'application/json' }, { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' }]) {
    expectMachineRefusal(await request(page, { headers }));
  }
});

test('where ProConnect is to ask again there is nothing to try in silence', async () => {
  const answer = await site.browser().send(site.url('/private/again'));
  expectLoginPage(answer);
});

test('who has signed out here alone is not in again at the next page, though ProConnect still knows him', async () => {
  for (const expired of [false, true]) {
    const browser = site.browser('agent-etat');
    expectProtected(await browser.login(site.url('/ask')));
    if (expired) browser.jar.delete('proconnect');
    const before = (await site.standin.get('requests?endpoint=authorize')).length;
    const out = await browser.send(site.url('/proconnect/logout?local&return=/private/variables.cgi'), { from: page });
    assert.equal(out.status, 303);
    expectLoginPage(await browser.open(new URL(out.headers.location, site.origin).href));
    assert.equal((await site.standin.get('requests?endpoint=authorize')).length, before);
    assert.match(out.cookies.find((text) => text.startsWith('proconnect-silent=')), /^proconnect-silent=1; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
  }
});

test('the application does not see the mark', async () => {
  const browser = site.browser('agent-etat');
  await browser.open(page, { until: (target) => target.includes('/authorize') });
  const inside = await browser.login(site.url('/ask'));
  expectProtected(inside);
  assert.doesNotMatch(inside.text, /proconnect-silent/);
});

test('nothing alarming is left in the logs', () => site.close());
