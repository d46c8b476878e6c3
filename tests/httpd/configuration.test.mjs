// A bad configuration stops configtest with one sentence: which directive, which file and line, and what to write instead.
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { after, test } from 'node:test';
import { Apache } from '../support/apache.mjs';

const apache = await Apache.create({ label: 'configuration', modules: ['ssl'], logLevel: 'warn' });
after(() => apache.close());
const secretFile = await apache.writeFile('conf/client_secret', 'a-secret-of-some-length-0123456789\n', 0o600);

const good = {
  platform: 'ProConnectPlatform integration',
  id: 'ProConnectClientID 6925fb8143c76eded44d32b40c0cb1006065f7f003de52712b78985704f39950',
  secret: `ProConnectClientSecret file:${secretFile}`,
  base: 'ProConnectBaseURL https://agents.example.gouv.fr',
  location: '<Location "/private">\n    AuthType ProConnect\n    Require valid-user\n</Location>',
  key: `ProConnectServerKey ${apache.path('state/server.key')}`,
};

/** The good configuration with some of its parts replaced, removed (undefined) or added. */
const configuration = (changes = {}) => Object.values({ ...good, ...changes }).filter((part) => part !== undefined).join('\n');

async function configtest(text) {
  await apache.configure(`${text}\n`);
  return apache.configtest();
}

/** Line (from 1) of a directive in the site's file. */
const lineOf = (text, part) => text.split('\n').findIndex((line) => line.includes(part)) + 1;

async function expectRefused(text, { directive, says = [], line }) {
  const { code, stderr } = await configtest(text);
  assert.notEqual(code, 0, `accepted:\n${text}\n${stderr}`);
  const message = stderr.trim();
  assert.ok(message.includes(directive), `does not name ${directive}: ${message}`);
  assert.ok(message.includes(apache.siteFile), `does not name the file: ${message}`);
  const place = message.slice(Math.max(0, message.indexOf(apache.siteFile) - 60));
  if (line) assert.match(place, new RegExp(`\\bline ${line}\\b|:${line}\\b`), `not line ${line}: ${message}`);
  else assert.match(place, /\bline \d+\b|:\d+\b/, `no line: ${message}`);
  for (const part of [].concat(says)) assert.match(message, part);
  const ours = message.split('\n').filter((text2) => !/^AH00526|^AH00014|^Syntax error on|^AH00558|Action '-t'|^The Apache error log|^\s*$/.test(text2));
  assert.equal(ours.length, 1, `more than one sentence:\n${message}`);
  assert.doesNotMatch(message, /a-secret-of-some-length/, 'the secret is shown');
}

test('the six-line configuration is accepted without a word', async () => {
  const { code, stderr } = await configtest(configuration({ base: undefined, name: 'ServerName agents.example.gouv.fr' }));
  assert.equal(code, 0, stderr);
  assert.equal(stderr.trim(), 'Syntax OK');
});

for (const platform of ['production', 'integration', 'rie-production', 'rie-integration', 'https://auth.example.gouv.fr/api/v2', 'http://127.0.0.1:3900/api/v2', 'http://localhost:3900/api/v2', 'http://[::1]:3900/api/v2']) {
  test(`accepts ProConnectPlatform ${platform}`, async () => {
    const { code, stderr } = await configtest(configuration({ platform: `ProConnectPlatform ${platform}` }));
    assert.equal(code, 0, stderr);
  });
}

for (const [written, nearest] of [['integraton', 'integration'], ['prod', 'production'], ['Production', 'production'], ['rie-prod', 'rie-production'], ['rie_integration', 'rie-integration']]) {
  test(`an unknown platform "${written}" gets the nearest one suggested`, async () => {
    const text = configuration({ platform: `ProConnectPlatform ${written}` });
    if (written.toLowerCase() === nearest && (await configtest(text)).code === 0) return;
    await expectRefused(text, { directive: 'ProConnectPlatform', line: lineOf(text, written), says: [new RegExp(`"?${nearest}"?`)] });
  });
}

test('an issuer over http that is not this machine is refused', async () => {
  for (const issuer of ['http://auth.example.gouv.fr/api/v2', 'http://127.0.0.1.example.org/api/v2', 'http://localhost.example.org/', 'http://user@localhost/', 'ftp://auth.example.gouv.fr/']) {
    const text = configuration({ platform: `ProConnectPlatform ${issuer}` });
    await expectRefused(text, { directive: 'ProConnectPlatform', line: lineOf(text, issuer), says: [/https/] });
  }
});

