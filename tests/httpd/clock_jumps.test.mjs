// The server's clock jumps: nobody's session becomes immortal, nobody is logged out by a small correction, and a login says what is wrong.
// Not under a sanitizer: libfaketime does not go with it.
import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { clockCanBeSet } from '../support/apache.mjs';
import { expectLoginRedirect, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const minutes = (count) => count * 60;
const hours = (count) => count * 3600;

describe('clock jumps', { skip: !clockCanBeSet && 'libfaketime does not go with a sanitizer' }, async () => {
  if (!clockCanBeSet) return;
  const site = await startSite({ label: 'clock', ownClock: true, start: false, logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' } }] });
  after(() => site.close());
  const page = site.url('/private/');
  const setClock = (seconds) => site.apache.setClock(seconds);
  beforeEach(() => setClock(0));
  await setClock(0);
  await site.apache.start();
  const signedIn = async () => {
    const browser = site.browser('agent-etat');
    expectProtected(await browser.login(page));
    return browser;
  };

  test('the story moves the clock at all', async () => {
    await setClock(hours(2));
    const date = new Date((await site.browser().send(site.url('/'))).headers.date);
    assert.ok(date - Date.now() > hours(2) * 1000 - 60_000, `${date}`);
  });

  test('forward within the time-outs: still there', async () => {
    const browser = await signedIn();
    for (const minute of [20, 50, 100, 150]) {   // each use begins the hour of disuse anew
      await setClock(minutes(minute));
      expectProtected(await browser.send(page));
    }
  });

  test('forward beyond the hour of disuse, or beyond the twelve of the lifetime however much it was used: gone, also when the clock comes back', async () => {
    const [idle, busy] = [await signedIn(), await signedIn()];
    for (let minute = 50; minute < minutes(12); minute += 50) {
      await setClock(minutes(minute));
      expectProtected(await busy.send(page));
    }
    expectLoginRedirect(site, await idle.send(page));
    await setClock(hours(12) + 1);
    expectLoginRedirect(site, await busy.send(page));
    await setClock(0);
    expectLoginRedirect(site, await idle.send(page));
    expectLoginRedirect(site, await busy.send(page));
  });

  test('back by less than five minutes, as a correction does: still there, and its hour of disuse is no longer than that', async () => {
    const browser = await signedIn();
    await setClock(-minutes(4));
    expectProtected(await browser.send(page));
    await setClock(minutes(55));
    expectProtected(await browser.send(page));
  });

  test('back by more: a session from the future is none, and nothing it could become later', async () => {
    const browser = await signedIn();
    await setClock(-minutes(6));
    expectLoginRedirect(site, await browser.send(page));
    await setClock(0);
    expectLoginRedirect(site, await browser.send(page));
  });

  test('used in the future and then back: the use does not keep it alive any longer than one now', async () => {
    const browser = await signedIn();
    await setClock(minutes(55));
    expectProtected(await browser.send(page));
    await setClock(0);
    expectProtected(await browser.send(page));
    await setClock(minutes(61));
    expectLoginRedirect(site, await browser.send(page));
  });

  for (const [name, offset] of [['ahead', hours(3)], ['behind', -hours(3)]]) {
    test(`a login with the clock three hours ${name} is refused and the log says why, and works once it is right`, async () => {
      const browser = site.browser('agent-etat');
      await setClock(offset);
      const answer = await browser.login(page);
      assert.notEqual(answer.status, 200);
      const [, code, reference] = /Référence : (PC\d{4}) · (\w+)/.exec(answer.text);
      const line = site.apache.logged(reference).at(-1);
      assert.ok(line.includes(code));
      assert.match(line, /clock/, line);
      await setClock(0);
      expectProtected(await browser.login(page));
    });
  }

  test('nothing alarming is left in the logs', () => site.close());
});
