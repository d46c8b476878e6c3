// After the login one is exactly where one wanted to go, and nowhere outside the site.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

const site = await startSite({ label: 'return', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());

const addresses = [
  '/private/echo',
  '/private/echo?',
  '/private/echo?a=1&b=2&a=3',
  '/private/echo?q=%C3%A9t%C3%A9%20%26%3D%3F%23%2B&r=a+b',
  '/private/echo?redirect=https://example.org/%2F..//&&x==?y',
  '/private/echo/%C3%A9chantillon%20n%C2%B01/liste?tri=d%C3%A9croissant',
  '/private/echo/a%2Fb%3Fc?percent=%25&lower=%c3%a9',
  '/private/echo/~user;v=1,2@host:8080/(x)!$*\'?[a]=b|c^d`e{f}',
  '/private/echo?html=%3Cscript%3Ealert(1)%3C/script%3E&quote=%22%27',
  '/private/echo?crlf=%0d%0aSet-Cookie:%20x=y',
  `/private/echo?long=${'interminable-'.repeat(120)}`,
];

for (const address of addresses) {
  test(`returns to ${address.length > 90 ? `${address.slice(0, 60)}… (${address.length} characters)` : address}`, async () => {
    const page = await site.browser('agent-etat').login(site.url(address));
    assert.equal(variablesOf(page).REQUEST_URI, address);
  });
}

test('an address far too long for a redirect ends on a page of the site, not in an error of ProConnect', async () => {
  const page = await site.browser('agent-etat').login(site.url(`/private/echo?long=${'x'.repeat(7000)}`));
  assert.ok(page.url.startsWith(site.origin), 'left the site');
  assert.ok(page.status < 500, `${page.status}`);
});

test('the address asked for is sealed inside state and cannot be read or changed', async () => {
  const browser = site.browser('agent-etat');
  const parameters = expectLoginRedirect(site, await browser.send(site.url('/private/echo?secret-page=1')));
  const state = parameters.get('state');
  assert.ok(!Buffer.from(state, 'base64url').toString('latin1').includes('secret-page'));
});

test('a host that the client invents is not believed', async () => {
  const browser = site.browser('agent-etat');
  const answer = await browser.send(site.url('/private/'), { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' } });
  const parameters = expectLoginRedirect(site, answer);
  assert.equal(parameters.get('redirect_uri'), site.url('/proconnect/callback'));
});

test('an absolute request line does not lead outside', async () => {
  const browser = site.browser('agent-etat');
  const first = await browser.send(site.url('/private/echo'), { rawPath: 'http://evil.example/private/echo?x=1' });
  const parameters = expectLoginRedirect(site, first);
  assert.equal(parameters.get('redirect_uri'), site.url('/proconnect/callback'));
  const page = await browser.open(first.headers.location);
  assert.ok([site.url('/'), site.url('/private/echo?x=1')].includes(page.url), `ended at ${page.url}`);
});

for (const target of ['//evil.example/', '/\\evil.example', 'https:evil.example', 'https://evil.example/', '%2f%2fevil.example', '/%0d%0aLocation:%20https://evil.example', 'javascript:alert(1)',
  'https://127.0.0.1@evil.example/', '\\\\evil.example', '/\t/evil.example', '', '/..//evil.example']) {
  test(`the login page ignores the return address ${JSON.stringify(target)}`, async () => {
    for (const name of ['return', 'return_to', 'target', 'url', 'rd', 'next']) {
      const browser = site.browser('agent-etat');
      const page = await browser.login(site.url(`/proconnect/login?${name}=${encodeURIComponent(target)}`), undefined, { until: (next) => !next.startsWith(site.origin) && !next.startsWith(site.standin.issuer) });
      assert.ok(page.url.startsWith(site.origin) || page.url.startsWith(site.standin.issuer), page.url);
      for (const { headers, url } of page.history.filter((answer) => answer.headers.location)) {
        assert.ok([site.origin, new URL(site.standin.issuer).origin].includes(new URL(headers.location, url).origin), headers.location);
      }
    }
  });
}

test('nothing alarming is left in the logs', () => site.close());
