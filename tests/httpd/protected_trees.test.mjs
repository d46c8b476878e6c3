// Rules on Location, Directory, Files and a proxied application, in mixed trees, behind DirectoryIndex, mod_rewrite, subrequests and error documents.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { expectErrorPage, expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { sendRaw } from '../support/http.mjs';
import { freePort } from '../support/scratch.mjs';
import { protectedText, startSite } from '../support/site.mjs';

let reached = 0;
const port = await freePort();
const application = createServer((request, response) => { reached += 1; response.setHeader('X-Content', protectedText); response.end(protectedText); });
await new Promise((resolve) => application.listen(port, '127.0.0.1', resolve));
const rule = 'AuthType ProConnect\nRequire proconnect roles agent_public_etat';
// Memory that a request has given back is given back by httpd too: a sanitizer sees whoever goes on to use it.
const site = await startSite({ label: 'trees', config: 'MaxMemFree 1', modules: ['proxy', 'proxy_http'], vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `
    <Location "/state">
        ${rule}
    </Location>
    <Location "/state/open">
        Require all granted
    </Location>
    <Location "/state/open/leaders">
        Require proconnect acr certification-dirigeant
    </Location>
    <Directory "${apache.htdocs}/directory">
        ${rule}
    </Directory>
    <Files "secret.txt">
        ${rule}
    </Files>
    <Directory "${apache.htdocs}/indexed">
        <Files "index.html">
            ${rule}
        </Files>
    </Directory>
    <Directory "${apache.htdocs}/indexed-mfa">
        <Files "index.html">
            AuthType ProConnect
            Require proconnect acr >= eidas1-mfa
        </Files>
    </Directory>
    <Directory "${apache.htdocs}/indexed-several">
        DirectoryIndex first.html second.html
        <Files "*.html">
            AuthType ProConnect
            ProConnectUnauthenticated page
            ProConnectConditions "Conditions de cette page"
            ProConnectRefusal "Refus de cette page"
            Require proconnect roles agent_public_etat
        </Files>
    </Directory>
    ProxyPass "/application" "http://127.0.0.1:${port}"
    <Location "/application">
        ${rule}
    </Location>
    RewriteEngine on
    RewriteRule "^/short$" "/state/notice.txt" [PT]
    <Directory "${apache.htdocs}/rewritten">
        RewriteEngine on
        RewriteRule "^(.*)$" "/state/notice.txt"
    </Directory>
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    ErrorDocument 404 /state/notice.txt` }] });
after(async () => { await site.close(); application.close(); application.closeAllConnections(); });
for (const path of ['state/notice.txt', 'state/open/page.txt', 'state/open/leaders/page.txt', 'directory/notice.txt', 'public/secret.txt', 'indexed/index.html', 'indexed-mfa/index.html', 'indexed-several/first.html', 'indexed-several/second.html']) {
  await site.apache.writeFile(`htdocs/${path}`, `${protectedText}\n`);
}
await site.apache.writeFile('htdocs/rewritten/x.txt', 'x\n');
await site.apache.writeFile('htdocs/public/including.shtml', 'begin <!--#include virtual="/state/notice.txt" --> end\n');

const signedIn = async (persona) => {
  const browser = site.browser(persona);
  expectProtected(await browser.login(site.url('/private/')));
  return browser;
};
const allowed = await signedIn('agent-etat');
const refused = await signedIn('agent-territorial');
const guarded = ['/state/notice.txt', '/directory/notice.txt', '/public/secret.txt', '/application/x', '/short', '/rewritten/x.txt', '/indexed/', '/indexed/index.html'];

for (const path of guarded) {
  test(`${path}: the right people, the others with a reason, nobody unknown`, async () => {
    expectProtected(await allowed.open(site.url(path)));
    const before = reached;
    const page = await refused.open(site.url(path));
    expectErrorPage(site, page, { status: 403, code: 'PC6002' });
    assert.match(page.text, /agents publics de l’État/);
    assert.ok(page.text.includes(`return=${encodeURIComponent(path)}`), 'the page asked for is kept');
    expectLoginRedirect(site, await site.browser().send(site.url(path)));
    const login = await site.browser('agent-carte').login(site.url(path));
    expectProtected(login);
    assert.equal(login.url, site.url(path));
    assert.equal(reached - before, path.startsWith('/application') ? 1 : 0);
  });
}

