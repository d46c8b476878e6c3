// The whole comparison; started by tests/bench/run, which says how. Ends with 1 when a figure that must be reached is missed.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Standin } from '../support/standin.mjs';
import { checkAnswer, instructionsOfOne, loadWith, median, processorTime, requestsOf, sharedBytes, slice } from './measures.mjs';
import { makeServer } from './servers.mjs';

const { values } = parseArgs({ options: Object.fromEntries(Object.entries({ json: '', rounds: '31', seconds: '1', logins: '40', slices: '200',
  parts: 'requests,sizes,crowd,logins,instructions', sizes: '1,1000,100000,1000000' }).map(([name, value]) => [name, { type: 'string', default: value }])) });
const [rounds, seconds, logins, slices] = ['rounds', 'seconds', 'logins', 'slices'].map((name) => Number(values[name]));
const sizes = values.sizes.split(',').map(Number);
const parts = values.parts.split(',');
const result = { machine: machine(), rounds, seconds, parts: {} };
const missed = [];

function machine() {
  const release = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))[1];
  const version = /Apache\/(\S+)/.exec(execFileSync(process.env.APACHE2 ?? '/usr/sbin/apache2', ['-v'], { encoding: 'utf8' }))[1];
  return { processors: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), system: release, apache: version, peer: `libapache2-mod-auth-openidc ${process.env.PEER_VERSION}` };
}

const once = { Connection: 'close' };

const row = (name, ...cells) => console.log(name.padEnd(46) + cells.map((cell) => String(cell).padStart(13)).join(''));
const whole = (value) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
function mustReach(what, value, limit, holds) {
  console.log(`  ${holds ? 'reached' : 'MISSED '}  ${what}: ${value} (${limit})`);
  if (!holds) missed.push(what);
}

/** All cases in turn, again and again, so that what else the machine does meets all alike. @returns medians, and `ratio(a, b)`: of the rounds' ratios */
async function inRounds(cases) {
  const samples = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  const names = Object.keys(cases);
  for (const name of names) await cases[name](1);  // everything is warm
  for (let round = 0; round < rounds; round += 1) {
    // The order turns with each round: nobody is always the one after the busiest.
    for (let index = 0; index < names.length; index += 1) {
      const name = names[(index + round) % names.length];
      samples[name].push(await cases[name](seconds));
    }
  }
  const medians = Object.fromEntries(names.map((name) => [name, {
    ...Object.fromEntries(['perSecond', 'p50', 'p99', 'cost'].map((what) => [what, median(samples[name].map((one) => one[what]))])),
  }]));
  const ratio = (a, b, what = 'perSecond') => Number(median(samples[a].map((one, round) => one[what] / samples[b][round][what])).toFixed(3));
  return { medians, samples, ratio };
}

function shuffled(names) {
  const left = [...names];
  return names.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}

/** Differences of a few hundredths drown in what else the machine does during a second. Slices of a sixth of one meet it alike; and
 * one case is there twice, to show how much of a difference is none. @returns `ratio(a, b)` of neighbouring slices */
async function inSlices(cases) {
  const names = Object.keys(cases);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await cases[name]();
  let last;
  for (let turn = 0; turn < slices; turn += 1) {
    // In any order, so that all have all others before them alike; nobody follows himself, who would find the caches as he left them.
    let order;
    do { order = shuffled(names); } while (order[0] === last);
    for (const name of order) samples[name].push(await cases[name]());
    last = order.at(-1);
  }
  const ratio = (a, b, what = 'perSecond') => Number(median(samples[a].map((one, turn) => one[what] / samples[b][turn][what])).toFixed(3));
  return { ratio, medians: Object.fromEntries(names.map((name) => [name, Object.fromEntries(['perSecond', 'cost'].map((what) => [what, median(samples[name].map((one) => one[what]))]))])) };
}

function printSlices(title, { medians, ratio }, base, controlled, control) {
  console.log(`\n${title}`);
  row('', 'requests/s', 'ratio', 'CPU µs each', 'ratio');
  for (const [name, { perSecond, cost }] of Object.entries(medians)) {
    row(name, whole(perSecond), ratio(name, base).toFixed(3), cost.toFixed(1), ratio(name, base, 'cost').toFixed(3));
  }
  console.log(`  ${control} of ${controlled}, which are the same: ${ratio(control, controlled).toFixed(3)}, processor time ${ratio(control, controlled, 'cost').toFixed(3)}`);
}

