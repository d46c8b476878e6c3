// A test authority and certificates signed by it, made with the openssl command.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './scratch.mjs';

async function openssl(directory, ...args) {
  const { code, stderr } = await run('openssl', args, { cwd: directory });
  if (code !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}

/** @returns {{caFile, ca: Buffer, issue(name, hosts): Promise<{certFile, keyFile}>}} */
export async function makeAuthority(directory) {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  await openssl(directory, 'req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test authority',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
  const caFile = join(directory, 'ca.pem');
  return {
    caFile,
    ca: await readFile(caFile),
    async issue(name, hosts = [name]) {
      const names = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',');
      await openssl(directory, 'req', '-new', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      await writeFile(join(directory, `${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
      await openssl(directory, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
        '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
      return { certFile: join(directory, `${name}.pem`), keyFile: join(directory, `${name}.key`) };
    },
  };
}
