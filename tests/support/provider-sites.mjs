// One httpd with a virtual host for each misbehaving provider, so that what is known of one says nothing of the others.
import { readFileSync } from 'node:fs';
import { MisbehavingProvider } from './misbehaving-provider.mjs';
import { startSite } from './site.mjs';

/**
 * @param hosts   {name: {provider, config, client, https}}: the settings of site.mjs, and the provider (default: a new one that is well)
 * @param start   false: the caller starts the server
 * @returns the site, with `hosts`: {name: the virtual host, with its `provider`}
 */
export async function startProviderSites({ hosts, start = true, config = '', ...settings }) {
  const entries = Object.entries(hosts);
  const providers = [];
  for (const [, { provider }] of entries) providers.push(provider ?? (await MisbehavingProvider.start()));
  // They take every client: any of them can stand for all when the virtual hosts are described.
  const site = await startSite({ ...settings, standin: { issuer: 'ISSUER', register: (client) => providers[0].register(client) }, start: false, config,
    vhosts: entries.map(([, { provider, ...vhost }]) => vhost) });
  site.standin.issuer = providers[0].issuer;
  let next = 0;
  await site.apache.configure(readFileSync(site.apache.siteFile, 'utf8').replace(/ISSUER/g, () => providers[next++].issuer));
  site.vhosts.forEach((vhost, index) => { vhost.provider = providers[index]; });
  site.hosts = Object.fromEntries(entries.map(([name], index) => [name, site.vhosts[index]]));
  const close = site.close;
  site.close = async () => {
    try {
      await close();
    } finally {
      for (const provider of providers) await provider.stop();
    }
  };
  if (start) {
    try {
      await site.apache.start();
    } catch (error) {
      await site.close().catch(() => {});
      throw error;
    }
  }
  return site;
}
