// Directives of the pages: what is wrong with a value, a template or an image is said in one sentence at configtest.
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { serverToJudge } from '../support/configtest.mjs';

const { apache, secretFile, configtest } = await serverToJudge('configuration-pages', { modules: ['ssl'] });
after(() => apache.close());
const pages = apache.path('conf/pages');
const whole = '<!DOCTYPE html><html lang="{{lang}}"><title>{{title}}</title>{{text}}{{details}}{{button}}{{reference}}';

async function refused(extra, ...says) {
  const { code, stderr } = await configtest(extra);
  assert.notEqual(code, 0, `accepted: ${extra}\n${stderr}`);
  const directive = /ProConnect\w+/.exec(extra)[0];
  assert.ok(stderr.includes(directive), stderr);
  assert.ok(stderr.includes(apache.siteFile), `does not name the file: ${stderr}`);
  for (const part of says) assert.match(stderr, part);
}

async function accepted(extra) {
  const { code, stderr } = await configtest(extra);
  assert.equal(code, 0, stderr);
}

async function withPages(files) {
  await rm(pages, { recursive: true, force: true });
  await mkdir(pages);
  for (const [name, content] of Object.entries(files)) await writeFile(`${pages}/${name}`, content);
}

test('good values pass', async () => {
  await withPages({ 'page.html': whole, 'login.en.html': whole });
  await accepted(`ProConnectPages ${pages}`);
  await withPages({ 'page.fr.html': whole, 'page.en.html': whole });
  await accepted(`ProConnectPages ${pages}`);
  await accepted('ProConnectAlternative /autre "Autrement"\nProConnectNotice /nowhere/notice.txt\nProConnectConditions "Réservé"\nProConnectUnauthenticated silent');
  await accepted('ProConnectAlternative https://example.gouv.fr/ "Autrement"');
});

for (const [what, files, says] of [
  ['a directory without page.html', { 'login.html': whole }, /neither page\.html nor page\.fr\.html/],
  ['a directory without the English page', { 'page.fr.html': whole }, /neither page\.html nor page\.en\.html/],
  ['an unknown placeholder', { 'page.html': `${whole}\n{{titre}}` }, /page\.html' has an unknown placeholder \{\{titre\}\}; known are lang, .*\(line 2\)/],
  ['a placeholder in a script', { 'page.html': `${whole}<script>{{title}}</script>` }, /holds a script/],
  ['a placeholder as an attribute', { 'page.html': `${whole}<p {{title}}>` }, /where no text can stand/],
  ['a page without a button', { 'page.html': whole.replace('{{button}}', '') }, /has no \{\{button\}\}/],
  ['an oversized file', { 'page.html': whole + 'x'.repeat(256 * 1024) }, /page\.html'/],
  ['an empty file', { 'page.html': '' }, /page\.html'/],
  ['a file that is not UTF-8', { 'page.html': Buffer.concat([Buffer.from(whole), Buffer.from([0xe9])]) }, /is not UTF-8/],
  ['a mistake in the login page alone', { 'page.html': whole, 'login.html': `${whole}{{x}}` }, /login\.html' has an unknown placeholder/],
]) {
  test(`templates: ${what} is refused`, async () => {
    await withPages(files);
    await refused(`ProConnectPages ${pages}`, says);
  });
}

test('a template that is a directory is refused', async () => {
  await withPages({});
  await mkdir(`${pages}/page.html`);
  await refused(`ProConnectPages ${pages}`, /page\.html'/);
});

for (const [extra, ...says] of [
  ['ProConnectPages pages', /full path/], ['ProConnectPages /nowhere/at-all', /is no directory/], [`ProConnectPages ${secretFile}`, /is no directory/],
  ['ProConnectNotice notice.txt', /full path/], ['ProConnectAlternative "javascript:alert(1)" "x"', /takes a path/], ['ProConnectAlternative //evil.example "x"', /takes a path/], ['ProConnectAlternative /autre ""', /takes two arguments|needs a value/],
  ['ProConnectButtonImage /nowhere.png', /nowhere\.png/], [`ProConnectButtonImage ${secretFile}`, /is no PNG/], ['ProConnectConditions ""', /takes one argument|needs a value/],
  ['ProConnectUnauthenticated seite', /login, page, silent, deny, pass/],
]) {
  test(`refuses ${extra.replace(/\S*\/(conf\/)/, '…/$1').slice(0, 80)}`, () => refused(extra, ...says));
}

test('an image larger than 64 KiB is refused', async () => {
  const file = await apache.writeFile('conf/large.png', Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(65 * 1024, 1)]));
  await refused(`ProConnectButtonImage ${file}`, /large\.png/);
});

test('each is refused twice in one place', async () => {
  await withPages({ 'page.html': whole });
  for (const line of [`ProConnectPages ${pages}`, 'ProConnectNotice /a', 'ProConnectAlternative /a "x"', 'ProConnectConditions "x"']) await refused(`${line}\n${line}`, /given twice/);
});
