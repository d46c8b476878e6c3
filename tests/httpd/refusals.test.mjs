// ProConnect says no, answers wrongly or is not there: the user gets a page that says so, the log one line, and nobody a session.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { expectErrorPage, expectProtected, sessionCookie } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';
import { eventually } from '../support/scratch.mjs';

const site = await startSite({ label: 'refusals', vhosts: [
  { client: { alg: 'ES256' } },
  { client: { alg: 'ES256' }, secret: 'wrong-secret-wrong-secret-wrong-secret' },
] });
after(() => site.close());

async function loginFails(browser = site.browser('agent-etat'), address = site.url('/private/')) {
  const answer = await browser.login(address);
  assert.equal(sessionCookie(browser, site.origin), undefined, 'a session all the same');
  return answer;
}

// First: a refused signature has the keys fetched too, which is done once a minute.
test('keys rotated between two logins are fetched again', async () => {
  expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
  await site.standin.post('rotate-keys', { keep_old: false });
  expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
});

for (const [persona, status, code] of [
  ['abandon', 403, 'PC2040'],
  ['erreur-access-denied', 403, 'PC2040'],
  ['erreur-server-error', 503, 'PC2044'],
  ['erreur-temporarily-unavailable', 503, 'PC2045'],
  ['erreur-invalid-request', 503, 'PC2043'],
  ['erreur-invalid-scope', 503, 'PC2042'],
  ['erreur-login-required', 401, 'PC2041'],
  ['erreur-unsupported-response-type', 503, 'PC2046'],
]) {
  test(`says so when ProConnect answers "${persona}", and does not go round again`, async () => {
    const answer = await loginFails(site.browser(persona));
    expectErrorPage(site, answer, { status, code });
    const logins = answer.history.filter(({ headers }) => headers.location?.includes('/authorize?'));
    assert.equal(logins.length, 1);
  });
}

test('HTML in error_description is shown as text or not at all', async () => {
  const browser = site.browser();
  const address = await browser.callbackAddress(site.url('/private/'), 'abandon');
  const url = new URL(address);
  url.searchParams.set('error_description', '<script>alert(1)</script><img src=x onerror=alert(2)>\r\n[error] forged');
  const answer = await browser.send(url.href);
  expectErrorPage(site, answer, { status: 403, code: 'PC2040' });
  assert.doesNotMatch(answer.text, /<script>|<img/);
  assert.doesNotMatch(site.apache.errorLog(), /^\[error\] forged/m);
});

test('a wrong client_secret is told to the administrator in so many words', async () => {
  const { client, url } = site.vhosts[1];
  const answer = await loginFails(site.browser('agent-etat'), url('/private/'));
  const { line } = expectErrorPage(site, answer, { status: 503, code: 'PC2020' });
  assert.ok(line.includes(`ProConnect refused client_id ${client.client_id}: invalid_client`), line);
});

for (const [name, rule, code] of [
  ['500', { status: 500, body: 'oops' }, 'PC2004'],
  ['503', { status: 503, body: '<html>maintenance</html>', content_type: 'text/html' }, 'PC2004'],
  ['an HTML page with 200', { status: 200, body: '<html>hello</html>', content_type: 'text/html' }, /PC20(06|23)/],
  ['nothing in 200', { status: 200, body: '' }, /PC20(06|23)/],
  ['half an answer', { status: 200, body: { access_token: 'abc', token_type: 'Bearer' }, truncate: true }, /PC20(01|02|06|23)/],
  ['no id_token', { status: 200, body: { access_token: 'abcabcabcabc', token_type: 'Bearer', expires_in: 60 } }, 'PC2023'],
  ['another token_type', { status: 200, body: { access_token: 'abcabcabcabc', token_type: 'mac', id_token: 'a.b.c', expires_in: 60 } }, 'PC2023'],
  ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, 'PC2021'],
  ['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:9/' }, body: '' }, 'PC2004'],
  ['a closed connection', { drop: true }, 'PC2001'],
]) {
  test(`the token endpoint answers ${name}`, async () => {
    await site.standin.post('fail', { endpoint: 'token', times: 3, ...rule });
    const answer = await loginFails();
    await site.standin.post('fail', { endpoint: 'token', times: 0 });
    const { line } = expectErrorPage(site, answer, { status: code === 'PC2021' ? 400 : 503, code });
    assert.ok(line.length < 1500);
  });
}

for (const [name, rule] of [['401', { status: 401, body: '' }], ['500', { status: 500, body: '' }], ['nothing', { drop: true }]]) {
  test(`userinfo answers ${name}: a login without its claims is not a login`, async () => {
    await site.standin.post('fail', { endpoint: 'userinfo', times: 3, ...rule });
    const answer = await loginFails();
    await site.standin.post('fail', { endpoint: 'userinfo', times: 0 });
    expectErrorPage(site, answer, { status: 503, code: /PC(2001|2004|2030)/ });
  });
}

const tampered = [
  ['id_token', 'an issuer that is not ours', { set: { iss: 'https://evil.example/api/v2' } }, 'PC3010'],
  ['id_token', 'another audience', { set: { aud: 'somebody-else' } }, 'PC3011'],
  ['id_token', 'no audience', { remove: ['aud'] }, 'PC3011'],
  ['id_token', 'several audiences without azp', { set: { aud: ['somebody-else', 'a-third'] } }, 'PC3011'],
  ['id_token', 'no subject', { remove: ['sub'] }, 'PC3013'],
  ['id_token', 'an expiry in the past', { set: { exp: 'now-3600' } }, 'PC3014'],
  ['id_token', 'an iat in the future', { set: { iat: 'now+3600' } }, 'PC3015'],
  ['id_token', 'another nonce', { set: { nonce: 'n'.repeat(43) } }, 'PC3016'],
  ['id_token', 'no nonce', { remove: ['nonce'] }, 'PC3016'],
  ['id_token', 'a wrong at_hash', { set: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 'PC3017'],
  ['id_token', 'a signature by another key', { sign: 'other-key' }, 'PC3003'],
  ['id_token', 'alg none', { sign: 'none' }, /PC300[12]/],
  ['id_token', 'the public key used as a secret', { sign: 'public-key-as-secret' }, 'PC3002'],
  ['id_token', 'a signature in DER', { sign: 'der' }, 'PC3003'],
  ['id_token', 'one bit changed in the claims', { flip: 1 }, /PC300[13]/],
  ['id_token', 'an unknown crit header', { header: { crit: ['b64'], b64: false } }, 'PC3005'],
  ['userinfo', "another person's sub", { set: { sub: 'somebody-else' } }, 'PC3030'],
  ['userinfo', 'a signature by another key', { sign: 'other-key' }, 'PC3003'],
  ['userinfo', 'another issuer', { set: { iss: 'https://evil.example' } }, 'PC3010'],
  ['userinfo', 'another audience', { set: { aud: 'somebody-else' } }, 'PC3011'],
];
for (const [target, name, rule, code] of tampered) {
  test(`refuses ${target} with ${name}`, async () => {
    await site.standin.post('tamper', { target, times: 1, ...rule });
    const answer = await loginFails();
    const status = code === 'PC3016' ? 400 : 503;
    expectErrorPage(site, answer, { status, code });
  });
}

test('after all this an ordinary login works', async () => {
  await site.standin.post('fail', { endpoint: 'token', times: 0 });
  const page = await eventually('a login works', async () => {
    const answer = await site.browser('agent-etat').login(site.url('/private/'));
    return answer.status === 200 && answer;
  });
  expectProtected(page);
});

test('nothing alarming is left in the logs', () => site.close());
