// Advisories of comparable modules, second part (see advisories.test.mjs): crafted cookies, bodies, headers and tokens. Whatever is sent, the server
// lives on, nobody gets in, and nobody becomes somebody else.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import net from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { expectNothingProtected, expectProtected, sessionCookie } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { decode, encode, sign } from '../support/jose.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { expectNoSecret, loginRefused, loginWorks } from '../support/refusal.mjs';
import { freePort } from '../support/scratch.mjs';
import { protectedText, variablesOf } from '../support/site.mjs';

let received = [];
const applicationPort = await freePort();
const application = createServer((request, response) => {
  received = request.rawHeaders;
  response.setHeader('X-Content', protectedText);
  response.end(JSON.stringify(request.rawHeaders));
});
await new Promise((resolve) => application.listen(applicationPort, '127.0.0.1', resolve));

const provider = await wrong.MisbehavingProvider.start();
const site = await startProviderSites({ label: 'advisories-inputs', modules: ['proxy', 'proxy_http'], hosts: { one: { provider, config: `
    ProxyPass "/private/app" "http://127.0.0.1:${applicationPort}/"
    ProxyPass "/open/app" "http://127.0.0.1:${applicationPort}/"
    ProxyPass "/named/app" "http://127.0.0.1:${applicationPort}/"
    ProxyPass "/denied/app" "http://127.0.0.1:${applicationPort}/"
    <Location "/private/app">
        ProConnectHeaders on
    </Location>
    <Location "/named">
        AuthType ProConnect
        ProConnectUnauthenticated pass
        ProConnectHeaders on
        Require all granted
    </Location>
    <Location "/denied">
        AuthType ProConnect
        ProConnectUnauthenticated deny
        Require valid-user
    </Location>` } } });
after(async () => { await site.close(); application.close(); application.closeAllConnections(); });
beforeEach(() => provider.well());
const { one } = site.hosts;
const pages = ['/private/notice.txt', '/private/app', '/open/app', '/named/app', '/proconnect/callback', '/proconnect/login', '/proconnect/logout', '/proconnect/logged-out', '/proconnect/session', '/proconnect/nothing'];

