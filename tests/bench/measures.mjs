// How things are measured: wrk for requests, callgrind for instructions, the scheduler's own account for processor time.
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { eventually, run, startProcess } from '../support/scratch.mjs';

const milliseconds = { us: 1e-3, ms: 1, s: 1000 };
const asMilliseconds = (text) => Number.parseFloat(text) * milliseconds[/[a-z]+$/.exec(text)[0]];

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** One slice: so many requests on kept connections, as fast as they go; short, so that those of others lie close by. @returns requests a second, and httpd's microseconds of each */
export async function slice(server, { path = '/private/notice.txt', cookie = '', more = [], connections = 8, requests = 3000 }) {
  const headers = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', ...(cookie === '' ? [] : [`Cookie: ${cookie}`]), ...more].flatMap((header) => ['-H', header]);
  const before = processorTime(server.apache);
  const { code, stdout, stderr } = await run('h2load', ['--h1', '-t1', `-c${connections}`, `-n${requests}`, ...headers, server.origin + path]);
  if (code !== 0 || !stdout.includes(` ${requests} 2xx`)) throw new Error(`h2load: ${stderr}`);
  return { perSecond: Number(/finished in [\d.]+m?s, ([\d.]+) req\/s/.exec(stdout)[1]), cost: (processorTime(server.apache) - before) / 1e3 / requests };
}

/** Requests with these cookies, one after the other, and `more` headers. @returns {perSecond, p50, p99, cost}: 1/s, ms, and microseconds of httpd's processor time a request */
export async function loadWith(server, { path = '/private/notice.txt', cookies = [''], more = {}, connections = 8, seconds }) {
  const script = await server.apache.writeFile('wrk.lua', `local cookies = {${cookies.map((cookie) => `"${cookie}"`).join(',')}}
local turn = 0
local requests = {}
function init()
  for i, cookie in ipairs(cookies) do
    local headers = {["Accept"] = "text/html", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-Dest"] = "document"}
    if cookie ~= "" then headers["Cookie"] = cookie end
${Object.entries(more).map(([name, value]) => `    headers["${name}"] = "${value}"`).join('\n')}
    requests[i] = wrk.format("GET", "${path}", headers)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
`);
  const before = processorTime(server.apache);
  const { code, stdout, stderr } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s', '-s', script, server.origin]);
  if (code !== 0) throw new Error(`wrk: ${stderr}`);
  // httpd ends idle connections when all its threads are busy, and wrk counts each as a read error; a connection refused or an answer too late is one.
  const failures = /(Non-2xx or 3xx responses: \d+|Socket errors: connect [1-9].*|Socket errors:.*timeout [1-9].*)/.exec(stdout)?.[1];
  if (failures) throw new Error(`${server.kind}: ${failures}`);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
  const [p50, p99] = ['50%', '99%'].map((name) => asMilliseconds(new RegExp(`${name}\\s+(\\S+)`).exec(stdout)[1]));
  const cost = (processorTime(server.apache) - before) / 1e3 / Number(/(\d+) requests in/.exec(stdout)[1]);
  return { perSecond, p50, p99, cost };
}

/** One request first, so that what is measured is what is meant. */
export async function checkAnswer(server, cookie, status) {
  const got = await new Promise((resolve, reject) => {
    get(server.url, { agent: false, headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...(cookie ? { cookie } : {}) } },
      (answer) => { answer.resume(); answer.once('end', () => resolve(answer.statusCode)); }).once('error', reject);
  });
  if (got !== status) throw new Error(`${server.kind}: ${got} instead of ${status}`);
}

/** Nanoseconds of processor time that all processes of a server have used. */
export function processorTime(apache) {
  const parent = Number(readFileSync(apache.path('run/apache2.pid'), 'utf8'));
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(/\s+/).filter(Boolean);
  let total = 0;
  for (const pid of children) {
    for (const task of readdirSync(`/proc/${pid}/task`)) total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  }
  return total;
}

/** Bytes of shared memory that the server's parent has touched, and hence the machine holds for it. */
export function sharedBytes(apache) {
  const parent = readFileSync(apache.path('run/apache2.pid'), 'utf8').trim();
  let shared = false;
  let total = 0;
  for (const line of readFileSync(`/proc/${parent}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) shared = line.includes('/dev/zero');
    else if (shared && line.startsWith('Rss:')) total += Number(/\d+/.exec(line)[0]) * 1024;
  }
  return total;
}

const canConnect = (port) => new Promise((done) => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); done(true); }).once('error', () => done(false));
});

/** One request after the other, through one connection or one connection each. */
export async function requestsOf(url, count, headers, { keepAlive = true } = {}) {
  const agent = new Agent({ keepAlive, maxSockets: 1 });
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

/** Instructions of a single-process server (prefork, -X) from start to stop around `work`. @param keep  where callgrind's output is left */
export async function countInstructions(server, work, keep) {
  const { apache } = server;
  const output = apache.path(`callgrind-${Math.random().toString(36).slice(2)}.out`);
  const valgrind = startProcess('valgrind', ['--tool=callgrind', `--callgrind-out-file=${output}`, '--quiet', process.env.APACHE2 ?? '/usr/sbin/apache2',
    '-X', '-d', apache.root, '-f', apache.path('conf/httpd.conf')], { cwd: apache.root });
  await eventually('apache2 starts under callgrind', () => !valgrind.running || canConnect(apache.ports[0]), { within: 120_000 });
  if (!valgrind.running) throw new Error(`apache2 ended under callgrind: ${valgrind.output.stderr}`);
  if (existsSync(output)) chmodSync(output, 0o666);  // httpd has given its rights up by the time callgrind writes
  await work();
  await valgrind.stop({ within: 60_000 });
  if (keep) copyFileSync(output, keep);
  const total = readFileSync(output, 'utf8').match(/^(?:summary|totals): (\d+)/m);
  if (!total) throw new Error('callgrind left no total');
  return Number(total[1]);
}

/** What one more of `work(n)` costs: start, stop and `before` do not count. */
export async function instructionsOfOne(server, work, { few, many, before = async () => {} }) {
  const counts = [];
  for (const n of [few, many]) counts.push(await countInstructions(server, async () => work(n, await before())));
  return Math.round((counts[1] - counts[0]) / (many - few));
}
