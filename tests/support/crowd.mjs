// Signed-in users who keep asking for their pages, each answer checked for being theirs; and the session table looked at from outside.
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, sleep } from './scratch.mjs';
import { patience } from './apache.mjs';

const module = resolve(process.env.PROCONNECT_MODULE ?? join(dirname(fileURLToPath(import.meta.url)), '../../build/mod_auth_proconnect.so'));
const checker = join(dirname(module), 'tests/check_table');

/** Says on each protected page whose session it was served to. */
export const namesUser = 'Header always set X-User "%{PROCONNECT_SUB}e"\n    Header always set X-Session "%{PROCONNECT_SESSION}e"';

/** Validates every table of a running server. @returns what the newest counts: {live, evicted, repaired, expired} */
export async function tableOf(apache) {
  const { code, stdout, stderr } = await run(checker, [String(apache.parentPid())]);
  assert.equal(code, 0, `check_table: ${stdout}${stderr}`);
  const words = stdout.trim().split('\n').map((line) => line.split(' '));
  return words.map((line) => Object.fromEntries([0, 2, 4, 6].map((at) => [line[at], Number(line[at + 1])])));
}

const childPids = (parent) => readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);

/** kill -9 of the parent, and then of the children that it leaves behind. */
export async function killAll(apache) {
  const parent = apache.parentPid();
  const children = childPids(parent);
  process.kill(parent, 'SIGKILL');
  for (const pid of children) {
    try { process.kill(pid, 'SIGKILL'); } catch { /* gone by itself */ }
  }
  await apache.afterDeath();
}

/** httpd's children that serve requests, without the daemon of mod_cgid. */
export function childrenOf(apache) {
  return childPids(apache.parentPid())
    .filter((pid) => { try { return readFileSync(`/proc/${pid}/status`, 'utf8').match(/Threads:\s+(\d+)/)[1] > 1; } catch { return false; } });
}

export class Crowd {
  constructor(site, personas) {
    Object.assign(this, { site, personas, users: [], answers: 0, cut: 0, violations: [], running: false });
    this.agent = new Agent({ keepAlive: true, maxSockets: 24 });
  }

  /** Signs somebody in, who is watched from now on. */
  async add(persona, again = false) {
    const browser = this.site.browser(persona);
    const page = await browser.login(this.site.url('/private/notice.txt'));
    assert.equal(page.status, 200, `the login of ${persona}: ${page.status} ${page.text.match(/PC\d{4}/)?.[0] ?? ''}`);
    const user = { persona, sub: page.headers['x-user'], session: page.headers['x-session'], cookie: `proconnect=${browser.jar.get(this.site.url('/'), 'proconnect').value}`, browser };
    assert.match(user.sub, /^[0-9a-f]{64}$/);
    if (!again) this.users.push(user);
    return user;
  }

  /** One request of a user. A connection that is cut says nothing; an answer must be this user's. @returns whether there was one */
  async ask(user) {
    try {
      const { status, headers } = await this.#get(user.cookie);
      this.answers += 1;
      if (status !== 200) this.violations.push(`${user.persona}: ${status}${headers.location ? ', sent to log in' : ''}`);
      else if (headers['x-user'] !== user.sub || headers['x-session'] !== user.session) this.violations.push(`${user.persona} was served as somebody else`);
      return true;
    } catch {
      this.cut += 1;
      return false;
    }
  }

  #get(cookie) {
    return new Promise((done, failed) => {
      const outgoing = get(this.site.url('/private/notice.txt'), { agent: this.agent, timeout: 20_000 * patience, headers: { cookie, accept: 'text/html' } }, (answer) => {
        answer.resume();
        answer.once('end', () => done({ status: answer.statusCode, headers: answer.headers }));
        answer.once('error', failed);
      });
      outgoing.once('timeout', () => { this.violations.push('no answer within twenty seconds'); outgoing.destroy(); });
      outgoing.once('error', failed);
    });
  }

  /** Everybody asks, `times` users at once, until stop(); meanwhile somebody logs in and out all the time. */
  start(times = 12) {
    this.running = true;
    this.loops = Array.from({ length: times }, async (_, index) => {
      for (let turn = index; this.running; turn += 1) {
        if (!(await this.ask(this.users[turn % this.users.length]))) await sleep(20);
      }
    });
    this.loops.push(this.#comeAndGo());
    return this;
  }

  async #comeAndGo() {
    this.logins = 0;
    while (this.running) {
      try {
        const user = await this.add(this.personas[this.logins % this.personas.length], true);
        this.logins += 1;
        await user.browser.open(this.site.url('/proconnect/logout'), { from: this.site.url('/private/notice.txt') });
      } catch (error) {
        // A login through which a child was killed ends with a cut connection; one that ends with a page is looked at by the caller.
        if (!error.code) this.lastFailure = error.message;
        await sleep(50);
      }
    }
  }

  async stop() {
    this.running = false;
    await Promise.all(this.loops);
    this.agent.destroy();
    this.agent = new Agent({ keepAlive: true, maxSockets: 24 });
  }

  /** Nobody was served as somebody else, nobody was signed out, and everybody still is who they were. */
  async expectAllWell() {
    for (const user of this.users) assert.ok(await this.ask(user), 'no answer in peace');
    assert.deepEqual([...new Set(this.violations)], [], `${this.violations.length} violations in ${this.answers} answers`);
  }
}
