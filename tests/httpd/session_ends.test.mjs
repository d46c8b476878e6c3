// When sessions end: time-outs, a full table, the death of the whole server. And when they do not.
import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync, utimesSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Crowd, killAll, namesUser, tableOf } from '../support/crowd.mjs';
import { expectLoginRedirect, expectProtected } from '../support/expect.mjs';
import { eventually, sleep } from '../support/scratch.mjs';
import { startSite } from '../support/site.mjs';
import { patience } from '../support/apache.mjs';

const isRoot = process.getuid() === 0;

describe('time-outs', () => {
  let site, page, polled;
  before(async () => {
    site = await startSite({ label: 'time-outs', logLevel: 'warn', vhosts: [
      { client: { alg: 'ES256' }, config: '<Location "/private/image.svg">\n        ProConnectExtendSession off\n    </Location>' }],
      config: `ProConnectSessionIdle ${4 * patience}s\nProConnectSessionLifetime ${11 * patience}s` });
    page = site.url('/private/notice.txt');
    polled = site.url('/private/image.svg');
  });
  after(() => site.close());
  const seconds = (count) => sleep(count * 1000 * patience);

  test('use keeps a session alive up to its lifetime and no longer; polling does not; disuse ends it', async () => {
    const [busy, polling, idle] = ['agent-etat', 'accents', 'agent-carte'].map((persona) => site.browser(persona));
    await Promise.all([busy, polling, idle].map(async (browser) => expectProtected(await browser.login(page))));
    for (let time = 0; time < 2; time += 1) {
      await seconds(1.5);
      expectProtected(await busy.send(page));
      expectProtected(await polling.send(polled));
    }
    await seconds(2.5);  // 5.5 since the logins
    expectProtected(await busy.send(page));
    expectLoginRedirect(site, await polling.send(polled));
    expectLoginRedirect(site, await idle.send(page));
    for (let time = 0; time < 2; time += 1) {
      await seconds(1.5);
      expectProtected(await busy.send(page));
    }
    await seconds(3);    // 11.5: used all the time
    expectLoginRedirect(site, await busy.send(page));
  });

  test('the page for scripts tells how long, and does not extend it', async () => {
    const browser = site.browser('agent-etat');
    expectProtected(await browser.login(page));
    for (let time = 0; time < 5; time += 1) {
      await seconds(1);
      await browser.fetch(site.url('/proconnect/session'));
    }
    expectLoginRedirect(site, await browser.send(page));
  });

  test('what nobody asks for any more is swept from the memory', { skip: !isRoot && 'only root may look into the memory of another process' }, async () => {
    await site.browser('agent-etat').login(page);
    assert.ok((await tableOf(site.apache)).at(-1).live > 0);
    await seconds(5);
    await site.apache.graceful();  // the timer of a new child begins with a sweep; otherwise there is one a minute
    await eventually('the table is empty', async () => (await tableOf(site.apache)).every(({ live }) => live === 0), { within: 15_000 * patience, every: 500 });
  });

  test('nothing alarming is left in the logs', () => site.close());
});

describe('a table that is full', () => {
  let site, page;
  before(async () => {
    site = await startSite({ label: 'full-table', logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' } }], config: 'ProConnectSessionMax 10' });
    page = site.url('/private/notice.txt');
  });
  after(() => site.close());

  test('lets those go who were away longest, and tells the administrator once', async () => {
    const browsers = Array.from({ length: 12 }, () => site.browser('agent-etat'));
    for (const browser of browsers.slice(0, 10)) expectProtected(await browser.login(page));
    await sleep(1100);
    for (const browser of browsers.slice(2, 10)) expectProtected(await browser.send(page));
    await sleep(1100);
    for (const browser of browsers.slice(10)) expectProtected(await browser.login(page));
    for (const browser of browsers.slice(2)) expectProtected(await browser.send(page));
    for (const browser of browsers.slice(0, 2)) expectLoginRedirect(site, await browser.send(page));
    // The timer of a new child looks at once, later ones once a minute.
    await site.apache.graceful();
    const lines = () => site.apache.logged('PC4006');
    await eventually('a warning', () => lines().length > 0, { within: 15_000 * patience });
    assert.match(lines()[0], /\b2 live sessions had to go\b.*ProConnectSessionMax \(10\)/);
    await site.apache.graceful();
    await sleep(3000 * patience);
    assert.equal(lines().length, 1, 'the same sessions were reported again');
  });

  test('nothing alarming is left in the logs', () => site.close());
});

describe('the death of the whole server', () => {
  let site, crowd;
  before(async () => {
    site = await startSite({ label: 'parent-killed', logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' }, config: namesUser }] });
    crowd = new Crowd(site, ['agent-etat', 'accents']);
  });
  after(() => site.close());
  const file = () => site.apache.path('state/sessions');

  test('costs nothing that the last periodic snapshot held', async () => {
    for (const persona of ['agent-etat', 'accents', 'agent-carte']) await crowd.add(persona);
    await site.apache.restart();
    await crowd.add('agent-territorial');
    // Five minutes after the last one it is time for another, however often the server was restarted gracefully meanwhile.
    const past = Date.now() / 1000 - 301;
    utimesSync(file(), past, past);
    await site.apache.graceful();
    await eventually('the periodic snapshot', () => statSync(file()).mtimeMs > Date.now() - 60_000, { within: 30_000 * patience });
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.ok(!existsSync(`${file()}.new`));
    await killAll(site.apache);
    await site.apache.start();
    await crowd.expectAllWell();
  });

  test('a killed server without any snapshot starts empty and well', async () => {
    await killAll(site.apache);
    rmSync(file());
    await site.apache.start();
    expectLoginRedirect(site, await site.browser().send(site.url('/private/')));
    expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
  });

  test('nothing alarming is left in the logs', () => site.close());
});
