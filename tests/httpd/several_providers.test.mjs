// Several providers on one server: those that hang do not put off the recovery of another.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { eventually } from '../support/scratch.mjs';

const config = 'ProConnectTimeout 10s';
const names = ['first', 'second', 'third', 'recovering'];
const hosts = Object.fromEntries(await Promise.all(names.map(async (name) => [name, { provider: await wrong.MisbehavingProvider.start(), config }])));
for (const name of names) hosts[name].provider.on('discovery', wrong.hang);
const site = await startProviderSites({ label: 'several-providers', start: false, logLevel: 'warn', hosts });
after(() => site.close());
const { recovering } = hosts;

test('each is asked at once, though all of them hang', async () => {
  await site.apache.start();
  const began = Date.now();
  await eventually('every provider is asked', () => names.every((name) => hosts[name].provider.count('discovery') > 0), { every: 50, within: 9_000 * patience });
  assert.ok(Date.now() - began < 9_000 * patience);
});

test('the one that recovers is noticed within 30 seconds while three others hang, whoever comes or not', async () => {
  // Right after it was asked in vain for the second time, when its next turn is farthest.
  await eventually('it is asked again', () => recovering.provider.count('discovery') >= 2, { every: 50, within: 60_000 * patience });
  recovering.provider.well();
  const recovered = Date.now();
  await eventually('its keys are fetched', () => recovering.provider.count('jwks') > 0, { every: 50, within: 90_000 * patience });
  const took = Date.now() - recovered;
  assert.ok(took < 30_000, `noticed after ${took} ms`);
  await eventually('the log says so', () => site.apache.logged(new RegExp(`${recovering.provider.issuer}.* answers again`)).length === 1, { every: 100, within: 5_000 * patience });
});

test('a stop in the middle of it does not wait for those that hang', async () => {
  const began = Date.now();
  await site.apache.stop();
  assert.ok(Date.now() - began < 6_000 * patience, `${Date.now() - began} ms`);
});

test('nothing alarming is left in the logs', () => site.close());
