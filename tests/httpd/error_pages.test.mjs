// The error page: French unless English is preferred, a code and a reference that the log has too, nothing to click that leads away.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'error-pages', vhosts: [
  { client: { alg: 'ES256' }, config: 'ProConnectServiceName "Gestion <des> congés & absences"\n    ProConnectSupport assistance@example.gouv.fr' },
  { client: { alg: 'ES256' }, config: 'ProConnectSupport https://assistance.example.gouv.fr/' },
] });
after(() => site.close());

const errorAddress = async (browser) => {
  const url = new URL(await browser.callbackAddress(site.url('/private/'), 'abandon'));
  return url.href;
};

for (const [header, language] of [
  ['fr', 'fr'], ['fr-FR,fr;q=0.9,en;q=0.8', 'fr'], ['en', 'en'], ['en-GB,en;q=0.9,fr;q=0.5', 'en'], ['en;q=0.3,fr;q=0.7', 'fr'], ['de', 'fr'], ['de,en;q=0.5', 'en'],
  ['*', 'fr'], ['', 'fr'], ['en;q=0', 'fr'], [`${'x'.repeat(3000)}`, 'fr'], ['en;q=notanumber', /fr|en/],
]) {
  test(`Accept-Language "${header.slice(0, 40)}" gets ${language}`, async () => {
    const browser = site.browser('abandon', { language: header });
    const answer = await browser.login(site.url('/private/'));
    const shown = /<html[^>]* lang="?(\w\w)/.exec(answer.text)?.[1];
    if (language instanceof RegExp) assert.match(shown, language);
    else assert.equal(shown, language);
    expectErrorPage(site, answer, { status: 403, code: 'PC2040', language: shown });
    assert.match(answer.text, shown === 'fr' ? /Connexion refusée ou abandonnée/ : /Sign-in refused or cancelled/);
  });
}

test('without Accept-Language the page is French', async () => {
  const browser = site.browser();
  const address = await errorAddress(browser);
  const answer = await browser.send(address, { headers: { 'accept-language': [] } });
  expectErrorPage(site, answer, { status: 403, code: 'PC2040' });
});

test('each error has its own reference', async () => {
  const references = new Set();
  for (let time = 0; time < 5; time += 1) {
    const browser = site.browser('abandon');
    references.add(expectErrorPage(site, await browser.login(site.url('/private/')), { status: 403, code: 'PC2040' }).reference);
  }
  assert.equal(references.size, 5);
});

test('the page names the service and its support, escaped', async () => {
  const answer = await site.browser('abandon').login(site.url('/private/'));
  assert.ok(answer.text.includes('Gestion &lt;des&gt; congés &amp; absences'));
  assert.ok(answer.text.includes('assistance@example.gouv.fr'));
  const other = await site.browser('abandon').login(site.vhosts[1].url('/private/'));
  assert.ok(other.text.includes('https://assistance.example.gouv.fr/'));
});

test('the page is whole HTML without script and repeats nothing of the request', async () => {
  const browser = site.browser();
  const url = new URL(await errorAddress(browser));
  url.searchParams.set('error_description', 'PLANTED-TEXT');
  url.searchParams.set('planted', 'PLANTED-PARAMETER');
  const answer = await browser.send(url.href);
  assert.match(answer.text, /^<!doctype html>/i);
  assert.match(answer.text, /<meta name="?viewport/);
  assert.doesNotMatch(answer.text, /<script/i);
  assert.doesNotMatch(answer.text, /PLANTED-PARAMETER/);
  assert.ok(!answer.text.includes(url.searchParams.get('state')));
});

test('the way back is a page of this site', async () => {
  const answer = await site.browser('abandon').login(site.url('/private/'));
  const links = [...answer.text.matchAll(/(?:href|action)="([^"]*)"/g)].map(([, address]) => address.replaceAll('&amp;', '&'));
  assert.ok(links.length > 0, 'nothing to click');
  for (const link of links) {
    assert.ok(link.startsWith('/') || link.startsWith(site.origin) || link.startsWith('mailto:') || link.startsWith('data:') || link.startsWith('https://www.proconnect.gouv.fr'), link);
  }
});

test('one click after a refusal logs in with another account and reaches the page asked for', async () => {
  const browser = site.browser('abandon');
  const answer = await browser.login(site.url('/private/variables.cgi?kept=yes'));
  const link = /href="([^"]*\/proconnect\/login[^"]*)"/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(link, 'no button to log in again');
  const page = await browser.login(new URL(link, site.origin).href, 'agent-etat', { from: answer.url });
  assert.equal(page.status, 200);
  assert.equal(page.url, site.url('/private/variables.cgi?kept=yes'));
});

test('a HEAD request of an error has the headers and no body', async () => {
  const answer = await site.browser().send(site.url('/proconnect/nothing-here'), { method: 'HEAD' });
  assert.equal(answer.status, 404);
  assert.equal(answer.body.length, 0);
});

test('nothing alarming is left in the logs', () => site.close());
