#include "session/server_key.hpp"

#include <algorithm>
#include <string_view>

#include "core/secret.hpp"

namespace proconnect::session {

std::expected<ServerKey, core::Error> ServerKey::derive(std::span<const std::uint8_t> master) {
    if (master.size() != kMasterBytes) {
        return std::unexpected(core::Error{core::ErrorCode::key_unusable, "the server key must be exactly 32 bytes, not " + std::to_string(master.size())});
    }
    if (std::ranges::all_of(master, [](std::uint8_t byte) { return byte == 0; })) {
        return std::unexpected(core::Error{core::ErrorCode::key_unusable, "the server key is all zero bytes"});
    }
    ServerKey key;
    const struct {
        crypto::Key256& target;
        std::string_view purpose;
    } purposes[] = {
        {key.login_ticket, "proconnect login ticket 1"}, {key.nonce, "proconnect nonce 1"},
        {key.code_verifier, "proconnect code verifier 1"}, {key.logout_state, "proconnect logout state 1"},
        {key.logout_link, "proconnect logout link 1"},
        {key.session_name, "proconnect session name 1"}, {key.subject_tag, "proconnect subject tag 1"},
        {key.snapshot, "proconnect snapshot 1"}, {key.login_mark, "proconnect login mark 1"},
    };
    for (const auto& [target, purpose] : purposes) {
        auto derived = crypto::derive_key(master, purpose);
        if (!derived) {
            return std::unexpected(std::move(derived.error()));
        }
        target = *derived;
    }
    return key;
}

ServerKey::~ServerKey() {
    for (auto* key : {&login_ticket, &nonce, &code_verifier, &logout_state, &logout_link, &session_name, &subject_tag, &snapshot, &login_mark}) {
        core::wipe(key->data(), key->size());
    }
}

}  // namespace proconnect::session