for (const [line, says] of [
  ['ProConnectLogout everywhere', /proconnect, local/], ['ProConnectLogoutCookies', /names of cookies/], ['ProConnectLogoutCookies "a b"', /names of cookies/],
  ['ProConnectLogoutCookies a@b', /names of cookies/], ['ProConnectLogoutCookies __Host-proconnect', /leave it out/],
  ['ProConnectKeepPost yes', /largest form/], ['ProConnectKeepPost 17m', /16m/], ['ProConnectKeepPost 0', /largest form/], ['ProConnectKeepPost -1k', /largest form/],
  ['ProConnectKeepPostMemory 1k', /64k/], ['ProConnectKeepPostMemory off', /64k/], ['ProConnectKeepPostMemory 2000m', /1024m/],
  ['ProConnectLogoutClear cookies', /cache and storage/], ['ProConnectLogoutClear off cache', /cache and storage/],
]) {
  test(`refuses ${line}`, async () => {
    const text = configuration({ extra: line });
    await expectRefused(text, { directive: line.split(' ')[0], line: lineOf(text, line), says: [says] });
  });
}

test('accepts each way of logging out', async () => {
  for (const line of ['ProConnectLogout local', 'ProConnectLogout proconnect', 'ProConnectLogoutCookies PHPSESSID JSESSIONID@/app', 'ProConnectLogoutClear off', 'ProConnectLogoutClear cache storage', 'ProConnectKeepPost off', 'ProConnectKeepPost 16m', 'ProConnectKeepPostMemory 1024m']) {
    const { code, stderr } = await configtest(configuration({ extra: line }));
    assert.equal(code, 0, stderr);
  }
});

test('without ProConnectClientID', () => expectRefused(configuration({ id: undefined }), { directive: 'ProConnectClientID' }));
test('without ProConnectClientSecret', () => expectRefused(configuration({ secret: undefined }), { directive: 'ProConnectClientSecret', says: [/file:/] }));
test('AuthType ProConnect without a platform', () => expectRefused(configuration({ platform: undefined, id: undefined, secret: undefined, base: undefined, key: undefined }), { directive: 'ProConnectPlatform', says: [/production|integration/] }));

test('AuthType ProConnect in one virtual host whose client stands in another', async () => {
  const [port] = apache.ports;
  await expectRefused(`<VirtualHost 127.0.0.1:${port}>\nServerName one\n${good.platform}\n${good.id}\n${good.secret}\n${good.base}\n</VirtualHost>\n`
    + `<VirtualHost 127.0.0.1:${port}>\nServerName two\n${good.location}\n</VirtualHost>`, { directive: 'ProConnectPlatform' });
});

for (const [name, content, mode, says] of [
  ['missing', undefined, undefined, /No such file|does not exist|cannot be (read|opened)/i],
  ['empty', '', 0o600, /empty/i],
  ['of nothing but a line end', '\n', 0o600, /empty/i],
  ['of nothing but Windows line ends', '\r\n', 0o600, /empty/i],
]) {
  test(`a secret file ${name}`, async () => {
    const file = apache.path(`conf/secret-${name.replaceAll(' ', '-')}`);
    if (content !== undefined) await apache.writeFile(file.slice(apache.root.length + 1), content, mode);
    const text = configuration({ secret: `ProConnectClientSecret file:${file}` });
    await expectRefused(text, { directive: 'ProConnectClientSecret', says: [says, new RegExp(file)] });
  });
}

test('a secret file that is a directory', async () => {
  const text = configuration({ secret: `ProConnectClientSecret file:${apache.path('conf')}` });
  await expectRefused(text, { directive: 'ProConnectClientSecret' });
});

test('a secret file with a Windows line end is understood', async () => {
  const file = await apache.writeFile('conf/secret-crlf', 'a-secret-of-some-length-0123456789\r\n', 0o600);
  const { code, stderr } = await configtest(configuration({ secret: `ProConnectClientSecret file:${file}` }));
  assert.equal(code, 0, stderr);
});

test('a secret file that everybody may read is warned about, with the command that mends it', async () => {
  await chmod(secretFile, 0o644);
  const { code, stderr } = await configtest(configuration());
  await chmod(secretFile, 0o600);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /ProConnectClientSecret|client_secret/);
  assert.match(stderr, /chmod|0?600|readable/);
});

