#!/usr/bin/env node
// What a provider that hangs costs those who do not log in: throughput of an open page while 200 people try to log in, against the same page in peace.
// Usage: outage.mjs [--rounds 21] [--seconds 3] [--attempts 200] [--pause 2000] [--workers 32] [--timeout 10] [--json FILE]
//   --attempts  people who are logging in, all the time     --pause  milliseconds between somebody's error page and the next try
//   --workers   threads of httpd (a quarter of them may wait for ProConnect)     --timeout  ProConnectTimeout in seconds
// Needs wrk. PROCONNECT_MODULE names the module. Ends with 1 when the median ratio is below 0.90.
//
// Rounds alternate peace, outage, peace, outage, …, peace; each outage is compared with the mean of the two peaces around it, and the rounds are many and
// short, so that a machine that becomes busier or idler does not count. The people come in a burst at first and keep coming; each is a client of its own,
// without keep-alive.
// "full": eight connections ask as fast as they can. "paced": they ask about 700 times a second, which the machine can serve in any case, so that only
// workers that are not there count, and not what else the machine does.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Browser } from '../support/browser.mjs';
import * as wrong from '../support/misbehaving-provider.mjs';
import { startProviderSites } from '../support/provider-sites.mjs';
import { run, sleep } from '../support/scratch.mjs';

const mustReach = 0.9;
const { values } = parseArgs({ options: Object.fromEntries(
  Object.entries({ rounds: '21', seconds: '3', attempts: '200', pause: '2000', workers: '32', timeout: '10', json: '' }).map(([name, value]) => [name, { type: 'string', default: value }])) });
const [rounds, seconds, attempts, pause, workers, timeout] = ['rounds', 'seconds', 'attempts', 'pause', 'workers', 'timeout'].map((name) => Number(values[name]));
const children = Math.max(2, Math.ceil(workers / 25));

const provider = await wrong.MisbehavingProvider.start();
const site = await startProviderSites({ label: 'bench-outage', logLevel: 'warn',
  config: `ServerLimit ${children}\nStartServers ${children}\nThreadsPerChild ${workers / children}\nMaxRequestWorkers ${workers}\nMinSpareThreads ${workers}\nMaxSpareThreads ${workers}\nMaxKeepAliveRequests 0`,
  hosts: { one: { provider, config: `ProConnectTimeout ${timeout}s` } } });
const host = site.hosts.one;
const open = host.url('/index.html');

/** Throughput of the open page, from eight connections. @param paced  a wrk script that makes them pause */
async function measure(duration, paced) {
  const { code, stdout, stderr } = await run('wrk', ['-t1', '-c8', `-d${duration}s`, '--latency', '--timeout', '15s', ...(paced ? ['-s', paced] : []), open]);
  if (code !== 0) throw new Error(`wrk: ${stderr}`);
  const wrongs = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
  if (wrongs) throw new Error(`${wrongs} answers were no page`);
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), longest: /Latency\s+\S+\s+\S+\s+(\S+)/.exec(stdout)[1] };
}

/** Everybody who logs in, as they stand in front of our callback: the code is never redeemed, so that the address stays good. */
async function loginsUnderWay() {
  const requests = [];
  for (let index = 0; index < attempts; index += 1) {
    const browser = new Browser();
    const callback = new URL(await browser.callbackAddress(host.url('/private/')));
    const cookie = browser.jar.header(callback);
    requests.push({ path: callback.pathname + callback.search, cookie });
  }
  return requests;
}

/** A wrk script: one connection is one person, who waits after each answer. */
function script(requests) {
  const lines = requests.map(({ path, cookie }) => `  wrk.format("GET", "${path}", {["Host"]="127.0.0.1", ["Accept"]="text/html", ["Connection"]="close"${cookie ? `, ["Cookie"]="${cookie}"` : ''}}),`);
  return `local requests = {}
local next, asked = 0, 0
function init() requests = {\n${lines.join('\n')}\n} end
function delay() asked = asked + 1; if asked <= #requests then return 0 end return ${pause} end
function request() next = next % #requests + 1; return requests[next] end
`;
}

async function withPeople(file, action) {
  const load = run('wrk', ['-t1', `-c${attempts}`, `-d${seconds + 3}s`, '--timeout', '120s', '-s', file, host.origin]);
  await sleep(500);
  const result = await action();
  const { stdout } = await load;
  return { ...result, triesPerSecond: Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0) / (seconds + 3) };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const results = {};
let waiting = 0, most = 0;
try {
  const people = await site.apache.writeFile('conf/people.lua', script(await loginsUnderWay()));
  const pacing = await site.apache.writeFile('conf/pacing.lua', 'function delay() return 10 end\n');
  provider.on('token', (right, { response }) => {
    waiting += 1;
    most = Math.max(most, waiting);
    response.once('close', () => { waiting -= 1; });
  });
  console.log(`${workers} workers, ${workers >> 2} of them may wait, half of one process’s; ${attempts} people logging in, ${pause} ms between tries; time-out ${timeout} s; ${seconds} s each`);
  const series = { full: undefined, paced: pacing };
  for (const [name, pace] of Object.entries(series)) {
    console.log(`${name.padEnd(8)}  peace/s   outage/s   ratio   longest in outage   tries/s`);
    const rows = [];
    let before = await measure(seconds, pace);
    for (let round = 1; round <= rounds; round += 1) {
      const outage = await withPeople(people, () => measure(seconds, pace));
      const after = await measure(seconds, pace);
      const peace = (before.perSecond + after.perSecond) / 2;
      rows.push({ peace, outage: outage.perSecond, ratio: outage.perSecond / peace, longest: outage.longest, triesPerSecond: outage.triesPerSecond });
      console.log([String(round).padEnd(8), peace.toFixed(0).padStart(9), outage.perSecond.toFixed(0).padStart(10), rows.at(-1).ratio.toFixed(3).padStart(7), outage.longest.padStart(19),
        outage.triesPerSecond.toFixed(0).padStart(9)].join(' '));
      before = after;
    }
    results[name] = { ratio: median(rows.map(({ ratio }) => ratio)), rounds: rows };
  }
} finally {
  await site.close();
}
const summary = { benchmark: 'outage', workers, mayWait: workers >> 2, waitedAtMost: most, attempts, pause, timeout, seconds, ...results, mustReach };
console.log(`median ${results.full.ratio.toFixed(3)} full, ${results.paced.ratio.toFixed(3)} paced (must reach ${mustReach.toFixed(2)}); at most ${most} workers waited for ProConnect at once`);
if (values.json) writeFileSync(values.json, `${JSON.stringify(summary, null, 2)}\n`);
process.exitCode = results.full.ratio >= mustReach && results.paced.ratio >= mustReach ? 0 : 1;
