// The local ProConnect (tests/proconnect-standin) as a process, and its control interface.
import { randomBytes, randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patience } from './apache.mjs';
import { request } from './http.mjs';
import { startRelay } from './relay.mjs';
import { eventually, freePort, startProcess } from './scratch.mjs';
import { rememberSecret } from './secrets.mjs';

const program = join(dirname(fileURLToPath(import.meta.url)), '../proconnect-standin/server.mjs');

export class Standin {
  /** @param tls  {certFile, keyFile, ca}: speaks https with this certificate   @param host  the name in its address */
  static async start({ tls, host = '127.0.0.1' } = {}) {
    const standin = new Standin();
    Object.assign(standin, { tls, host, port: await freePort(), innerPort: await freePort(), clients: [] });
    await standin.#launch();
    return standin;
  }

  async #launch() {
    const address = `${this.tls ? 'https' : 'http'}://${this.host}:${this.port}`;
    this.process = startProcess(process.execPath, [program, '--quiet', '--port', String(this.innerPort), '--public-url', address]);
    await eventually('the stand-in starts', () => {
      if (!this.process.running) throw Object.assign(new Error(`the stand-in ended: ${this.process.output.stderr}`), { fatal: true });
      return this.process.output.stdout.includes('"ready"');
    }, { within: 15_000 * patience });
    this.relay = await startRelay({ port: this.port, target: { host: '127.0.0.1', port: this.innerPort }, tls: this.tls });
    this.issuer = JSON.parse(this.process.output.stdout).issuer;
    this.control = `http://127.0.0.1:${this.innerPort}/_standin`;
  }

  /** Registers a service provider. @returns {client_id, client_secret} and what else was registered */
  async register(settings = {}) {
    const client = { client_id: randomUUID(), client_secret: randomBytes(32).toString('hex'), ...settings };
    rememberSecret('client_secret', client.client_secret);
    await this.post('clients', client);
    this.clients.push(client);
    return client;
  }

  async post(path, body = {}) {
    return this.#call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }

  async get(path) {
    return this.#call(path, {});
  }

  async #call(path, options) {
    const answer = await request(`${this.control}/${path}`, options);
    if (answer.status >= 300) throw new Error(`the stand-in refused ${options.method ?? 'GET'} ${path}: ${answer.status} ${answer.text}`);
    return answer.text.startsWith('{') || answer.text.startsWith('[') ? answer.json : answer.text;
  }

  /** Goes away, and its memory with it; the port stays its own. */
  async stop() {
    await this.relay?.stop();
    this.relay = undefined;
    await this.process.stop();
  }

  /** Comes back at the same address with the same clients, and with new keys. */
  async restart() {
    await this.stop();
    await this.#launch();
    for (const client of this.clients) await this.post('clients', client);
  }
}
