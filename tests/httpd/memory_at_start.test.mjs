// Memory runs out while httpd reads its configuration, at whichever step: one line says so, and no exception gets as far as httpd, which is C.
// Not under a sanitizer: it has a `new` of its own.
import assert from 'node:assert/strict';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { run } from '../support/scratch.mjs';
import { startSite } from '../support/site.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const library = join(dirname(resolve(process.env.PROCONNECT_MODULE ?? join(here, '../../build/mod_auth_proconnect.so'))), 'tests/failing_new.so');
const sanitized = Boolean(process.env.PROCONNECT_PRELOAD);  // it has a `new` of its own
const location = '<Location "/private/more">\nProConnectUnauthenticated page\nProConnectHeaders email uid\nProConnectIdpHint expr=%{HTTP_HOST}\n</Location>';
const site = await startSite({ label: 'memory-at-start', start: false, logLevel: 'warn', vhosts: [{ client: { alg: 'ES256' }, config: location }, { client: { alg: 'RS256' } }] });
after(() => site.close());

const configtest = (nth) => run('env', [`LD_PRELOAD=${library}`, `FAIL_NEW=${nth}`, process.env.APACHE2 ?? '/usr/sbin/apache2', '-d', site.apache.root, '-f', site.apache.path('conf/httpd.conf'), '-t']);

test('configtest ends with a line of its own whichever allocation fails', { skip: sanitized }, async () => {
  const outcomes = { ended: 0, refused: 0, unharmed: 0 };
  let nth = 1;
  for (let reached = true; reached && nth < 1e6; nth += Math.max(1, nth >> 4)) {
    const { code, stderr } = await configtest(nth);
    reached = stderr.includes('this allocation failed');
    assert.doesNotMatch(stderr, /terminate called|what\(\)/, `allocation ${nth}: ${stderr}`);
    if (code === 0) {
      assert.match(stderr, /Syntax OK/, `allocation ${nth}`);
      outcomes.unharmed += 1;
    } else {
      assert.match(stderr, /PC9001|PC9002|PC5001|internal error/, `allocation ${nth}: code ${code}: ${stderr}`);
      outcomes[/aborting process/.test(stderr) ? 'ended' : 'refused'] += 1;
    }
  }
  assert.ok(nth < 1e6 && outcomes.refused > 10 && outcomes.ended > 0 && outcomes.unharmed > 0, JSON.stringify({ nth, ...outcomes }));
});
