// Which client a virtual host is, and with what it proves that: nothing of one client's credentials is sent for another client, or to another platform.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { Apache } from '../support/apache.mjs';
import { startSite } from '../support/site.mjs';

const apache = await Apache.create({ label: 'configuration-clients', modules: ['ssl'], logLevel: 'warn' });
after(() => apache.close());
const secret = await apache.writeFile('conf/client_secret', 'a-secret-of-some-length-0123456789\n', 0o600);
const otherSecret = await apache.writeFile('conf/other_secret', 'another-secret-of-some-length-0123\n', 0o600);
const shortSecret = await apache.writeFile('conf/short_secret', 'only-thirty-one-characters-long\n', 0o600);
const key = apache.path('conf/client_key.pem');
execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key], { stdio: 'ignore' });

async function configtest(main, host) {
  await apache.configure(`ServerName agents.example.gouv.fr
ProConnectServerKey ${apache.path('state/server.key')}
${main}
<VirtualHost *:4711>
    ServerName other.example.gouv.fr
${host}
    <Location "/private">
        AuthType ProConnect
        Require valid-user
    </Location>
</VirtualHost>
`);
  return apache.configtest();
}

async function expectAccepted(main, host) {
  const { code, stderr } = await configtest(main, host);
  assert.equal(code, 0, stderr);
  return stderr;
}

async function expectRefused(main, host, ...says) {
  const { code, stderr } = await configtest(main, host);
  assert.notEqual(code, 0, `accepted: ${stderr}`);
  for (const part of says) assert.match(stderr, part);
  assert.doesNotMatch(stderr, /secret-of-some-length/, 'the secret is shown');
}

const main = (credentials = `ProConnectClientSecret file:${secret}`) => `ProConnectPlatform integration\nProConnectClientID first\n${credentials}`;

test('a virtual host that is another client needs a secret of its own', async () => {
  for (const host of ['ProConnectClientID second', 'ProConnectPlatform production', 'ProConnectPlatform https://auth.example.org/api/v2\nProConnectClientID first']) {
    await expectRefused(main(), host, /ProConnectClientSecret is missing for the virtual host other\.example\.gouv\.fr/, /that of ProConnectClientSecret at .*site\.conf:\d+ belongs to another client/);
    await expectRefused(main(`ProConnectClientKey ${key}`), host, /ProConnectClientSecret is missing/, /ProConnectClientKey at .*site\.conf:\d+ belongs to another client/);
    await expectAccepted(main(), `${host}\nProConnectClientSecret file:${otherSecret}`);
  }
});

test('a virtual host that is the same client, or says so again, shares its secret', async () => {
  for (const host of ['', 'ProConnectClientID first', 'ProConnectPlatform integration', 'ProConnectPlatform integration\nProConnectClientID first']) {
    await expectAccepted(main(), host);
    await expectAccepted(main(`ProConnectClientKey ${key}`), host);
  }
});

test('a secret that stands beside no client at all is for those that have none', async () => {
  await expectAccepted(`ProConnectPlatform integration\nProConnectClientSecret file:${secret}`, 'ProConnectClientID second');
});

test('keys for decryption are not taken over by another client either', async () => {
  const site = await startSite({ label: 'clients-keys', config: `${main()}\nProConnectBaseURL https://agents.example.gouv.fr\nProConnectDecryptionKey ${key}`,
    vhosts: [{ client: { alg: 'ES256' } }, { client: { alg: 'ES256' }, config: `ProConnectDecryptionKey ${key}` }] });
  try {
    const keys = await Promise.all(site.vhosts.map(({ origin }) => site.browser().send(`${origin}/proconnect/jwks`)));
    assert.deepEqual(keys.map(({ status }) => status), [404, 200]);
  } finally {
    await site.close();
  }
});

test('a secret of its own comes before a key of the main server, and the other way round', async () => {
  const both = main(`ProConnectClientSecret file:${secret}\nProConnectClientKey ${key}`);
  await expectAccepted(both, 'ProConnectTokenEndpointAuth private_key_jwt');
  await expectRefused(both, `ProConnectClientSecret file:${otherSecret}\nProConnectTokenEndpointAuth private_key_jwt`, /private_key_jwt needs ProConnectClientKey/);
  await expectRefused(both, `ProConnectClientKey ${key}\nProConnectTokenEndpointAuth client_secret_post`, /client_secret_post needs ProConnectClientSecret/);
});

