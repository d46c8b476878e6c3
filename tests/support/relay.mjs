// Stands between the server under test and the stand-in, passes every byte on, and notes the secrets that go by:
// tokens, codes and verifiers that a browser never sees must not reach a log either.
import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import { rememberSecret, rememberTokens } from './secrets.mjs';

const backChannel = /\/(token|userinfo|token\/introspection|token\/revocation)$/;
const fields = ['code', 'code_verifier', 'refresh_token', 'token', 'client_secret', 'client_assertion'];

/** @param tls  {certFile, keyFile}: answer in https */
export async function startRelay({ port, target, tls }) {
  const agent = new http.Agent({ keepAlive: true });
  const pass = (incoming, outgoing) => forward(incoming, outgoing, target, agent);
  const server = tls
    ? https.createServer({ key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) }, pass)
    : http.createServer(pass);
  server.keepAliveTimeout = 30_000;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    async stop() {
      agent.destroy();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function forward(incoming, outgoing, target, agent) {
  const watched = backChannel.test(incoming.url.split('?')[0]);
  const { host, port } = target;
  const upstream = http.request({ host, port, agent, method: incoming.method, path: incoming.url, headers: incoming.headers });
  const cut = () => { upstream.destroy(); outgoing.destroy(); };
  upstream.on('error', cut);
  incoming.on('error', cut);
  outgoing.on('close', () => upstream.destroy());
  upstream.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode, answer.rawHeaders);
    answer.on('error', cut);
    answer.on('aborted', cut);
    if (watched) collect(answer, noteAnswer);
    answer.pipe(outgoing);
  });
  if (watched) {
    rememberSecret('access_token', /^Bearer (.+)$/i.exec(incoming.headers.authorization ?? '')?.[1]);
    collect(incoming, noteForm);
  }
  incoming.pipe(upstream);
}

function collect(stream, note) {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('end', () => note(Buffer.concat(chunks).toString('utf8')));
}

function noteForm(text) {
  const form = new URLSearchParams(text);
  for (const name of fields) rememberSecret(name, form.get(name) ?? undefined);
}

function noteAnswer(text) {
  if (/^[\w-]+\.[\w-]+\.[\w-]*/.test(text)) return rememberSecret('userinfo', text.trim());
  try {
    return rememberTokens(JSON.parse(text));
  } catch {
    return undefined;
  }
}
