// What the server goes through while its users work: children killed at any moment, graceful restarts one after the other, a new module, another size of the table.
// SESSION_STORIES=long kills 1 000 children and restarts every second for two minutes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Crowd, childrenOf, namesUser, tableOf } from '../support/crowd.mjs';
import { expectProtected } from '../support/expect.mjs';
import { sleep } from '../support/scratch.mjs';
import { startSite } from '../support/site.mjs';

const long = process.env.SESSION_STORIES === 'long';
const kills = long ? 1000 : 40;
const restartsFor = long ? 120_000 : 12_000;
const personas = ['agent-etat', 'agent-territorial', 'accents', 'agent-carte', 'sans-siret'];
const isRoot = process.getuid() === 0;
const needsRoot = isRoot ? false : 'only root may look into the memory of another process';

describe('children killed at any moment', () => {
  let site, crowd;
  before(async () => {
    site = await startSite({ label: 'kill-children', logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' }, config: namesUser }],
      config: 'ServerLimit 8\nStartServers 6\nThreadsPerChild 8\nMaxRequestWorkers 64\nMinSpareThreads 40\nMaxSpareThreads 64\nProConnectSessionMax 300' });
    site.apache.allow(/exit signal Killed/);
    crowd = new Crowd(site, personas);
    for (let index = 0; index < 20; index += 1) await crowd.add(personas[index % personas.length]);
  });
  after(() => site.close());

  test(`${kills} of them leave everybody signed in as themselves, and the table in order`, { skip: needsRoot }, async () => {
    crowd.start();
    let killed = 0;
    while (killed < kills) {
      const children = childrenOf(site.apache);
      if (children.length === 0) {
        await sleep(50);
        continue;
      }
      process.kill(children[Math.floor(Math.random() * children.length)], 'SIGKILL');
      killed += 1;
      await sleep(20 + Math.random() * 180);
      await tableOf(site.apache);
    }
    await crowd.stop();
    await crowd.expectAllWell();
    await tableOf(site.apache);
    assert.ok(crowd.answers > kills * 5, `only ${crowd.answers} answers`);
    assert.ok(crowd.cut > 0, 'no kill met a request');
  });

  test('afterwards a login works as before', async () => {
    expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
  });

  test('nothing alarming is left in the logs', () => site.close());
});

describe('graceful restarts, one after the other', () => {
  let site, crowd, module;
  before(async () => {
    site = await startSite({ label: 'graceful-storm', logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' }, config: namesUser }], moduleCopy: true, start: false,
      config: 'ServerLimit 16\nStartServers 2\nThreadsPerChild 8\nMaxRequestWorkers 64\nMinSpareThreads 16\nMaxSpareThreads 64\nGracefulShutdownTimeout 2' });
    module = site.apache.moduleFile;
    await site.apache.start();
    crowd = new Crowd(site, personas);
    for (let index = 0; index < 15; index += 1) await crowd.add(personas[index % personas.length]);
  });
  after(() => site.close());

  test('lose no session, with another module and another ProConnectSessionMax each time', async () => {
    // The same code in another file at another address: what points into the old one would be noticed.
    copyFileSync(module, `${module}.whole`);
    execFileSync('objcopy', ['--strip-debug', `${module}.whole`, `${module}.small`]);
    const capacities = [1000, 3000, 400, 9000, 2000, 20_000, 100_000, 700];
    const config = site.apache.siteText;
    crowd.start();
    const end = Date.now() + restartsFor;
    for (let restarts = 0; Date.now() < end; restarts += 1) {
      const next = Date.now() + 1000;
      copyFileSync(`${module}.${restarts % 2 ? 'whole' : 'small'}`, `${module}.new`);
      renameSync(`${module}.new`, module);
      await site.apache.writeFile('conf/site.conf', `ProConnectSessionMax ${capacities[restarts % capacities.length]}\n${config}`);
      await site.apache.graceful();
      if (restarts % 3 === 0) await crowd.add(personas[restarts % personas.length]);
      await sleep(Math.max(0, next - Date.now()));
    }
    await crowd.stop();
    await crowd.expectAllWell();
    if (isRoot) await tableOf(site.apache);
    assert.ok(crowd.logins > 0, `nobody logged in meanwhile: ${crowd.lastFailure ?? ''}`);
    assert.ok(crowd.answers > 500, `only ${crowd.answers} answers`);
  });

  test('nothing alarming is left in the logs', () => site.close());
});

test('a login finished in an old child after two restarts and a larger table is found in the new ones', async () => {
  const site = await startSite({ label: 'late-login', logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' }, config: namesUser }] });
  try {
    const browser = site.browser('agent-etat');
    const page = site.url('/private/notice.txt');
    expectProtected(await site.browser('accents').login(page));
    const callback = await browser.callbackAddress(page, 'agent-etat');
    await site.standin.post('delay', { endpoint: 'token', milliseconds: 4000, times: 1 });
    const late = browser.send(callback);
    await sleep(500);
    const config = site.apache.siteText;
    await site.apache.writeFile('conf/site.conf', `ProConnectSessionMax 200000\n${config}`);
    await site.apache.graceful();
    await site.apache.graceful();
    const answer = await late;
    assert.equal(new URL(answer.headers.location, page).pathname, '/private/notice.txt');
    expectProtected(await browser.send(page));
  } finally {
    await site.close();
  }
});
