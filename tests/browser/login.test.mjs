// The way in as people go it, in a real Chromium over https: by clicks, by keyboard, with the back button, in two tabs, without cookies.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { protectedText, startSite } from '../support/site.mjs';
import { chooseAtProConnect, launch, launchWithoutCookies } from './chromium.mjs';

const site = await startSite({ label: 'browser-login', standinTls: true, vhosts: [{ https: true, client: { alg: 'ES256' }, config: `
    <Location "/private/">
        ProConnectUnauthenticated page
    </Location>
    <Location "/private/straight">
        ProConnectUnauthenticated login
    </Location>
    <Location "/private/quiet">
        ProConnectUnauthenticated silent
    </Location>
    Alias "/private/straight" "/dev/null"
    RewriteEngine on
    RewriteRule "^/private/(straight|quiet)" "/private/index.html" [PT,E=UNUSED:1]` }] });
const chromium = await launch(site);
after(async () => {
  await chromium.close();
  await site.close();
});

const wanted = site.url('/private/index.html?page=1');
const button = (page) => page.locator('a.proconnect');
const shows = async (page) => assert.ok((await page.content()).includes(protectedText), `not the protected page but ${new URL(page.url()).pathname}`);

async function loggedIn(options) {
  const person = await chromium.person(options);
  await person.page.goto(wanted);
  await button(person.page).click();
  await chooseAtProConnect(person.page, 'agent-etat');
  await person.page.waitForURL(wanted);
  await shows(person.page);
  return person;
}

test('the whole login by clicks, with Secure cookies under the __Host- prefix', async () => {
  const { context } = await loggedIn();
  const cookies = (await context.cookies(site.origin)).filter(({ name }) => name.startsWith('__Host-proconnect'));
  assert.ok(cookies.some(({ name }) => name === '__Host-proconnect'));
  for (const { name, secure, httpOnly, sameSite, path } of cookies) assert.deepEqual([secure, httpOnly, sameSite, path], [true, true, 'Lax', '/'], name);
  await context.close();
});

for (const [locale, title, label] of [['fr-FR', 'Se connecter', 'S’identifier avec ProConnect'], ['en-GB', 'Sign in', 'Sign in with ProConnect']]) {
  test(`the login page speaks the language of the browser: ${locale}`, async () => {
    const { context, page } = await chromium.person({ locale });
    const answer = await page.goto(wanted);
    assert.equal(answer.status(), 401);
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), title);
    await page.getByRole('link', { name: label, exact: true }).waitFor({ timeout: 5000 });
    const { width, height } = await button(page).boundingBox();
    assert.ok(width >= 211 && height >= 58, `${width}×${height}`);
    await context.close();
  });
}

test('the keyboard alone is enough', async () => {
  const { context, page } = await chromium.person();
  await page.goto(wanted);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'proconnect', 'the button is the first stop');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'the focus cannot be seen');
  await page.keyboard.press('Enter');
  await page.locator('#persona-agent-etat').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(wanted);
  await shows(page);
  await context.close();
});

test('the explanation of ProConnect opens beside the page, not in its place', async () => {
  const { context, page } = await chromium.person();
  await context.route('https://www.proconnect.gouv.fr/**', (route) => route.fulfill({ body: 'ProConnect' }));
  await page.goto(wanted);
  const opened = context.waitForEvent('page');
  await page.getByRole('link', { name: 'Qu’est-ce que ProConnect ?' }).click();
  const tab = await opened;
  await tab.waitForURL('https://www.proconnect.gouv.fr/');
  assert.equal(page.url(), wanted);
  await context.close();
});

test('the back button after the login leads to no error', async () => {
  const { context, page } = await loggedIn();
  for (let time = 0; time < 3; time += 1) {
    await page.goBack({ waitUntil: 'load' }).catch(() => {});
    assert.doesNotMatch(await page.content(), /PC\d{4}/);
  }
  await page.goto(wanted);
  await shows(page);
  await context.close();
});

test('the callback once more, by reload or bookmark, leads to the page', async () => {
  const { context, page } = await chromium.person();
  let callback;
  page.on('request', (request) => { if (request.url().includes('/proconnect/callback')) callback = request.url(); });
  await page.goto(wanted);
  await button(page).click();
  await chooseAtProConnect(page, 'agent-etat');
  await page.waitForURL(wanted);
  await page.goto(callback);
  assert.equal(page.url(), wanted);
  await shows(page);
  await context.close();
});

test('two tabs log in at the same time, and each ends where it began', async () => {
  const { context, page } = await chromium.person();
  const other = await context.newPage();
  const second = site.url('/private/index.html?page=2');
  await page.goto(wanted);
  await other.goto(second);
  await button(page).click();
  await button(other).click();
  await chooseAtProConnect(other, 'agent-etat');
  await other.waitForURL(second);
  await shows(other);
  await page.bringToFront();
  if (await page.locator('#persona-agent-etat').count()) await chooseAtProConnect(page, 'agent-etat');
  await page.waitForURL(wanted);
  await shows(page);
  await context.close();
});

test('a refusal at ProConnect is told, and one click starts again', async () => {
  const { context, page } = await chromium.person();
  await page.goto(wanted);
  await button(page).click();
  await chooseAtProConnect(page, 'abandon');
  await page.getByRole('heading', { name: 'Connexion refusée ou abandonnée' }).waitFor();
  await page.getByRole('link', { name: 'Réessayer' }).click();
  await chooseAtProConnect(page, 'agent-etat');
  await page.waitForURL(wanted);
  await shows(page);
  await context.close();
});

test('without cookies one is told so, and does not go round in circles', async () => {
  const browser = await launchWithoutCookies(site, [new URL(site.standin.issuer).origin]);
  let callbacks = 0;
  browser.page.on('request', (request) => { callbacks += request.url().includes('/proconnect/callback') ? 1 : 0; });
  await browser.page.goto(wanted);
  await button(browser.page).click();
  await chooseAtProConnect(browser.page, 'agent-etat');
  await browser.page.getByRole('heading', { level: 1 }).waitFor();
  await browser.page.waitForLoadState('load');
  const content = await browser.page.content();
  assert.ok(!content.includes(protectedText));
  assert.match(content, /PC\d{4}/);
  assert.ok(callbacks <= 3, `${callbacks} callbacks`);
  await browser.close();
});

test('nothing alarming is left in the logs', async () => {
  await chromium.close();
  await site.close();
});