for (const line of ['ProConnectExtendSession Off', 'ProConnectHeaders On', 'ProConnectHeaders OFF', 'ProConnectHeaderEncoding UTF8', 'ProConnectUnauthenticated Page', 'ProConnectPrompt Login',
  'ProConnectKeepPost Off', 'ProConnectKeepPost 64K', 'ProConnectLogout Local', 'ProConnectLogoutClear Cache STORAGE', 'ProConnectLogoutClear Off', 'ProConnectAuditLog Off', 'ProConnectSessionSnapshot Off']) {
  test(`words count in capitals too, as httpd's own do: ${line}`, async () => {
    const { code, stderr } = await configtest(configuration({ more: line }));
    assert.equal(code, 0, stderr);
  });
}

for (const page of ['login', 'logout', 'session', 'form', 'jwks']) {
  test(`neither address may be the module’s own page ${page}`, async () => {
    const path = `/proconnect/${page}`;
    await expectRefused(configuration({ redirect: `ProConnectRedirectURI ${path}` }), { directive: 'ProConnectRedirectURI', says: [/page of its own/] });
    await expectRefused(configuration({ redirect: `ProConnectPostLogoutRedirectURI ${path}` }), { directive: 'ProConnectPostLogoutRedirectURI', says: [/page of its own/] });
  });
}

