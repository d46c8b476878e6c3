#include "access/domain.hpp"

#include <algorithm>

#include <idn2.h>

namespace proconnect::access {
namespace {

constexpr std::size_t kMaxDomainBytes = 253;   // RFC 1035 section 2.3.4, in text
constexpr std::size_t kMaxUnicodeBytes = 1024;
constexpr std::size_t kMaxLabelBytes = 63;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool has_sound_labels(std::string_view domain) noexcept {
    std::size_t label = 0;
    for (const char c : domain) {
        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
            continue;
        }
        const bool sound = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!sound || ++label > kMaxLabelBytes) {
            return false;
        }
    }
    return label != 0;
}

/// RFC 5891 and UTS 46 (non-transitional): as browsers and mail clients spell it on the wire.
std::optional<std::string> to_ascii(std::string_view domain) {
    if (domain.size() > kMaxUnicodeBytes || domain.contains('\0')) {
        return std::nullopt;
    }
    const std::string text{domain};
    char* converted = nullptr;
    const int result = idn2_to_ascii_8z(text.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (result != IDN2_OK || converted == nullptr) {
        return std::nullopt;
    }
    std::string ascii{converted};
    idn2_free(converted);
    return ascii;
}

}  // namespace

std::optional<std::string_view> DomainBuffer::normalize(std::string_view domain) {
    if (!is_ascii(domain)) {
        auto ascii = to_ascii(domain);
        if (!ascii) {
            return std::nullopt;
        }
        rare_ = std::move(*ascii);
        domain = rare_;
    }
    if (domain.empty() || domain.size() > kMaxDomainBytes) {
        return std::nullopt;
    }
    std::ranges::transform(domain, bytes_, lower);
    const std::string_view normalized{bytes_, domain.size()};
    return has_sound_labels(normalized) ? std::optional{normalized} : std::nullopt;
}

std::optional<std::string> normalized_domain(std::string_view domain) {
    DomainBuffer buffer;
    const auto normalized = buffer.normalize(domain);
    return normalized ? std::optional{std::string{*normalized}} : std::nullopt;
}

std::optional<std::string_view> domain_of_email(std::string_view email) noexcept {
    const auto at = email.find('@');
    if (at == 0 || at == std::string_view::npos || email.find('@', at + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    return email.substr(at + 1);
}

}  // namespace proconnect::access
