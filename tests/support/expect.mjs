// What the stories expect again and again, said once.
import assert from 'node:assert/strict';
import { protectedText } from './site.mjs';
import { redacted } from './browser.mjs';

const brief = (answer) => `${answer.status} from ${redacted(answer.url)}\n${answer.text.replace(/<style.*?<\/style>/s, '').slice(0, 700)}`;

/** The page behind the login. */
export function expectProtected(answer) {
  assert.equal(answer.status, 200, brief(answer));
  assert.ok(answer.text.includes(protectedText) || answer.headers['x-content'] === protectedText, `not the protected page: ${brief(answer)}`);
}

/** Not one byte of what is protected, neither in the body nor in a header. */
export function expectNothingProtected(answer) {
  assert.ok(!answer.text.includes(protectedText), `protected content without a session: ${answer.status} ${answer.url}`);
  assert.equal(answer.headers['x-content'], undefined, `a header of the protected program without a session: ${answer.status}`);
}

/** Sent to ProConnect, nothing cached, nothing shown. @returns the authorization request's parameters */
export function expectLoginRedirect(site, answer) {
  assert.equal(answer.status, 302, brief(answer));
  assert.ok(answer.headers.location.startsWith(`${site.standin.issuer}/authorize?`), `redirected to ${redacted(new URL(answer.headers.location, answer.url))}`);
  assert.match(answer.headers['cache-control'] ?? '', /no-store/);
  expectNothingProtected(answer);
  return new URL(answer.headers.location).searchParams;
}

/** A program is told 401, without a redirect, a cookie or a login begun. */
export function expectMachineRefusal(answer) {
  assert.equal(answer.status, 401, brief(answer));
  assert.ok(answer.headers['www-authenticate'], 'no WWW-Authenticate');
  assert.equal(answer.headers.location, undefined, 'a redirect for a program');
  assert.deepEqual(answer.cookies, [], 'a cookie for a program');
  assert.match(answer.headers['cache-control'] ?? '', /no-store/);
  expectNothingProtected(answer);
}

/**
 * The error page: the right status, code and language; nothing cached, framed or sniffed; and one line of the error log with the same reference.
 * @returns {reference, line}
 */
export function expectErrorPage(site, answer, { status, code, language = 'fr' }) {
  assert.equal(answer.status, status, brief(answer));
  assert.match(answer.headers['content-type'] ?? '', /^text\/html; ?charset=utf-8$/i);
  assert.match(answer.headers['cache-control'] ?? '', /no-store/);
  assert.match(answer.headers['content-security-policy'] ?? '', /default-src 'none'/);
  assert.match(answer.headers['content-security-policy'] ?? '', /frame-ancestors 'none'/);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['referrer-policy'], 'no-referrer', 'the next page would learn this address and what is in it');
  assert.match(answer.text, new RegExp(`<html[^>]* lang="?${language}`));
  expectNothingProtected(answer);

  const paragraph = /<p class="reference">(.*?)<\/p>/s.exec(answer.text)?.[1]?.replace(/<[^>]*>/g, ' ');
  assert.ok(paragraph, `no reference on the page: ${brief(answer)}`);
  assert.match(paragraph, code instanceof RegExp ? code : new RegExp(`\\b${code}\\b`));
  const shown = /\bPC\d{4}\b/.exec(paragraph)[0];
  const words = paragraph.match(/[A-Za-z0-9-]{8,}/g) ?? [];
  const lines = site.apache.logged(/\bref=/).filter((line) => words.some((word) => line.includes(`ref=${word}`)));
  assert.equal(lines.length, 1, `${lines.length} lines of the error log have the page's reference (${paragraph.trim()})`);
  assert.ok(lines[0].includes(shown), `the log says another code than the page: ${lines[0]}`);
  assert.match(lines[0], /\[auth_proconnect:\w+\]/);
  return { reference: /\bref=([A-Za-z0-9-]{8,})/.exec(lines[0])[1], line: lines[0] };
}

/** The session cookie in a browser, or nothing. */
export function sessionCookie(browser, origin) {
  const name = origin.startsWith('https:') ? '__Host-proconnect' : 'proconnect';
  return browser.jar.get(`${origin}/`, name);
}

export function bindingCookie(browser, origin) {
  const name = origin.startsWith('https:') ? '__Host-proconnect-login' : 'proconnect-login';
  return browser.jar.get(`${origin}/`, name);
}
