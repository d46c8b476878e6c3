// How ProConnect chooses and checks the level of a login ("acr").
//
// The rule that surprises everybody: an essential request is compared by MEMBERSHIP. Asking for ["eidas1"] refuses
// somebody who has eidas2. A service provider that wants a minimum has to list every level it accepts.

/** Supported levels, weakest first. The last one is a proof of role, not of identity. */
export const SUPPORTED_ACR = [
  'eidas0',
  'eidas0-mfa',
  'eidas1',
  'eidas1-mfa',
  'eidas2',
  'eidas3',
  'https://proconnect.gouv.fr/assurance/certification-dirigeant',
];

/** Former names: no longer announced, still understood. */
const FORMER_ACR = ['self-asserted', 'self-asserted-2fa', 'consistency-checked', 'consistency-checked-2fa']
  .map((name) => `https://proconnect.gouv.fr/assurance/${name}`);

const BY_STRENGTH = [...FORMER_ACR, ...SUPPORTED_ACR];

/** An essential request for one of these is never satisfied by the session at hand: a new login is made. */
const NEEDS_NEW_SESSION = new Set(['eidas2', 'eidas3']);

/**
 * Reads what an authorization request says about acr.
 * @returns {{essential: string[], wished: string[]}} supported levels only; both empty = no wish at all
 * @throws {TypeError} when an essential request has a `values` that is not an array
 */
export function readAcrRequest({ claims, acr_values: acrValues }) {
  const asked = parse(claims)?.id_token?.acr;
  const wished = typeof acrValues === 'string' ? acrValues.split(' ') : [];
  let essential = [];
  if (asked && typeof asked === 'object') {
    if (asked.essential && asked.values !== undefined && !Array.isArray(asked.values)) {
      throw new TypeError('invalid claims.id_token.acr.values type');
    }
    const listed = asked.value !== undefined ? [asked.value] : [].concat(asked.values ?? []);
    if (asked.essential) essential = listed;
    else wished.push(...listed);
  }
  // Levels ProConnect does not know are dropped before the comparison, so an essential request made of unknown
  // levels alone asks for nothing: the service provider must check what it receives.
  return { essential: essential.filter(isKnown), wished: wished.filter(isKnown) };
}

/** The level a persona logs in with, or undefined when an essential request cannot be satisfied. */
export function acrForLogin(persona, { essential, wished }) {
  if (essential.length > 0) return strongest(essential.filter((acr) => persona.reaches.includes(acr)));
  return strongest(wished.filter((acr) => persona.reaches.includes(acr))) ?? persona.acr;
}

/** May an existing session answer this request without a new login? */
export function sessionSatisfies(session, { essential }) {
  if (essential.length === 0) return true;
  return essential.includes(session.acr) && !NEEDS_NEW_SESSION.has(session.acr);
}

function strongest(levels) {
  return levels.sort((a, b) => BY_STRENGTH.indexOf(b) - BY_STRENGTH.indexOf(a))[0];
}

function isKnown(acr) {
  return BY_STRENGTH.includes(acr);
}

function parse(claims) {
  if (typeof claims !== 'string') return undefined;
  try {
    return JSON.parse(claims);
  } catch {
    return undefined; // the engine reports it
  }
}
