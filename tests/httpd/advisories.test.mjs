// Each class of advisory of comparable modules, as a story that bears its number: what befell them must not befall us. This file: who gets in, what
// is served, where one is sent. advisories_inputs.test.mjs: crafted cookies, bodies, headers, tokens.
//
// Elsewhere, by their numbers: CL 04/23/2024 (RSA1_5) in provider_answers_encrypted.test.mjs, CL 07/31/2026 (refreshed tokens) in
// oidc/refreshed_id_token_test.cpp, CL 05/20/2026 (random source ignored) in the unit tests of crypto/.
// Those that belong to what the module does not do yet, or does not do at all:
//   CVE-2021-32785, CL 08/13/2021…   Redis commands: no Redis yet; user data in formats is tested in advisories_inputs
//   GHSA-wcvh-g65p-v576              bearer tokens and introspection: not yet; that no token of the provider lacks aud, iss or exp is tested in advisories_inputs
//   CL 06/10/2020                    refresh hook: none; its parameter is among those tried here
//   CL 08/07/2026 (front- and back-channel logout, logout tokens)   not offered by ProConnect
//   CVE-2019-1010247, CL 07/27/2020  session-management iframe: none; that its addresses answer nothing is tested here
//   CVE-2025-9943                    SQL: none
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, beforeEach, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectNothingProtected, expectProtected, sessionCookie } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { MisbehavingProvider } from '../support/misbehaving-provider.mjs';
import { redirectPayloads } from '../support/redirect-payloads.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { loginWorks } from '../support/refusal.mjs';
import { eventually, freePort } from '../support/scratch.mjs';
import { protectedText } from '../support/site.mjs';

// The application behind mod_proxy answers with what it received.
let reached = 0;
const applicationPort = await freePort();
const application = createServer((request, response) => {
  reached += 1;
  response.setHeader('X-Content', protectedText);
  response.end(JSON.stringify({ protectedText, headers: request.rawHeaders }));
});
await new Promise((resolve) => application.listen(applicationPort, '127.0.0.1', resolve));

const provider = await MisbehavingProvider.start();
const proxied = `ProxyPass "/private/app" "http://127.0.0.1:${applicationPort}/"`;
const site = await startProviderSites({ label: 'advisories', modules: ['proxy', 'proxy_http'], hosts: {
  one: { provider, config: `${proxied}
    <Location "/private/app">
        ProConnectHeaders on
    </Location>
    <Location "/private/somebody-else">
        ProConnectRemoteUser email
        Require user autre@interieur.gouv.fr
    </Location>
    <Location "/private/corp">
        Require proconnect email_domain corp.fr
    </Location>
    <Location "/private/corps">
        Require proconnect email_domain *.corp.fr
    </Location>
    Alias "/private/somebody-else" "/nonexistent"
    Alias "/private/corp" "/nonexistent"` },
  two: { provider },
  whole: { provider, bare: true, config: '<Location "/">\nAuthType ProConnect\nRequire valid-user\n</Location>' },
  short: { provider, config: 'ProConnectSessionLifetime 2s' },
} });
after(async () => { await site.close(); application.close(); application.closeAllConnections(); });
beforeEach(() => provider.well());
const { one, two, whole, short } = site.hosts;
const page = one.url('/private/');
const served = ['/private/notice.txt', '/private/variables.cgi', '/private/app', '/private/'];

// ---- protected content without a session

