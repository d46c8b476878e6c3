// A whole site for a story: the stand-in, a real apache2 in front of some pages, and browsers that visit it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Apache } from './apache.mjs';
import { Browser } from './browser.mjs';
import { makeAuthority } from './certificates.mjs';
import { Standin } from './standin.mjs';

/** Stands in every protected page and in no other answer. */
export const protectedText = 'CONTENU-RESERVE-AUX-AGENTS';
export const hostName = 'agents.example.gouv.fr';

const variablesScript = `#!/bin/sh
cat >/dev/null  # what a form sent: left unread, it would cut the connection
printf 'Content-Type: text/plain; charset=utf-8\\r\\nX-Content: ${protectedText}\\r\\n\\r\\n'
exec env -0
`;

/** The variables a CGI program saw, from the answer of variables.cgi. */
export function variablesOf(answer) {
  assert.equal(answer.status, 200, `${answer.status} from ${answer.url}\n${answer.text.slice(0, 800)}`);
  return Object.fromEntries(answer.text.split('\0').filter(Boolean).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

/**
 * @param vhosts  one entry each: {client, config, https, clientId, secret}
 *   client  what is registered at the stand-in beside id, secret and addresses (algorithms…)
 *   config  directives added to the virtual host (text, or a function of {port, origin, apache})
 *   https   serve it under https as agents.example.gouv.fr
 *   bare    leave the protected locations to `config`
 *   issuer  of another provider than the stand-in
 * @param config  directives before the virtual hosts (text, or a function of the site)
 * @param ownClock  see Apache.create()
 */
export async function startSite({ label = 'site', mpm, modules = [], vhosts = [{}], config = '', standin, standinTls = false, start = true, logLevel, extraPorts = 0, moduleCopy, ownClock } = {}) {
  const https = vhosts.some((vhost) => vhost.https);
  const apache = await Apache.create({
    label, mpm, logLevel, moduleCopy, ownClock, ports: vhosts.length + extraPorts,
    modules: [...(https ? ['ssl'] : []), ...modules],
  });
  const site = { apache, vhosts: [], close: () => closeAll(site) };
  if (https || standinTls) site.authority = await makeAuthority(apache.path('conf'));
  if (https) site.certificate = await site.authority.issue(hostName);
  const tls = standinTls ? { ...(await site.authority.issue('standin', ['127.0.0.1', 'localhost'])), ca: site.authority.ca } : undefined;
  site.ownsStandin = !standin;
  site.standin = standin ?? (await Standin.start({ tls }));

  for (const [index, settings] of vhosts.entries()) site.vhosts.push(await describeVhost(site, settings, index));
  await writePages(apache);
  const common = typeof config === 'function' ? config(site) : config;
  await apache.configure(`${common}\n${site.vhosts.map((vhost) => vhostText(site, vhost)).join('\n')}`);
  site.origin = site.vhosts[0].origin;
  site.client = site.vhosts[0].client;
  site.url = (path) => site.origin + path;
  site.browser = (persona, options = {}) => new Browser({ persona, ca: site.authority?.ca, ...options });
  if (start) {
    try {
      await apache.start();
    } catch (error) {
      await site.close().catch(() => {});
      throw error;
    }
  }
  return site;
}

async function describeVhost(site, settings, index) {
  const port = site.apache.ports[index];
  const host = settings.host ?? (settings.https ? hostName : '127.0.0.1');
  const origin = `${settings.https ? 'https' : 'http'}://${host}:${port}`;
  const prefix = settings.prefix ?? '/proconnect';
  const client = await site.standin.register({
    redirect_uris: [`${origin}${prefix}/callback`],
    post_logout_redirect_uris: [`${origin}${prefix}/logged-out`],
    ...settings.client,
  });
  const secretFile = await site.apache.writeFile(`conf/secret-${index}`, `${settings.secret ?? client.client_secret}\n`, 0o600);
  return { ...settings, port, host, origin, client, secretFile, url: (path) => origin + path };
}

function vhostText(site, vhost) {
  const extra = typeof vhost.config === 'function' ? vhost.config({ ...vhost, apache: site.apache, standin: site.standin }) : (vhost.config ?? '');
  const caFile = site.standin.tls && site.authority ? `    ProConnectCAFile "${site.authority.caFile}"\n` : '';
  const tls = vhost.https
    ? `    SSLEngine on\n    SSLCertificateFile "${site.certificate.certFile}"\n    SSLCertificateKeyFile "${site.certificate.keyFile}"\n` : '';
  const locations = vhost.bare ? '' : `    <Location "/private">
        AuthType ProConnect
        Require valid-user
    </Location>
`;
  return `<VirtualHost 127.0.0.1:${vhost.port}>
    ServerName ${vhost.host === '127.0.0.1' ? 'localhost' : vhost.host}
${tls}    ProConnectPlatform ${vhost.issuer ?? site.standin.issuer}
    ProConnectClientID ${vhost.clientId ?? vhost.client.client_id}
    ProConnectClientSecret file:${vhost.secretFile}
    ProConnectBaseURL ${vhost.origin}
${caFile}${locations}    AllowEncodedSlashes NoDecode
    ScriptAlias "/private/echo" "${join(site.apache.htdocs, 'private/variables.cgi')}"
    ${extra.trim()}
</VirtualHost>
`;
}

async function writePages(apache) {
  await apache.writeFile('htdocs/index.html', '<!DOCTYPE html><title>Accueil</title><p>Page publique\n');
  await apache.writeFile('htdocs/public/variables.cgi', variablesScript.replace(/X-Content.*?\\r\\n/, ''), 0o755);
  await apache.writeFile('htdocs/private/index.html', `<!DOCTYPE html><title>Agents</title><p>${protectedText}\n`);
  await apache.writeFile('htdocs/private/notice.txt', `${protectedText}\n`);
  await apache.writeFile('htdocs/private/image.svg', `<svg xmlns="http://www.w3.org/2000/svg"><title>${protectedText}</title></svg>\n`);
  await apache.writeFile('htdocs/private/variables.cgi', variablesScript, 0o755);
}

async function closeAll(site) {
  try {
    await site.apache.close();
  } finally {
    if (site.ownsStandin) await site.standin.stop();
  }
}
