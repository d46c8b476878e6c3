// The servers that are compared: one Apache each, alike but for the module, in front of the same file.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Apache } from '../support/apache.mjs';
import { Browser } from '../support/browser.mjs';
import { protectedText } from '../support/site.mjs';

const scope = 'openid given_name usual_name email uid siret idp_id organization_label roles';
const generator = fileURLToPath(new URL('../../build/tests/make_sessions', import.meta.url));

/** What all have in common. .htaccess is off, as Debian has it for /var/www. */
const common = (apache, threads) => threads === 8 ? `ServerLimit 1
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
MinSpareThreads 8
MaxSpareThreads 8
<Directory "${apache.htdocs}">
    AllowOverride None
</Directory>
` : `<IfModule !mpm_prefork_module>
    ServerLimit 4
    StartServers 4
    ThreadLimit 64
    ThreadsPerChild 64
    MaxRequestWorkers 256
    MinSpareThreads 256
    MaxSpareThreads 256
</IfModule>
MaxKeepAliveRequests 0
<Directory "${apache.htdocs}">
    AllowOverride None
</Directory>
`;

/** All of them let the agent of the State in. */
const tenRules = ['roles agent_public_etat', 'email_domain interieur.gouv.fr lyon.fr', 'siret 13002526500013', 'acr eidas1 eidas2', 'amr mfa', 'usual_name DUPONT',
  'given_name Camille', 'email camille.dupont@interieur.gouv.fr', 'organization_label "Direction interministérielle fictive"', 'idp_id =~ "."'];

/** The file behind ten rules, below /private/rules, and behind valid-user at a place of the same kind, below /private/plain. */
export const withRules = (apache) => `Alias "/private/rules" "${join(apache.htdocs, 'private')}"
<Location "/private/rules">
    <RequireAll>
${tenRules.map((rule) => `        Require proconnect ${rule}`).join('\n')}
    </RequireAll>
</Location>
Alias "/private/plain" "${join(apache.htdocs, 'private')}"
<Location "/private/plain">
    <RequireAll>
        Require valid-user
    </RequireAll>
</Location>
`;

/** As many variables as a session of the tests has, of the usual length. */
const manyVariables = Array.from({ length: 22 }, (_, index) => `SetEnv PROCONNECT_VARIABLE_${index} "a value of the usual length ${index}"`).join('\n    ');

const protectedBy = (type) => `<Location "/private">
    AuthType ${type}
    Require valid-user
</Location>
`;

const kinds = {
  get rules() {
    return { ...kinds.ours, config: (settings) => kinds.ours.config(settings) + withRules(settings.apache) };
  },
  open: { config: () => '' },
  ours: {
    callback: '/proconnect/callback',
    cookies: /^proconnect/,
    config: ({ apache, standin, client, secretFile, origin, more }) => `ProConnectPlatform ${standin.issuer}
ProConnectClientID ${client.client_id}
ProConnectClientSecret file:${secretFile}
ProConnectBaseURL ${origin}
${more}
${protectedBy('ProConnect')}`,
  },
  // The least that httpd itself asks for a user and as many variables: no session, no password, nothing looked up.
  anonymous: {
    modules: ['auth_basic', 'authn_anon'],
    config: () => `<Location "/private">
    AuthType Basic
    AuthName "anybody"
    AuthBasicProvider anon
    Anonymous *
    Anonymous_MustGiveEmail off
    Anonymous_LogEmail off
    Require valid-user
    ${manyVariables}
</Location>
`,
  },
  // What a login needs of httpd itself: three requests, and two calls of the provider by way of mod_proxy. No user, no signature, nothing kept.
  proxied: {
    modules: ['proxy', 'proxy_http'],
    config: ({ standin }) => `ProxyPass /called ${standin.issuer}/.well-known/openid-configuration keepalive=on\n`,
  },
  theirs: {
    callback: '/oidc/callback',
    cookies: /^mod_auth_openidc/,
    config: ({ standin, client, origin }) => `LoadModule auth_openidc_module "${process.env.PEER_MODULE}"
OIDCProviderMetadataURL ${standin.issuer}/.well-known/openid-configuration
OIDCClientID ${client.client_id}
OIDCClientSecret ${client.client_secret}
OIDCProviderTokenEndpointAuth client_secret_post
OIDCRedirectURI ${origin}/oidc/callback
OIDCCryptoPassphrase ${client.client_secret}
OIDCScope "${scope}"
OIDCPKCEMethod S256
OIDCCacheType shm
OIDCSessionType server-cache
${protectedBy('openid-connect')}
<Location "/oidc">
    AuthType openid-connect
    Require valid-user
</Location>
`,
  },
};

/** @param kind  open, anonymous, ours, rules (ours with more places) or theirs   @param sessions  live sessions that ours starts with   @param threads  8, or 256 in four processes */
export async function makeServer(kind, standin, { mpm = 'event', more = '', sessions = 0, threads = 256 } = {}) {
  const apache = await Apache.create({ label: `bench-${kind}`, mpm, logLevel: 'warn', withModule: kind === 'ours' || kind === 'rules', modules: kinds[kind].modules });
  const origin = `http://127.0.0.1:${apache.ports[0]}`;
  const { callback, cookies, config } = kinds[kind];
  // As ProConnect has it by default for a client without a key of its own: a signed id_token, userinfo as JSON.
  const client = callback && await standin.register({ redirect_uris: [origin + callback], id_token_signed_response_alg: 'ES256', short_state: kind === 'theirs' });
  const secretFile = client && await apache.writeFile('conf/secret', `${client.client_secret}\n`, 0o600);
  await apache.writeFile('htdocs/private/notice.txt', `${protectedText}\n`);
  await apache.configure(common(apache, threads) + config({ apache, standin, client, secretFile, origin, more }));
  const server = { kind, apache, origin, url: `${origin}/private/notice.txt`, close: () => apache.close() };
  if (sessions) {
    const lines = execFileSync(generator, [standin.issuer, client.client_id, apache.path('state/server.key'), apache.path('state/sessions'), String(sessions), '1000'],
      { encoding: 'utf8', maxBuffer: 1 << 24 });
    server.cookies = lines.trim().split('\n').map((value) => `proconnect=${value}`);
  }
  if (kind === 'proxied') {
    server.visit = async () => {
      const browser = new Browser({ persona: 'agent-etat' });
      for (const address of [server.url, `${origin}/called`, `${origin}/called`]) {
        const page = await browser.open(address);
        if (page.status !== 200) throw new Error(`${page.status} from ${address}`);
      }
    };
    return server;
  }
  /** Logs in. @returns the Cookie header of this module's own cookies */
  server.login = async (persona = 'agent-etat') => {
    const browser = new Browser({ persona });
    const page = await browser.login(server.url);
    if (!page.text.includes(protectedText)) throw new Error(`no login at ${kind}: ${page.status} from ${new URL(page.url).pathname}`);
    return browser.jar.header(new URL(server.url)).split('; ').filter((pair) => cookies.test(pair)).join('; ');
  };
  return server;
}
