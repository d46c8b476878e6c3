#include "crypto/constant_time.hpp"

#include <openssl/crypto.h>

namespace proconnect::crypto {

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
    return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
    return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace proconnect::crypto
