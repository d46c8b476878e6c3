// Scratch directories, free ports, child processes that never outlive the test, and waiting for something to become true.
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory that the server's children (another user) may enter. */
export async function makeScratch(label) {
  const directory = await mkdtemp(join(tmpdir(), `proconnect-${label}-`));
  await chmod(directory, 0o755);
  return directory;
}

export async function removeScratch(directory) {
  if (process.env.KEEP_SCRATCH === '1') console.error(`kept ${directory}`);
  else await rm(directory, { recursive: true, force: true });
}

const given = new Set();

/** A port of 127.0.0.1 that nobody listens on, outside the range that the kernel takes for outgoing connections. */
export async function freePort() {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = 15000 + Math.floor(Math.random() * 17000);
    if (!given.has(port) && (await canListen(port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error('no free port on 127.0.0.1');
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Calls `probe` until it gives something true, and returns that. An error with `fatal` set ends the waiting. */
export async function eventually(what, probe, { within = 10_000, every = 40 } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      if (error.fatal) throw error;
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${within} ms${last ? ` (${last.message})` : ''}`);
    await sleep(every);
  }
}

/**
 * Starts a program that is ended with this process, however this process ends (Linux: PR_SET_PDEATHSIG).
 * `exited` resolves to {code, signal}; `stop` ends it by its pid and waits.
 */
export function startProcess(command, args, { env = process.env, cwd, stdio = ['ignore', 'pipe', 'pipe'] } = {}) {
  // A session of its own: httpd's prefork ends its whole process group when it stops.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', command, ...args], { env, cwd, stdio, detached: true });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name]?.setEncoding('utf8').on('data', (text) => { output[name] += text; });
  }
  const started = { child, pid: child.pid, output, running: true };
  started.exited = new Promise((resolve) => {
    child.once('error', (error) => { started.running = false; resolve({ code: -1, error }); });
    child.once('close', (code, signal) => { started.running = false; resolve({ code, signal }); });
  });
  started.stop = async ({ signal = 'SIGTERM', within = 20_000 } = {}) => {
    if (started.running) {
      child.kill(signal);
      const timer = setTimeout(() => started.running && child.kill('SIGKILL'), within);
      await started.exited;
      clearTimeout(timer);
    }
    return started.exited;
  };
  return started;
}

/** Runs a program to its end. */
export async function run(command, args, { input, ...options } = {}) {
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '', stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}
