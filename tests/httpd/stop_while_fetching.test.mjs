// httpd stops or restarts while it fetches from ProConnect in the background, over TLS: no child ends with a signal. A matter of moments, so it is
// tried a dozen times, with forty providers to keep the background busy.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { makeAuthority } from '../support/certificates.mjs';
import { MisbehavingProvider } from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { eventually, makeScratch, removeScratch } from '../support/scratch.mjs';

const directory = await makeScratch('stop-while-fetching');
const authority = await makeAuthority(directory);
const server = await MisbehavingProvider.start({ tls: await authority.issue('right', ['127.0.0.1']) });
let connections = 0;
server.server.on('connection', () => { connections += 1; });
// All at one address, each an issuer of its own; nobody vouches for the certificate, so that each is asked again and again.
const providers = Array.from({ length: 40 }, (_, index) => ({ issuer: `${server.origin}/${index}/api/v2`, register: (client) => server.register(client), stop: () => {} }));
const site = await startProviderSites({ label: 'stop-while-fetching', start: false, logLevel: 'warn',
  hosts: Object.fromEntries(providers.map((provider, index) => [`host${index}`, { provider, config: 'ProConnectTimeout 30s' }])) });
after(async () => {
  await site.close();
  await server.stop();
  await removeScratch(directory);
});

const died = () => site.apache.deaths();
const asked = () => eventually('the background asks', () => connections > 2, { every: 10, within: 30_000 * patience });

for (let time = 1; time <= 6; time += 1) {
  test(`a graceful restart, then a full stop, in the middle of it (${time})`, async () => {
    connections = 0;
    await site.apache.writeFile('logs/error.log', '');
    await site.apache.start();
    await asked();
    connections = 0;
    await site.apache.graceful();
    await asked();
    await site.apache.stop();
    assert.deepEqual(died(), []);
  });
}

test('nothing alarming is left in the logs', () => site.close());
