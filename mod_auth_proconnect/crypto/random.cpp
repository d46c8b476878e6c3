#include "crypto/random.hpp"

#include <openssl/rand.h>

#include <limits>
#include <vector>

#include "core/base64url.hpp"
#include "core/secret.hpp"
#include "crypto/openssl_handles.hpp"

namespace proconnect::crypto {

std::expected<void, core::Error> fill_random(std::span<std::uint8_t> out) noexcept {
    const ErrorQueueGuard guard;
    if (out.size() > std::numeric_limits<int>::max() || RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) {
        core::wipe(out.data(), out.size());
        return std::unexpected(crypto_failure("no randomness"));
    }
    return {};
}

std::expected<std::string, core::Error> random_token(std::size_t bytes) {
    std::vector<std::uint8_t> buffer(bytes);
    if (auto filled = fill_random(buffer); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    auto text = core::base64url_encode(buffer);
    core::wipe(buffer.data(), buffer.size());
    return text;
}

}  // namespace proconnect::crypto
