// How somebody gets logged in: from the session, as the persona a test names, or by choosing on the login page.

import Provider from 'oidc-provider';
import { acrForLogin, readAcrRequest, sessionSatisfies } from './acr.mjs';
import { accountId, PREFIX } from './config.mjs';
import { ProConnectPage } from './errors.mjs';
import { identityProviderById, idpIdOn } from './identity-providers.mjs';
import { pages, sendPage } from './pages.mjs';
import { ERRORS, findPersona, listPersonas } from './personas.mjs';

const { errors, interactionPolicy: { Check, Prompt } } = Provider;

const INTERACTION = /^\/interaction\/([\w-]+)$/;
const NOW = () => Math.floor(Date.now() / 1000);

export function createLogin({ clients, sessions, automatic }) {
  /**
   * Who logs in, if it can be said without asking.
   * @returns {object|undefined} {persona, acr, amr, authTime}; undefined = the login page has to be shown
   * @throws the OAuth error to send back, or a ProConnectPage
   */
  function decide(params, wish, session) {
    if (wish.error) throw oauthError(wish.error, wish.errorDescription);
    const client = clients.options(params.client_id);
    if (params.idp_hint && !identityProviderById(client.network, params.idp_hint)) {
      throw oauthError('idp_hint_not_found', 'provided idp_hint could not be found');
    }
    // prompt=none never logs anybody in, not even for a test that names a persona on every request
    const named = wish.silent ? undefined : wish.persona ?? automatic.persona;
    if (session && !wish.forceLogin && (!named || named === session.persona.id)
      && sessionAnswers(session, params, client)) {
      refusePrivateSector(session.persona, client);
      return session;
    }
    return named ? logInAs(named, params, client) : undefined;
  }

  function sessionAnswers(session, params, { network }) {
    const { persona } = session;
    const idpId = idpIdOn(network, persona.provider);
    return idpId !== undefined
      && (!params.idp_hint || params.idp_hint === idpId)
      && (!params.login_hint || params.login_hint === persona.claims.email)
      && sessionSatisfies(session, acrRequest(params));
  }

  /** A fresh login as one persona; refusals are thrown. */
  function logInAs(personaId, params, client) {
    const persona = findPersona(personaId);
    if (!persona) throw new ProConnectPage('STANDIN', `no persona "${personaId}"`, { status: 400 });
    if (persona.error) throw oauthError(persona.error);
    const idpId = idpIdOn(client.network, persona.provider);
    if (!idpId) throw new ProConnectPage('STANDIN', `the FI of "${personaId}" is not on this network`);
    if (params.idp_hint && params.idp_hint !== idpId) {
      throw new ProConnectPage('STANDIN', `"${personaId}" is not known to the FI of idp_hint`);
    }
    refusePrivateSector(persona, client);
    const acr = acrForLogin(persona, acrRequest(params));
    if (!acr) throw new errors.AccessDenied('requested ACRs could not be satisfied');
    return { persona, acr, amr: persona.amr, authTime: NOW() };
  }

  // --- first way: no page at all ---------------------------------------------------------------------------------
  // The engine asks its policy whether a page is needed. Where the answer is known the login is done on the spot, so
  // that the client gets its code from the very first redirect.
  const loginCheck = new Check('no_session', 'End-User authentication is required', async (ctx) => {
    const { oidc } = ctx;
    if (oidc.session.accountId) return Check.NO_NEED_TO_PROMPT;
    const session = sessions.get(ctx);
    const login = decide(oidc.params, ctx.state.wish ?? {}, session);
    if (!login) return Check.REQUEST_PROMPT;
    if (login !== session) sessions.begin(ctx, login);
    oidc.session.loginAccount({ ...engineLogin(login), loginTs: login.authTime });
    // what the engine's load_account and load_grant do for a session that was there from the start
    oidc.entity('Account', await oidc.provider.Account.findAccount(ctx, oidc.session.accountId));
    const grant = await grantFor(ctx);
    oidc.session.ensureClientContainer(oidc.client.clientId);
    oidc.session.grantIdFor(oidc.client.clientId, grant.jti);
    oidc.entity('Grant', grant);
    return Check.NO_NEED_TO_PROMPT;
  });

  const policy = [
    new Prompt({ name: 'login', requestable: true }, loginCheck),
    new Prompt({ name: 'consent', requestable: true }), // known to the engine, never shown
  ];

  // --- second way: the login page --------------------------------------------------------------------------------
  function interactionMiddleware(provider) {
    return async function interaction(ctx, next) {
      const [, uid] = INTERACTION.exec(ctx.path) ?? [];
      if (!uid) return next();
      ctx.set('Cache-Control', 'no-store');
      const { params } = await provider.interactionDetails(ctx.req, ctx.res);
      if (ctx.method === 'GET') return showLoginPage(ctx, params);
      if (ctx.method !== 'POST') return ctx.throw(405);
      const result = await chosen(ctx, params);
      ctx.status = 303;
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
      return undefined;
    };
  }

  function showLoginPage(ctx, params) {
    const { network } = clients.options(params.client_id);
    const reachable = listPersonas().filter(({ provider }) => {
      const idpId = idpIdOn(network, provider);
      return idpId && (!params.idp_hint || params.idp_hint === idpId);
    });
    sendPage(ctx, pages.login({
      personas: reachable,
      clientName: clients.name(params.client_id),
      params,
      acr: acrRequest(params),
      provider: params.idp_hint && identityProviderById(network, params.idp_hint),
    }));
  }

  async function chosen(ctx, params) {
    const form = new URLSearchParams(await text(ctx.req));
    try {
      const login = logInAs(form.get('persona') ?? 'abandon', params, clients.options(params.client_id));
      sessions.begin(ctx, login);
      return { login: { ...engineLogin(login), ts: login.authTime, remember: true } };
    } catch (error) {
      if (error instanceof errors.OIDCProviderError) {
        return { error: error.error, error_description: error.error_description };
      }
      throw error;
    }
  }

  return {
    policy,
    grantFor,
    interactionMiddleware,
    interactionUrl: (ctx, { uid }) => `${PREFIX}/interaction/${uid}`,
  };
}

/** ProConnect never asks for consent: everything requested is granted, once the scopes have been checked. */
async function grantFor(ctx) {
  const { oidc } = ctx;
  const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope(oidc.requestParamOIDCScopes);
  grant.addOIDCClaims(oidc.requestParamClaims);
  await grant.save();
  return grant;
}

function engineLogin({ persona, acr, amr }) {
  return { accountId: accountId(persona.id, acr), acr, amr };
}

function refusePrivateSector(persona, client) {
  if (persona.private && !client.accepts_private_sector) {
    throw new ProConnectPage('Y500015', 'Ce service est réservé aux agents du secteur public.', { status: 403 });
  }
}

function acrRequest(params) {
  try {
    return readAcrRequest(params);
  } catch (error) {
    throw new errors.InvalidRequest(error.message);
  }
}

function oauthError(code, description = ERRORS[code]) {
  return new errors.CustomOIDCProviderError(code, description);
}

async function text(req) {
  let body = '';
  for await (const chunk of req) body += chunk;
  return body;
}
