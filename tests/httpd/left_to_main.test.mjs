// What a subrequest finds refused: the request it belongs to answers for it, when it is that which fails, with what is still in memory.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectNothingProtected, expectProtected, sessionCookie } from '../support/expect.mjs';
import { protectedText, startSite } from '../support/site.mjs';

const indexOnlyWhere = (rules) => `<If "%{QUERY_STRING} =~ /admin/">\nAuthType ProConnect\n${rules}\n</If>\n`;
const site = await startSite({ label: 'left-to-main', start: false, mpm: 'prefork', config: 'MaxMemFree 1',
  modules: ['auth_basic', 'authn_file', 'cache', 'cache_disk'],
  vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    ProConnectAuditLog "${apache.path('logs/audit.json')}"
    <Directory "${apache.htdocs}/index">
        AllowOverride All
        DirectoryIndex pages/index.html
    </Directory>
    <Directory "${apache.htdocs}/level">
        AllowOverride All
        DirectoryIndex pages/index.html
    </Directory>
    <Directory "${apache.htdocs}/posted">
        Options +ExecCGI
        AddHandler cgi-script .cgi
        DirectoryIndex index.cgi
        <Files "index.cgi">
            AuthType ProConnect
            Require valid-user
        </Files>
    </Directory>
    <Directory "${apache.htdocs}/posted-level">
        Options +ExecCGI
        AddHandler cgi-script .cgi
        DirectoryIndex index.cgi
        <Files "index.cgi">
            AuthType ProConnect
            Require proconnect acr >= eidas1-mfa
        </Files>
    </Directory>
    <Location "/nested">
        AuthType ProConnect
        <RequireAny>
            Require expr "-U '/elsewhere/n.txt'"
            Require user nobody
        </RequireAny>
    </Location>
    <Directory "${apache.htdocs}/elsewhere">
        AllowOverride AuthConfig
    </Directory>
    <Location "/basic">
        AuthType Basic
        AuthName "Others"
        AuthBasicProvider file
        AuthUserFile "${apache.path('conf/users')}"
        Require valid-user
        <If "-U '/private/notice.txt'">
            Header set X-Seen yes
        </If>
    </Location>
    <Location "/asks">
        AuthType ProConnect
        Require expr "-U '/private/state/n.txt'"
    </Location>
    <Location "/private/state">
        Require proconnect roles agent_public_etat
    </Location>
    CacheRoot "${apache.path('cache')}"
    CacheEnable disk /composed
    <Directory "${apache.htdocs}/composed">
        Options +Includes
        XBitHack full
    </Directory>` }] });
after(() => site.close());
for (const place of ['index/pages/index.html', 'level/pages/index.html', 'nested/n.txt', 'elsewhere/n.txt', 'basic/n.txt', 'asks/n.txt', 'private/state/n.txt']) {
  await site.apache.writeFile(`htdocs/${place}`, `${protectedText}\n`);
}
await site.apache.writeFile('htdocs/index/pages/.htaccess', indexOnlyWhere('Require proconnect siret 13002526500013'));
await site.apache.writeFile('htdocs/level/pages/.htaccess', indexOnlyWhere('Require proconnect acr >= eidas1-mfa'));
await site.apache.writeFile('htdocs/elsewhere/.htaccess', 'AuthType ProConnect\nRequire proconnect siret 13002526500013\n');
for (const place of ['posted', 'posted-level']) {
  await site.apache.writeFile(`htdocs/${place}/index.cgi`, `#!/bin/sh\ncat >/dev/null\nprintf 'Content-Type: text/plain\\r\\n\\r\\n%s %s' "$REQUEST_METHOD" ${protectedText}\n`, 0o755);
}
await site.apache.writeFile('conf/users', 'joe:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n');
await site.apache.writeFile('htdocs/composed/page.html', 'begin <!--#include virtual="/private/variables.cgi" --> end\n', 0o775);
chmodSync(site.apache.path('htdocs/composed/page.html'), 0o775);
const longAgo = new Date(Date.now() - 30 * 86_400_000);
utimesSync(site.apache.path('htdocs/composed/page.html'), longAgo, longAgo);
mkdirSync(site.apache.path('cache'), { mode: 0o777 });
chmodSync(site.apache.path('cache'), 0o777);
await site.apache.start();
const [lyon, state] = [site.browser('agent-territorial'), site.browser('agent-etat')];
for (const browser of [lyon, state]) expectProtected(await browser.login(site.url('/private/')));
const form = (place) => ({ method: 'POST', from: site.url(place), headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' });

test('rules of an .htaccess that depend on the query are asked with it, and outlive the lookup that read them', async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    expectErrorPage(site, await lyon.send(site.url('/index/?admin')), { status: 403, code: 'PC6002' });
    expectProtected(await lyon.send(site.url('/index/')));
    expectProtected(await state.send(site.url('/index/?admin')));
  }
  expectLoginRedirect(site, await lyon.send(site.url('/proconnect/login?return=%2Findex%2F%3Fadmin')));
});

test('a step-up that such rules ask for begins, and ends on the page', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  const asked = expectLoginRedirect(site, await browser.send(site.url('/level/?admin')));
  assert.match(asked.get('claims') ?? '', /eidas1-mfa/);
  expectProtected(await browser.open(site.url('/level/?admin')));
});

