// One HTTP request at a time over node:http(s), and raw bytes over a socket: nothing is followed, decoded or corrected.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

/**
 * @param {string|URL} address  its path is sent byte for byte when given as text
 * @param agent  keeps connections; without one, each request has its own
 * @returns {Promise<{status, headers, cookies: string[], body: Buffer, text: string, url: string, onOldConnection: boolean}>}
 */
export function request(address, { method = 'GET', headers = {}, body, ca, timeout = 30_000, rawPath, agent = false } = {}) {
  const url = new URL(address);
  const client = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = client.request({
      method, headers, ca, timeout, agent,
      host: url.hostname.replace(/^\[|\]$/g, ''), servername: net.isIP(url.hostname) ? '' : url.hostname,
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: rawPath ?? rawTarget(String(address)),
      lookup: loopbackOnly,
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${timeout} ms: ${method} ${url.origin}${url.pathname}`)));
    outgoing.once('error', reject);
    outgoing.once('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(asResponse(answer, Buffer.alloc(0), url));
    });
    outgoing.once('response', (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve(Object.assign(asResponse(answer, Buffer.concat(chunks), url), { onOldConnection: outgoing.reusedSocket })));
    });
    outgoing.end(body);
  });
}

/** Test names such as agents.example.gouv.fr are all this machine. */
function loopbackOnly(hostname, options, callback) {
  if (options?.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

function rawTarget(address) {
  const target = address.replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  return target.startsWith('/') ? target : `/${target}`;
}

function asResponse(answer, body, url) {
  return {
    status: answer.statusCode, headers: answer.headers, cookies: answer.headers['set-cookie'] ?? [],
    body, get text() { return body.toString('utf8'); }, get json() { return JSON.parse(body.toString('utf8')); },
    url: url.href,
  };
}

/** Sends the bytes as they are and returns everything that comes back until the server closes. */
export function sendRaw(port, bytes, { ca, servername, timeout = 10_000 } = {}) {
  return new Promise((resolve, reject) => {
    const socket = ca ? tls.connect({ port, host: '127.0.0.1', ca, servername }) : net.connect(port, '127.0.0.1');
    const chunks = [];
    socket.setTimeout(timeout, () => socket.destroy(new Error('the server kept the connection open without a word')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.write(bytes);
  });
}
