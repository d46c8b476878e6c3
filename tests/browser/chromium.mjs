// A real Chromium for the stories: headless, it trusts the certificates of the run and nothing else new, and finds the test host without a name server.
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { hostName } from '../support/site.mjs';

const folder = dirname(fileURLToPath(import.meta.url));
const axe = readFileSync(join(folder, 'node_modules/axe-core/axe.min.js'), 'utf8');
export const screenshots = join(folder, '../output/screenshots');
mkdirSync(screenshots, { recursive: true });

function keyHash(certFile) {
  const key = new X509Certificate(readFileSync(certFile)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

function flags(site) {
  const keys = [site.certificate.certFile, site.apache.path('conf/standin.pem')].map(keyHash).join(',');
  return ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
    `--host-resolver-rules=MAP ${hostName} 127.0.0.1`, `--ignore-certificate-errors-spki-list=${keys}`];
}

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** One Chromium; each story opens a context of its own, which is a browser with its own cookies. */
export async function launch(site) {
  const browser = await chromium.launch({ executablePath, args: flags(site) });
  return {
    close: () => browser.close(),
    async person({ locale = 'fr-FR', ...options } = {}) {
      const context = await browser.newContext({ locale, viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      return { context, page };
    },
  };
}

/** A Chromium whose user allows cookies to `allowed` (origins) alone. */
export async function launchWithoutCookies(site, allowed) {
  const profile = mkdtempSync(join(tmpdir(), 'proconnect-chromium-'));
  mkdirSync(join(profile, 'Default'));
  const exceptions = Object.fromEntries(allowed.map((origin) => [`${origin},*`, { setting: 1 }]));
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 }, content_settings: { exceptions: { cookies: exceptions } } } }));
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: flags(site), locale: 'fr-FR' });
  return { context, page: context.pages()[0] ?? (await context.newPage()), close: async () => { await context.close(); rmSync(profile, { recursive: true, force: true }); } };
}

/** The violations axe-core finds on the page as it is shown now, each with the elements it is about. */
export async function violations(page) {
  await page.evaluate(axe);  // by the debugger: the pages' own policy lets no script in
  return page.evaluate(async () => {
    const { violations: found } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

/** Whether one would have to scroll sideways to read. */
export const scrollsSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);

/** Chooses who to be on the stand-in's login page. */
export async function chooseAtProConnect(page, persona) {
  await page.locator(`#persona-${persona}`).click();
}
