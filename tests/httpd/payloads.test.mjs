// Hundreds of hostile texts in every parameter of every page: nobody is led off the site, no header is split, nothing comes back as markup.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { request } from '../support/http.mjs';
import { redirectPayloads } from '../support/redirect-payloads.mjs';
import { startSite } from '../support/site.mjs';
import { headerPayloads, mark, markupPayloads } from '../support/text-payloads.mjs';

const site = await startSite({ label: 'payloads', logLevel: 'info', vhosts: [{ client: { alg: 'ES256' }, config: `
    <Location "/private/page">
        ProConnectUnauthenticated page
    </Location>` }] });
after(() => site.close());

const provider = new URL(site.standin.issuer).origin;
const parameters = {
  '/proconnect/callback': ['code', 'state', 'error', 'error_description', 'iss', 'session_state', 'return'],
  '/proconnect/login': ['return', 'switch', 'reauth', 'prompt', 'idp_hint', 'login_hint', 'acr_values'],
  '/proconnect/logout': ['return', 'token', 'local', 'state', 'id_token_hint', 'post_logout_redirect_uri'],
  '/proconnect/logged-out': ['state', 'return', 'error', 'error_description'],
  '/proconnect/session': ['return', 'callback', 'jsonp'],
  '/proconnect/jwks': ['kid', 'callback'],
  '/proconnect/nothing-here': ['x'],
  '/private/index.html': ['x', 'return'],
  '/private/page': ['x', 'return'],
};
const browserHeaders = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'same-origin' };

/** What must hold for each answer, whatever was sent. */
function expectHarmless(answer, sent) {
  const about = `${answer.status} for ${JSON.stringify(sent).slice(0, 160)}`;
  // An error of ProConnect that nobody knows is one of its side, told on a page.
  assert.ok(answer.status < 500 || (answer.status === 503 && answer.text.includes('PC2047')), about);
  const { location } = answer.headers;
  if (location) {
    assert.ok(/^\/(?![/\\])/.test(location) || location.startsWith(`${site.origin}/`) || location.startsWith(`${provider}/api/v2/`), `${about}: leads to ${location}`);
    assert.doesNotMatch(location, /[\r\n\0]/, about);
    if (!location.startsWith(provider)) assert.equal(new URL(location, site.origin).origin, site.origin, about);
  }
  assert.equal(answer.headers['x-injected'], undefined, about);
  for (const cookie of answer.cookies) assert.match(cookie, /^proconnect(-login|-silent)?=[\w~.-]*; Path=\/; HttpOnly; SameSite=Lax/, `${about}: ${cookie}`);
  if (/html/.test(answer.headers['content-type'] ?? '') && answer.headers['content-security-policy']) expectPlainMarkup(answer.text, about);
  else if (answer.text.includes(mark)) assert.doesNotMatch(answer.text, new RegExp(`<\\w[^>]*${mark}`), about);
}

/** Only elements and attributes the layout has; the payload, where it shows at all, is text or sits inside a quoted address. */
function expectPlainMarkup(html, about) {
  assert.doesNotMatch(html, /<(script|img|svg|math|iframe|object|embed|base|link|input(?! type="hidden")|details|video|textarea|template|plaintext|marquee|isindex|xmp|noscript)\b/i, about);
  assert.equal(html.match(/<style>/g).length, 1, about);
  assert.equal(html.match(/<title>/g).length, 1, about);
  for (const [, attributes] of html.matchAll(/<[a-z][a-z0-9]*((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>/gi)) assert.doesNotMatch(attributes, /\s(on\w+|style|srcdoc)=/i, about);
  for (const [, address] of html.matchAll(/(?:href|action)="([^"]*)"/g)) assert.match(address, /^(\/(?!\/)|mailto:|https:\/\/www\.proconnect\.gouv\.fr\/$)/, `${about}: a link to ${address}`);
}

const encoded = (payload) => encodeURIComponent(payload);
/** As raw as a request line can be. */
const raw = (payload) => payload.replace(/[^\x21-\x7e]|[#&]/gu, (c) => encodeURIComponent(c));
/** Both where an address is taken, in turn elsewhere. */
const spellings = (payload, index, parameter) => (parameter === 'return' ? [...new Set([encoded(payload), raw(payload)])] : [index % 2 ? encoded(payload) : raw(payload)]);

async function inTurn(jobs, width = 8) {
  const queue = jobs.values();
  await Promise.all(Array.from({ length: width }, async () => { for (const job of queue) await job(); }));
}

test('the lists are as long as they should be', () => {
  for (const list of [redirectPayloads, headerPayloads, markupPayloads]) assert.ok(new Set(list).size >= 100, `${new Set(list).size}`);
});

for (const [name, list] of Object.entries({ redirectPayloads, headerPayloads, markupPayloads })) {
  for (const [path, names] of Object.entries(parameters)) {
    test(`${name} in every parameter of ${path}`, async () => {
      let sent = 0;
      await inTurn(names.flatMap((parameter) => list.flatMap((payload, index) => spellings(payload, index, parameter).map((value) => async () => {
        const target = `${path}?${parameter}=${value}`;
        if (target.length > 7000) return;
        const answer = await request(site.url(path), { rawPath: target, headers: browserHeaders });
        expectHarmless(answer, target);
        sent += 1;
      }))));
      assert.ok(sent >= 100 * names.length, `${sent} were sent`);
    });
  }
}

test('the same in the path itself', async () => {
  await inTurn([...redirectPayloads, ...headerPayloads, ...markupPayloads].flatMap((payload) => ['/private/page/', '/proconnect/', '/private/'].map((base) => async () => {
    const target = base + encoded(payload);
    if (target.length > 7000) return;
    expectHarmless(await request(site.origin, { rawPath: target, headers: browserHeaders }), target);
  })));
});

test('the same in the parts of an answer of ProConnect that its state makes ours', async () => {
  const list = [...headerPayloads, ...markupPayloads];
  await inTurn(list.map((payload) => async () => {
    const browser = site.browser();
    const begun = await browser.send(site.url('/private/'));
    const state = new URL(begun.headers.location).searchParams.get('state');
    const answer = await browser.send(`${site.url('/proconnect/callback')}?${new URLSearchParams({ error: payload, error_description: payload, state, iss: site.standin.issuer })}`);
    expectHarmless(answer, payload);
    assert.ok(!answer.text.includes(mark), 'the provider’s words are for the log');
  }));
});

test('nothing alarming is left in the logs', () => site.close());
