// The stories' own instrument: a child that crashes is seen, with its stack; only the crash that httpd has by itself is excused.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Apache, patience } from '../support/apache.mjs';
import { childrenOf } from '../support/crowd.mjs';
import { framesOf, isHttpdsOwnAtStop, pidOf } from '../support/crash-reports.mjs';
import { eventually } from '../support/scratch.mjs';

const event = '/usr/lib/apache2/modules/mod_mpm_event.so';
const apr = '/lib/x86_64-linux-gnu/libapr-1.so.0';
const crash = (...frames) => ['signal 11, code 1, address 0x7efc2c4830b8, thread 16592 of process 16592', '/b/crash_report.so(+0x1484)[0x7e]',
  '/lib/x86_64-linux-gnu/libc.so.6(+0x3c050)[0x7e]', ...frames, '7efc-7efd r-xp 00000000 fe:00 1   /usr/lib/apache2/modules/mod_auth_proconnect.so', ''].join('\n');
const stop = [`${apr}(apr_os_sock_get+0x0)[0x7e]`, `${event}(+0x606c)[0x7e]`, `${event}(+0x7507)[0x7e]`, '/usr/sbin/apache2(ap_run_mpm+0x50)[0x55]'];

test('the crash that httpd has by itself at a full stop is known by its stack', () => {
  assert.ok(isHttpdsOwnAtStop(crash(...stop)));
  assert.equal(pidOf(crash(...stop)), 16592);
  assert.ok(isHttpdsOwnAtStop(crash(`${apr}(apr_pool_cleanup_kill+0x1)[0x7e]`, `${apr}(apr_socket_close+0x1)[0x7e]`, ...stop.slice(1))));
  const sanitizer = `==77==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x7f in apr_os_sock_get (${apr}+0x24180)\n    #1 0x7f  (${event}+0x606b)\n    #2 0x55 in ap_run_mpm (/usr/sbin/apache2+0x44)\n\n`;
  assert.ok(isHttpdsOwnAtStop(sanitizer));
  assert.equal(pidOf(sanitizer), 77);
});

test('no other crash is excused', () => {
  const ours = '/usr/lib/apache2/modules/mod_auth_proconnect.so(+0x1234)[0x7e]';
  const refused = {
    'our module above': crash(ours, ...stop),
    'our module below': crash(...stop, ours),
    'another function of APR': crash(`${apr}(apr_palloc+0x1)[0x7e]`, ...stop.slice(1)),
    'another caller': crash(stop[0], '/usr/lib/apache2/modules/mod_ssl.so(+0x1)[0x7e]', ...stop.slice(1)),
    'event itself': crash(...stop.slice(1)),
    'no stack': crash(),
    'nothing': '',
    'our module in a sanitizer report': `==77==ERROR: AddressSanitizer: SEGV\n    #0 0x7f in apr_os_sock_get (${apr}+0x2)\n    #1 0x7f  (${event}+0x6)\n    #2 0x7f in x (/b/mod_auth_proconnect.so+0x6)\n\n`,
  };
  for (const [name, report] of Object.entries(refused)) assert.equal(isHttpdsOwnAtStop(report), false, name);
  assert.deepEqual(framesOf(''), []);
});

test('the line that announces such a report goes with it, and only with it', async () => {
  const apache = await Apache.create({ label: 'announced', withModule: false });
  const announced = 'AddressSanitizer:DEADLYSIGNAL';
  const report = `==77==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x7f in apr_os_sock_get (${apr}+0x24180)\n    #1 0x7f  (${event}+0x606b)\n\n`;
  await apache.writeFile('logs/error.log', `${announced}\n`);
  assert.deepEqual(apache.problems(), [announced]);
  await apache.writeFile('sanitizer/asan.77', report);
  assert.deepEqual(apache.problems(), []);
  await apache.writeFile('logs/error.log', `${announced}\n${announced}\n`);
  assert.deepEqual(apache.problems(), [announced]);
  await assert.rejects(apache.close(), /DEADLYSIGNAL/);
});

test('a child of a real server that crashes is told with its stack', async () => {
  const apache = await Apache.create({ label: 'crash', logLevel: 'warn', withModule: false });
  after(() => apache.stop());
  await apache.start();
  const children = await eventually('two children', () => { const pids = childrenOf(apache); return pids.length >= 2 && pids; });
  process.kill(children.at(-1), 'SIGSEGV');
  // A sanitizer ends the process itself, so that httpd sees no signal.
  const told = patience > 1 ? /AddressSanitizer: SEGV[^]*in ap_run_mpm[^]*ABORTING/ : /exit signal Segmentation fault[^]*ap_run_mpm/;
  await eventually('its death and its stack are seen', () => told.test(apache.problems().join('\n')), { within: 10_000 * patience });
  await assert.rejects(apache.close(), (error) => told.test(error.message) || assert.fail(error.message));
});
