// The stand-in's signing keys: made at start, never written anywhere, replaced on request.

import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

const PARAMETERS = {
  ES256: ['ec', { namedCurve: 'P-256' }],
  RS256: ['rsa', { modulusLength: 2048 }],
};

export const KEY_ALGORITHMS = Object.keys(PARAMETERS);

export async function newSigningKey(alg) {
  const { privateKey } = await generate(...PARAMETERS[alg]);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: `standin:${alg}:${randomBytes(6).toString('hex')}` };
}

export async function newKeySet() {
  return Promise.all(KEY_ALGORITHMS.map(newSigningKey));
}

/**
 * The key set after a rotation. New keys come first because the engine signs with the first key that fits.
 * @param {object} options
 * @param {boolean} options.keepOld  leave the former keys published (a careful rotation) or not (an abrupt one)
 * @param {string}  [options.alg]    rotate the key of this algorithm only
 */
export async function rotated(keys, { keepOld, alg }) {
  const fresh = await Promise.all((alg ? [alg] : KEY_ALGORITHMS).map(newSigningKey));
  const replaced = new Set(fresh.map((key) => key.alg));
  return [...fresh, ...keys.filter((key) => keepOld || !replaced.has(key.alg))];
}
