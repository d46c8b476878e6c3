// Where the client secret may come from beside a file: a program, the environment of httpd, the configuration itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { after, test } from 'node:test';
import { expectProtected } from '../support/expect.mjs';
import { newKey } from '../support/jose.mjs';
import { startSite } from '../support/site.mjs';

const site = await startSite({ label: 'secret-sources', start: false, logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' } }] });
after(() => site.close());
const original = readFileSync(site.apache.siteFile, 'utf8');
const program = await site.apache.writeFile('conf/secret-program', `#!/bin/sh\nprintf '%s\\r\\n' "$1$(cat "$2")"\n`, 0o755);

async function startWith(secret) {
  await site.apache.stop();
  await site.apache.writeFile('conf/site.conf', original.replace(/ProConnectClientSecret .*/, `ProConnectClientSecret ${secret}`));
  await site.apache.start();
}

async function logsIn() {
  expectProtected(await site.browser('agent-etat').login(site.url('/private/')));
}

test('a program prints it, called with its arguments and without a shell', async () => {
  await startWith(`"exec:${program} '' ${site.vhosts[0].secretFile}"`);
  await logsIn();
  await site.apache.graceful();
  await logsIn();
});

test('configtest runs no program', async () => {
  const mark = site.apache.path('conf/ran');
  const marking = await site.apache.writeFile('conf/marking', `#!/bin/sh\ntouch "${mark}"\necho secret\n`, 0o755);
  await site.apache.stop();
  await site.apache.writeFile('conf/site.conf', original.replace(/ProConnectClientSecret .*/, `ProConnectClientSecret exec:${marking}`));
  const { code } = await site.apache.configtest();
  assert.equal(code, 0);
  assert.throws(() => readFileSync(mark), /ENOENT/);
});

const refusals = {
  'that fails': ['#!/bin/sh\necho secret\nexit 3\n', /ended with status 3/],
  'that prints nothing': ['#!/bin/sh\n', /empty/],
  'that prints too much': ['#!/bin/sh\nhead -c 100000 /dev/zero | tr "\\\\0" x\n', /./],
  'that hangs': ['#!/bin/sh\nexec sleep 60\n', /no answer within 10 seconds/],
  'that says it all and stays': ['#!/bin/sh\necho secret\nexec >&-\nexec sleep 60\n', /did not end within 10 seconds/],
  'that goes on and on': ['#!/bin/sh\nwhile :; do printf x; sleep 1; done\n', /no answer within 10 seconds/],
};
for (const [what, [script, words]] of Object.entries(refusals)) {
  test(`a program ${what} keeps httpd from starting, and the line says so`, async () => {
    const file = await site.apache.writeFile('conf/refused', script, 0o755);
    await assert.rejects(startWith(`"exec:${file} --pass=only-for-the-program"`), (error) => {
      assert.match(error.message, /PC5001 .*ProConnectClientSecret/);
      assert.doesNotMatch(error.message, /only-for-the-program/);
      assert.match(error.message, words);
      assert.ok(!error.message.includes('secret\n'));
      return true;
    });
  });
}

// As a supervisor may have it: the system then tells nobody how a child ended.
test('a program whose end cannot be seen keeps httpd from starting at once, and the line says why', { skip: process.env.PROCONNECT_PRELOAD !== undefined }, async () => {
  site.apache.ignoredSignal = 'CHLD';
  try {
    const began = performance.now();
    await assert.rejects(startWith(`"exec:${program} '' ${site.vhosts[0].secretFile}"`), /PC5001 .*ProConnectClientSecret.*cannot be seen to end.*SIGCHLD/);
    assert.ok(performance.now() - began < 8000, 'not after the ten seconds');
  } finally {
    site.apache.ignoredSignal = undefined;
  }
});

test('the secret itself in the configuration works, with a warning that others may read it', async () => {
  await startWith(site.client.client_secret);
  await logsIn();
  assert.ok(site.apache.logged(/ProConnectClientSecret/).length > 0 || /ProConnectClientSecret/.test(site.apache.process.output.stderr));
});

// ---- who can reach a file

const read = /can be read by everybody on this machine; write 'chmod 600 /;
const changed = /can be changed by others than its owner; write 'chmod 600 /;
const childrens = /belongs to the user of httpd's children.*write 'chown root /;
const isRoot = process.getuid() === 0;
const key = await site.apache.writeFile('conf/own.pem', newKey('ES256').pem, 0o600);
const { secretFile } = site.vhosts[0];
const configurations = [['ProConnectClientSecret', secretFile, original], ['ProConnectClientKey', key, original.replace(/ProConnectClientSecret .*/, `ProConnectClientKey ${key}`)],
  ['ProConnectDecryptionKey', key, original.replace(/ProConnectClientSecret .*/, `$&\n    ProConnectDecryptionKey ${key}`)]];
test('configtest warns of a program that others can change, and of one that httpd\'s children own', async () => {
  await site.apache.stop();
  await site.apache.writeFile('conf/site.conf', original.replace(/ProConnectClientSecret .*/, `ProConnectClientSecret "exec:${program} argument"`));
  const children = isRoot ? Number(execFileSync('id', ['-u', 'www-data'], { encoding: 'utf8' })) : process.getuid();
  const changedProgram = /can be changed by others than its owner; write 'chmod go-w /;
  for (const [mode, owner, expected] of [[0o755, process.getuid(), []], [0o700, process.getuid(), []], [0o775, process.getuid(), [changedProgram]],
    [0o757, process.getuid(), [changedProgram]], [0o755, children, isRoot ? [childrens] : []]]) {
    await chmod(program, mode);
    await chown(program, owner, process.getgid());
    const { code, stderr } = await site.apache.configtest();
    assert.equal(code, 0, stderr);
    const lines = stderr.split('\n').filter((line) => line.includes('ProConnectClientSecret') && line.includes(program));
    assert.equal(lines.length, expected.length, `${mode.toString(8)} of ${owner}: ${stderr}`);
    for (const pattern of expected) assert.match(stderr, pattern);
  }
  await chown(program, process.getuid(), process.getgid());
  await chmod(program, 0o755);
});

for (const [directive, file, text] of configurations) {
  test(`${directive}: configtest warns of a file that others can read or change, and of one that httpd's children own`, async () => {
    await site.apache.stop();
    await site.apache.writeFile('conf/site.conf', text);
    const children = isRoot ? Number(execFileSync('id', ['-u', 'www-data'], { encoding: 'utf8' })) : process.getuid();
    for (const [mode, owner, expected] of [
      [0o600, process.getuid(), []], [0o400, process.getuid(), []], [0o640, process.getuid(), []], [0o644, process.getuid(), [read]], [0o604, process.getuid(), [read]],
      [0o660, process.getuid(), [changed]], [0o620, process.getuid(), [changed]], [0o602, process.getuid(), [changed]], [0o666, process.getuid(), [read, changed]],
      [0o600, children, isRoot ? [childrens] : []], [0o666, children, isRoot ? [read, changed, childrens] : [read, changed]],
    ]) {
      await chmod(file, mode);
      await chown(file, owner, process.getgid());
      const { code, stderr } = await site.apache.configtest();
      assert.equal(code, 0, stderr);
      const what = `${mode.toString(8)} of ${owner}: ${stderr}`;
      const lines = stderr.split('\n').filter((line) => line.includes(directive) && line.includes(file));
      assert.equal(lines.length, expected.length, what);
      for (const pattern of [read, changed, childrens]) assert.equal(lines.some((line) => pattern.test(line)), expected.includes(pattern), what);
    }
    await chown(file, process.getuid(), process.getgid());
    await chmod(file, 0o600);
  });
}
