#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "core/error.hpp"
#include "crypto/digest.hpp"

namespace proconnect::session {

/// One key for each purpose, derived from the 32 random bytes of ProConnectServerKey by HKDF (RFC 5869), so that a box of one purpose
/// never opens as another.
struct ServerKey {
    crypto::Key256 login_ticket{};
    crypto::Key256 nonce{};
    crypto::Key256 code_verifier{};
    crypto::Key256 logout_state{};
    crypto::Key256 logout_link{};
    crypto::Key256 session_name{};
    crypto::Key256 subject_tag{};
    crypto::Key256 snapshot{};
    crypto::Key256 login_mark{};

    static constexpr std::size_t kMasterBytes = 32;
    /// PC5002 unless the master key has exactly kMasterBytes and is not all zero.
    static std::expected<ServerKey, core::Error> derive(std::span<const std::uint8_t> master);
    ServerKey() = default;
    ServerKey(const ServerKey&) = default;
    ServerKey& operator=(const ServerKey&) = default;
    ~ServerKey();  ///< wipes
};

/// New boxes are sealed under `current`; boxes of `previous` still open, so that the key can be changed without a break.
struct ServerKeys {
    ServerKey current;
    std::optional<ServerKey> previous;
};

}  // namespace proconnect::session