for (const [uri, says] of [
  ['https://other.example.org/callback', /outside|agents\.example\.gouv\.fr/],
  ['//other.example.org/callback', /outside|agents\.example\.gouv\.fr|path|URL/],
  ['http://agents.example.gouv.fr/proconnect/callback', /https/],
  ['callback', /path|URL|\//],
  ['https://agents.example.gouv.fr.evil.example/cb', /outside|agents\.example\.gouv\.fr/],
]) {
  test(`a redirect URI that is not of this site: ${uri}`, async () => {
    const text = configuration({ redirect: `ProConnectRedirectURI ${uri}` });
    await expectRefused(text, { directive: 'ProConnectRedirectURI', says: [says] });
  });
}

for (const redirect of ['/connexion/retour', 'https://agents.example.gouv.fr/connexion/retour/']) {
  test(`accepts ProConnectRedirectURI ${redirect}`, async () => {
    const { code, stderr } = await configtest(configuration({ redirect: `ProConnectRedirectURI ${redirect}` }));
    assert.equal(code, 0, stderr);
  });
}

for (const [line, directive, says] of [
  ['ProConnectBaseURL agents.example.gouv.fr', 'ProConnectBaseURL', /https:\/\//],
  ['ProConnectBaseURL http://agents.example.gouv.fr', 'ProConnectBaseURL', /https/],
  ['ProConnectBaseURL https://agents.example.gouv.fr/app?x=1', 'ProConnectBaseURL', /./],
  ['ProConnectPrefix proconnect', 'ProConnectPrefix', /\//],
  ['ProConnectPrefix /', 'ProConnectPrefix', /./],
  ['ProConnectPrefix //evil.example', 'ProConnectPrefix', /./],
  ['ProConnectScope "email siret"', 'ProConnectScope', /openid/],
  ['ProConnectSigningAlgorithm none', 'ProConnectSigningAlgorithm', /ES256|RS256/],
  ['ProConnectSigningAlgorithm ES512', 'ProConnectSigningAlgorithm', /ES256/],
  ['ProConnectUserInfoAlgorithm PS256', 'ProConnectUserInfoAlgorithm', /ES256/],
  ['ProConnectSessionIdle soon', 'ProConnectSessionIdle', /12h|90s/],
  ['ProConnectSessionLifetime 0', 'ProConnectSessionLifetime', /./],
  ['ProConnectSessionIdle 13h', 'ProConnectSession', /./],
  ['ProConnectSessionMax 0', 'ProConnectSessionMax', /./],
  ['ProConnectClockSkew 2d', 'ProConnectClockSkew', /./],
  ['ProConnectTimeout 0', 'ProConnectTimeout', /./],
  ['ProConnectCookieName "pro connect"', 'ProConnectCookieName', /./],
  ['ProConnectCAFile /nonexistent/ca.pem', 'ProConnectCAFile', /nonexistent/],
  ['ProConnectServerKey /nonexistent/server.key', 'ProConnectServerKey', /nonexistent/],
  ['ProConnectTokenEndpointAuth client_secret_jwt', 'ProConnectTokenEndpointAuth', /client_secret_post/],
  ['ProConnectProxy proxy.example', 'ProConnectProxy', /http:\/\//],
  ['ProConnectNothingSuch on', 'ProConnectNothingSuch', /./],
]) {
  test(`refuses "${line}"`, async () => {
    const replaced = { ProConnectBaseURL: 'base', ProConnectServerKey: 'key' };
    const text = configuration({ [replaced[directive] ?? 'more']: line });
    await expectRefused(text, { directive, says: [says] });
  });
}

for (const line of ['ProConnectUnauthenticated maybe', 'ProConnectHeaderEncoding rot13', 'ProConnectRemoteUser ""']) {
  test(`refuses "${line}" in a location`, async () => {
    const text = configuration({ location: good.location.replace('Require', `${line}\n    Require`) });
    await expectRefused(text, { directive: line.split(' ')[0] });
  });
}

for (const line of ['ProConnectUnauthenticated pass', 'ProConnectHeaders on', 'ProConnectRemoteUser sub', 'ProConnectLoginHint a@b.fr', 'ProConnectExtendSession off', 'ProConnectKeepPost off']) {
  for (const section of ['<Limit POST>', '<LimitExcept GET>']) {
    test(`${line} is refused inside ${section}: it would hold for all methods`, async () => {
      const text = configuration({ location: good.location.replace('Require', `${section}\n${line}\n</Limit${section.includes('Except') ? 'Except' : ''}>\n    Require`) });
      await expectRefused(text, { directive: line.split(' ')[0], line: lineOf(text, line), says: [/<Limit>/] });
    });
  }
}

for (const [line, says] of [['ProConnectHeaders emial', /emial is no claim .* did you mean email\?/], ['ProConnectHeaders email usualname', /usualname is no claim .* did you mean usual_name\?/],
  ['ProConnectRemoteUser e-mail', /e-mail is no claim .* did you mean email\?/], ['ProConnectHeaders zzzzzzzz', /zzzzzzzz is no claim/]]) {
  test(`a claim that ProConnect does not know is warned about: ${line}`, async () => {
    const { code, stderr } = await configtest(configuration({ location: good.location.replace('Require', `${line}\n    Require`) }));
    assert.equal(code, 0, stderr);
    assert.match(stderr, says);
    assert.match(stderr, new RegExp(`${line.split(' ')[0]} at .*:\\d+`));
  });
}

test('claims that it knows, and those of a service’s own, are not', async () => {
  const { code, stderr } = await configtest(configuration({ location: good.location.replace('Require', 'ProConnectHeaders email siret idp_id amr acr sub usual_name given_name organization_label roles custom.service phone_number\n    Require') }));
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /is no claim/);
});

test('expr= may be written in capitals', async () => {
  for (const [value, accepted] of [['Expr=%{HTTP_HOST}', true], ['EXPR=%{HTTP_HOST', false]]) {
    const { code, stderr } = await configtest(configuration({ location: good.location.replace('Require', `ProConnectLoginHint "${value}"\n    Require`) }));
    assert.equal(code === 0, accepted, stderr);
  }
});

test('a base URL that a virtual host of another name inherits is warned about', async () => {
  const hosts = (name) => configuration({ hosts: `ServerName agents.example.gouv.fr\n<VirtualHost *:4711>\nServerName ${name}\nServerAlias alias.example.gouv.fr\n${good.location}\n</VirtualHost>` });
  const other = await configtest(hosts('other.example.gouv.fr'));
  assert.equal(other.code, 0, other.stderr);
  assert.match(other.stderr, /ProConnectBaseURL at .*:\d+: the virtual host other\.example\.gouv\.fr .* inherits https:\/\/agents\.example\.gouv\.fr/);
  const same = await configtest(hosts('agents.example.gouv.fr'));
  assert.equal(same.code, 0, same.stderr);
  assert.doesNotMatch(same.stderr, /inherits/);
});

test('ProConnectRemoteUser with a claim that may change is warned about', async () => {
  const { code, stderr } = await configtest(configuration({ location: good.location.replace('Require', 'ProConnectRemoteUser email\n    Require') }));
  assert.equal(code, 0, stderr);
  assert.match(stderr, /ProConnectRemoteUser/);
});

test('a directive of the server as a whole is refused inside a location', async () => {
  const text = configuration({ location: good.location.replace('Require', 'ProConnectClientID abc\n    Require') });
  await expectRefused(text, { directive: 'ProConnectClientID' });
});

test('a server key of the wrong size', async () => {
  const file = await apache.writeFile('conf/short.key', 'short', 0o600);
  await expectRefused(configuration({ key: `ProConnectServerKey ${file}` }), { directive: 'ProConnectServerKey', says: [/32/] });
});

test('the configuration of a server that does not use the module is not looked at', async () => {
  const { code, stderr } = await configtest('');
  assert.equal(code, 0, stderr);
  assert.equal(stderr.trim(), 'Syntax OK');
});

test('a good configuration after all this still starts', async () => {
  const { code, stderr } = await configtest(configuration());
  assert.equal(code, 0, stderr);
  await apache.start();
  await apache.stop();
});