for (const [id, method, headers, body] of [
  ['CVE_2025_31492 GHSA_59jp_rwph_878r', 'GET', ['Accept: text/html'], ''],
  ['CVE_2025_31492 GHSA_59jp_rwph_878r, a form', 'POST', ['Accept: text/html', 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 3'], 'a=b'],
  ['CVE_2025_31492 GHSA_59jp_rwph_878r, a script', 'GET', ['Accept: application/json'], ''],
  ['CVE_2025_31492 GHSA_59jp_rwph_878r, another method', 'DELETE', ['Accept: text/html'], ''],
  ['CVE_2019_3878 an ECP client in front of mod_proxy', 'GET', ['Accept: text/html, application/vnd.paos+xml', 'PAOS: ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"'], ''],
  ['GHSA_5hvv_m4w4_gf6v the name of a health check', 'GET', ['User-Agent: GoogleHC/1.0', 'Accept: text/html'], ''],
  ['GHSA_5hvv_m4w4_gf6v the name of another health check', 'GET', ['User-Agent: kube-probe/1.29', 'Accept: */*'], ''],
  ['GHSA_7x63_xv5r_3p2x forwarded addresses', 'GET', ['X-Forwarded-Uri: /index.html', 'X-Original-URL: /index.html', 'X-Rewrite-URL: /index.html', 'X-Forwarded-For: 127.0.0.1', 'Forwarded: for=127.0.0.1', 'Accept: text/html'], ''],
]) {
  test(`${id}: no byte of protected content after the answer`, async () => {
    const before = reached;
    for (const path of served) {
      const text = await sendRaw(one.port, `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${one.port}\r\nConnection: close\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
      assert.equal(text.split('HTTP/1.1 ').length - 1, 1, `not one answer for ${path}`);
      assert.ok(!text.includes(protectedText), `${method} ${path} gave something away`);
      const [head, rest] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)];
      assert.ok(Number(/^HTTP\/1\.1 (\d+)/.exec(head)[1]) >= 300);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (length) assert.equal(Buffer.byteLength(rest, 'latin1'), Number(length), `more than the answer for ${path}`);
    }
    assert.equal(reached, before, 'the application behind the proxy was asked');
  });
}

for (const [id, requestLine, host] of [
  ['GHSA_7rh7_c77v_6434 CVE_2025_54576 an open address in the query', 'GET /private/notice.txt?/index.html', '127.0.0.1'],
  ['GHSA_pxq7_h93f_9jrg an encoded fragment', 'GET /private/notice.txt%23/index.html', '127.0.0.1'],
  ['GHSA_pxq7_h93f_9jrg a fragment', 'GET /private/notice.txt#/index.html', '127.0.0.1'],
  ['CVE_2020_24660 an address that is not normalised', 'GET /index.html/..%2f../private/./notice.txt', '127.0.0.1'],
  ['CVE_2020_24660 the same, encoded twice', 'GET /%2570rivate/notice.txt', '127.0.0.1'],
  ['CVE_2021_32637 a malformed address', 'GET /private/%zz/notice.txt', '127.0.0.1'],
  ['CVE_2021_32637 a malformed address without a path', 'GET private/notice.txt', '127.0.0.1'],
  ['CVE_2026_48794 the host in capitals', 'GET /private/notice.txt', 'LOCALHOST'],
  ['CVE_2026_48794 the host with a dot', 'GET /private/notice.txt', 'localhost.'],
  ['CVE_2026_48794 the host of somebody else', 'GET /private/notice.txt', 'evil.example'],
]) {
  test(`${id}: no way around the protection`, async () => {
    const text = await sendRaw(one.port, `${requestLine} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
    assert.ok(!text.includes(protectedText), text.slice(0, 300));
    assert.doesNotMatch(text, /^HTTP\/1\.1 2/);
  });
}

test('GHSA_652x_m2gr_hppm a rule that names somebody else refuses', async () => {
  const browser = await loginWorks(site, { vhost: one });
  const answer = await browser.send(one.url('/private/somebody-else'));
  expectNothingProtected(answer);
  assert.ok([401, 403].includes(answer.status), `${answer.status}`);
});

for (const [email, corp, below] of [
  ['a@corp.fr', true, false], ['a@CORP.fr', true, false], ['a@x.corp.fr', false, true],
  ['a@evil@corp.fr', false, false], ['a@corp.fr@evil.example', false, false], ['a@evil-corp.fr', false, false], ['a@evilcorp.fr', false, false], ['a@evil-x.corp.fr.evil.example', false, false],
  ['a@corp.fr.evil.example', false, false], ['a@corp.fr.', false, false], ['a@.corp.fr', false, false], ['@corp.fr', false, false], ['corp.fr', false, false], ['a@', false, false],
  ['a@corp.fr\u0000.evil.example', false, false], ['a@evil.example#@corp.fr', false, false], ['', false, false], ['a@evil.example;a@corp.fr', false, false],
]) {
  test(`GHSA_c5c4_8r6x_56w3 GHSA_4mf2_f3wh_gvf2 CL 05/20/2026 whose mail domain: ${JSON.stringify(email)}`, async () => {
    provider.userinfo = (claims) => ({ ...claims, email });
    const browser = site.browser();
    await browser.login(page);
    for (const [path, admitted] of [['/private/corp', corp], ['/private/corps', below]]) {
      const { status } = await browser.send(one.url(path));   // there is nothing behind it
      if (admitted) assert.equal(status, 404, path);
      else assert.notEqual(status, 404, path);
    }
  });
}

// ---- whose session

test('CVE_2017_6807 session_of_another_vhost', async () => {
  const browser = await loginWorks(site, { vhost: one });
  const thief = site.browser();
  thief.jar.set(two.url('/'), 'proconnect', sessionCookie(browser, one.origin).value);
  expectLoginRedirect(site, await thief.send(two.url('/private/')));
  expectProtected(await browser.send(page));
});

test('LRO_526 a session and a login of one client are nothing to another', async () => {
  const browser = site.browser();
  const callback = await browser.callbackAddress(page);
  const answer = await browser.send(callback.replace(one.origin, two.origin));
  assert.ok(!sessionCookie(browser, two.origin));
  expectNothingProtected(answer);
});

test('GHSA_f24x_5g9q_753f and CL 08/07/2026: a new session at every login, and the former one is dead', async () => {
  const browser = site.browser();
  const values = [];
  for (let time = 0; time < 3; time += 1) {
    expectProtected(await browser.open(one.url('/proconnect/login?return=/private/')));
    values.push(sessionCookie(browser, one.origin).value);
  }
  assert.equal(new Set(values).size, 3);
  for (const value of values.slice(0, 2)) {
    const thief = site.browser();
    thief.jar.set(page, 'proconnect', value);
    expectLoginRedirect(site, await thief.send(page));
  }
});

test('CVE_2021_35472 and CVE_2022_37186: no process remembers a session that is over', async () => {
  const browser = await loginWorks(site, { vhost: one });
  const { value } = sessionCookie(browser, one.origin);
  const visits = (vhost, cookie) => Promise.all(Array.from({ length: 24 }, () => site.browser().send(vhost.url('/private/'), { headers: { cookie: `proconnect=${cookie}` } })));
  for (const answer of await visits(one, value)) expectProtected(answer);
  await browser.open(one.url('/proconnect/logout'), { from: page });
  for (const answer of await visits(one, value)) expectLoginRedirect(site, answer);
  const brief = sessionCookie(await loginWorks(site, { vhost: short }), short.origin).value;
  await visits(short, brief);
  await eventually('the session is over', async () => (await visits(short, brief)).every(({ status }) => status === 302), { within: 8000, every: 300 });
});

test('CVE_2021_32791 nothing sealed repeats', async () => {
  const browser = site.browser();
  const seen = new Set();
  for (let time = 0; time < 20; time += 1) {
    const state = Buffer.from(expectLoginRedirect(site, await browser.send(page)).get('state'), 'base64url');
    for (let at = 0; at + 12 <= state.length; at += 1) {
      const window = state.subarray(at, at + 12).toString('hex');
      assert.ok(!seen.has(`${window}`), 'twelve bytes of two states are the same');
    }
    for (let at = 0; at + 12 <= state.length; at += 1) seen.add(state.subarray(at, at + 12).toString('hex'));
  }
});

test('OSC_ondemand_4784 no token reaches the application', async () => {
  const browser = await loginWorks(site, { vhost: one });
  const answer = await browser.send(one.url('/private/app'));
  expectProtected(answer);
  // Not "eyJ" alone, which a random id may hold: a header and what follows it.
  for (const token of [/eyJ[\w-]+\.[\w-]+/, /Bearer/, /proconnect=/]) assert.doesNotMatch(answer.text, token);
  assert.doesNotMatch(answer.text, /access.token|id.token|refresh.token/i);
});

// ---- where one is sent

/** Where a browser would go, read as browsers read addresses. */
const landsOn = (location, from) => new URL(location, from).origin;

test('CVE_2022_23527 CVE_2019_20479 CVE_2021_32786 CVE_2019_3877 CVE_2021_3639 CVE_2019_13038 GHSA_j7px_6hwj_hpjg GHSA_qqxw_m5fj_f7gv GHSA_5m6c_jp6f_2vcv: no return address leads away', async () => {
  for (const payload of redirectPayloads) {
    const browser = site.browser();
    const last = await browser.open(one.url(`/proconnect/login?return=${encodeURIComponent(payload)}`), { until: (target) => ![one.origin, provider.origin].includes(new URL(target).origin) });
    for (const { url, headers } of last.history) {
      if (headers.location) assert.ok([one.origin, provider.origin].includes(landsOn(headers.location, url)), `${JSON.stringify(payload)} led to ${landsOn(headers.location, url)}`);
    }
    if (payload.includes('\0')) assert.equal(last.status, 400);
    else assert.ok(sessionCookie(browser, one.origin), `no login with ${JSON.stringify(payload.slice(0, 80))}`);
  }
});

test('the same as the path of a protected page', async () => {
  for (const payload of redirectPayloads.filter((text) => /^\/[\x21-\x7e]*$/.test(text))) {
    const text = await sendRaw(whole.port, `GET ${payload} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
    const location = /^location: (.*)\r$/im.exec(text)?.[1];
    if (!location) continue;
    assert.equal(landsOn(location, whole.origin), provider.origin, payload);
    const browser = site.browser();
    for (const [, cookie] of text.matchAll(/^set-cookie: (.*)\r$/gim)) browser.jar.take(cookie, new URL(whole.origin));
    const callback = (await browser.send(location)).headers.location;
    const back = await browser.send(callback);
    assert.equal(landsOn(back.headers.location, whole.origin), whole.origin, `${payload} led away`);
  }
});

test('CVE_2019_14857 CVE_2021_39191 CL 06/10/2020: nor does any other parameter of any page', async () => {
  for (const path of ['logout', 'logged-out', 'callback', 'login', 'session', '']) {
    for (const name of ['redirect_uri', 'post_logout_redirect_uri', 'target_link_uri', 'return_to', 'returnTo', 'ReturnTo', 'RelayState', 'target', 'rd', 'url', 'refresh', 'logout', 'iss']) {
      for (const value of ['https://evil.example/', '//evil.example', '/\\evil.example']) {
        const answer = await site.browser().send(one.url(`/proconnect/${path}?${name}=${encodeURIComponent(value)}`), { from: page });
        const { location } = answer.headers;
        if (location) assert.ok([one.origin, provider.origin].includes(landsOn(location, one.origin)), `${path}?${name}`);
        assert.ok(!`${location}${answer.text}`.includes('evil.example'), `${path}?${name} was repeated`);
      }
    }
  }
});

test('CL 08/07/2026: a link of another site cannot choose what ProConnect is asked', async () => {
  const query = 'acr_values=eidas3&prompt=none&scope=openid%20phone&claims=%7B%7D&login_hint=x@y.fr&idp_hint=x&redirect_uri=https://evil.example&state=mine&nonce=mine&max_age=0';
  const plain = [...expectLoginRedirect(site, await site.browser().send(page)).keys()].sort();
  for (const path of [`/private/?${query}`, `/proconnect/login?${query}`]) {
    const parameters = expectLoginRedirect(site, await site.browser().send(one.url(path)));
    assert.deepEqual([...parameters.keys()].sort(), plain);
    for (const value of ['eidas3', 'none', 'mine', 'x@y.fr', '{}', 'https://evil.example']) assert.ok(![...parameters.values()].includes(value), value);
  }
});

// ---- what is shown

test('CVE_2017_6059 CVE_2021_28963 CVE_2021_32792: no page repeats what the request says', async () => {
  const planted = 'PLANTED"><script>alert(1)</script>';
  const encoded = encodeURIComponent(planted);
  const parameters = ['error', 'error_description', 'error_uri', 'title', 'message', 'entityID', 'now', 'requestURL', 'statusMessage', 'state', 'code'].map((name) => `${name}=${encoded}`).join('&');
  for (const path of ['callback', 'logged-out', 'logout', 'login', 'session', 'unknown']) {
    const answer = await site.browser().send(one.url(`/proconnect/${path}?${parameters}`));
    assert.doesNotMatch(answer.text, /PLANTED|alert\(1\)/, path);
  }
  const form = await site.browser().send(page, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `field=${encoded}&${encoded}=1` });
  expectErrorPage(site, form, { status: 401, code: 'PC1014' });
  assert.doesNotMatch(form.text, /PLANTED|field|<script/);
});

test('CVE_2021_32792 nothing of a kept form stands on a page, and no script sends it', async () => {
  const browser = site.browser();
  expectProtected(await browser.login(page));
  browser.jar.set(page, 'proconnect', Buffer.alloc(64, 5).toString('base64url'));   // its session is over
  const kept = await browser.send(page, { method: 'POST', from: page, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'PLANTED=%3Cscript%3Ealert(1)%3C/script%3E' });
  assert.equal(kept.status, 303, kept.text.slice(0, 300));
  const asked = await browser.open(kept.headers.location);
  assert.match(asked.text, /<form method="post"/);
  assert.doesNotMatch(`${kept.text}${JSON.stringify(kept.headers)}${asked.text}`, /PLANTED|alert\(1\)|<script|onload/);
});

test('OSC_PR_4784 no token of ProConnect reaches the application unasked', async () => {
  const tokens = [];
  provider.on('token', (right) => {
    const { access_token: access, id_token: id } = JSON.parse(right.body);
    tokens.push(access, id, ...id.split('.'));
    return { ...right, body: JSON.stringify({ ...JSON.parse(right.body), refresh_token: 'refresh-'.repeat(6) }) };
  });
  const browser = await loginWorks(site, { vhost: one });
  for (const path of ['/private/app', '/private/variables.cgi']) {
    const { text, status } = await browser.send(one.url(path));
    assert.equal(status, 200);
    for (const token of [...tokens, 'refresh-'.repeat(6)]) assert.ok(!text.includes(token), path);
    assert.doesNotMatch(text, /ACCESS_TOKEN|access-token|ID_TOKEN/i);
  }
});

test('CVE_2019_1010247 no page of session management, and no script on any page', async () => {
  for (const query of ['session=iframe_op&poll=);alert(1);(', 'session=iframe_rp&poll=1', 'session=check', 'info=json', 'jwks=rsa', 'request_uri=x', 'remove_at_cache=x', 'revoke_session=x']) {
    for (const path of ['callback', 'session']) {
      const answer = await site.browser().send(one.url(`/proconnect/${path}?${query}`));
      assert.doesNotMatch(answer.text, /<script|<iframe|alert/);
      assert.ok(answer.status !== 200, `${path}?${query}: ${answer.status}`);
    }
  }
});

test('nothing alarming is left in the logs', () => site.close());
