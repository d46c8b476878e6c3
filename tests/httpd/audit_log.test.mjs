// ProConnectAuditLog: one JSON line an event, complete, and nobody's claims can add another.
import assert from 'node:assert/strict';
import { readFileSync, renameSync, statSync } from 'node:fs';
import { after, test } from 'node:test';
import { patience } from '../support/apache.mjs';
import { eventually, sleep } from '../support/scratch.mjs';
import { expectErrorPage, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

const rules = ({ apache }) => `
    <Location "/private/state">
        Require proconnect roles agent_public_etat
    </Location>
    <Location "/private/mfa">
        Require proconnect acr >= eidas1-mfa
    </Location>
    Alias "/private/state" "${apache.htdocs}/private/notice.txt"
    Alias "/private/mfa" "${apache.htdocs}/private/notice.txt"`;
const idleSeconds = 12 * patience;
const site = await startSite({ label: 'audit', start: false, vhosts: [
  { client: { alg: 'ES256' }, config: (vhost) => `ProConnectAuditLog "${vhost.apache.path('logs/audit.json')}"${rules(vhost)}` },
  { client: { alg: 'ES256' }, config: (vhost) => `ProConnectAuditLog "|/bin/sh ${vhost.apache.path('conf/collect.sh')}"` },
  { client: { alg: 'ES256' }, config: 'ProConnectAuditLog syslog:' },
  { client: { alg: 'ES256' }, config: 'ProConnectAuditLog off' },
  { client: { alg: 'ES256' }, config: (vhost) => `ProConnectLogout local\nProConnectAuditLog "${vhost.apache.path('logs/local.json')}"${rules(vhost)}` },
], config: `ProConnectSessionIdle ${idleSeconds}s` });
after(() => site.close());
await site.apache.writeFile('conf/collect.sh', `exec cat >> ${site.apache.path('logs/piped.json')}\n`, 0o755);
await site.apache.start();

const events = (name = 'audit.json') => readFileSync(site.apache.path(`logs/${name}`), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const last = (name) => events(name).at(-1);

test('a login, a refusal, a step-up and a logout are a line each, with who, where and why', async () => {
  const browser = site.browser('agent-territorial');
  expectProtected(await browser.login(site.url('/private/')));
  const login = last();
  assert.equal(login.event, 'login');
  assert.match(login.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(login.sub, /^[0-9a-f]{64}$/);
  assert.equal(login.siret, '21690123100011');
  assert.equal(login.acr, 'eidas1');
  assert.deepEqual(login.amr, ['pwd']);
  assert.equal(login.address, '127.0.0.1');
  assert.equal(login.vhost, '127.0.0.1');
  assert.equal(login.step_up, false);
  assert.ok(login.idp_id && login.session && login.expires > login.time);

  const { reference } = expectErrorPage(site, await browser.send(site.url('/private/state')), { status: 403, code: 'PC6002' });
  const refusal = last();
  assert.deepEqual([refusal.event, refusal.reference, refusal.code, refusal.reason], ['refusal', reference, 'PC6002', 'access_rule_not_met']);
  assert.equal(refusal.condition, 'Require proconnect roles agent_public_etat');
  assert.match(refusal.place, /site\.conf:\d+/);
  assert.equal(refusal.sub, login.sub);

  await browser.open(site.url('/private/mfa'));
  const [step, failed] = events().slice(-2);
  assert.deepEqual([step.event, step.sub, step.asked_acr], ['step-up', login.sub, ['eidas1-mfa', 'eidas2', 'eidas3']]);
  assert.deepEqual([failed.event, failed.code, failed.reason], ['refusal', 'PC2048', 'authorization_acr_not_reached']);
  assert.equal(failed.sub, undefined);

  await browser.open(site.url('/proconnect/logout'), { from: site.url('/') });
  assert.deepEqual([last().event, last().sub, last().session], ['logout', login.sub, login.session]);
});

test('a step-up that succeeds is a login that says so', async () => {
  const browser = site.browser('agent-etat');
  await browser.login(site.url('/private/'));
  expectProtected(await browser.open(site.url('/private/mfa')));
  assert.deepEqual(events().slice(-3).map(({ event, acr, step_up: stepUp }) => [event, acr, stepUp]), [['login', 'eidas1', false], ['step-up', 'eidas1', undefined], ['login', 'eidas3', true]]);
});

test('claims with line ends, quotes and HTML stay inside their line, long ones are cut', async () => {
  const before = events().length;
  for (const persona of ['injection', 'valeurs-longues', 'valeurs-nul']) await site.browser(persona).login(site.url('/private/'));
  assert.equal(events().length, before + 3);
  for (const line of readFileSync(site.apache.path('logs/audit.json'), 'utf8').split('\n')) assert.ok(Buffer.byteLength(line) < 4096);
});

test('characters that a terminal obeys or that turn the text round do not reach the log', async () => {
  await site.browser('invisibles').login(site.url('/private/'));
  const line = readFileSync(site.apache.path('logs/audit.json'), 'utf8').split('\n').filter(Boolean).at(-1);
  assert.doesNotMatch(line, /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
  assert.equal(JSON.parse(line).siret, '13002526500013 2Jé 5');
});

test('the file is for its owner and group alone', () => assert.equal(statSync(site.apache.path('logs/audit.json')).mode & 0o777, 0o640));

test('a graceful restart opens the file anew', async () => {
  renameSync(site.apache.path('logs/audit.json'), site.apache.path('logs/audit.json.1'));
  await site.apache.graceful();
  await site.browser('agent-etat').login(site.url('/private/'));
  assert.deepEqual(events().map(({ event }) => event), ['login']);
});

test('a program receives the lines', async () => {
  await site.browser('agent-etat').login(site.vhosts[1].url('/private/'));
  await eventually('the line arrives', () => { try { return last('piped.json')?.event === 'login'; } catch { return false; } });
});

test('syslog, and no audit log at all, keep nobody out', async () => {
  for (const vhost of site.vhosts.slice(2, 4)) expectProtected(await site.browser('agent-etat').login(vhost.url('/private/')));
});

test('whoever changes the account is out before the page asked for is looked at: its login is nobody\u2019s step-up', async () => {
  const vhost = site.vhosts[4];
  const browser = site.browser('agent-territorial');
  expectProtected(await browser.login(vhost.url('/private/')));
  const answer = await browser.send(vhost.url('/proconnect/login?switch&return=%2Fprivate%2Fmfa'), { from: vhost.url('/private/') });
  const claims = JSON.parse(new URL(answer.headers.location).searchParams.get('claims'));
  assert.deepEqual(claims.id_token.acr.values, ['eidas1-mfa', 'eidas2', 'eidas3']);
  assert.deepEqual(events('local.json').map(({ event }) => event), ['login', 'logout']);
});

test('expired sessions are counted: what they held is sealed, so no line can name them', async () => {
  const before = events().length;
  await site.browser('agent-etat').login(site.url('/private/'));
  await site.browser('accents').login(site.url('/private/'));
  await sleep((idleSeconds + 1) * 1000);
  await site.apache.graceful();   // the timer of a new child begins with a sweep; otherwise there is one a minute
  const expiries = () => events().slice(before + 2).filter(({ event }) => event === 'expiry');
  await eventually('the sweep is told', () => expiries().length > 0, { within: 15_000 * patience });
  assert.match(expiries()[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(expiries().reduce((sum, { count }) => sum + count, 0) >= 2);
  assert.deepEqual(Object.keys(expiries()[0]).sort(), ['count', 'event', 'time']);
});

test('nothing alarming is left in the logs', () => site.close());