test('a way to use them that the main server names is kept where it serves', async () => {
  const second = `ProConnectClientID second\nProConnectClientSecret file:${otherSecret}`;
  await expectAccepted(main(`ProConnectClientSecret file:${secret}\nProConnectTokenEndpointAuth client_secret_basic`), second);
  await expectAccepted(main(`ProConnectClientKey ${key}\nProConnectTokenEndpointAuth private_key_jwt`), second);
  await expectRefused(main(), 'ProConnectTokenEndpointAuth private_key_jwt', /private_key_jwt needs ProConnectClientKey/);
});

for (const [written, says] of [
  [`/etc/apache2/secret`, /file:\/etc\/apache2\/secret/], ['flie:/etc/apache2/secret', /file:PATH, exec:PROGRAM, env:NAME/], ['vault:secret', /file:PATH, exec:PROGRAM, env:NAME/],
  ['file:', /file:PATH/], ['env:', /env:NAME/], ['exec:', /exec:PROGRAM/],
]) {
  test(`ProConnectClientSecret ${written} is no secret`, () => expectRefused(main(`ProConnectClientSecret ${written}`), '', /ProConnectClientSecret at .*site\.conf:\d+/, says));
}

test('the prefixes of ProConnectClientSecret may be written in capitals', async () => {
  for (const prefix of ['File:', 'FILE:', 'file:']) {
    await expectRefused(main(`ProConnectClientSecret ${prefix}${apache.path('conf/nowhere')}`), '', /'[^']*nowhere' cannot be opened/);
    await expectAccepted(main(`ProConnectClientSecret ${prefix}${secret}`), '');
  }
  await expectRefused(main('ProConnectClientSecret ENV:NO_SUCH_VARIABLE'), '', /'NO_SUCH_VARIABLE' is not set/);
  await expectAccepted(main('ProConnectClientSecret Exec:/bin/true'), '');
  await expectAccepted(main(`ProConnectClientKey File:${key}`), '');
});

test('HS256 needs a secret of 32 bytes (RFC 7518 section 3.2)', async () => {
  await expectRefused(main(`ProConnectClientSecret file:${shortSecret}\nProConnectSigningAlgorithm HS256`), '', /HS256 needs a ProConnectClientSecret of at least 32 characters/);
  await expectRefused(main(`ProConnectClientSecret file:${shortSecret}\nProConnectUserInfoAlgorithm HS256`), '', /HS256 needs a ProConnectClientSecret of at least 32 characters/);
  await expectAccepted(main(`ProConnectClientSecret file:${shortSecret}`), '');
  await expectAccepted(main(`ProConnectClientSecret file:${secret}\nProConnectSigningAlgorithm HS256`), '');
});

test('a virtual host that inherits everything and cannot log anybody in is warned about', async () => {
  const all = `${main()}\n<Location "/inherited">\nAuthType ProConnect\nRequire valid-user\n</Location>`;
  const configure = async (more) => {
    await apache.configure(`ServerName agents.example.gouv.fr\nProConnectServerKey ${apache.path('state/server.key')}\n${all}\n${more}\n<VirtualHost *:4711>\n    ServerName other.example.gouv.fr\n</VirtualHost>\n`);
    return apache.configtest();
  };
  const warned = /nobody can log in to a virtual host that inherits ProConnectPlatform: ProConnectRedirectURI at .*site\.conf:\d+: .*is outside the site https:\/\/other\.example\.gouv\.fr/;
  const outside = await configure('ProConnectRedirectURI https://agents.example.gouv.fr/oidc/callback');
  assert.equal(outside.code, 0, outside.stderr);
  assert.match(outside.stderr, warned);
  const fine = await configure('');
  assert.equal(fine.code, 0, fine.stderr);
  assert.doesNotMatch(fine.stderr, /nobody can log in/);
});
