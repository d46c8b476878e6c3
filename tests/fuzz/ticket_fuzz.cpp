// open_ticket() and the state of a logout. An input is a `state`, or what follows a first line "sealed": the content of a box under the right key.
#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/sealed_box.hpp"
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/logout.hpp"
#include "session/login_ticket.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

constexpr session::TicketContext kContext{.issuer = kIssuer, .client_id = kClientId, .redirect_uri = kRedirectUri};
constexpr session::TicketContext kOtherClient{.issuer = kIssuer, .client_id = "client-2", .redirect_uri = kRedirectUri};

/// The context as it is authenticated; the accepted seeds fail when it is not written as the library writes it.
std::string associated_data() {
    std::string data = "login ticket 1";
    for (const auto part : {kIssuer, kClientId, kRedirectUri}) {
        data += '\n' + std::to_string(part.size()) + ':' + std::string{part};
    }
    return data;
}

bool same(const session::LoginTicket& a, const session::LoginTicket& b) {
    return a.id == b.id && a.issued == b.issued && a.browser == b.browser && a.return_address == b.return_address && a.acr_values == b.acr_values &&
           a.silent == b.silent && a.reauthenticate == b.reauthenticate && a.attempt == b.attempt;
}

Verdict judge(std::string_view input) {
    static const auto binding = session::BrowserBinding::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").value();
    static const auto client = make_client();
    const bool sealed = take_mode(input, "sealed");
    const auto state = sealed ? core::base64url_encode(crypto::seal(server_keys().current.login_ticket, associated_data(), input).value()) : std::string{input};
    require(!oidc::is_own_logout_state(state, client, binding.cookie_value(), server_keys(), kNow), "a login's state, or a made-up one, is no logout's");
    require(!session::open_ticket(state, kOtherClient, server_keys()), "a ticket is of one client");
    const auto opened = session::open_ticket(state, kContext, server_keys());
    require(sealed || !opened, "nobody makes a ticket without the key");
    if (!opened) {
        require(opened.error().code == core::ErrorCode::state_unreadable, "what is no ticket is unreadable, whatever was wrong");
        return Verdict::refused;
    }
    const auto& ticket = opened->ticket;
    require(ticket.browser.size() == 32 && ticket.return_address.size() <= core::kMaxReturnBytes && ticket.acr_values.size() <= 16, "each field is bounded");
    for (const auto& acr : ticket.acr_values) {
        require(acr.size() <= 255, "each level is bounded");
    }
    const auto again = session::seal_ticket(ticket, kContext, *opened->key);
    const auto reopened = again ? session::open_ticket(*again, kContext, server_keys()) : std::unexpected(again.error());
    require(reopened && same(reopened->ticket, ticket), "a ticket is sealed as it was opened");
    const auto secrets = session::derive_login_secrets(ticket, binding, *opened->key);
    const auto name = session::derive_session_name(ticket, *opened->key);
    require(secrets && secrets->nonce.size() == 43 && secrets->code_verifier.size() == 43 && secrets->nonce.reveal() != secrets->code_verifier.reveal(),
            "each login has its secrets");
    require(name && name->size() == 22, "each login has its name");
    return Verdict::accepted;
}

const Registration kTarget{"ticket", judge};

}  // namespace
