// The pages people see: a plain look of its own, in French, marked as a stand-in on every one.

const STYLE = `
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #1e1e1e; background: #f4f4f0; }
  header { background: #5c2d63; color: #fff; padding: .75rem 1.5rem; }
  header p { margin: 0; font-size: .9rem; }
  main { max-width: 62rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; }
  h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
  ul { list-style: none; padding: 0; margin: 0; display: grid; gap: .5rem;
       grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
  button { width: 100%; text-align: left; font: inherit; padding: .5rem .75rem; background: #fff;
           border: 1px solid #929292; border-radius: .25rem; cursor: pointer; overflow-wrap: anywhere; }
  button:hover, button:focus-visible { border-color: #5c2d63; box-shadow: 0 0 0 2px #5c2d63; }
  button small { display: block; color: #555; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; }
  dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
  .code { font-family: ui-monospace, monospace; background: #fff; padding: .1rem .4rem; }
`;

function layout(title, body) {
  return `<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} – doublure locale de ProConnect</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Doublure locale de ProConnect</h1>
<p>Ce n’est pas ProConnect : serveur d’essai, identités inventées, aucun mot de passe à saisir.</p>
</header>
<main>
${body}
</main>
</body>
</html>
`;
}

function loginPage({ personas, clientName, params, acr, provider }) {
  const hinted = personas.filter((persona) => params.login_hint && persona.claims.email === params.login_hint);
  const groups = new Map(hinted.length ? [[`Courriel ${params.login_hint}`, hinted]] : []);
  for (const persona of personas.filter((other) => !hinted.includes(other))) {
    if (!groups.has(persona.group)) groups.set(persona.group, []);
    groups.get(persona.group).push(persona);
  }
  const facts = [
    ['Service', clientName],
    ['Données demandées', params.scope],
    ['Niveaux exigés', acr.essential.join(' ')],
    ['Niveaux souhaités', acr.wished.join(' ')],
    ['Fournisseur d’identité', provider?.label],
    ['Courriel suggéré', params.login_hint],
    ['Siret suggéré', params.siret_hint],
  ].filter(([, value]) => value);

  return layout('Connexion', `
<h2>Qui voulez-vous être ?</h2>
<dl>${facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('')}</dl>
<form method="post">
${[...groups].map(([name, list]) => `<section>
<h2>${escape(name)}</h2>
<ul>${list.map(personaButton).join('')}</ul>
</section>`).join('\n')}
</form>`);
}

function personaButton({ id, title, acr, amr, error }) {
  const detail = error ? id : `${id} · ${acr.split('/').pop()} · ${amr ? amr.join(' ') || 'amr vide' : 'sans amr'}`;
  return `<li><button name="persona" value="${escape(id)}" id="persona-${escape(id)}">
${escape(title)}<small>${escape(detail)}</small></button></li>`;
}

function errorPage(code, message) {
  return layout('Erreur', `
<h2>La connexion n’a pas pu aboutir</h2>
<p>Code d’erreur : <span class="code" id="error-code">${escape(code)}</span></p>
<p id="error-message">${escape(message)}</p>`);
}

function loggedOutPage() {
  return layout('Déconnexion', `
<h2 id="logged-out">Vous êtes déconnecté de la doublure</h2>
<p>Vous pouvez fermer cette page.</p>`);
}

// No `form-action`: Chromium would apply it to the redirect back to the service provider too.
export const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'Cache-Control': 'no-store',
};

/** Answers with a page, as Koa does it. */
export function sendPage(ctx, html) {
  ctx.body = html;
  ctx.set(PAGE_HEADERS);
}

export const pages = { login: loginPage, error: errorPage, loggedOut: loggedOutPage };

function escape(value) {
  return String(value).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