test('a directory whose index needs a higher level leads to a step-up and back', async () => {
  const browser = await signedIn('agent-etat');
  const page = await browser.open(site.url('/indexed-mfa/'));
  expectProtected(page);
  assert.equal(page.url, site.url('/indexed-mfa/'));
  const nobody = await site.browser().send(site.url('/indexed-mfa/'));
  assert.deepEqual(JSON.parse(expectLoginRedirect(site, nobody).get('claims')).id_token.acr.values, ['eidas1-mfa', 'eidas2', 'eidas3']);
});

test('an index among several, in front of which httpd has given up, asks and refuses in its own words', async () => {
  const nobody = await site.browser().send(site.url('/indexed-several/'));
  assert.match(nobody.text, /Conditions de cette page/);
  assert.match((await refused.send(site.url('/indexed-several/'))).text, /Refus de cette page/);
  expectProtected(await allowed.send(site.url('/indexed-several/')));
  // The same seen from the login button: httpd forgets what it looked at on the way.
  const begun = await site.browser().send(site.url('/proconnect/login?return=%2Findexed-mfa%2F'));
  assert.deepEqual(JSON.parse(expectLoginRedirect(site, begun).get('claims')).id_token.acr.values, ['eidas1-mfa', 'eidas2', 'eidas3']);
});

test('a public branch inside a protected tree is public, and a stricter one inside that is strict', async () => {
  expectProtected(await site.browser().send(site.url('/state/open/page.txt')));
  expectNothingProtected(await site.browser().send(site.url('/state/open/leaders/page.txt')));
  expectNothingProtected(await allowed.send(site.url('/state/open/leaders/page.txt')));
});

test('a page that includes a refused one shows the rest of itself', async () => {
  for (const browser of [site.browser(), refused]) {
    const page = await browser.send(site.url('/public/including.shtml'));
    expectNothingProtected(page);
    assert.equal(page.status, 200);
    assert.match(page.text, /begin .* end/s);
  }
  assert.ok((await allowed.send(site.url('/public/including.shtml'))).text.includes(protectedText));
});

test('an error document in a protected place is not shown to those it is not for', async () => {
  for (const browser of [site.browser(), refused]) {
    const page = await browser.send(site.url('/missing'));
    expectNothingProtected(page);
    assert.equal(page.status, 404);
  }
});

const spellings = ['/%73tate/notice.txt', '//state/notice.txt', '/state//notice.txt', '/./state/notice.txt', '/public/../state/notice.txt', '/public/%2e%2e/state/notice.txt', '/state;x/notice.txt', '/state/notice.txt;x',
  '/STATE/notice.txt', '/state%2fnotice.txt', '/state/open/../notice.txt', '/state/open/%2e%2e/notice.txt', '/state/open;/../notice.txt', '/state/open//../notice.txt', '/%64irectory/notice.txt', '//directory//notice.txt',
  '/DIRECTORY/notice.txt', '/directory;x/notice.txt', '/public/%73ecret.txt', '/public//secret.txt', '/public/SECRET.txt', '/public/secret.txt/', '/public/secret.txt;x', '/public/secret.txt%00', '/public/secret.txt/x',
  '/%61pplication/x', '//application/x', '/application//x', '/APPLICATION/x', '/application;x', '/public/../application/x', '/application%2fx', '/application/%2e%2e/application/x', '/short/', '/%73hort', '/indexed//', '/indexed/.'];
for (const [who, browser] of [['nobody', undefined], ['somebody whom the rule refuses', refused]]) {
  test(`no spelling gets ${who} around a rule`, async () => {
    const before = reached;
    const cookie = browser ? `Cookie: ${browser.jar.header(new URL(site.url('/')))}\r\n` : '';
    for (const path of spellings) {
      const text = await sendRaw(site.vhosts[0].port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n${cookie}Connection: close\r\n\r\n`);
      assert.ok(!text.includes(protectedText), `${path} got through`);
    }
    assert.equal(reached, before);
  });
}

test('nothing alarming is left in the logs', () => site.close());
