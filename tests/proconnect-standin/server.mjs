#!/usr/bin/env node
// node server.mjs --port N [--host H] [--tls-key F --tls-cert F] [--public-url U] [--clients F]… [--quiet]

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startStandIn } from './standin.mjs';

// Standard output carries one line and nothing else: libraries that want to say something say it on standard error.
console.log = console.error;
console.info = console.error;

const USAGE = `Usage: node server.mjs [options]
  --port N             port to listen on; 0 picks a free one (default 0)
  --host H             address to listen on (default 127.0.0.1)
  --tls-key FILE       serve https with this key…
  --tls-cert FILE      …and this certificate (PEM)
  --public-url URL     address that clients use, when a proxy stands in front
  --clients FILE       register more clients (JSON); repeatable
  --quiet              no line on standard error for each request
`;

let options;
try {
  ({ values: options } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      'tls-key': { type: 'string' },
      'tls-cert': { type: 'string' },
      'public-url': { type: 'string' },
      clients: { type: 'string', multiple: true, default: [] },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }));
  if (!/^\d{1,5}$/.test(options.port)) throw new TypeError('--port must be a number');
  if (Boolean(options['tls-key']) !== Boolean(options['tls-cert'])) {
    throw new TypeError('--tls-key and --tls-cert go together');
  }
} catch (error) {
  process.stderr.write(`${error.message}\n${USAGE}`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

try {
  const { issuer, control } = await startStandIn({
    port: Number(options.port),
    host: options.host,
    tls: options['tls-key'] && {
      key: readFileSync(options['tls-key']),
      cert: readFileSync(options['tls-cert']),
    },
    publicUrl: options['public-url'],
    clientFiles: options.clients,
    log: options.quiet ? undefined : (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify({ ready: true, issuer, control })}\n`);
} catch (error) {
  process.stderr.write(`cannot start: ${error.message}\n`);
  process.exit(1);
}
