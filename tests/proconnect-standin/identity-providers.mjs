// The identity providers ("FI") behind the stand-in. All are invented; none is a real FI of ProConnect.
//
// ProConnect has two networks, the Internet and the RIE. A "hybrid" FI lives on the RIE and is also reachable
// from the Internet: it then has two idp_ids, and a service provider only ever sees the one of its own network.

const providers = [
  { key: 'etat', label: 'Ministère fictif', internet: '9e139e69-de07-4cbe-987f-d12cb38c0368' },
  { key: 'collectivite', label: 'Collectivité fictive', internet: '71144ab3-ee1a-4401-b7b3-79b44f7daeeb' },
  { key: 'identite', label: 'Identité en libre service fictive', internet: '5f2c0b54-3a39-4b0f-8d5f-0c7c2c6f3a11' },
  {
    key: 'hybride',
    label: 'Préfecture fictive (hybride)',
    internet: '0a9f7e4c-98b7-4f0e-9d3a-6d1f0b8f5e21',
    rie: 'c2b1d7a8-4e53-4f6a-8a0b-1f9d7e3c5b42',
  },
  { key: 'rie', label: 'Direction fictive (RIE seulement)', rie: 'e4d3c2b1-a098-4765-9321-fedcba987654' },
];

export const NETWORKS = ['internet', 'rie'];

const byKey = new Map(providers.map((provider) => [provider.key, provider]));

export function identityProvider(key) {
  return byKey.get(key);
}

/** The idp_id of an FI as seen from one network, or undefined when it cannot be reached from there. */
export function idpIdOn(network, key) {
  return byKey.get(key)?.[network];
}

/** The FI behind an idp_id, on one network only: the id of the other network is unknown there. */
export function identityProviderById(network, idpId) {
  return providers.find((provider) => provider[network] === idpId);
}

export function listIdentityProviders() {
  return providers.map((provider) => ({ ...provider }));
}
