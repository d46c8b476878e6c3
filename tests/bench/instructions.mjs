// Instructions that a request costs httpd, counted by callgrind on a single process: (4 000 requests - 2 000) / 2 000, so that start
// and stop do not count. Repeats to about 0.1 % whatever else the machine does.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startSite, protectedText } from '../support/site.mjs';
import { tenRules } from './servers.mjs';
import { eventually, startProcess } from '../support/scratch.mjs';

const few = 2000;
const many = 4000;

const canConnect = (port) => new Promise((done) => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); done(true); }).once('error', () => done(false));
});

/** One keep-alive connection, one request after the other. */
async function requests(url, count, headers) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let done = 0; done < count; done += 1) {
    await new Promise((resolve, reject) => {
      get(url, { agent, headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${answer.statusCode} from ${url}`));
        answer.resume();
        answer.once('end', resolve);
      }).once('error', reject);
    });
  }
  agent.destroy();
}

async function instructionsOf(apache, count, url, headers, keep) {
  const output = apache.path(`callgrind-${Math.random().toString(36).slice(2)}.out`);
  const server = startProcess('valgrind', ['--tool=callgrind', `--callgrind-out-file=${output}`, '--quiet', process.env.APACHE2 ?? '/usr/sbin/apache2',
    '-X', '-d', apache.root, '-f', apache.path('conf/httpd.conf')], { cwd: apache.root });
  await eventually('apache2 starts under callgrind', () => !server.running || canConnect(apache.ports[0]), { within: 120_000 });
  if (!server.running) throw new Error(`apache2 ended under callgrind: ${server.output.stderr}`);
  chmodSync(output, 0o666);  // httpd has given its rights up by the time callgrind writes
  await requests(url, count, headers);
  await server.stop({ within: 60_000 });
  if (keep) execFileSync('cp', [output, keep]);
  const total = readFileSync(output, 'utf8').match(/^(?:summary|totals): (\d+)/m);
  if (!total) throw new Error('callgrind left no total');
  return Number(total[1]);
}

export async function measureInstructions({ keep } = {}) {
  const site = await startSite({ label: 'bench-instructions', mpm: 'prefork', logLevel: 'warn',
    vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `MaxKeepAliveRequests 0
    Alias "/open" "${join(apache.htdocs, 'private')}"
    Alias "/private/rules" "${join(apache.htdocs, 'private')}"
    <Location "/private/rules">
        <RequireAll>
${tenRules.map((rule) => `            Require proconnect ${rule}`).join('\n')}
        </RequireAll>
    </Location>` }] });
  try {
    const browser = site.browser('agent-etat');
    const page = await browser.login(site.url('/private/notice.txt'));
    if (!page.text.includes(protectedText)) throw new Error('the login did not work');
    // A browser sends ours; those of the stand-in on the same address are no part of the work.
    const cookie = browser.jar.header(new URL(site.url("/private/"))).split("; ").filter((pair) => pair.startsWith("proconnect")).join("; ");
    await site.apache.stop();
    const cases = {
      open: { path: '/open/notice.txt', headers: {} },
      'open, with the cookie': { path: '/open/notice.txt', headers: { cookie } },
      'session, ten rules': { path: '/private/rules/notice.txt', headers: { cookie } },
      session: { path: '/private/notice.txt', headers: { cookie } },
    };
    const result = {};
    for (const [name, { path, headers }] of Object.entries(cases)) {
      const low = await instructionsOf(site.apache, few, site.url(path), headers);
      const high = await instructionsOf(site.apache, many, site.url(path), headers, name === 'session' ? keep : undefined);
      result[name] = Math.round((high - low) / (many - few));
    }
    result.added = result.session - result.open;
    return result;
  } finally {
    await site.close();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const result = await measureInstructions({ keep: process.argv[2] });
  for (const [name, count] of Object.entries(result)) console.log(`${name.padEnd(24)} ${String(count).padStart(8)}`);
}
