import test from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelyingParty, send, standInFor } from '../support/relying-party.mjs';
import { readClientsFile } from '../clients.mjs';

const SERVER = fileURLToPath(new URL('../server.mjs', import.meta.url));
const PRESETS = readClientsFile(fileURLToPath(new URL('../clients.json', import.meta.url)));

test('the command', async (t) => {
  const child = spawn(process.execPath, [SERVER, '--port', '0', '--quiet'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => { err += data; });
  const ready = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      out += data;
      if (out.includes('\n')) resolve(JSON.parse(out));
    });
    child.once('exit', () => reject(new Error(`ended: ${err}`)));
  });

  await t.test('says where it is, in one line', () => {
    assert.equal(ready.ready, true);
    assert.match(ready.issuer, /^http:\/\/127\.0\.0\.1:\d+\/api\/v2$/);
    assert.match(ready.control, /^http:\/\/127\.0\.0\.1:\d+\/_standin$/);
  });

  await t.test('every preset client logs in', async () => {
    for (const preset of PRESETS) {
      const { private_keys: privateKeys } = (await send(`${ready.control}/clients/${preset.client_id}`)).json;
      const rp = new RelyingParty(ready.issuer, preset, privateKeys);
      rp.redirectUri = 'http://localhost:12345/proconnect/callback';
      const persona = preset.network === 'rie' ? 'agent-rie' : 'agent-etat';
      const { access_token: token, idToken } = await rp.login(persona, { scope: 'openid given_name email' });
      assert.equal((await rp.userinfo(token)).claims.sub, idToken.payload.sub, preset.client_id);
    }
  });

  await t.test('any name of the machine gives the same addresses', async () => {
    const { port } = new URL(ready.issuer);
    const discovery = await send(`http://localhost:${port}/api/v2/.well-known/openid-configuration`, { headers: { Host: 'other.example' } })
      .catch(() => send(`${ready.issuer}/.well-known/openid-configuration`, { headers: { Host: 'other.example' } }));
    assert.equal(discovery.json.token_endpoint, `${ready.issuer}/token`);
  });

  await t.test('unknown paths are page Y000404', async () => {
    for (const path of ['/', '/api/v2/nowhere', '/api/v2']) {
      const page = await send(new URL(path, ready.issuer).href, { headers: { Accept: 'text/html' } });
      assert.equal(page.status, 404);
      assert.equal(page.pageCode, 'Y000404', path);
    }
  });

  await t.test('ends at once on SIGTERM, having said nothing else', async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.equal(out.trim().split('\n').length, 1);
    assert.doesNotMatch(err, /secret|NOTICE/i);
  });
});

test('https, and an address of its own in front', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'standin-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  } catch {
    t.skip('no openssl command');
    return;
  }
  const ca = readFileSync(cert);
  const clientFile = join(folder, 'clients.json');
  writeFileSync(clientFile, JSON.stringify([{ client_id: 'more', client_secret: 'x'.repeat(40), redirect_uris: ['https://a.example/cb'] }]));
  const standIn = await standInFor(t, {
    tls: { key: readFileSync(key), cert: ca }, publicUrl: 'https://proconnect.example', clientFiles: [clientFile],
  });
  assert.equal(standIn.issuer, 'https://proconnect.example/api/v2');
  const local = standIn.controlUrl.replace('/_standin', '/api/v2');
  const discovery = await send(`${local}/.well-known/openid-configuration`, { ca });
  assert.equal(discovery.json.token_endpoint, 'https://proconnect.example/api/v2/token');
  const rp = new RelyingParty(local, { client_id: 'more', redirect_uris: ['https://a.example/cb'] });
  const answer = await send(rp.authorizeUrl(), { ca, headers: { 'X-Standin-Persona': 'agent-etat' } });
  assert.ok(new URL(answer.headers.location).searchParams.get('code'));
  assert.ok(answer.headers['set-cookie'].every((cookie) => /; secure/i.test(cookie)));
});
