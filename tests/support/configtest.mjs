// A server that is only asked whether its configuration is good.
import { Apache } from './apache.mjs';

/** @returns {apache, secretFile, configtest}: configtest(extra) judges a good configuration, five lines long, with `extra` behind it */
export async function serverToJudge(label, settings = {}) {
  const apache = await Apache.create({ label, logLevel: 'warn', ...settings });
  const secretFile = await apache.writeFile('conf/client_secret', 'a-secret-of-some-length-0123456789\n', 0o600);
  const configtest = async (extra) => {
    await apache.configure(`ProConnectPlatform integration
ProConnectClientID 6925fb8143c76eded44d32b40c0cb1006065f7f003de52712b78985704f39950
ProConnectClientSecret file:${secretFile}
ProConnectBaseURL https://agents.example.gouv.fr
ProConnectServerKey ${apache.path('state/server.key')}
${extra}
`);
    return apache.configtest();
  };
  return { apache, secretFile, configtest };
}
