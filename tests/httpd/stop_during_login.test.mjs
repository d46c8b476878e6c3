// A full stop while ProConnect hangs in the middle of a login: the child does not wait for it until httpd kills it.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { eventually } from '../support/scratch.mjs';

for (const mpm of ['event', 'worker', 'prefork']) {
  test(`a full stop in the middle of a login (${mpm})`, async () => {
    const provider = await wrong.MisbehavingProvider.start();
    const site = await startProviderSites({ label: `stop-during-login-${mpm}`, mpm, logLevel: 'warn', hosts: { one: { provider, config: 'ProConnectTimeout 30s' } } });
    after(async () => { await site.close(); await provider.stop(); });
    const browser = site.browser();
    const callback = await browser.callbackAddress(site.hosts.one.url('/private/'));
    let asked = false;
    provider.on('token', () => { asked = true; return undefined; });
    const answer = browser.send(callback).catch((error) => error);
    await eventually('the token endpoint is asked', () => asked);
    await site.apache.stop();
    assert.deepEqual(site.apache.logged(/did not exit|still/), []);
    await answer;
  });
}
