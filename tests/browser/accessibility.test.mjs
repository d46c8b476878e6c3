// Every page, in both languages, light and dark, on a telephone and at 200 %: axe-core finds nothing, nothing has to be scrolled sideways,
// and a picture of it is kept in tests/output/screenshots to look at.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hostName, startSite } from '../support/site.mjs';
import { chooseAtProConnect, launch, screenshots, scrollsSideways, violations } from './chromium.mjs';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../../conf-examples/pages');
const said = `
    ProConnectServiceName "Portail des agents"
    ProConnectSupport assistance@example.gouv.fr
    ProConnectAlternative /autre "Je n’ai pas de compte ProConnect"
    ProConnectConditions "Ce service est réservé aux agents publics du ministère. Chaque accès est enregistré."
    <Location "/private/">
        ProConnectUnauthenticated page
    </Location>
    <Location "/private/notice.txt">
        ProConnectUnauthenticated deny
    </Location>
    <Location "/private/image.svg">
        Require proconnect roles agent_public_etat
    </Location>
    <Location "/private/variables.cgi">
        ProConnectKeepPost off
        Require proconnect acr >= eidas2
    </Location>`;
const site = await startSite({ label: 'accessibility', standinTls: true, start: false, vhosts: [
  { https: true, client: { alg: 'ES256' }, config: ({ apache }) => `${said}\n    ProConnectNotice ${apache.path('conf/notice.txt')}` },
  { https: true, client: { alg: 'ES256' }, config: ({ apache }) => `${said}\n    ProConnectPages ${examples}\n    ProConnectButtonImage ${apache.path('conf/button.svg')}` },
  { https: true, client: { alg: 'ES256' }, issuer: 'http://127.0.0.1:9/api/v2', config: said },   // nobody is there
] });
await writeFile(site.apache.path('conf/notice.txt'), 'ProConnect sera fermé samedi 28 novembre de 8 h à 10 h.\n');
await writeFile(site.apache.path('conf/button.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="211" height="58"><rect width="211" height="58" fill="#000091"/><text x="20" y="36" fill="#fff" font-family="Arial" font-size="18">ProConnect</text></svg>');
await site.apache.start();
const chromium = await launch(site);
after(async () => {
  await chromium.close();
  await site.close();
});

async function refused(page, origin) {
  await page.goto(`${origin}/proconnect/login?return=/private/`);
  await chooseAtProConnect(page, 'abandon');
}

async function form(page, origin, action = '/private/') {
  await page.goto(`${origin}/`);
  await Promise.all([page.waitForNavigation(), page.evaluate((to) => {
    const element = document.createElement('form');
    element.method = 'post';
    element.action = to;
    document.body.append(element);
    element.submit();
  }, action)]);
}

async function signedIn(page, origin) {
  await page.goto(`${origin}/proconnect/login?return=/private/`);
  await chooseAtProConnect(page, 'agent-territorial');
  await page.waitForURL(`${origin}/private/`);
}

/** A form sent when the session is over, up to the page it leads to after the login. */
async function keptForm(page, origin, action) {
  await signedIn(page, origin);
  await page.context().addCookies([{ name: '__Host-proconnect', value: Buffer.alloc(64, 5).toString('base64url'), url: origin, secure: true, httpOnly: true, sameSite: 'Lax' }]);
  await form(page, origin, action);
  if (await page.locator('#persona-agent-territorial').count()) await chooseAtProConnect(page, 'agent-territorial');
  await page.waitForURL(`${origin}/proconnect/form**`);
}

const [, { origin: own }, { origin: alone }] = site.vhosts;
const pages = [
  ['login', (page) => page.goto(`${site.origin}/private/`)],
  ['deny', (page) => page.goto(`${site.origin}/private/notice.txt`)],
  ['refused', (page) => refused(page, site.origin)],
  ['form-not-kept', (page) => form(page, site.origin)],
  ['form-question', (page) => keptForm(page, site.origin, '/private/dossiers/demandes-de-conges-exceptionnels-annuels/creation?etape=2')],
  ['form-not-admitted', (page) => keptForm(page, site.origin, '/private/image.svg')],
  ['form-needs-other-login', async (page) => { await signedIn(page, site.origin); await form(page, site.origin, '/private/variables.cgi'); }],
  ['access-refused', async (page) => { await signedIn(page, site.origin); await page.goto(`${site.origin}/private/image.svg`); }],
  ['not-found', (page) => page.goto(`${site.origin}/proconnect/nothing-here`)],
  ['malformed', (page) => page.goto(`${site.origin}/proconnect/login?return=%zz`)],
  ['logout', (page) => page.goto(`${site.origin}/proconnect/logout`)],
  ['logged-out', (page) => page.goto(`${site.origin}/proconnect/logged-out`)],
  ['provider-down', (page) => page.goto(`${alone}/proconnect/login?return=/private/`)],
  ['own-login', (page) => page.goto(`${own}/private/`)],
  ['own-refused', (page) => refused(page, own)],
];
const views = [
  ['light', { colorScheme: 'light' }, { width: 1280, height: 800 }],
  ['dark', { colorScheme: 'dark' }, { width: 1280, height: 800 }],
  ['telephone', { colorScheme: 'light' }, { width: 320, height: 640 }],
  ['zoom-200', { colorScheme: 'dark' }, { width: 640, height: 400 }],  // what 1280 × 800 is at 200 %
];

for (const [locale, language] of [['fr-FR', 'fr'], ['en-GB', 'en']]) {
  for (const [name, visit] of pages) {
    test(`${name} in ${locale}: no violation, readable in every view`, async () => {
      const { context, page } = await chromium.person({ locale });
      const blocked = [];
      page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) blocked.push(message.text()); });
      await visit(page);
      assert.equal(new URL(page.url()).hostname, hostName);
      assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      assert.equal(await page.locator('h1').count(), 1);
      assert.ok(await page.locator('main a, main button').count() > 0, 'no next step');
      for (const [view, media, size] of views) {
        await page.emulateMedia(media);
        await page.setViewportSize(size);
        await page.screenshot({ path: join(screenshots, `${name}-${language}-${view}.png`), fullPage: true });
        assert.deepEqual(await violations(page), [], `${view}`);
        assert.equal(await scrollsSideways(page), false, `${view} scrolls sideways`);
      }
      assert.deepEqual(blocked.filter((text) => !/favicon/.test(text)), []);
      await context.close();
    });
  }
}

test('the picture of the button says what it does', async () => {
  const { context, page } = await chromium.person();
  await page.goto(`${own}/private/`);
  await page.getByRole('link', { name: 'S’identifier avec ProConnect' }).waitFor({ timeout: 5000 });
  assert.ok(await page.locator('a.image img').evaluate((image) => image.naturalWidth > 0), 'the image is not shown');
  await context.close();
});

test('nothing alarming is left in the logs', async () => {
  await chromium.close();
  await site.close();
});
