#pragma once
#include <string>
#include <vector>

#include "core/base64url.hpp"
#include "crypto/random.hpp"
#include "session/session.hpp"

// What the session of somebody who came through ProConnect holds.

namespace proconnect::bench {

inline std::string random_text(std::size_t bytes) {
    std::string raw(bytes, '\0');
    crypto::fill_random({reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()}).value();
    return core::base64url_encode(raw);
}

/// What ProConnect gives for the default scopes, and what the id_token adds.
inline std::vector<session::Attribute> default_claims() {
    using Kind = session::Attribute::Kind;
    return {{.claim = "iss", .value = "https://fca.integ01.dev-agentconnect.fr/api/v2"},
            {.claim = "sub", .value = "b6c0e1a0ef1c2b6e5a0c1a8e8f3b1f59a4b9a3d9d7d6d2e3f0b1c5a6e7f8a9bv1"},
            {.claim = "sid", .value = "0ZyvT4x2u1w8kq7R3p5LmN9bVcXsDfGh"},
            {.claim = "auth_time", .value = "1799999990", .kind = Kind::json},
            {.claim = "acr", .value = "eidas1"},
            {.claim = "amr", .value = "pwd;mfa", .kind = Kind::list},
            {.claim = "given_name", .value = "Marie-Élise"},
            {.claim = "usual_name", .value = "Dupont-Lefèvre"},
            {.claim = "email", .value = "marie-elise.dupont-lefevre@interieur.gouv.fr"},
            {.claim = "uid", .value = "1234567890-marie-elise"},
            {.claim = "siret", .value = "13002526500013"},
            {.claim = "idp_id", .value = "9e139e69-de07-4cbe-987f-d12cb38c0368"},
            {.claim = "organization_label", .value = "Direction interministérielle du numérique"},
            {.claim = "roles", .value = "agent_public;agent_public_etat", .kind = Kind::list},
            {.claim = "session", .value = "Zk3w5sPqR8tYvB2n", .derived = true},
            {.claim = "expires", .value = "1800043200", .kind = Kind::json, .derived = true}};
}

/// An id_token of 1 KiB, as logout needs it; nothing else, as long as no application asks for the access token.
inline session::SessionTokens typical_tokens(const std::string& id_token) {
    session::SessionTokens tokens;
    tokens.id_token = core::Secret{id_token};
    return tokens;
}

inline std::string typical_id_token() {
    return random_text(75) + "." + random_text(627) + "." + random_text(64);
}

}  // namespace proconnect::bench
