// Slow and failing endpoints, on request. Works before the engine, on the bare connection.

import { setTimeout as wait } from 'node:timers/promises';

/** Rules by endpoint, each for a number of times (absent: until cleared). */
export function createRules() {
  const rules = new Map();
  return {
    set(name, rule) {
      if (rule.times === 0) rules.delete(name);
      else rules.set(name, { ...rule });
    },
    /** The rule for one request, counting it. */
    take(name) {
      const rule = rules.get(name);
      if (rule?.times !== undefined && --rule.times === 0) rules.delete(name);
      return rule;
    },
    clear: () => rules.clear(),
    list: () => Object.fromEntries(rules),
  };
}

export function createFaults() {
  const delays = createRules();
  const failures = createRules();

  /** @returns {Promise<boolean>} true when the request is answered (or abandoned) and must go no further */
  async function apply(endpoint, req, res) {
    const delay = delays.take(endpoint);
    if (delay) await wait(delay.milliseconds, undefined, { ref: false });
    const failure = failures.take(endpoint);
    if (!failure || failure.hang) return Boolean(failure); // hang: the connection stays open and silent
    req.resume();
    if (failure.drop) {
      req.socket.destroy();
      return true;
    }
    await answer(failure, res);
    return true;
  }

  return { apply, delays, failures };
}

/**
 * @param {object} failure
 * @param {number} [failure.status]              default 500
 * @param {string|object} [failure.body]         an object is sent as JSON
 * @param {string} [failure.content_type]
 * @param {object} [failure.headers]             more headers, for instance Location or Retry-After
 * @param {number} [failure.body_bytes]          pads the body with spaces to this size
 * @param {number} [failure.drip_milliseconds]   one byte at a time, with this pause
 * @param {boolean} [failure.truncate]           announces twice the length, then cuts the connection
 */
async function answer(failure, res) {
  const isObject = typeof failure.body === 'object' && failure.body !== null;
  let body = Buffer.from(isObject ? JSON.stringify(failure.body) : failure.body ?? '');
  if (failure.body_bytes > body.length) body = Buffer.concat([body, Buffer.alloc(failure.body_bytes - body.length, ' ')]);
  res.writeHead(failure.status ?? 500, {
    'Content-Type': failure.content_type ?? (isObject ? 'application/json' : 'text/plain; charset=utf-8'),
    'Content-Length': failure.truncate ? body.length * 2 + 1 : body.length,
    ...failure.headers,
  });
  if (failure.truncate) {
    res.write(body, () => res.destroy());
  } else if (failure.drip_milliseconds) {
    for (const byte of body) {
      if (res.destroyed) return;
      res.write(Buffer.from([byte]));
      await wait(failure.drip_milliseconds, undefined, { ref: false });
    }
    res.end();
  } else {
    res.end(body);
  }
}
