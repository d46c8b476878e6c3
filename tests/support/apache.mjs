// A real apache2 in a scratch directory of its own: its own root, ports, logs and state; nothing of the system's is read or touched.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:net';
import { eventually, freePort, makeScratch, removeScratch, run, startProcess } from './scratch.mjs';
import { isHttpdsOwnAtStop, pidOf, withSources } from './crash-reports.mjs';
import { keepLogs, rememberSecret } from './secrets.mjs';

const support = dirname(fileURLToPath(import.meta.url));
const moduleFile = resolve(process.env.PROCONNECT_MODULE ?? join(support, '../../build/mod_auth_proconnect.so'));
const preload = process.env.PROCONNECT_PRELOAD;  // the sanitizer's runtime
const poolRoots = join(dirname(moduleFile), 'tests/pool_roots.so');
const crashReport = join(dirname(moduleFile), 'tests/crash_report.so');
const binary = process.env.APACHE2 ?? '/usr/sbin/apache2';
const systemModules = process.env.APACHE2_MODULES ?? '/usr/lib/apache2/modules';
const isRoot = process.getuid() === 0;

/** Starting and answering takes longer under a sanitizer. */
export const patience = preload ? 4 : 1;

/** Debian's libfaketime, for servers whose clock a story sets; it does not go with a sanitizer's runtime. */
const fakeTime = readdirSync('/usr/lib').map((directory) => join('/usr/lib', directory, 'faketime/libfaketimeMT.so.1')).find(existsSync);
export const clockCanBeSet = fakeTime !== undefined && !preload;

/** What a usual Debian server has enabled and the stories use. */
const usualModules = ['authn_core', 'authz_core', 'authz_user', 'authz_host', 'dir', 'mime', 'env', 'setenvif', 'headers', 'rewrite', 'alias',
  'include', 'negotiation', 'filter', 'socache_shmcb', 'reqtimeout', 'status'];

const poolSettings = {
  event: 'StartServers 2\nServerLimit 4\nThreadsPerChild 8\nMaxRequestWorkers 32\nMinSpareThreads 8\nMaxSpareThreads 32',
  worker: 'StartServers 2\nServerLimit 4\nThreadsPerChild 8\nMaxRequestWorkers 32\nMinSpareThreads 8\nMaxSpareThreads 32',
  prefork: 'StartServers 4\nServerLimit 8\nMaxRequestWorkers 8\nMinSpareServers 2\nMaxSpareServers 8',
};

// The finest level for every module, so that the check of the whole run sees all that can ever be written.
const usualLogLevel = 'trace8';

export class Apache {
  /** @param modules  beside the usual ones, e.g. ['ssl', 'http2']   @param withModule  load mod_auth_proconnect   @param moduleCopy  a copy of it, to be replaced
   *  @param ownClock  setClock() moves the clock of this server alone */
  static async create({ label = 'apache', mpm = 'event', modules = [], ports = 1, logLevel = usualLogLevel, withModule = true, moduleCopy = false, ownClock = false } = {}) {
    const apache = new Apache();
    Object.assign(apache, { label, mpm, logLevel, withModule, ownClock, allowed: [] });
    apache.modules = [...new Set([...usualModules, mpm === 'prefork' ? 'cgi' : 'cgid', ...modules])];
    apache.root = await makeScratch(label);
    apache.ports = [];
    for (let index = 0; index < ports; index += 1) apache.ports.push(await freePort());
    for (const directory of ['conf', 'logs', 'run', 'htdocs', 'state', 'sanitizer']) await mkdir(join(apache.root, directory));
    await chmod(join(apache.root, 'state'), 0o700);
    await chmod(join(apache.root, 'sanitizer'), 0o777);
    apache.moduleFile = moduleCopy ? join(apache.root, 'mod_auth_proconnect.so') : moduleFile;
    if (moduleCopy) copyFileSync(moduleFile, apache.moduleFile);
    const key = randomBytes(32);
    await writeFile(join(apache.root, 'state/server.key'), key, { mode: 0o600 });
    rememberSecret('server key', key.toString('base64url'));
    rememberSecret('server key', key.toString('hex'));
    await apache.configure('');
    return apache;
  }

