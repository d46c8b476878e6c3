// Instructions that a request costs httpd, counted by callgrind on a single process: (4 000 requests - 2 000) / 2 000, so that start
// and stop do not count. Repeats to about 0.1 % whatever else the machine does.
import { join } from 'node:path';
import { startSite, protectedText } from '../support/site.mjs';
import { countInstructions, requestsOf } from './measures.mjs';
import { withRules } from './servers.mjs';

const few = 2000;
const many = 4000;

export async function measureInstructions({ keep } = {}) {
  const site = await startSite({ label: 'bench-instructions', mpm: 'prefork', logLevel: 'warn',
    vhosts: [{ client: { alg: 'ES256' }, config: ({ apache }) => `MaxKeepAliveRequests 0
    Alias "/open" "${join(apache.htdocs, 'private')}"
    ${withRules(apache)}` }] });
  try {
    const browser = site.browser('agent-etat');
    const page = await browser.login(site.url('/private/notice.txt'));
    if (!page.text.includes(protectedText)) throw new Error('the login did not work');
    // A browser sends ours; those of the stand-in on the same address are no part of the work.
    const cookie = browser.jar.header(new URL(site.url("/private/"))).split("; ").filter((pair) => pair.startsWith("proconnect")).join("; ");
    await site.apache.stop();
    const cases = {
      open: { path: '/open/notice.txt', headers: {} },
      'open, with the cookie': { path: '/open/notice.txt', headers: { cookie } },
      'session, aliased': { path: '/private/plain/notice.txt', headers: { cookie } },
      'session, ten rules': { path: '/private/rules/notice.txt', headers: { cookie } },
      session: { path: '/private/notice.txt', headers: { cookie } },
    };
    const result = {};
    for (const [name, { path, headers }] of Object.entries(cases)) {
      const low = await countInstructions(site, () => requestsOf(site.url(path), few, headers));
      const high = await countInstructions(site, () => requestsOf(site.url(path), many, headers), name === 'session' ? keep : undefined);
      result[name] = Math.round((high - low) / (many - few));
    }
    result.added = result.session - result.open;
    return result;
  } finally {
    await site.close();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const result = await measureInstructions({ keep: process.argv[2] });
  for (const [name, count] of Object.entries(result)) console.log(`${name.padEnd(24)} ${String(count).padStart(8)}`);
}