/** The raw request; the answer must be one of httpd, and give nothing away. */
async function sendTo(path, head, body = '', method = 'GET') {
  const text = await sendRaw(one.port, Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${head}\r\n${body}`, 'latin1'));
  assert.match(text, /^HTTP\/1\.1 [2-5]\d\d /, `no answer from ${path}`);
  if (!/^\/(open|named)\//.test(path)) assert.ok(!text.includes(protectedText), `${path} gave something away`);
  return text;
}

function expectAllAlive() {
  assert.deepEqual(site.apache.logged(/exit signal|AH0005[12]/), [], 'a child died');
}

// ---- cookies

const crafted = {
  'CVE_2023_28625 nothing but separators': [';', ';;;;;;;;', '; ; ; ', '=', '==', '=;=', ' ', '\t'],
  'CVE_2023_28625 nothing left once ours are taken out': ['proconnect=x', 'proconnect=x; proconnect-login=y', 'proconnect=;proconnect=;', ' proconnect=x ; '],
  'CVE_2026_54789 no equals sign': ['proconnect', 'proconnect-login', 'proconnect;', ';proconnect', 'proconnect ; proconnect-login', 'a;b;c', 'proconnect-loginx', 'proconnec', 'proconnect-login_chunks'],
  'CVE_2024_24814 a number of pieces to count to': ['proconnect_chunks=99999999', 'proconnect_chunks=99999999; proconnect_0=x; proconnect=x', 'proconnect_chunks=-1', 'proconnect-login_chunks=18446744073709551615'],
  'CVE_2021_31826 a cookie of something that is not in use': ['_shibsession_x=y', '__recovery_x=y', 'mod_auth_openidc_state_=%', '_oauth2_proxy=a|b|c', 'mellon-cookie=%00'],
  'CL 05/18/2018 names and values longer than any buffer': [`proconnect=${'A'.repeat(7000)}`, `${'proconnect'.repeat(700)}=x`, `proconnect-login=${'%41'.repeat(2300)}`, `${'a=b;'.repeat(1900)}`, `${'proconnect=x;'.repeat(580)}`],
  'bytes that are no text': ['proconnect=\xff\xfe\x80', 'proconnect=\x01\x02', '\x80=\x80', 'proconnect="', 'proconnect="a;b"', 'proconnect=%n%n%s%s', "proconnect=' OR 1=1 --", 'proconnect=$(id)', 'proconnect=../../etc/passwd'],
};
for (const [id, values] of Object.entries(crafted)) {
  test(`${id}: treated as no session, at once`, async () => {
    for (const value of values) {
      for (const path of pages) {
        const began = Date.now();
        await sendTo(path, `Accept: text/html\r\nCookie: ${value}\r\n`);
        assert.ok(Date.now() - began < 2500 * patience, `${Date.now() - began} ms for a cookie`);
      }
    }
    expectAllAlive();
  });
}

test('CVE_2023_28625 every other cookie arrives at the application as it was', async () => {
  const browser = await loginWorks(site);
  const ours = `proconnect=${sessionCookie(browser, one.origin).value}`;
  for (const [sent, arrived] of [[`${ours}`, undefined], [`a=b;${ours};c=d`, 'a=b;c=d'], [`${ours}; a`, 'a'], [`=x; ${ours}`, '=x'], [`a="b;c"; ${ours}`, 'a="b;c"']]) {
    await sendTo('/open/app', `Cookie: ${sent}\r\n`);
    const at = received.findIndex((name) => name.toLowerCase() === 'cookie');
    assert.equal(at < 0 ? undefined : received[at + 1].replaceAll('; ', ';'), arrived);
  }
});

// ---- bodies

for (const [id, head, body] of [
  ['CVE_2021_20718 post_without_content_type', 'Content-Length: 3\r\n', 'a=b'],
  ['CVE_2025_3891 GHSA_x7cf_8wgv_5j86 an empty post without content_type', 'Content-Length: 0\r\n', ''],
  ['CVE_2025_3891 GHSA_x7cf_8wgv_5j86 a post without content_type and without length', '', ''],
  ['CVE_2021_20718 an empty content_type', 'Content-Type:\r\nContent-Length: 3\r\n', 'a=b'],
  ['CVE_2021_20718 a content_type that is none', 'Content-Type: ;;;\r\nContent-Length: 3\r\n', 'a=b'],
  ['CVE_2021_20718 multipart without a boundary', 'Content-Type: multipart/form-data\r\nContent-Length: 3\r\n', 'a=b'],
  ['CVE_2016_2145 chunks that are none', 'Transfer-Encoding: chunked\r\n', 'zzz\r\nxxx\r\n0\r\n\r\n'],
  ['CVE_2016_2145 an enormous chunk', 'Transfer-Encoding: chunked\r\n', 'ffffffffffffffff\r\nx'],
]) {
  test(`${id}`, async () => {
    for (const accept of ['Accept: text/html\r\n', '']) {
      for (const path of pages) await sendTo(path, `${accept}${head}`, body, 'POST');
    }
    expectAllAlive();
  });
}

test('CVE_2016_2145 a body that breaks off', async () => {
  for (const path of pages) {
    await new Promise((resolve, reject) => {
      const socket = net.connect(one.port, '127.0.0.1', () => {
        socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nContent-Length: 100000\r\n\r\nabc`, () => socket.destroy());
      });
      socket.once('close', resolve).once('error', reject);
    });
  }
  expectProtected(await (await loginWorks(site)).send(one.url('/private/')));
  expectAllAlive();
});

