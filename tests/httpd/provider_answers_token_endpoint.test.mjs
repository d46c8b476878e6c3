// The token endpoint answers wrongly: errors, other formats, cut, slow, endless, and JSON that is none. Back-channel redirects are not followed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, beforeEach, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { brokenJson } from '../support/broken-json.mjs';
import { sign } from '../support/jose.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { loginRefused, loginWorks } from '../support/refusal.mjs';

const elsewhere = await wrong.MisbehavingProvider.start();
const site = await startProviderSites({ label: 'answers-token', hosts: { one: { config: 'ProConnectTimeout 2s' } } });
after(async () => { await site.close(); await elsewhere.stop(); });
const { provider, client } = site.hosts.one;
beforeEach(() => provider.well());

const oauthError = (error, status = 400) => wrong.instead(JSON.stringify({ error }), { status });
const cases = [
  ['400 invalid_grant', oauthError('invalid_grant'), 'PC2021', 400],
  ['400 invalid_request', oauthError('invalid_request'), 'PC2022'],
  ['400 unsupported_grant_type', oauthError('unsupported_grant_type'), 'PC2022'],
  ['400 without an OAuth error', wrong.instead('{}', { status: 400 }), 'PC2004'],
  ['an error in 200', oauthError('invalid_grant', 200), 'PC2023'],
  ['500', wrong.instead('oops', { status: 500, type: 'text/plain' }), 'PC2004'],
  ['503 with an HTML page', wrong.instead('<html>maintenance</html>', { status: 503, type: 'text/html' }), 'PC2004'],
  ['204', wrong.instead('', { status: 204 }), 'PC2004'],
  ['an HTML page', wrong.html, 'PC2023'],
  ['nothing', wrong.instead(''), 'PC2023'],
  ['an empty object', wrong.instead('{}'), 'PC2023'],
  ['an array', wrong.instead('[]'), 'PC2023'],
  ['half an answer', wrong.truncated, 'PC2001'],
  ['more than it announced', wrong.announcesLess, 'PC2023'],
  ['drop by drop', wrong.drip, 'PC2002'],
  ['never', wrong.hang, 'PC2002'],
  ['by closing the connection', wrong.drop, 'PC2001'],
  ['in another protocol', wrong.noHttp, 'PC2001'],
  ['compressed', wrong.compressed(), 'PC2023'],
  ['with a compression bomb', wrong.compressed(50_000_000), 'PC2023'],
  ['10 MiB', wrong.huge(10 * 1024 * 1024), 'PC2005'],
  ['800 KiB of headers', wrong.hugeHeaders, 'PC2005'],
  ['token_type mac', wrong.withMembers({ token_type: 'mac' }), 'PC2023'],
  ['no token_type', wrong.withMembers({ token_type: undefined }), 'PC2023'],
  ['token_type in an array', wrong.withMembers({ token_type: ['Bearer'] }), 'PC2023'],
  ['no id_token', wrong.withMembers({ id_token: undefined }), 'PC2023'],
  ['id_token null', wrong.withMembers({ id_token: null }), 'PC2023'],
  ['id_token empty', wrong.withMembers({ id_token: '' }), 'PC2023'],
  ['id_token of 100 000 characters', wrong.withMembers({ id_token: `eyJ.${'A'.repeat(100_000)}.x` }), /PC(2023|3001)/],
  ['id_token that is no token', wrong.withMembers({ id_token: 'hello' }), 'PC3001'],
  ['id_token with two parts', wrong.withMembers({ id_token: 'eyJhbGciOiJFUzI1NiJ9.e30' }), 'PC3001'],
  ['id_token with empty parts', wrong.withMembers({ id_token: '..' }), 'PC3001'],
  ['id_token with white space around', (right) => ({ ...right, body: right.body.replace('"id_token":"', '"id_token":" ') }), 'PC3001'],
  ['no access_token', wrong.withMembers({ access_token: undefined }), 'PC2023'],
  ['access_token empty', wrong.withMembers({ access_token: '' }), 'PC2023'],
  ['access_token a number', wrong.withMembers({ access_token: 123456789012345 }), 'PC2023'],
  ['expires_in a text', wrong.withMembers({ expires_in: '60' }), 'PC2023'],
  ['expires_in negative', wrong.withMembers({ expires_in: -1 }), 'PC2023'],
  ['expires_in 1e300', (right) => ({ ...right, body: right.body.replace('"expires_in":60', '"expires_in":1e300') }), 'PC2023'],
  ['refresh_token that is no string', wrong.withMembers({ refresh_token: { a: 1 } }), 'PC2023'],
];
for (const [name, misbehaviour, code, status] of cases) {
  test(`refused: it answers ${name}`, async () => {
    provider.on('token', misbehaviour);
    const began = Date.now();
    const line = await loginRefused(site, { code, status });
    assert.ok(line.length < 1500, `a line of ${line.length} characters`);
    assert.ok(Date.now() - began < 5000 * patience, `${Date.now() - began} ms`);
  });
}

