// What a connection remembers of a session, where the next request on it leads elsewhere: to another virtual host, to a server behind, to WebSocket.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { expectLoginRedirect, expectNothingProtected, expectProtected } from '../support/expect.mjs';
import { startSite } from '../support/site.mjs';

/** The server behind: says what it was told, accepts every WebSocket, and ends it with what it is sent. */
const behind = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request.headers));
}).on('upgrade', (request, socket) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Told: ${request.headers['x-proconnect-usual-name']}\r\n\r\n`);
  socket.on('error', () => {}).once('data', (data) => socket.end(data));
});
await new Promise((listening) => { behind.listen(0, '127.0.0.1', listening); });
const address = `127.0.0.1:${behind.address().port}`;

const site = await startSite({ label: 'kept-elsewhere', start: false, modules: ['proxy', 'proxy_http', 'proxy_wstunnel'], config: 'MaxKeepAliveRequests 0\nKeepAliveTimeout 60',
  vhosts: [{ client: { alg: 'ES256' }, config: `
    ProxyPass "/private/behind" "http://${address}/"
    ProxyPass "/private/socket" "ws://${address}/"
    <Location "/private/behind">
        ProConnectHeaders on
        Require proconnect roles agent_public_etat
    </Location>
    <Location "/private/socket">
        ProConnectHeaders on
        Require proconnect roles agent_public_etat
    </Location>` }, { client: { alg: 'ES256' } }] });
const [first, second] = site.vhosts;
// The same address and port, told apart by Host: another client, and one without ProConnect.
await site.apache.writeFile('conf/site.conf', `${readFileSync(site.apache.siteFile, 'utf8')}
<VirtualHost 127.0.0.1:${first.port}>
    ServerName other.example
    ProConnectPlatform ${site.standin.issuer}
    ProConnectClientID ${second.client.client_id}
    ProConnectClientSecret file:${second.secretFile}
    ProConnectBaseURL https://other.example
    <Location "/private">
        AuthType ProConnect
        Require valid-user
    </Location>
</VirtualHost>
<VirtualHost 127.0.0.1:${first.port}>
    ServerName plain.example
</VirtualHost>
`);
await site.apache.start();
const agents = [];
after(async () => {
  for (const agent of agents) agent.destroy();
  behind.closeAllConnections();
  behind.close();
  await site.close();
});
const page = site.url('/private/');

async function settled(persona) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  agents.push(agent);
  const browser = site.browser(persona, { agent });
  expectProtected(await browser.login(page));
  for (let turn = 0; turn < 3; turn += 1) expectProtected(await browser.send(page));
  return browser;
}

async function sendOnSame(browser, where, options) {
  const answer = await browser.send(where, options);
  assert.ok(answer.onOldConnection, 'a new connection: this shows nothing');
  return answer;
}

test('another virtual host of the same address does not know the session that the connection remembers', async () => {
  const browser = await settled('agent-etat');
  const host = 'other.example';
  for (let turn = 0; turn < 3; turn += 1) {
    const answer = await sendOnSame(browser, page, { headers: { host } });
    expectNothingProtected(answer);
    assert.equal(new URL(answer.headers.location).searchParams.get('client_id'), second.client.client_id);
    expectProtected(await sendOnSame(browser, page));
  }
});

test('a virtual host without ProConnect takes none of it either', async () => {
  const browser = await settled('agent-etat');
  for (let turn = 0; turn < 2; turn += 1) {
    const answer = await sendOnSame(browser, site.url('/public/variables.cgi'), { headers: { host: 'plain.example' } });
    assert.equal(answer.status, 200);
    assert.doesNotMatch(answer.text, /PROCONNECT_|REMOTE_USER|X_PROCONNECT/);
    expectProtected(await sendOnSame(browser, page));
  }
});

test('a server behind is told who asks now, whoever asked before on the connection', async () => {
  const browser = await settled('agent-etat');
  const told = async () => JSON.parse((await sendOnSame(browser, site.url('/private/behind'))).text)['x-proconnect-usual-name'];
  for (let turn = 0; turn < 3; turn += 1) assert.equal(await told(), 'DUPONT');
  const stranger = await sendOnSame(browser, site.url('/private/behind'), { headers: { cookie: 'other=1', 'x-proconnect-usual-name': 'DUPONT' } });
  expectLoginRedirect(site, stranger);
  const refused = await settled('agent-territorial');
  assert.equal((await sendOnSame(refused, site.url('/private/behind'))).status, 403);
  assert.equal(await told(), 'DUPONT');
});

/** Requests one after the other through one socket. @returns ask(head): the head of its answer, and the body by Content-Length */
function onSocket() {
  const socket = connect(first.port, '127.0.0.1');
  let received = '';
  let wake = () => {};
  socket.on('data', (data) => { received += data.toString('latin1'); wake(); }).on('close', () => wake()).on('error', () => wake());
  const until = async (ready) => {
    for (const end = Date.now() + 10_000; ;) {
      const at = ready(received);
      if (at >= 0) return at;
      if (Date.now() > end || socket.destroyed) throw new Error(`no answer in time: ${received.slice(0, 60).replace(/\r?\n[^]*/, '')}`);
      await new Promise((next) => { wake = next; setTimeout(next, 200); });
    }
  };
  const take = (count) => { const text = received.slice(0, count); received = received.slice(count); return text; };
  return {
    socket,
    async ask(path, headers) {
      const lines = Object.entries({ Host: `127.0.0.1:${first.port}`, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
      const head = take(await until((text) => { const at = text.indexOf('\r\n\r\n'); return at < 0 ? -1 : at + 4; }));
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      return { head, status: Number(head.split(' ')[1]), body: take(await until((text) => (text.length >= length ? length : -1))) };
    },
    async echo(text) {
      socket.write(text);
      return take(await until((got) => (got.length >= text.length ? text.length : -1)));
    },
  };
}

test('a WebSocket begins on a connection that remembers the session, as the one who has it, and for nobody once it has ended', async () => {
  const browser = await settled('agent-etat');
  const cookie = `proconnect=${browser.jar.get(page, 'proconnect').value}`;
  const upgrade = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version': '13' };
  const [user, late] = [onSocket(), onSocket()];
  for (const each of [user, late]) {
    for (let turn = 0; turn < 4; turn += 1) assert.equal((await each.ask('/private/behind', { Cookie: cookie, Accept: 'text/html' })).status, 200);
  }
  const begun = await user.ask('/private/socket', { Cookie: cookie, ...upgrade });
  assert.equal(begun.status, 101, begun.head.split('\r\n')[0]);
  assert.match(begun.head, /^x-told: DUPONT\r$/im);
  assert.equal(await user.echo('somewhat'), 'somewhat');
  // To its end: a tunnel that is open when httpd stops holds it up.
  if (!user.socket.closed) await once(user.socket.end(), 'close');

  assert.ok((await browser.send(site.url('/proconnect/logout'), { from: page })).status < 400);
  const refused = await late.ask('/private/socket', { Cookie: cookie, ...upgrade });
  assert.equal(refused.status, 401);
  assert.doesNotMatch(refused.head, /x-told/i);
  for (const { socket } of [user, late]) socket.destroy();
});
