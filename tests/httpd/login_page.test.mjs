// The login page: shown where the administrator asks for it, with all he has to say, and one click away from ProConnect.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectMachineRefusal, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const image = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const site = await startSite({ label: 'login-page', start: false, vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    ProConnectServiceName "Congés & <absences>"
    ProConnectSupport aide@example.gouv.fr
    ProConnectNotice "${apache.path('conf/notice.txt')}"
    ProConnectAlternative /autre?a=1&b=2 "Je n’ai pas ProConnect"
    <Location "/private">
        ProConnectUnauthenticated page
    </Location>
    <Location "/private/agents">
        ProConnectConditions "Réservé aux agents <du> ministère."
    </Location>
    <Location "/private/denied">
        ProConnectUnauthenticated deny
    </Location>
    <LocationMatch "^/open/index\.html$">
        AuthType ProConnect
        Require valid-user
        ProConnectUnauthenticated page
    </LocationMatch>
    <Location "/private/strong">
        Require proconnect acr >= eidas1-mfa
        ProConnectIdpHint 9e139e69-de07-4cbe-987f-d12cb38c0368
        ProConnectLoginHint expr=%{unescape:agent@lyon.fr}
    </Location>
    <Location "/private/strong/denied">
        ProConnectUnauthenticated deny
        ProConnectPrompt login
    </Location>
    <Location "/private/straight">
        Require proconnect acr eidas1
        ProConnectUnauthenticated login
    </Location>
    Alias "/strong-index" "${apache.htdocs}/strong-index"
    <LocationMatch "^/strong-index/index\.html$">
        AuthType ProConnect
        Require proconnect acr >= eidas2
        ProConnectUnauthenticated page
    </LocationMatch>
    ScriptAlias "/private/strong" "${apache.htdocs}/private/variables.cgi"
    ScriptAlias "/private/straight" "${apache.htdocs}/private/variables.cgi"
    Alias "/open" "${apache.htdocs}/private"
    ScriptAlias "/private/agents" "${apache.htdocs}/private/variables.cgi"
    ScriptAlias "/private/denied" "${apache.htdocs}/private/variables.cgi"` },
{ client: { alg: 'ES256' }, config: ({ apache }) => `
    ProConnectUnauthenticated page
    ProConnectButtonImage "${apache.path('conf/button.png')}"` }] });
await writeFile(site.apache.path('conf/button.png'), image);
await site.apache.writeFile('htdocs/strong-index/index.html', '<p>CONTENU-RESERVE-AUX-AGENTS\n');
await site.apache.start();
after(() => site.close());

const notice = site.apache.path('conf/notice.txt');
const linkOf = (answer) => /<a class="(?:proconnect|image)" href="([^"]*)"/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&');

function expectLoginPage(answer) {
  assert.equal(answer.status, 401, answer.text.slice(0, 400));
  assert.ok(answer.headers['www-authenticate']);
  assert.match(answer.headers['content-type'], /^text\/html/);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.match(answer.headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[^']+'; (img-src data:; )?base-uri 'none'; frame-ancestors 'none'$/);
  assert.equal(answer.headers['x-frame-options'], 'DENY');
  assert.equal(answer.headers['referrer-policy'], 'no-referrer');
  assert.deepEqual(answer.cookies, [], 'nothing is begun before the click');
  expectNothingProtected(answer);
  assert.ok(linkOf(answer), 'no ProConnect button');
}

test('page shows the button, and one click leads to ProConnect and back to the page asked for', async () => {
  const browser = site.browser('agent-etat');
  const answer = await browser.send(site.url('/private/variables.cgi?a=1&b=%C3%A9'));
  expectLoginPage(answer);
  assert.match(answer.text, /S’identifier avec <\/span><strong>ProConnect/);
  assert.match(answer.text, /href="https:\/\/www\.proconnect\.gouv\.fr\/" target="_blank" rel="noopener noreferrer" title="Qu’est-ce que ProConnect \? – nouvelle fenêtre"/);
  const page = await browser.login(new URL(linkOf(answer), site.origin).href, undefined, { from: answer.url });
  expectProtected(page);
  assert.equal(page.url, site.url('/private/variables.cgi?a=1&b=%C3%A9'));
});

test('ProConnect hears nothing before the click', async () => {
  const before = (await site.standin.get('requests?endpoint=authorize')).length;
  for (let time = 0; time < 5; time += 1) expectLoginPage(await site.browser().send(site.url('/private/')));
  assert.equal((await site.standin.get('requests?endpoint=authorize')).length, before);
});

test('it is in English for those who prefer it', async () => {
  const answer = await site.browser(undefined, { language: 'en' }).send(site.url('/private/'));
  expectLoginPage(answer);
  assert.match(answer.text, /<html lang="en">/);
  assert.match(answer.text, /Sign in with <\/span><strong>ProConnect/);
});

test('it names the service, the support, the conditions of the location and another way in, all escaped', async () => {
  const answer = await site.browser().send(site.url('/private/agents'));
  expectLoginPage(answer);
  for (const text of ['Congés &amp; &lt;absences&gt;', 'mailto:aide@example.gouv.fr', 'Réservé aux agents &lt;du&gt; ministère.', '<a href="/autre?a=1&amp;b=2">Je n’ai pas ProConnect</a>']) assert.ok(answer.text.includes(text), text);
  assert.doesNotMatch((await site.browser().send(site.url('/private/'))).text, /Réservé aux agents/);
});

test('the notice is read anew each time; without its file there is none', async () => {
  const shown = async () => (await site.browser().send(site.url('/private/'))).text;
  assert.doesNotMatch(await shown(), /class="notice"/);
  await writeFile(notice, 'Maintenance ce soir <18 h>.\n\nMerci.\n');
  assert.match(await shown(), /<div class="notice"><p>Maintenance ce soir &lt;18 h&gt;\.<\/p>\n<p>Merci\.<\/p>/);
  await writeFile(notice, 'Demain.');
  assert.match(await shown(), /Demain\./);
  await rm(notice);
  assert.doesNotMatch(await shown(), /class="notice"/);
});

for (const [what, content] of [['too large', 'x'.repeat(4097)], ['not UTF-8', Buffer.from([0x41, 0xff])]]) {
  test(`a notice that is ${what} is left out, and the log says why`, async () => {
    await writeFile(notice, content);
    const answer = await site.browser().send(site.url('/private/'));
    await rm(notice);
    expectLoginPage(answer);
    assert.doesNotMatch(answer.text, /class="notice"/);
    assert.ok(site.apache.logged(/ProConnectNotice: left out/).length > 0);
  });
}

test('the administrator’s image takes the place of the drawn button', async () => {
  const answer = await site.browser().send(site.vhosts[1].url('/private/'));
  expectLoginPage(answer);
  assert.ok(answer.text.includes(`<img src="data:image/png;base64,${image.toString('base64')}" alt="S’identifier avec ProConnect">`));
});

test('programs get 401 in JSON, not the page', async () => {
  for (const headers of [{ accept: 'application/json' }, { accept: '*/*' }]) expectMachineRefusal(await site.browser().fetch(site.url('/private/'), { headers }));
});

test('deny shows people a page with a way to log in', async () => {
  const browser = site.browser('agent-etat');
  const answer = await browser.send(site.url('/private/denied'));
  assert.equal(answer.status, 401);
  assert.match(answer.headers['content-type'], /^text\/html/);
  assert.match(answer.text, /PC1015/);
  const page = await browser.login(new URL(linkOf(answer), site.origin).href, undefined, { from: answer.url });
  expectProtected(page);
});

test('an answer login_required that nobody asked for in silence leads to the page with the button too', async () => {
  const browser = site.browser();
  const url = new URL(await browser.callbackAddress(site.url('/proconnect/login?return=/private/'), 'agent-etat'));
  url.searchParams.delete('code');
  url.searchParams.set('error', 'login_required');
  const answer = await browser.send(url.href);
  assert.equal(answer.status, 401);
  assert.match(answer.text, /PC2041/);
  assert.ok(linkOf(answer).includes('return=%2Fprivate%2F'), linkOf(answer));
});

const levelsOf = (parameters) => JSON.parse(parameters.get('claims')).id_token.acr?.values;
const mfa = ['eidas1-mfa', 'eidas2', 'eidas3'];

for (const [place, levels, prompt, hinted] of [['/private/strong?a=1', mfa, null, true], ['/private/strong/denied', mfa, 'login', true], ['/strong-index/', ['eidas2', 'eidas3'], null, false], ['/private/', undefined, null, false]]) {
  test(`the button of ${place} asks for the levels and bears the hints of that page, and one login is enough`, async () => {
    const browser = site.browser('agent-etat');
    const shown = await browser.send(site.url(place));
    assert.equal(shown.status, 401);
    const parameters = expectLoginRedirect(site, await browser.send(site.url(linkOf(shown)), { from: shown.url }));
    assert.deepEqual(levelsOf(parameters), levels);
    assert.equal(parameters.get('prompt'), prompt);
    assert.equal(parameters.get('idp_hint'), hinted ? '9e139e69-de07-4cbe-987f-d12cb38c0368' : null);
    assert.equal(parameters.get('login_hint'), hinted ? 'agent@lyon.fr' : null);
    if (hinted) return;
    const inside = await browser.login(site.url(linkOf(shown)), undefined, { from: shown.url });
    expectProtected(inside);
    assert.equal(inside.history.filter(({ url }) => url.includes('/authorize?')).length, 1);
  });
}

test('a link of the application to the login, a fresh proof and another account ask for the levels of the page they lead to as well', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/straight')));
  const link = (query) => site.url(`/proconnect/login?${query}`);
  const from = site.url('/private/straight');
  for (const query of ['return=/private/strong', 'reauth&return=/private/strong']) {
    assert.deepEqual(levelsOf(expectLoginRedirect(site, await browser.send(link(query), { from }))), mfa, query);
  }
  const away = await browser.open(link('switch&return=/private/strong'), { from, until: (target) => target.includes('/authorize?') });
  assert.deepEqual(levelsOf(expectLoginRedirect(site, away)), mfa);
  for (const target of ['/proconnect/login', '/proconnect/login?return=/private/strong', '/nowhere', '/private/nothing.html', '/%zz', '/proconnect/form?id=x']) {
    assert.equal(levelsOf(expectLoginRedirect(site, await site.browser().send(link(`return=${encodeURIComponent(target)}`)))), undefined, target);
  }
});

test('a directory whose index needs a login shows the page at its own address', async () => {
  const answer = await site.browser().send(site.url('/open/'));
  expectLoginPage(answer);
  assert.ok(linkOf(answer).endsWith('return=%2Fopen%2F'), linkOf(answer));
});

test('after the login there is no page in the way', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/proconnect/login?return=/private/')));
  expectProtected(await browser.send(site.url('/private/')));
});

test('nothing alarming is left in the logs', () => site.close());
