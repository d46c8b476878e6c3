// ProConnect is away: the site's own pages go on, sessions go on, a login says so plainly, and recovery is noticed.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';
import { Standin } from '../support/standin.mjs';
import { eventually } from '../support/scratch.mjs';
import { patience } from '../support/apache.mjs';

const standin = await Standin.start();
const site = await startSite({ label: 'provider-down', standin, start: false, vhosts: [{ client: { alg: 'ES256' }, config: 'ProConnectTimeout 2s' }] });
after(async () => { await site.close(); await standin.stop(); });

test('httpd starts while ProConnect is down, and serves its public pages', async () => {
  await standin.stop();
  await site.apache.start();
  const answer = await site.browser().send(site.url('/'));
  assert.equal(answer.status, 200);
  assert.match(answer.text, /Page publique/);
});

test('a login gets 503, a plain page in French and Retry-After', async () => {
  const answer = await site.browser().send(site.url('/private/'));
  const { line } = expectErrorPage(site, answer, { status: 503, code: /PC200[12]/ });
  assert.match(answer.headers['retry-after'], /^\d+$/);
  assert.match(answer.text, /ProConnect ne répond pas/);
  assert.match(line, /\[auth_proconnect:error\]/);
});

test('recovery is noticed by itself within 30 seconds', async () => {
  await standin.restart();
  const answer = await eventually('a login begins', async () => {
    const reply = await site.browser().send(site.url('/private/'));
    return reply.status === 302 && reply;
  }, { within: 30_000, every: 500 });
  expectLoginRedirect(site, answer);
  expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
});

test('live sessions go on untouched when ProConnect goes away, logins get the page', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  const underWay = site.browser();
  const callback = await underWay.callbackAddress(site.url('/private/'), 'agent-etat');
  await standin.stop();
  expectProtected(await browser.send(site.url('/private/')));
  const answer = await underWay.send(callback);
  expectErrorPage(site, answer, { status: 503, code: /PC200[12]/ });
  await standin.restart();
});

test('a provider that accepts and never answers costs the time-out and no more', async () => {
  const browser = site.browser();
  const callback = await eventually('a login gets as far as the callback', () => browser.callbackAddress(site.url('/private/'), 'agent-etat'), { within: 30_000, every: 500 });
  await standin.post('fail', { endpoint: 'token', hang: true });
  const began = Date.now();
  const answer = await browser.send(callback);
  const took = Date.now() - began;
  expectErrorPage(site, answer, { status: 503, code: 'PC2002' });
  assert.ok(took > 1500 && took < 6000 * patience, `${took} ms`);
});

test('workers are not all eaten by logins that wait', async () => {
  const callbacks = [];
  for (let index = 0; index < 30; index += 1) {
    const browser = site.browser();
    callbacks.push({ browser, address: await browser.callbackAddress(site.url('/private/'), 'agent-etat') });
  }
  await standin.post('fail', { endpoint: 'token', hang: true });
  const waiting = callbacks.map(({ browser, address }) => browser.send(address, { }).catch((error) => error));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const began = Date.now();
  const answer = await site.browser().send(site.url('/'));
  assert.equal(answer.status, 200);
  assert.ok(Date.now() - began < 1200 * patience, `a public page took ${Date.now() - began} ms`);
  for (const reply of await Promise.all(waiting)) assert.equal(reply.status, 503);
  await standin.post('fail', { endpoint: 'token', times: 0 });
});

test('nothing alarming is left in the logs', () => site.close());