  get htdocs() { return join(this.root, 'htdocs'); }
  get siteFile() { return join(this.root, 'conf/site.conf'); }
  get siteText() { return readFileSync(this.siteFile, 'utf8'); }
  get pid() { return this.process?.pid; }
  parentPid() { return Number(readFileSync(this.path('run/apache2.pid'), 'utf8')); }

  path(relative) { return join(this.root, relative); }

  /** Writes a file of the scratch directory. @returns its absolute path */
  async writeFile(relative, content, mode = 0o644) {
    const path = this.path(relative);
    mkdirSync(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, mode);
    return path;
  }

  /** The server's configuration: the frame below, and `site` as a file of its own so that its lines count from 1. */
  async configure(site) {
    await this.writeFile('conf/mime.types', 'text/html html\ntext/plain txt\nimage/svg+xml svg\napplication/json json\ntext/css css\n');
    await this.writeFile('conf/httpd.conf', this.#frame(site));
    await this.writeFile('conf/site.conf', site);
  }

  /** Directives that make the module keep its state in the scratch directory, unless the site says otherwise. */
  #state(site) {
    const state = { ProConnectServerKey: 'server.key', ProConnectSessionSnapshot: 'sessions' };
    return Object.entries(state).filter(([directive]) => site.includes('ProConnectPlatform') && !site.includes(directive))
      .map(([directive, file]) => `${directive} "${this.root}/state/${file}"`).join('\n');
  }