function print(title, { medians, ratio }, base) {
  console.log(`\n${title}`);
  row('', 'requests/s', 'p50 ms', 'p99 ms', 'ratio', 'CPU µs each', 'ratio');
  for (const [name, { perSecond, p50, p99, cost }] of Object.entries(medians)) {
    row(name, whole(perSecond), p50.toFixed(2), p99.toFixed(2), ratio(name, base).toFixed(3), cost.toFixed(1), ratio(name, base, 'cost').toFixed(3));
  }
}

async function withServers(wanted, use) {
  const standin = await Standin.start();
  const servers = {};
  try {
    for (const [name, [kind, options]] of Object.entries(wanted)) {
      servers[name] = await makeServer(kind, standin, options);
      if (options?.mpm !== 'prefork') await servers[name].apache.start();
    }
    return await use(servers);
  } finally {
    for (const server of Object.values(servers)) await server.close();
    await standin.stop();
  }
}

const measure = {
  async requests() {
    await withServers({ open: ['open'], anonymous: ['anonymous'], ours: ['ours'], rules: ['rules'], theirs: ['theirs'] }, async ({ open, anonymous, ours, rules, theirs }) => {
      const [our, ruled, their] = [await ours.login(), await rules.login(), await theirs.login()];
      for (const [server, cookie] of [[open, ''], [ours, our], [theirs, their]]) await checkAnswer(server, cookie, 200);
      const measured = await inRounds({
        'the file open to all': (s) => loadWith(open, { seconds: s }),
        'httpd, an anonymous user and 22 SetEnv': (s) => loadWith(anonymous, { more: { Authorization: 'Basic YW55Ym9keTo=' }, seconds: s }),
        'mod_auth_proconnect, with a session': (s) => loadWith(ours, { cookies: [our], seconds: s }),
        'mod_auth_proconnect, valid-user, aliased': (s) => loadWith(rules, { path: '/private/plain/notice.txt', cookies: [ruled], seconds: s }),
        'mod_auth_proconnect, ten rules, aliased': (s) => loadWith(rules, { path: '/private/rules/notice.txt', cookies: [ruled], seconds: s }),
        'mod_auth_openidc, with a session': (s) => loadWith(theirs, { cookies: [their], seconds: s }),
        'open, a connection for each request': (s) => loadWith(open, { more: once, seconds: s }),
        'mod_auth_proconnect, the same': (s) => loadWith(ours, { cookies: [our], more: once, seconds: s }),
        'mod_auth_openidc, the same': (s) => loadWith(theirs, { cookies: [their], more: once, seconds: s }),
      });
      print('A request with a session', measured, 'the file open to all');
      const plain = () => slice(rules, { path: '/private/plain/notice.txt', cookie: ruled });
      const [openToAll, own, session, validUser, again, tenRules] = ['the file open to all', 'httpd, an anonymous user and 22 SetEnv', 'mod_auth_proconnect, with a session',
        'mod_auth_proconnect, valid-user, aliased', 'the same again', 'mod_auth_proconnect, ten rules, aliased'];
      const close = await inSlices({
        [openToAll]: () => slice(open, {}),
        [own]: () => slice(anonymous, { cookie: our, more: ['Authorization: Basic YW55Ym9keTo='] }),
        [session]: () => slice(ours, { cookie: our }),
        [validUser]: plain,
        [again]: plain,
        [tenRules]: () => slice(rules, { path: '/private/rules/notice.txt', cookie: ruled }),
        'mod_auth_openidc, with a session': () => slice(theirs, { cookie: their }),
      });
      printSlices(`The same in slices of 3 000 requests, ${slices} of each`, close, openToAll, validUser, again);
      const ratio = close.ratio(session, openToAll);
      mustReach('throughput of the open file', ratio, 'at least 0.97', ratio >= 0.97);
      const ofPlain = close.ratio(tenRules, validUser);
      mustReach('throughput with ten rules, of valid-user', ofPlain, 'at least 0.98', ofPlain >= 0.98);
      console.log(`  for comparison, a session of httpd’s own user and variables: ${close.ratio(session, own)}, processor time ${close.ratio(session, own, 'cost')}; ten rules, processor time: ${close.ratio(tenRules, validUser, 'cost')}`);
      const alone = measured.ratio('mod_auth_proconnect, the same', 'open, a connection for each request');
      console.log(`  for comparison, a connection for each request: ${alone}`);
      result.parts.requests = { ...measured.medians, slices: close.medians, ratio, rules: ofPlain, control: close.ratio(again, validUser), own: close.ratio(own, openToAll), ofOwn: close.ratio(session, own),
        alone, theirs: close.ratio('mod_auth_openidc, with a session', openToAll) };
    });
  },

  async sizes() {
    const most = Math.max(...sizes);
    const wanted = Object.fromEntries(sizes.map((sessions) => [sessions, ['ours', { sessions, more: `ProConnectSessionMax ${most}` }]]));
    await withServers(wanted, async (servers) => {
      const madeUp = `proconnect=${randomBytes(64).toString('base64url')}`;
      const cases = {};
      for (const sessions of sizes) {
        const server = servers[sessions];
        for (const cookie of server.cookies.slice(0, 3)) await checkAnswer(server, cookie, 200);
        // A connection each: one that is kept remembers its session, and the only one would be remembered by all.
        cases[`${whole(sessions)} live sessions`] = (s) => loadWith(server, { cookies: server.cookies, more: once, seconds: s });
      }
      await checkAnswer(servers[most], madeUp, 302);
      cases[`no cookie, ${whole(most)} live`] = (s) => loadWith(servers[most], { more: once, seconds: s });
      cases[`a made-up cookie, ${whole(most)} live`] = (s) => loadWith(servers[most], { cookies: [madeUp], more: once, seconds: s });
      const measured = await inRounds(cases);
      const names = Object.keys(cases);
      print('Dependence on the number of live sessions', measured, names[0]);
      const [noCookie, made] = names.slice(-2);
      result.parts.sizes = { ...measured.medians };
      if (sizes.length > 1) {
        const ratio = measured.ratio(names[sizes.length - 1], names[0]);
        mustReach(`${names[sizes.length - 1]} against ${names[0]}`, ratio, 'at least 0.95', ratio >= 0.95);
        result.parts.sizes.ratio = ratio;
      }
      const forged = measured.ratio(made, noCookie);
      mustReach('a made-up cookie against none', forged, 'at least 0.95', forged >= 0.95);
      result.parts.sizes.madeUp = forged;
      if (sizes.includes(1) && most >= 1000) {
        const bytes = Math.round((sharedBytes(servers[most].apache) - sharedBytes(servers[1].apache)) / (most - 1));
        mustReach('bytes of memory per session', bytes, 'at most 2 048', bytes > 0 && bytes <= 2048);
        result.parts.sizes.bytesPerSession = bytes;
      }
    });
  },

  async crowd() {
    await withServers({ open: ['open'], ours: ['ours'] }, async ({ open, ours }) => {
      const cookie = await ours.login();
      const measured = await inRounds({
        'open, 256 threads': (s) => loadWith(open, { seconds: s, connections: 256 }),
        'one session, 256 threads': (s) => loadWith(ours, { cookies: [cookie], seconds: s, connections: 256 }),
      });
      print('Many threads on few processors', measured, 'open, 256 threads');
      result.parts.crowd = { ...measured.medians, ratio: measured.ratio('one session, 256 threads', 'open, 256 threads') };
    });
  },

  async logins() {
    // Eight threads, all of which have logged somebody in before it counts: what the first login of a thread costs is not what a login costs.
    await withServers({ ours: ['ours', { threads: 8 }], theirs: ['theirs', { threads: 8 }], httpd: ['proxied', { threads: 8 }] }, async (servers) => {
      const samples = { ours: [], theirs: [], httpd: [] };
      // A login finds the processor's caches full of the provider's work, so httpd alone shall too.
      const work = { ours: () => servers.ours.login(), theirs: () => servers.theirs.login(), httpd: async () => { await servers.ours.login(); await servers.httpd.visit(); } };
      const some = async (name, count) => { for (let done = 0; done < count; done += 4) await Promise.all([0, 1, 2, 3].map(work[name])); };
      for (const name of Object.keys(work)) await some(name, 40);
      for (let round = 0; round < rounds; round += 1) {
        for (const name of round % 2 ? ['ours', 'theirs', 'httpd'] : ['httpd', 'theirs', 'ours']) {
          const [began, cpu] = [performance.now(), processorTime(servers[name].apache)];
          await some(name, logins);
          samples[name].push({ perSecond: logins / ((performance.now() - began) / 1000), milliseconds: (processorTime(servers[name].apache) - cpu) / 1e6 / logins });
        }
      }
      const of = (name, what) => median(samples[name].map((one) => one[what]));
      console.log('\nLogins, whole: to ProConnect, back, and the page');
      row('', 'logins/s', 'CPU ms/login');
      for (const [name, title] of [['ours', 'mod_auth_proconnect'], ['theirs', 'mod_auth_openidc'], ['httpd', 'httpd alone, as many requests and calls']]) row(title, name === 'httpd' ? '' : of(name, 'perSecond').toFixed(1), of(name, 'milliseconds').toFixed(2));
      const ofTheirs = (name) => Number(median(samples[name].map((one, round) => one.milliseconds / samples.theirs[round].milliseconds)).toFixed(3));
      const ratio = ofTheirs('ours');
      mustReach('httpd’s processor time of a login, of the other’s', ratio, 'at most 0.25', ratio <= 0.25);
      console.log(`  for comparison, httpd alone: ${ofTheirs('httpd')}`);
      result.parts.logins = { ours: { perSecond: of('ours', 'perSecond'), milliseconds: of('ours', 'milliseconds') },
        theirs: { perSecond: of('theirs', 'perSecond'), milliseconds: of('theirs', 'milliseconds') }, ratio, httpdAlone: ofTheirs('httpd') };
    });
  },

  async instructions() {
    const wanted = Object.fromEntries(['open', 'ours', 'theirs'].map((kind) => [kind, [kind, { mpm: 'prefork' }]]));
    await withServers(wanted, async ({ open, ours, theirs }) => {
      const request = {};
      for (const [name, server, few, many, keepAlive = true] of [['open', open, 1000, 3000], ['ours', ours, 1000, 3000], ['theirs', theirs, 200, 600],
        ['openAlone', open, 1000, 3000, false], ['oursAlone', ours, 1000, 3000, false]]) {
        request[name] = await instructionsOfOne(server, (n, cookie) => requestsOf(server.url, n, cookie ? { cookie } : {}, { keepAlive }),
          { few, many, before: () => (server === open ? '' : server.login()) });
      }
      const login = {};
      for (const [name, server] of [['ours', ours], ['theirs', theirs]]) {
        login[name] = await instructionsOfOne(server, async (n) => { for (let done = 0; done < n; done += 1) await server.login(); }, { few: 5, many: 25 });
      }
      console.log('\nInstructions (one process, callgrind)');
      row('', 'a request', 'added', 'a login');
      row('the file open to all', whole(request.open), '', '');
      row('mod_auth_proconnect', whole(request.ours), whole(request.ours - request.open), whole(login.ours));
      row('mod_auth_openidc', whole(request.theirs), whole(request.theirs - request.open), whole(login.theirs));
      row('open, a connection for each request', whole(request.openAlone), '', '');
      row('mod_auth_proconnect, the same', whole(request.oursAlone), whole(request.oursAlone - request.openAlone), '');
      const added = request.ours - request.open;
      mustReach('instructions added to a request', whole(added), 'at most 20 000', added <= 20_000);
      mustReach('instructions of a login', whole(login.ours), 'at most 3 000 000', login.ours <= 3_000_000);
      result.parts.instructions = { request, login, added };
    });
  },
};

console.log(`${result.machine.processors} processors, ${result.machine.memoryGiB} GiB, ${result.machine.system}, Apache ${result.machine.apache}, ${result.machine.peer}`);
for (const part of parts) {
  if (!measure[part]) throw new Error(`no part ${part}: ${Object.keys(measure).join(', ')}`);
  await measure[part]();
}
result.missed = missed;
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
process.exitCode = missed.length > 0 ? 1 : 0;
