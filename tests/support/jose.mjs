// Tokens made by hand, right and wrong: JWS ES256, RS256, HS256 and JWE ECDH-ES, RSA-OAEP, with nothing between a story and the bytes.
import { constants, createCipheriv, createHash, createHmac, createPublicKey, diffieHellman, generateKeyPairSync, publicEncrypt, randomBytes, sign as signBytes } from 'node:crypto';

export const encode = (value) => Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');
export const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** A new pair. @returns {alg, kid, privateKey, publicKey, jwk: the public half, pem: the private half} */
export function newKey(alg, { kid = randomBytes(9).toString('base64url'), bits = 2048, curve = 'P-256', use = /^(ES|RS)/.test(alg) ? 'sig' : 'enc' } = {}) {
  const { privateKey, publicKey } = /^RS/.test(alg) ? generateKeyPairSync('rsa', { modulusLength: bits }) : generateKeyPairSync('ec', { namedCurve: curve });
  return { alg, kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), alg, use, kid }, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
}

/** RFC 7638: the name that the module gives to its own keys. */
export function thumbprint({ kty, crv, x, y, n, e }) {
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

/** A JWS. @param key  a key of newKey(), or a secret for HS256   @param claims  an object, or the payload's very text */
export function sign(claims, key, { header = {}, alg = key.alg ?? 'HS256', signature } = {}) {
  const input = `${encode({ alg, ...(key.kid ? { kid: key.kid } : {}), ...header })}.${encode(claims)}`;
  return `${input}.${signature ?? signatureOf(input, alg, key).toString('base64url')}`;
}

function signatureOf(input, alg, key) {
  if (alg === 'HS256') return createHmac('sha256', key).update(input).digest();
  return signBytes('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
}

/**
 * A JWE with A256GCM.
 * @param jwk     whom it is for (public); its kty decides on the algorithm
 * @param header  members to add or replace (null: to leave out)
 * @param change  gets and returns {encryptedKey, iv, ciphertext, tag}, all Buffers
 */
export function encrypt(plaintext, jwk, { header = {}, change = (parts) => parts, padding = constants.RSA_PKCS1_OAEP_PADDING } = {}) {
  const recipient = createPublicKey({ key: jwk, format: 'jwk' });
  const isRsa = jwk.kty === 'RSA';
  let key, encryptedKey = Buffer.alloc(0), epk;
  if (isRsa) {
    key = randomBytes(32);
    encryptedKey = publicEncrypt({ key: recipient, padding, ...(padding === constants.RSA_PKCS1_OAEP_PADDING ? { oaepHash: 'sha1' } : {}) }, key);
  } else {
    const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    epk = ephemeral.publicKey.export({ format: 'jwk' });
    key = concatKdf(diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient }));
  }
  const whole = { alg: isRsa ? 'RSA-OAEP' : 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', ...(jwk.kid ? { kid: jwk.kid } : {}), ...(epk ? { epk } : {}), ...header };
  for (const name of Object.keys(whole)) if (whole[name] === null) delete whole[name];
  const protectedHeader = encode(whole);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(protectedHeader));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const parts = change({ encryptedKey, iv, ciphertext, tag: cipher.getAuthTag() });
  return [protectedHeader, ...[parts.encryptedKey, parts.iv, parts.ciphertext, parts.tag].map(encode)].join('.');
}

/** RFC 7518 section 4.6.2 for A256GCM, without apu and apv. */
function concatKdf(shared) {
  const number = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };
  const algorithm = Buffer.from('A256GCM');
  return createHash('sha256').update(Buffer.concat([number(1), shared, number(algorithm.length), algorithm, number(0), number(0), number(256)])).digest();
}