test('CVE_2016_2146 a body without end is not read into memory, and answered', async () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'a=b&');
  for (const path of ['/private/notice.txt', '/proconnect/logout', '/proconnect/callback']) {
    const answer = await new Promise((resolve) => {
      const socket = net.connect(one.port, '127.0.0.1');
      let text = '';
      socket.on('data', (data) => { text += data; }).once('close', () => resolve(text)).on('error', () => resolve(text));
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${32 * megabyte.length}\r\n\r\n`);
      for (let piece = 0; piece < 32; piece += 1) socket.write(megabyte);
    });
    assert.match(answer, /^HTTP\/1\.1 [2-4]/);
  }
  expectAllAlive();
});

test('CVE_2014_8566 CVE_2014_8567 logging out with nothing to log out, and claims beyond every limit', async () => {
  for (const cookie of ['', 'Cookie: proconnect=x\r\n', `Cookie: proconnect=${'A'.repeat(86)}\r\n`]) {
    for (const method of ['GET', 'POST']) await sendTo('/proconnect/logout', `Sec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n${cookie}`, '', method);
  }
  provider.userinfo = (claims) => ({ ...claims, ...Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`c${index}`, 'x'.repeat(3000)])) });
  await loginRefused(site, { code: /PC(2005|4002)/ });
  expectAllAlive();
});

// ---- headers that imitate ours

const spellings = ['X-ProConnect-Email', 'X_ProConnect_Email', 'x-proconnect_email', 'X-PROCONNECT-EMAIL', 'x_proconnect-email', 'X.ProConnect.Email', 'X-ProConnect-Sub', 'X_PROCONNECT_SUB', 'ProConnect-Email', 'PROCONNECT_EMAIL', 'Proconnect_Sub', 'REMOTE_USER', 'Remote-User', 'remote.user'];
for (const [id, path] of [
  ['CVE_2025_64484 GHSA_vjrc_mh2v_45x6 header_spellings, signed in', '/private/app'],
  ['CVE_2017_6062 where everybody passes', '/named/app'],
  ['CVE_2017_6413 where nothing is protected', '/open/app'],
]) {
  for (const method of ['GET', 'POST', 'OPTIONS', 'PUT', 'PROPFIND']) {
    test(`${id}, ${method}`, async () => {
      const browser = await loginWorks(site);
      const cookie = `Cookie: proconnect=${sessionCookie(browser, one.origin).value}\r\n`;
      const forged = spellings.map((name) => `${name}: evil\r\n`).join('');
      for (const session of path.startsWith('/private') ? [cookie] : [cookie, '']) {
        received = undefined;
        const text = await sendRaw(one.port, `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n${forged}${session}\r\n`);
        assert.ok(received, `not served: ${text.slice(0, 60)}`);
        for (let index = 0; index < received.length; index += 2) {
          if (/^(x[-_.])?proconnect|^remote.user$/i.test(received[index])) assert.notEqual(received[index + 1], 'evil', received[index]);
        }
        const emails = received.filter((name) => name.toLowerCase() === 'x-proconnect-email').length;
        assert.equal(emails, session && !path.startsWith('/open') ? 1 : 0);
      }
    });
  }
}

test('CL 08/07/2026 nothing gets through by OPTIONS where a login is needed', async () => {
  received = undefined;
  for (const path of ['/private/app', '/denied/app']) await sendTo(path, 'Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n', '', 'OPTIONS');
  assert.equal(received, undefined);
});

// ---- tokens

test('CL 11/19/2020 userinfo without sub is nobody', async () => {
  provider.userinfo = ({ sub: _, ...claims }) => claims;
  await loginRefused(site, { code: 'PC3030' });
});

for (const claim of ['aud', 'iss', 'exp', 'iat']) {
  test(`GHSA_wcvh_g65p_v576 no token without ${claim}, be it the id_token or a signed userinfo`, async () => {
    const without = ({ [claim]: _, ...claims }) => claims;
    const code = { aud: 'PC3011', iss: 'PC3010', exp: 'PC3014', iat: 'PC3015' }[claim];
    provider.idToken = (claims) => sign(without(claims), provider.keys[0]);
    await loginRefused(site, { code });
    provider.well();
    provider.userinfo = (claims, frame) => sign(without({ ...claims, ...frame }), provider.keys[0]);
    assert.match(await loginRefused(site, { code }), /userinfo: /);
  });
}

for (const [name, change] of [['a zero more', (nonce) => `0${nonce}`], ['a blank more', (nonce) => `${nonce} `], ['other capitals', (nonce) => nonce.replace(/[a-z]/, (letter) => letter.toUpperCase())], ['a NUL and more', (nonce) => `${nonce}\u0001`]]) {
  test(`CL 07/16/2026 a nonce with ${name} is another nonce`, async () => {
    provider.idToken = (claims) => sign({ ...claims, nonce: change(claims.nonce) }, provider.keys[0]);
    await loginRefused(site, { code: 'PC3016', status: 400 });
  });
}

test('CL 08/12/2026 state, code or iss twice: refused, whichever is right', async () => {
  for (const name of ['state', 'code', 'iss', 'error']) {
    const browser = site.browser();
    const callback = await browser.callbackAddress(one.url('/private/'));
    const before = provider.count('token');
    const value = new URL(callback).searchParams.get(name) ?? 'access_denied';
    for (const address of [`${callback}&${name}=${encodeURIComponent(value)}`, `${callback}&${name}=other`, callback.replace('?', `?${name}=other&`)]) {
      expectNothingProtected(await browser.send(address));
      assert.ok(!sessionCookie(browser, one.origin), `${name} twice`);
    }
    if (name !== 'error') assert.equal(provider.count('token'), before, 'a code was redeemed');
  }
});

test('CL 08/12/2026 an answer is good for one login: nonce and code do not serve twice', async () => {
  const browser = site.browser();
  const callback = await browser.callbackAddress(one.url('/private/'));
  expectProtected(await browser.open(callback));
  const first = provider.claims;
  browser.jar.delete('proconnect');
  assert.ok(!sessionCookie(browser, one.origin));
  await browser.send(callback);
  assert.ok(!sessionCookie(browser, one.origin), 'the same answer opened a second session');
  provider.idToken = (claims) => sign({ ...claims, nonce: first.nonce }, provider.keys[0]);
  await loginRefused(site, { code: 'PC3016', status: 400 });
});

test('CL 05/20/2026 alg none, and a compressed token that would fill the memory', async () => {
  provider.idToken = (claims) => sign(claims, provider.keys[0], { header: { alg: 'none' }, signature: '' });
  await loginRefused(site, { code: 'PC3002' });
  provider.well();
  provider.on('userinfo', wrong.compressed(50_000_000));
  await loginRefused(site, { code: /PC(2006|3001)/ });
});

test('CVE_2025_31335 what is verified is what is read: a header or claims that can be read in two ways', async () => {
  provider.idToken = (claims) => {
    const [, payload, signature] = sign(claims, provider.keys[0]).split('.');
    return `${encode(`{"alg":"none","alg":"ES256","kid":"${provider.keys[0].kid}"}`)}.${payload}.${signature}`;
  };
  await loginRefused(site, { code: 'PC3001' });
  provider.idToken = (claims) => sign(`${JSON.stringify(claims).slice(0, -1)},"sub":"somebody-else"}`, provider.keys[0]);
  await loginRefused(site, { code: 'PC3001' });
  provider.idToken = (claims) => `${sign(claims, provider.keys[0])}.`;
  await loginRefused(site, { code: 'PC3001' });
  provider.idToken = (claims) => { const token = sign(claims, provider.keys[0]); assert.equal(decode(token.split('.')[1]).sub, claims.sub); return `${token}=`; };
  await loginRefused(site, { code: 'PC3001' });
});

test('SHIB_2018 dates and numbers beyond every range, from somebody who need not be signed in', async () => {
  for (const query of ['error=x&error_description=99999-99-99T99:99:99Z', `state=${'9'.repeat(5000)}`, `code=${'%00'.repeat(1000)}`, '%', '&&&&', '=', '?'.repeat(500), 'a[]=1&a[b]=2', '\xff=\xfe'.repeat(50)]) {
    for (const path of pages.slice(4)) await sendTo(`${path}?${query}`, 'Accept: text/html\r\n');
  }
  for (const date of [1e15, 253402300800, -1, 1.5e9 + 0.1, 2 ** 63]) {
    provider.idToken = (claims) => sign({ ...claims, auth_time: date }, provider.keys[0]);
    await site.browser().login(one.url('/private/'));
  }
  expectAllAlive();
});

test('CVE_2021_32785 what a user is called is never a format', async () => {
  const name = '%n%s%d %{PATH}e ${HOME} $(id) %99999999s';
  provider.userinfo = (claims) => ({ ...claims, given_name: name, '%n%s': name });
  const browser = await loginWorks(site, { page: '/private/variables.cgi' });
  assert.equal(variablesOf(await browser.send(one.url('/private/variables.cgi'))).PROCONNECT_GIVEN_NAME, name);
  provider.on('token', wrong.instead('{"error":"%n%n%s"}', { status: 400 }));
  expectNoSecret(await loginRefused(site, { code: 'PC2022' }));
  expectAllAlive();
});

test('nothing alarming is left in the logs', () => site.close());
