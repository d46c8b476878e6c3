// base64url_decode() and its form without allocation.
#include <memory>

#include "core/base64url.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

Verdict judge(std::string_view input) {
    const auto encoded = core::base64url_encode(input);
    require(core::base64url_decode(encoded) == input, "what is encoded is decoded");
    const auto decoded = core::base64url_decode(input);
    for (std::size_t size = input.size() * 3 / 4, i = 0; i < 3; ++i, ++size) {
        const auto out = std::make_unique<std::uint8_t[]>(size);
        const bool fits = core::base64url_decode_exactly(input, {out.get(), size});
        require(fits == (decoded && decoded->size() == size), "both forms accept the same texts");
        require(!fits || std::string_view(reinterpret_cast<const char*>(out.get()), size) == *decoded, "and give the same bytes");
    }
    if (!decoded) {
        return Verdict::refused;
    }
    require(core::base64url_encode(*decoded) == input, "each byte string has one spelling");
    return Verdict::accepted;
}

const Registration kTarget{"base64url", judge};

}  // namespace
