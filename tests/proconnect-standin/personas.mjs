// Everybody one can be at the stand-in. All people are invented.
//
// A persona is:
//   id        what tests name it by
//   title     one line for the login page (in French, like the page)
//   group     heading on the login page
//   user      the human behind it; two personas with the same user are one human at two FIs (default: the id)
//   provider  key of its FI, see identity-providers.mjs
//   acr       level of an ordinary login;  reaches: every level it can be asked to reach
//   amr       what the FI says about the means used; undefined = the FI sends none
//   claims    what userinfo may give, before the scopes filter it
//   private   true: refused (Y500015) by every service provider that takes public agents only
//   error     instead of a login: the OAuth error that goes back to the service provider

const STATE = { siret: '13002526500013', siren: '130025265', organization_label: 'Direction interministérielle fictive' };
const CITY = { siret: '21690123100011', siren: '216901231', organization_label: 'Ville fictive' };
const FIRM = { siret: '55208131766522', siren: '552081317', organization_label: 'Société fictive SA' };

const PUBLIC_AGENT = ['agent_public', 'agent_public_etat'];

const personas = new Map();

function add(id, title, details = {}) {
  const { claims = {}, ...rest } = details;
  const defaults = {
    given_name: 'Camille',
    usual_name: 'DUPONT',
    email: `${id}@interieur.gouv.fr`,
    uid: `uid-${id}`,
    ...STATE,
    roles: PUBLIC_AGENT,
    custom: {},
  };
  const acr = rest.acr ?? 'eidas1';
  personas.set(id, {
    id,
    title,
    group: 'Agents',
    user: id,
    provider: 'etat',
    acr,
    reaches: [acr],
    amr: ['pwd'],
    ...rest,
    // a claim set to undefined is one the FI does not send
    claims: Object.fromEntries(Object.entries({ ...defaults, ...claims }).filter(([, value]) => value !== undefined)),
  });
}

// --- ordinary people -------------------------------------------------------------------------------------------
add('agent-etat', 'Agent de l’État, monte de eidas1 à eidas3', {
  reaches: ['eidas1', 'eidas1-mfa', 'eidas2', 'eidas3'],
  amr: ['pwd', 'otp', 'mfa'],
  claims: { email: 'camille.dupont@interieur.gouv.fr' },
});
add('agent-carte', 'Agent de l’État avec carte (eidas2 seulement)', {
  acr: 'eidas2',
  amr: ['pop', 'hwk', 'pin', 'mfa'],
  claims: { given_name: 'Dominique', usual_name: 'DURAND', email: 'dominique.durand@interieur.gouv.fr' },
});
add('agent-territorial', 'Agent d’une collectivité', {
  provider: 'collectivite',
  claims: {
    given_name: 'Claude', usual_name: 'MARTIN', email: 'claude.martin@lyon.fr', ...CITY,
    roles: ['agent_public', 'agent_public_territorial'],
  },
});
add('salarie-prive', 'Salarié du privé (refusé : Y500015)', {
  provider: 'identite',
  private: true,
  claims: { given_name: 'Sacha', usual_name: 'LEROY', email: 'sacha.leroy@entreprise.example', ...FIRM, roles: [] },
});
add('salarie-prive-admis', 'Salarié du privé, admis', {
  provider: 'identite',
  claims: { given_name: 'Lou', usual_name: 'MOREAU', email: 'lou.moreau@entreprise.example', ...FIRM, roles: [] },
});
add('prestataire', 'Prestataire, avec unité et population', {
  claims: { organizational_unit: 'DGFiP/SI-3A', belonging_population: 'prestataire' },
});
add('dirigeant', 'Dirigeant d’entreprise certifié', {
  provider: 'identite',
  acr: 'eidas1',
  reaches: ['eidas1', 'https://proconnect.gouv.fr/assurance/certification-dirigeant'],
  claims: { ...FIRM, roles: [], email: 'dirigeant@entreprise.example' },
});
add('hybride', 'Agent d’un FI hybride (deux idp_id)', { provider: 'hybride' });
add('agent-rie', 'Agent d’un FI joignable sur le RIE seulement', { provider: 'rie' });
// one human, two FIs: same uid and e-mail, different idp_id, therefore different sub
add('deux-fi-a', 'Même personne, premier FI', { user: 'deux-fi', claims: { email: 'alix.petit@lyon.fr', uid: 'apetit' } });
add('deux-fi-b', 'Même personne, second FI', {
  user: 'deux-fi', provider: 'collectivite', claims: { email: 'alix.petit@lyon.fr', uid: 'apetit' },
});

// --- one level each: asking for any other level is refused, a stronger user included ------------------------------
const ACR = { group: 'Niveaux (acr), un seul par personne' };
for (const acr of ['eidas0', 'eidas0-mfa', 'eidas1', 'eidas1-mfa', 'eidas2', 'eidas3']) {
  const twoFactors = acr.endsWith('-mfa') || acr === 'eidas2' || acr === 'eidas3';
  add(`acr-${acr}`, `Toujours ${acr}`, { ...ACR, acr, amr: twoFactors ? ['pwd', 'otp', 'mfa'] : ['pwd'] });
}
add('acr-ancien', 'Ancien nom de niveau', {
  ...ACR, acr: 'https://proconnect.gouv.fr/assurance/consistency-checked-2fa', amr: ['pwd', 'totp', 'mfa'],
});