for (const error of ['invalid_client', 'unauthorized_client']) {
  for (const status of [400, 401]) {
    test(`refused: ${status} ${error}, and the administrator is told plainly`, async () => {
      provider.on('token', oauthError(error, status));
      const line = await loginRefused(site, { code: 'PC2020' });
      assert.ok(line.includes(`ProConnect refused client_id ${client.client_id}: ${error}`), line);
    });
  }
}

test('refused: an error code with line breaks, which the log does not repeat', async () => {
  provider.on('token', oauthError('x\r\n[error] forged <script>'));
  assert.match(await loginRefused(site, { code: 'PC2022' }), /an unreadable error/);
  assert.doesNotMatch(site.apache.errorLog(), /^\[error\] forged|<script>/m);
});

// What comes from the token endpoint becomes a header of the next request.
for (const [name, token] of [['a line break', 'abcdefghijkl\r\nX-Admin: 1'], ['a NUL', 'abcdefghijkl\u0000'], ['a letter with an accent', 'abcdefghijklé']]) {
  test(`refused: access_token with ${name}, as what it is: a wrong answer`, async () => {
    provider.idToken = ({ at_hash: _, ...claims }) => sign(claims, provider.keys[0]);
    provider.on('token', wrong.withMembers({ access_token: token }));
    await loginRefused(site, { code: /PC20(23|30)/ });
  });
}

test('accepted: token_type bearer in any case, more members than we know, white space', async () => {
  provider.on('token', (right) => ({ ...right, body: ` \n\t${JSON.stringify({ ...JSON.parse(right.body), token_type: 'bEaReR', scope: 'openid', x: { y: [null] } }, null, 8)}\r\n` }));
  await loginWorks(site);
});

for (const [name, spoil] of Object.entries(brokenJson)) {
  test(`refused: a token answer with ${name}`, async () => {
    provider.on('token', (right) => ({ ...right, body: spoil(right.body) }));
    await loginRefused(site, { code: /PC20(05|23)/ });
  });
  test(`refused: an id_token whose claims have ${name}`, async () => {
    provider.idToken = (claims) => sign(spoil(JSON.stringify(claims)), provider.keys[0]);
    await loginRefused(site, { code: /PC(2005|2023|3001)/ });
  });
}

for (const endpoint of ['token', 'userinfo']) {
  for (const status of [301, 302, 303, 307, 308]) {
    test(`not followed: a ${status} of the ${endpoint} endpoint`, async () => {
      provider.on(endpoint, wrong.redirect(`${elsewhere.issuer}/${endpoint}`, status));
      await loginRefused(site, { code: endpoint === 'token' ? 'PC2004' : 'PC2030' });
      assert.deepEqual(elsewhere.requests, [], 'a redirect was followed');
    });
  }
}

/** Memory of the server's children at its highest, in MiB. */
function peakMemory() {
  let sum = 0;
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) === site.apache.pid) sum += Number(/^VmHWM:\s+(\d+) kB/m.exec(status)[1]) / 1024;
    } catch {
      // ended meanwhile
    }
  }
  return sum;
}

test('twenty endless answers, six at a time, leave the server as small as it was', async () => {
  const before = peakMemory();
  provider.on('token', wrong.huge(10 * 1024 * 1024));
  for (let round = 0; round < 4; round += 1) await Promise.all(Array.from({ length: 5 }, () => loginRefused(site, { code: 'PC2005' })));
  const grown = peakMemory() - before;
  if (patience === 1) assert.ok(grown < 24, `${grown.toFixed(1)} MiB more`);  // a sanitizer keeps what is freed
});

test('an ordinary login works after all this', async () => { await loginWorks(site); });
test('nothing alarming is left in the logs', () => site.close());
