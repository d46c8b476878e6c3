// ProConnect's settings of its engine, oidc-provider 7.14.3. What ProConnect decides is here; how a login goes is
// in login.mjs.

import { createHash } from 'node:crypto';
import { SUPPORTED_ACR } from './acr.mjs';
import { idpIdOn } from './identity-providers.mjs';
import { findPersona } from './personas.mjs';

export const PREFIX = '/api/v2';

export const ENDPOINTS = {
  discovery: '/.well-known/openid-configuration',
  authorize: '/authorize',
  token: '/token',
  userinfo: '/userinfo',
  jwks: '/jwks',
  end_session: '/session/end',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
};

/** Life times in seconds. Tests may shorten them (POST /_standin/settings). */
export const LIFE_TIMES = {
  access_token: 3600,
  refresh_token: 7200,
  code: 60,
  id_token: 3600,
  interaction: 3600,
  session: 12 * 3600,
};

const SIGNING = ['ES256', 'RS256', 'HS256'];
const CLIENT_SIGNING = ['ES256', 'RS256'];
const ENCRYPTION = ['ECDH-ES', 'RSA-OAEP'];
const CONTENT_ENCRYPTION = ['A256GCM'];
const CLIENT_AUTHENTICATION = ['client_secret_post', 'private_key_jwt'];

/** Scope -> claims. */
const CLAIMS = {
  amr: ['amr'],
  openid: ['sub'],
  given_name: ['given_name'],
  usual_name: ['usual_name'],
  email: ['email'],
  uid: ['uid'],
  siret: ['siret'],
  siren: ['siren'],
  idp_id: ['idp_id'],
  idp_acr: ['idp_acr'],
  organization_label: ['organization_label'],
  roles: ['roles'],
  phone: ['phone_number'],
  organizational_unit: ['organizational_unit'],
  belonging_population: ['belonging_population'],
  chorusdt: ['chorusdt:matricule', 'chorusdt:societe'],
  groups: ['groups'],
  custom: ['custom'],
};

/** The user's number at one service provider: another FI or another service provider gives another number. */
export function subjectFor(persona, clientId) {
  return createHash('sha256').update(JSON.stringify([persona.user, persona.provider, clientId])).digest('hex');
}

/** What the engine calls an account: a persona logged in at one level (userinfo's idp_acr needs the level). */
export function accountId(personaId, acr) {
  return `${personaId} ${acr}`;
}

function readAccountId(id) {
  const [personaId, acr] = id.split(' ');
  return { persona: findPersona(personaId), acr };
}

/**
 * @param {object} parts
 * @param {object} parts.lifeTimes  as LIFE_TIMES; read at each use
 * @param {object} parts.clients    from clients.mjs
 * @param {object} parts.login      from login.mjs: policy, grantFor, interactionUrl
 */
export function engineConfiguration({ keys, cookieKeys, Adapter, lifeTimes, clients, login, renderError, renderLoggedOut }) {
  const lifeTime = (name) => function seconds() { return lifeTimes[name]; };
  return {
    adapter: Adapter,
    jwks: { keys },
    acrValues: SUPPORTED_ACR,
    scopes: ['openid'],
    claims: CLAIMS,
    subjectTypes: ['public'],
    responseTypes: ['code'],
    conformIdTokenClaims: true,
    acceptQueryParamAccessTokens: true,
    extraParams: ['idp_hint', 'siret_hint'],
    cookies: {
      keys: cookieKeys,
      long: { sameSite: 'lax', signed: true, path: '/' },
      // without a path of its own: one cookie for each login under way, so that many tabs can log in at once
      short: { sameSite: 'lax', signed: true },
    },
    routes: {
      authorization: ENDPOINTS.authorize,
      token: ENDPOINTS.token,
      userinfo: ENDPOINTS.userinfo,
      jwks: ENDPOINTS.jwks,
      end_session: ENDPOINTS.end_session,
      introspection: ENDPOINTS.introspection,
      revocation: ENDPOINTS.revocation,
    },
    features: {
      devInteractions: { enabled: false },
      encryption: { enabled: true },
      introspection: {
        enabled: true,
        async allowedPolicy(ctx, client, token) {
          // The answer's `sub` is the token's accountId. The one the service provider knows is put in its place.
          // (`token` is a copy made for this request.)
          token.accountId = subjectFor(readAccountId(token.accountId).persona, token.clientId);
          return true;
        },
      },
      jwtIntrospection: { enabled: true, ack: 'draft-10' },
      jwtUserinfo: { enabled: true },
      backchannelLogout: { enabled: false },
      revocation: { enabled: true },
      claimsParameter: { enabled: true },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource() {}, // never shown: logout.mjs answers at once, as ProConnect does
        postLogoutSuccessSource: renderLoggedOut,
      },
    },
    ttl: {
      AccessToken: lifeTime('access_token'),
      RefreshToken: lifeTime('refresh_token'),
      AuthorizationCode: lifeTime('code'),
      IdToken: lifeTime('id_token'),
      Interaction: lifeTime('interaction'),
      Session: lifeTime('session'),
      Grant: lifeTime('session'),
    },
    pkce: { methods: ['S256'], required: () => false },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
      application_type: 'web',
    },
    tokenEndpointAuthMethods: CLIENT_AUTHENTICATION,
    introspectionEndpointAuthMethods: CLIENT_AUTHENTICATION,
    revocationEndpointAuthMethods: CLIENT_AUTHENTICATION,
    enabledJWA: {
      idTokenSigningAlgValues: SIGNING,
      userinfoSigningAlgValues: SIGNING,
      introspectionSigningAlgValues: SIGNING,
      requestObjectSigningAlgValues: SIGNING,
      tokenEndpointAuthSigningAlgValues: [...CLIENT_SIGNING],
      introspectionEndpointAuthSigningAlgValues: [...CLIENT_SIGNING],
      revocationEndpointAuthSigningAlgValues: [...CLIENT_SIGNING],
      idTokenEncryptionAlgValues: ENCRYPTION,
      userinfoEncryptionAlgValues: ENCRYPTION,
      introspectionEncryptionAlgValues: ENCRYPTION,
      requestObjectEncryptionAlgValues: ENCRYPTION,
      idTokenEncryptionEncValues: CONTENT_ENCRYPTION,
      userinfoEncryptionEncValues: CONTENT_ENCRYPTION,
      introspectionEncryptionEncValues: CONTENT_ENCRYPTION,
      requestObjectEncryptionEncValues: CONTENT_ENCRYPTION,
    },
    interactions: { policy: login.policy, url: login.interactionUrl },
    loadExistingGrant: login.grantFor,
    clientBasedCORS: () => false,
    renderError,
    async findAccount(ctx, id) {
      const { persona, acr } = readAccountId(id);
      if (!persona) return undefined;
      return {
        accountId: id,
        async claims() {
          const { clientId } = ctx.oidc.client;
          return {
            ...persona.claims,
            sub: subjectFor(persona, clientId),
            idp_id: idpIdOn(clients.options(clientId).network, persona.provider),
            idp_acr: acr,
          };
        },
      };
    },
  };
}