  #frame(site) {
    const load = (name, file = join(systemModules, `mod_${name}.so`)) => `LoadModule ${name}_module "${file}"`;
    return `ServerRoot "${this.root}"
DefaultRuntimeDir "${this.root}/run"
PidFile "${this.root}/run/apache2.pid"
ServerName localhost
ServerAdmin assistance@example.gouv.fr
${this.ports.map((port) => `Listen 127.0.0.1:${port}`).join('\n')}
${load(`mpm_${this.mpm}`)}
${poolSettings[this.mpm]}
${this.modules.map((name) => load(name)).join('\n')}
${this.withModule ? load('auth_proconnect', this.moduleFile) : ''}
${isRoot ? 'User www-data\nGroup www-data' : ''}
${this.modules.includes('cgid') ? `ScriptSock "${this.root}/run/cgid.sock"` : ''}
TypesConfig "${this.root}/conf/mime.types"
Timeout 20
KeepAliveTimeout 2
GracefulShutdownTimeout 5
ErrorLog "${this.root}/logs/error.log"
LogLevel ${this.logLevel}
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog "${this.root}/logs/access.log" combined
DocumentRoot "${this.htdocs}"
DirectoryIndex index.html
<Directory "/">
    Require all denied
</Directory>
<Directory "${this.htdocs}">
    Options +ExecCGI +Includes
    AllowOverride AuthConfig
    Require all granted
    AddHandler cgi-script .cgi
</Directory>
Include "${this.siteFile}"
${this.#state(site)}
`;
  }

  /** Leaks are looked for where processes have one thread: the search at exit is not safe beside others. */
  #command(...args) {
    if (!preload) {
      const libraries = [existsSync(crashReport) && crashReport, this.ownClock && fakeTime].filter(Boolean);
      const clock = [`FAKETIME_TIMESTAMP_FILE=${this.path('clock')}`, 'FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1'];
      const assignments = [`LD_PRELOAD=${libraries.join(':')}`, `CRASH_REPORTS=${this.path('sanitizer')}`, ...(this.ownClock ? clock : [])];
      return ['env', [...(this.ignoredSignal ? [`--ignore-signal=${this.ignoredSignal}`] : []), ...assignments, binary, '-d', this.root, '-f', this.path('conf/httpd.conf'), ...args]];
    }
    const environment = {
      LD_PRELOAD: existsSync(poolRoots) ? `${preload}:${poolRoots}` : preload,
      ASAN_OPTIONS: `log_path=${this.root}/sanitizer/asan:handle_segv=2:handle_sigbus=2:handle_abort=2:verify_asan_link_order=0:detect_leaks=${this.mpm === 'prefork' ? 1 : 0}:abort_on_error=0:detect_stack_use_after_return=1:alloc_dealloc_mismatch=1:strict_string_checks=1`,
      LSAN_OPTIONS: `suppressions=${support}/leaks-of-others.supp:print_suppressions=0`,
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    };
    const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return ['env', [...assignments, binary, '-d', this.root, '-f', this.path('conf/httpd.conf'), ...args]];
  }

  /** `apachectl configtest`. */
  async configtest() {
    const [command, args] = this.#command('-t');
    return run(command, args);
  }

  async start() {
    const resumed = this.#resumed();
    const [command, args] = this.#command('-D', 'FOREGROUND');
    this.process = startProcess(command, args, { cwd: this.root });
    await eventually('apache2 starts', async () => {
      if (!this.process.running) return true;
      return this.#resumed() > resumed && canConnect(this.ports[0]);
    }, { within: 15_000 * patience });
    if (!this.process.running) {
      throw new Error(`apache2 did not start:\n${this.process.output.stderr}${this.errorLog().split('\n').slice(-15).join('\n')}`);
    }
    return this;
  }

  /** A signal that whoever starts the server has set to be ignored; not under a sanitizer. */
  ignoredSignal;

  /** How far the server's clock is from the machine's, from its next look at it. */
  setClock(seconds) { return this.writeFile('clock', `${seconds < 0 ? '' : '+'}${seconds}s\n`); }

  /** `apachectl graceful`, and waits until the new generation serves. */
  async graceful() {
    const resumed = this.#resumed();
    process.kill(this.pid, 'SIGUSR1');
    await eventually('apache2 restarts gracefully', () => this.#resumed() > resumed, { within: 15_000 * patience });
  }

  /** A full stop: the parent process ends, and its memory with it. */
  async stop() {
    if (!this.process) return;
    await this.process.stop({ within: 20_000 * patience });
    this.process = undefined;
  }

  /** After somebody has killed the parent and its children. */
  async afterDeath() {
    await this.process.exited;
    this.process = undefined;
    await eventually('the port is free again', async () => !(await canConnect(this.ports[0])));
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  #resumed() {
    return this.errorLog().split('resuming normal operations').length - 1;
  }

  errorLog() { return readIfThere(this.path('logs/error.log')); }
  accessLog() { return readIfThere(this.path('logs/access.log')); }

  /** Lines of the error log that match, each one an entry. */
  logged(pattern) { return this.errorLog().split('\n').filter((line) => (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line))); }

  /** Says that the story causes such lines on purpose. */
  allow(pattern) { this.allowed.push(pattern); }

  /** What crashed processes left behind; `own` of httpd is apart, see there. */
  #reports() {
    const reports = readdirSync(this.path('sanitizer')).map((name) => readFileSync(this.path(`sanitizer/${name}`), 'utf8'));
    return { own: reports.filter(isHttpdsOwnAtStop), others: reports.filter((report) => !isHttpdsOwnAtStop(report)) };
  }

  /** Lines of the error log about children that ended with a signal, but for the crash that httpd has by itself. */
  deaths() {
    const excused = this.#reports().own.map(pidOf);
    return this.logged(/exit signal/).filter((line) => !excused.includes(Number(/child pid (\d+) exit signal Segmentation/.exec(line)?.[1])));
  }

  /** What no story may leave behind. */
  problems() {
    const announced = 'AddressSanitizer:DEADLYSIGNAL';   // written here, before the report is written elsewhere
    const bad = /AddressSanitizer(?!:DEADLYSIGNAL)|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|terminate called|double free|corrupted|AH00046|\bPC9\d{3}\b/;
    const { own, others } = this.#reports();
    if (own.length > 0) console.log(`# httpd's own crash at a stop, in the logs of ${this.label}`);
    const lines = [...this.logged(bad), ...this.logged(announced).slice(own.length), ...this.deaths()];
    return [...lines.filter((line) => !this.allowed.some((pattern) => pattern.test(line))), ...others.map((report) => withSources(report.slice(0, 12_000)))];
  }

  /** Stops, keeps the logs for the check of the whole run, removes the directory, and throws when something was wrong. */
  async close() {
    if (this.closed) return;
    this.closed = true;
    await this.stop();
    const problems = this.problems();
    keepLogs(this.path('logs'), this.label);
    await removeScratch(this.root);
    if (problems.length > 0) throw new Error(`in the logs of ${this.label}:\n${problems.slice(0, 20).join('\n')}`);
  }
}

export const moduleIsBuilt = () => existsSync(moduleFile);

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function canConnect(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); done(true); });
    socket.once('error', () => done(false));
  });
}