// --- one way of logging in each -------------------------------------------------------------------------------
const AMR = { group: 'Moyens (amr)' };
add('amr-aucun', 'Le FI n’envoie pas amr', { ...AMR, amr: undefined });
add('amr-vide', 'amr vide', { ...AMR, amr: [] });
add('amr-mail', 'Lien par courriel', { ...AMR, amr: ['mail'] });
add('amr-pwd', 'Mot de passe seul', { ...AMR, amr: ['pwd'] });
add('amr-otp', 'Mot de passe et code', { ...AMR, acr: 'eidas1-mfa', amr: ['pwd', 'otp', 'mfa'] });
add('amr-totp', 'Mot de passe et code (ancien nom)', { ...AMR, acr: 'eidas1-mfa', amr: ['pwd', 'totp', 'mfa'] });
add('amr-materiel', 'Carte et code PIN', { ...AMR, acr: 'eidas2', amr: ['pop', 'hwk', 'pin', 'mfa'] });
add('amr-logiciel', 'Clé logicielle', { ...AMR, acr: 'eidas1-mfa', amr: ['pop', 'swk', 'mfa'] });

// --- claims that are easy to get wrong --------------------------------------------------------------------------
const ODD = { group: 'Données difficiles' };
add('accents', 'Élise Œuvré-Ÿ', {
  ...ODD,
  claims: {
    given_name: 'Élise Zoë', usual_name: 'Œuvré-Ÿ', email: 'elise.oeuvre@culture.gouv.fr',
    organization_label: 'Préfecture de l’Île-de-Noël – pôle « cœur »',
  },
});
add('sans-siret', 'Sans siret, siren ni organisation', {
  ...ODD, claims: { siret: undefined, siren: undefined, organization_label: undefined },
});
add('minimal', 'Rien que sub et email', {
  ...ODD,
  claims: {
    given_name: undefined, usual_name: undefined, uid: undefined, siret: undefined, siren: undefined,
    organization_label: undefined, roles: undefined, custom: undefined,
  },
});
add('custom-riche', 'custom imbriqué', {
  ...ODD,
  provider: 'collectivite',
  claims: {
    ...CITY,
    custom: {
      structureTravail: 59194,
      matricule: '0042',
      actif: true,
      retraite: null,
      taux: 0.5,
      'fonction principale': 'Régisseur',
      affectation: { direction: 'DSI', bureau: { etage: 3, numero: 'B-12' } },
      habilitations: ['ssi', 'paie'],
    },
  },
});
add('custom-vide', 'custom = {}', { ...ODD, claims: { custom: {} } });
add('chorusdt', 'Chorus DT', { ...ODD, claims: { 'chorusdt:matricule': 'USER_AGC', 'chorusdt:societe': 'CHT' } });
add('telephone', 'Téléphone', { ...ODD, claims: { phone_number: '+33 (0)1.23.45.67.89 poste 12' } });
add('groupes', 'Groupes', { ...ODD, claims: { groups: ['lecteurs', 'rédacteurs', 'a;b', 'c,d'] } });
add('roles-vides', 'roles = []', { ...ODD, claims: { roles: [] } });
add('valeurs-longues', 'Valeurs de 4 Kio', {
  ...ODD, claims: { organization_label: 'é'.repeat(2048), usual_name: 'L'.repeat(4096), uid: 'u'.repeat(4096) },
});
add('valeurs-enormes', 'Une valeur de 64 Kio', { ...ODD, claims: { organization_label: 'X'.repeat(65536) } });
add('injection', 'CR LF, guillemets, HTML, emoji', {
  ...ODD,
  claims: {
    given_name: 'Ève\r\nSet-Cookie: volé=1\r\n\r\n<script>alert(1)</script>',
    usual_name: 'O\'Neil "Bobby"; DROP TABLE agents;--\t\\',
    email: 'injection@interieur.gouv.fr',
    uid: '%0d%0aX-Admin: 1',
    organization_label: '👩🏽‍💻 <img src=x onerror=alert(1)> & Cie\n[error] fausse ligne de journal',
    roles: ['agent_public', 'a;b', 'c\nd'],
    custom: { 'clé\r\nétrange': 'v', http_host: 'evil', PATH: '/tmp' },
  },
});
add('valeurs-nul', 'Caractère NUL et de contrôle', {
  ...ODD, claims: { usual_name: 'avant\u0000après', given_name: '\u0001\u001b[31mrouge\u007f' },
});
add('invisibles', 'Caractères invisibles', {
  ...ODD, claims: { siret: '13002526500013\u009b2Jé\u202e5', usual_name: 'a\u2028b\u0085c' },
});

// --- refusals -------------------------------------------------------------------------------------------------
export const ERRORS = {
  access_denied: 'User auth aborted',
  server_error: 'An unexpected error occurred',
  temporarily_unavailable: 'the service is temporarily unavailable',
  invalid_request: 'request is invalid',
  invalid_scope: 'requested scope is not allowed',
  login_required: 'End-User authentication is required',
  unsupported_response_type: 'unsupported response_type requested',
};
const REFUSAL = { group: 'Refus et erreurs' };
add('abandon', 'La personne renonce', { ...REFUSAL, error: 'access_denied' });
for (const error of Object.keys(ERRORS)) {
  add(`erreur-${error.replaceAll('_', '-')}`, `Erreur ${error}`, { ...REFUSAL, error });
}

export function findPersona(id) {
  return personas.get(id);
}

export function listPersonas() {
  return [...personas.values()];
}
