// ProConnect's own error pages: those errors never go back to the service provider.

/** An error shown on ProConnect's page. Thrown from anywhere behind an authorization, login or logout request. */
export class ProConnectPage extends Error {
  allow_redirect = false; // tells the engine not to send it to the client's redirect_uri

  /**
   * @param {string} code     Y000400…
   * @param {string} message  shown on the page
   */
  constructor(code, message, { status = 400 } = {}) {
    super(message);
    this.name = 'ProConnectPage';
    this.code = code;
    this.error = code;
    this.error_description = message;
    this.status = status;
    this.statusCode = status;
    this.expose = true;
  }
}

/** The code ProConnect's page shows for an error of the engine. */
export function pageCode(error) {
  if (error instanceof ProConnectPage) return error.code;
  if (error.name === 'InvalidRedirectUri') return 'Y030031';
  if (error.name === 'SessionNotFound') return 'Y030110';
  if (error.error_description === 'post_logout_redirect_uri not registered') return 'Y030111';
  if (error.statusCode === 404) return 'Y000404';
  if (error.expose && error.error === 'invalid_request') return 'Y000400';
  return error.expose ? error.error : 'Y000500';
}
