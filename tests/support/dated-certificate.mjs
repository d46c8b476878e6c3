// Certificates of the test authority (certificates.mjs) for a time that is over or has not come: `openssl x509` only knows from now on.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './scratch.mjs';

/** @param directory  where makeAuthority() put the authority   @param from, until  e.g. 20200101000000Z   @returns {certFile, keyFile} */
export async function issueDated(directory, name, hosts, { from, until }) {
  const work = join(directory, `dated-${name}`);
  await mkdir(work);
  const names = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',');
  await writeFile(join(work, 'index.txt'), '');
  await writeFile(join(work, 'ca.cnf'), `[ca]
default_ca = dated
[dated]
database = ${work}/index.txt
new_certs_dir = ${work}
rand_serial = yes
default_md = sha256
certificate = ${directory}/ca.pem
private_key = ${directory}/ca.key
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = ${names}
extendedKeyUsage = serverAuth
`);
  const openssl = async (...args) => {
    const { code, stderr } = await run('openssl', args, { cwd: work });
    if (code !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  await openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${name}`);
  await openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-in', 'request.pem', '-out', 'certificate.pem', '-startdate', from, '-enddate', until);
  return { certFile: join(work, 'certificate.pem'), keyFile: join(work, 'key.pem') };
}
