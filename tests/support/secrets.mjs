// Every secret a test run used, written down so that tests/checks/no-secret-in-logs can look for each in every log.
import { appendFileSync, copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = process.env.PROCONNECT_TEST_OUTPUT;  // set by tests/run; without it nothing is kept
const seen = new Set();

/** Parameters of protocol URLs that must never reach a log. */
const secretParameters = ['code', 'state', 'nonce', 'id_token_hint', 'access_token', 'refresh_token', 'code_verifier', 'client_secret', 'client_assertion'];

/** Short values would be found everywhere, and so would the padding ("xxxx…") that stories send where a secret is expected: neither is a secret. */
const tellsNothing = (value) => value.length < 12 || new Set(value).size < 6;

/** Remembers one secret. */
export function rememberSecret(kind, value) {
  if (typeof value !== 'string' || tellsNothing(value) || seen.has(value)) return;
  seen.add(value);
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, `secrets-${process.pid}.tsv`), `${kind}\t${value}\n`, { mode: 0o600 });
}

/** The secrets inside a redirect address. */
export function rememberUrl(url) {
  let parameters;
  try {
    parameters = new URL(url).searchParams;
  } catch {
    return;
  }
  for (const name of secretParameters) {
    for (const value of parameters.getAll(name)) rememberSecret(name, value);
  }
}

/** The secrets inside a token response. */
export function rememberTokens(tokens) {
  for (const name of ['access_token', 'refresh_token', 'id_token']) rememberSecret(name, tokens?.[name]);
}

let copies = 0;

/** Keeps a server's logs for the check. */
export function keepLogs(directory, label) {
  if (!folder) return;
  copies += 1;
  const target = join(folder, 'logs', `${label}-${process.pid}-${copies}`);
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(target, basename(name)));
}
