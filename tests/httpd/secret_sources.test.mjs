// Where the client secret may come from beside a file: a program, the environment of httpd, the configuration itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { expectProtected } from '../support/expect.mjs';
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
};
for (const [what, [script, words]] of Object.entries(refusals)) {
  test(`a program ${what} keeps httpd from starting, and the line says so`, async () => {
    const file = await site.apache.writeFile('conf/refused', script, 0o755);
    await assert.rejects(startWith(`exec:${file}`), (error) => {
      assert.match(error.message, /PC5001 .*ProConnectClientSecret/);
      assert.match(error.message, words);
      assert.ok(!error.message.includes('secret\n'));
      return true;
    });
  });
}

test('the secret itself in the configuration works, with a warning that others may read it', async () => {
  await startWith(site.client.client_secret);
  await logsIn();
  assert.ok(site.apache.logged(/ProConnectClientSecret/).length > 0 || /ProConnectClientSecret/.test(site.apache.process.output.stderr));
});
