// What comes too late: a login finished after its hour, a form confirmed after its half hour.
// Not under a sanitizer: libfaketime does not go with it.
import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { clockCanBeSet } from '../support/apache.mjs';
import { bindingCookie, expectErrorPage, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const minutes = (count) => count * 60;

describe('too late', { skip: !clockCanBeSet && 'libfaketime does not go with a sanitizer' }, async () => {
  if (!clockCanBeSet) return;
  const site = await startSite({ label: 'late', ownClock: true, start: false, vhosts: [{ client: { alg: 'ES256' } }] });
  after(() => site.close());
  const page = site.url('/private/variables.cgi?kept=yes');
  const setClock = (seconds) => site.apache.setClock(seconds);
  beforeEach(() => setClock(0));
  await setClock(0);
  await site.apache.start();

  const buttonOf = (answer) => site.url(/class="button" href="([^"]*)"/.exec(answer.text)[1].replaceAll('&amp;', '&'));

  for (const [language, title] of [['fr', 'La connexion a pris trop de temps'], ['en', 'The sign-in took too long']]) {
    test(`a login finished after more than an hour is told so, and one click leads to the page asked for (${language})`, async () => {
      const browser = site.browser('agent-etat', { language });
      await setClock(-minutes(61));
      const callback = await browser.callbackAddress(page);
      await setClock(0);
      const late = await browser.send(callback);
      expectErrorPage(site, late, { status: 400, code: 'PC1003', language });
      assert.ok(late.text.includes(`<h1>${title}</h1>`));
      const inside = await browser.login(buttonOf(late), undefined, { from: late.url });
      expectProtected(inside);
      assert.equal(inside.url, page);
    });
  }

  test('a login finished just within the hour succeeds', async () => {
    const browser = site.browser('agent-etat');
    await setClock(-minutes(59));
    const callback = await browser.callbackAddress(page);
    await setClock(0);
    expectProtected(await browser.open(callback));
  });

  test('a login finished too late by somebody who is signed in by now leads to the page', async () => {
    const browser = site.browser('agent-etat');
    await setClock(-minutes(61));
    const callback = await browser.callbackAddress(page);
    await setClock(0);
    expectProtected(await browser.login(site.url('/private/')));
    const answer = await browser.open(callback);
    expectProtected(answer);
    assert.equal(answer.url, page);
    assert.ok(bindingCookie(browser, site.origin));
  });

  for (const [after_, status] of [[29, 200], [31, 404]]) {
    test(`a kept form ${status === 200 ? 'waits' : 'is gone'} after ${after_} minutes`, async () => {
      const browser = site.browser('agent-etat');
      expectProtected(await browser.login(page));
      browser.jar.set(page, 'proconnect', Buffer.alloc(64, 5).toString('base64url'));
      const posted = await browser.send(page, { method: 'POST', from: page, headers: { 'content-type': 'text/plain' }, body: 'a' });
      const asked = await browser.open(posted.headers.location);
      assert.equal(asked.status, 200);
      await setClock(minutes(after_));
      const sent = await browser.send(site.url(/action="([^"]*)"/.exec(asked.text)[1].replaceAll('&amp;', '&')), { method: 'POST', from: asked.url, body: '' });
      if (status === 200) expectProtected(sent);
      else expectErrorPage(site, sent, { status, code: 'PC1031' });
    });
  }

  test('nothing alarming is left in the logs', () => site.close());
});
