// Where the engine keeps codes, tokens, grants and sessions: in memory, bounded, gone when the process ends.

const MAX_RECORDS = 200_000; // about an hour of load test; the oldest records make room for new ones

const GRANTABLE = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

/** Makes the adapter class of oidc-provider. Clients are answered by `findClient`, everything else is stored here. */
export function createStorage(findClient) {
  const records = new Map(); // "Model:id" -> { payload, expiresAt }
  const grants = new Map(); // grantId -> Set of keys
  const sessions = new Map(); // session uid -> session id

  function forget(key) {
    const payload = records.get(key)?.payload;
    if (!payload) return;
    records.delete(key);
    if (payload.kind === 'Session') sessions.delete(payload.uid);
    const siblings = grants.get(payload.grantId);
    if (siblings?.delete(key) && siblings.size === 0) grants.delete(payload.grantId);
  }

  class Adapter {
    constructor(model) {
      this.model = model;
    }

    async find(id) {
      if (this.model === 'Client') return findClient(id);
      const key = `${this.model}:${id}`;
      const record = records.get(key);
      if (record && record.expiresAt <= Date.now()) {
        forget(key);
        return undefined;
      }
      return record && structuredClone(record.payload);
    }

    async findByUid(uid) {
      return this.find(sessions.get(uid));
    }

    async findByUserCode() {
      return undefined; // device flow: not in ProConnect
    }

    async upsert(id, payload, expiresIn) {
      const key = `${this.model}:${id}`;
      forget(key);
      records.set(key, {
        payload: structuredClone(payload),
        expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Infinity,
      });
      if (this.model === 'Session') sessions.set(payload.uid, id);
      if (GRANTABLE.has(this.model) && payload.grantId) {
        if (!grants.has(payload.grantId)) grants.set(payload.grantId, new Set());
        grants.get(payload.grantId).add(key);
      }
      if (records.size > MAX_RECORDS) forget(records.keys().next().value);
    }

    async consume(id) {
      const record = records.get(`${this.model}:${id}`);
      if (record) record.payload.consumed = Math.floor(Date.now() / 1000);
    }

    async destroy(id) {
      forget(`${this.model}:${id}`);
    }

    async revokeByGrantId(grantId) {
      for (const key of grants.get(grantId) ?? []) forget(key);
    }
  }

  return {
    Adapter,
    clear() {
      records.clear();
      grants.clear();
      sessions.clear();
    },
    get size() {
      return records.size;
    },
  };
}
