// The same login under each of httpd's process models, with several processes sharing the sessions.
import assert from 'node:assert/strict';
import { after, describe, before, test } from 'node:test';
import { expectErrorPage, expectProtected } from '../support/expect.mjs';
import { startSite, variablesOf } from '../support/site.mjs';

for (const mpm of ['event', 'worker', 'prefork']) {
  describe(`MPM ${mpm}`, () => {
    let site;
    before(async () => { site = await startSite({ label: `mpm-${mpm}`, mpm, vhosts: [{ client: { alg: 'ES256' } }] }); });
    after(() => site.close());

    test(`${mpm}: logs in, stays in through graceful and a full restart, and logs out`, async () => {
      const browser = site.browser('agent-etat');
      const page = site.url('/private/variables.cgi');
      variablesOf(await browser.login(page));
      await site.apache.graceful();
      variablesOf(await browser.send(page));
      await site.apache.restart();
      variablesOf(await browser.send(page));
      const out = await browser.open(site.url('/proconnect/logout'), { from: page });
      assert.equal(new URL(out.url).pathname, '/proconnect/logged-out');
      assert.equal((await browser.send(page)).status, 302);
    });

    test(`${mpm}: twenty browsers log in, each is itself in every process`, async () => {
      const personas = ['agent-etat', 'agent-territorial', 'accents', 'agent-carte', 'sans-siret'];
      const browsers = Array.from({ length: 20 }, (_, index) => site.browser(personas[index % personas.length]));
      // Two at a time: a quarter of the workers may wait for ProConnect at once, and prefork has eight here.
      const pages = [];
      for (let index = 0; index < browsers.length; index += 2) {
        pages.push(...await Promise.all([index, index + 1].map((each) => browsers[each].login(site.url(`/private/variables.cgi?${each}`)))));
      }
      const users = pages.map((page, index) => {
        const variables = variablesOf(page);
        assert.equal(variables.QUERY_STRING, String(index));
        return variables.REMOTE_USER;
      });
      assert.equal(new Set(users).size, personas.length);
      for (let round = 0; round < 3; round += 1) {
        const seen = await Promise.all(browsers.map((browser) => browser.send(site.url('/private/variables.cgi'))));
        assert.deepEqual(seen.map((answer) => variablesOf(answer).REMOTE_USER), users);
      }
    });

    test(`${mpm}: a refusal has its page`, async () => {
      expectErrorPage(site, await site.browser('abandon').login(site.url('/private/')), { status: 403, code: 'PC2040' });
      expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
    });

    test(`${mpm}: nothing alarming is left in the logs`, () => site.close());
  });
}
