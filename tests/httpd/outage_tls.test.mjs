// ProConnect cannot be trusted or found: the log names which, nothing is sent to the wrong one, and there is no second try with less care.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { expectProtected } from '../support/expect.mjs';
import { makeAuthority } from '../support/certificates.mjs';
import { issueDated } from '../support/dated-certificate.mjs';
import { MisbehavingProvider } from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { expectRefusal, loginRefused, loginWorks } from '../support/refusal.mjs';
import { makeScratch, removeScratch } from '../support/scratch.mjs';

const directory = await makeScratch('outage-tls');
const foreignDirectory = await makeScratch('outage-tls-foreign');
const authority = await makeAuthority(directory);
const foreign = await makeAuthority(foreignDirectory);
const hosts = ['127.0.0.1', 'localhost'];
const expired = await issueDated(directory, 'expired', hosts, { from: '20200101000000Z', until: '20210101000000Z' });
const future = await issueDated(directory, 'future', hosts, { from: '20900101000000Z', until: '20910101000000Z' });
const right = await authority.issue('right', hosts);
const otherName = await authority.issue('autre.example.gouv.fr');
const unknown = await foreign.issue('unknown', hosts);
const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };

const trusting = `ProConnectCAFile "${authority.caFile}"\n    ProConnectTimeout 3s`;
const given = {
  right: { tls: right },
  expired: { tls: expired },
  future: { tls: future },
  otherName: { tls: otherName },
  unknown: { tls: unknown },
  notTrustedBySystem: { tls: right, config: 'ProConnectTimeout 3s' },
  oldProtocol: { tls: { ...right, options: old } },
  expiresLater: { tls: right },
};
const hostsOfSite = {};
for (const [name, { tls, config = trusting }] of Object.entries(given)) hostsOfSite[name] = { provider: await MisbehavingProvider.start({ tls }), config };
// What answers on an https address and speaks no TLS, and a name that nobody has.
const plain = await MisbehavingProvider.start();
Object.assign(plain, { issuer: plain.issuer.replace('http:', 'https:') });
hostsOfSite.noTls = { provider: plain, config: trusting };
const nowhere = await MisbehavingProvider.start({ listen: false });
Object.assign(nowhere, { issuer: 'https://proconnect.invalid/api/v2' });
hostsOfSite.noName = { provider: nowhere, config: trusting };
// Another machine would answer with nothing at all: the connection is taken, and not a byte comes.
const silent = net.createServer(() => {});
await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
const mute = await MisbehavingProvider.start({ listen: false });
Object.assign(mute, { issuer: `https://127.0.0.1:${silent.address().port}/api/v2` });
hostsOfSite.mute = { provider: mute, config: trusting };

const site = await startProviderSites({ label: 'outage-tls', hosts: hostsOfSite });
site.authority = authority;  // the browsers trust it
after(async () => {
  await site.close();
  silent.close();
  for (const scratch of [directory, foreignDirectory]) await removeScratch(scratch);
});

test('a provider with the right certificate is trusted', async () => { await loginWorks(site, { vhost: site.hosts.right }); });

for (const [name, what, code, words] of [
  ['expired', 'an expired certificate', 'PC2003', /expired/],
  ['future', 'a certificate of the future', 'PC2003', /not yet valid/],
  ['otherName', 'a certificate for another host', 'PC2003', /wrong host/],
  ['unknown', 'a certificate of an unknown authority', 'PC2003', /unknown issuer|authority/],
  ['notTrustedBySystem', 'a certificate of an authority that this machine does not know', 'PC2003', /unknown issuer|authority/],
  ['oldProtocol', 'nothing newer than TLS 1.1', 'PC2003', /handshake/],
  ['noTls', 'plain http on an https address', 'PC2003', /handshake/],
  ['noName', 'a name that does not exist', /PC200[12]/, /DNS/],
  ['mute', 'silence in the TLS handshake', 'PC2002', /TLS handshake|connecting/],
]) {
  test(`${what}: refused, and the log names it`, async () => {
    const vhost = site.hosts[name];
    const line = await loginRefused(site, { vhost, code });
    // The line of a user may be one of those that were not asked again; the background's own names the reason.
    const told = site.apache.logged(words).filter((entry) => entry.includes(new URL(vhost.provider.issuer).host) || entry.includes(new URL(vhost.provider.issuer).hostname));
    assert.ok(told.length > 0, `nowhere in the log: ${words}\n${line}`);
    assert.deepEqual(vhost.provider.requests, [], 'a request was sent to somebody who could not be trusted');
  });
}

test('the certificate expires while sessions live: they go on, a login under way gets the page, and no code is sent', async () => {
  const vhost = site.hosts.expiresLater;
  const live = await loginWorks(site, { vhost });
  const browser = site.browser();
  const callback = await browser.callbackAddress(vhost.url('/private/'));
  await vhost.provider.stop();
  vhost.provider.tls = expired;
  await vhost.provider.listen();
  const before = vhost.provider.count('token');
  const line = expectRefusal(site, browser, await browser.send(callback), { vhost, code: 'PC2003' });
  assert.match(line, /expired/);
  assert.equal(vhost.provider.count('token'), before);
  expectProtected(await live.send(vhost.url('/private/')));
});

test('it is renewed: logins work again at once', async () => {
  const vhost = site.hosts.expiresLater;
  await vhost.provider.stop();
  vhost.provider.tls = right;
  await vhost.provider.listen();
  await loginWorks(site, { vhost });
});

test('nothing alarming is left in the logs', () => site.close());
