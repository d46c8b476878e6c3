// Programs cannot log in: they get 401 at once. No redirect to follow, no cookie, no login begun.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectMachineRefusal, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { request } from '../support/http.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'machine-clients', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const page = site.url('/private/variables.cgi');

for (const [name, options] of [
  ['fetch()', { headers: { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' } }],
  ['XMLHttpRequest of an old library', { headers: { accept: '*/*', 'x-requested-with': 'XMLHttpRequest' } }],
  ['a client that wants JSON', { headers: { accept: 'application/json' } }],
  ['HEAD from a browser', { method: 'HEAD', headers: { accept: 'text/html' } }],
  ['a WebSocket', { headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', accept: '*/*' } }],
  ['an image of a page', { headers: { accept: 'image/avif,image/webp,*/*', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }],
  ['PUT', { method: 'PUT', headers: { accept: 'text/html' }, body: 'x' }],
  ['DELETE', { method: 'DELETE', headers: { accept: 'text/html' } }],
  ['OPTIONS of a CORS preflight', { method: 'OPTIONS', headers: { origin: 'https://other.example', 'access-control-request-method': 'POST' } }],
  ['PROPFIND', { method: 'PROPFIND', headers: { accept: '*/*' } }],
  ['a form sent without a session by a script', { method: 'POST', headers: { accept: 'application/json', 'content-type': 'application/json' }, body: '{}' }],
]) {
  test(`${name} gets 401 and no redirect`, async () => expectMachineRefusal(await request(page, options)));
}

test('the answer is JSON with a stable code for programs that read it', async () => {
  const answer = await request(page, { headers: { accept: 'application/json' } });
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.ok(JSON.stringify(answer.json).includes('PC1015') || JSON.stringify(answer.json).includes('login_required'));
});

test('ProConnect hears nothing of all this', async () => {
  for (let time = 0; time < 50; time += 1) await request(page, { headers: { accept: 'application/json' } });
  assert.equal((await site.standin.get('requests?endpoint=authorize')).length, 0);
});

test('a form posted by a browser without a session is told to the user, not silently dropped', async () => {
  const browser = site.browser();
  const answer = await browser.send(page, { method: 'POST', from: site.url('/private/'), headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1&b=2' });
  expectNothingProtected(answer);
  assert.ok(answer.status !== 302 && answer.status !== 200, `${answer.status}`);
  assert.match(answer.text, /PC1014|formulaire/);
});

test('a browser that says nothing of itself but Accept: text/html is sent to log in', async () => {
  expectLoginRedirect(site, await request(page, { headers: { accept: 'text/html' } }));
});

test('with a session every method and every kind of client is let through', async () => {
  const fresh = await startSite({ label: 'machine-clients-in', vhosts: [{ client: { alg: 'ES256' } }] });
  try {
    const browser = fresh.browser('agent-etat');
    const address = fresh.url('/private/variables.cgi');
    expectProtected(await browser.login(address));
    for (const options of [{ method: 'POST', body: 'x' }, { headers: { accept: 'application/json' } }]) expectProtected(await browser.fetch(address, { from: address, ...options }));
    assert.equal((await browser.fetch(address, { method: 'HEAD' })).status, 200);
  } finally {
    await fresh.close();
  }
});

test('nothing alarming is left in the logs', () => site.close());