test('the refusal of a place that a rule merely looked at is not this request’s', async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    expectErrorPage(site, await lyon.send(site.url('/nested/n.txt')), { status: 403, code: 'PC6001' });
  }
  assert.deepEqual(site.apache.logged(/PC6002.*elsewhere/), []);
  expectProtected(await state.send(site.url('/nested/n.txt')));
});

test('another way to log in keeps its challenge, whatever was looked at on the way', async () => {
  for (const browser of [site.browser(), lyon]) {
    const page = await browser.send(site.url('/basic/n.txt'));
    assert.equal(page.status, 401);
    assert.match(page.headers['www-authenticate'] ?? '', /^Basic/);
  }
  const program = await site.browser().fetch(site.url('/basic/n.txt'), { from: site.url('/') });
  assert.equal(program.status, 401);
  assert.match(program.headers['www-authenticate'] ?? '', /^Basic/);
  const joe = await site.browser().send(site.url('/basic/n.txt'), { headers: { authorization: `Basic ${Buffer.from('joe:test').toString('base64')}` } });
  expectProtected(joe);
});

test('a page of ours whose rule looks at another still explains the refusal', async () => {
  expectErrorPage(site, await lyon.send(site.url('/asks/n.txt')), { status: 403, code: /PC600\d/ });
  expectProtected(await state.send(site.url('/asks/n.txt')));
});

for (const [place, why, status, code] of [['/posted/', 'whose session has expired', 401, 'PC1014'], ['/posted-level/', 'below the level asked for', 403, 'PC1034']]) {
  test(`a form posted to a directory, of somebody ${why}: the page says that it was not sent`, async () => {
    const browser = site.browser('agent-etat');
    expectProtected(await browser.login(site.url('/private/')));
    if (place === '/posted/') browser.jar.set(site.url('/'), 'proconnect', Buffer.alloc(64, 5).toString('base64url'));
    const { reference } = expectErrorPage(site, await browser.send(site.url(place), form(place)), { status, code });
    if (code === 'PC1034') {
      const line = readFileSync(site.apache.path('logs/audit.json'), 'utf8').split('\n').filter((text) => text.includes('PC1034')).map((text) => JSON.parse(text)).at(-1);
      assert.deepEqual([line?.event, line?.reference], ['refusal', reference]);
    }
  });
}

test('what was composed for one user is in no cache for the next', async () => {
  const page = await state.send(site.url('/composed/page.html'));
  assert.match(page.text, /PROCONNECT_EMAIL=/);
  const stranger = await site.browser().send(site.url('/composed/page.html'));
  assert.doesNotMatch(stranger.text, /PROCONNECT_/);
  expectNothingProtected(stranger);
  assert.equal(sessionCookie(state, site.origin) !== undefined, true);
});

test('a logout ends the session also of a browser that sends its cookie twice', async () => {
  const browser = site.browser('agent-etat');
  expectProtected(await browser.login(site.url('/private/')));
  const value = sessionCookie(browser, site.origin).value;
  const answer = await browser.send(site.url('/proconnect/logout'), { from: site.url('/private/'), headers: { cookie: `proconnect=${value}; proconnect=${'A'.repeat(86)}` } });
  assert.ok(answer.status < 400);
  assert.equal(sessionCookie(browser, site.origin), undefined, 'the browser keeps the cookie');
});
