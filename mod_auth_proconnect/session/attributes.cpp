#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "session/claims_json.hpp"
#include "session/session.hpp"

// The attribute block, written once at login in the form that each request needs:
//
//   header: version (1) | 0 (1) | number of items (2) | bytes of PROCONNECT_CLAIMS (4)
//   item:   bytes of the value (4) | bytes of the claim (2) | kind (1) | flags (1) | "PROCONNECT_" VARIABLE NUL | value NUL | claim, if stored
//
// A variable is as long as its claim and "PROCONNECT_". The claim itself is stored only when it cannot be told from the variable.
// Numbers are in the machine's order: a block never leaves machines of one kind.

namespace proconnect::session {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBlockHeaderBytes = 8;
using detail::header_at;
using detail::ItemHeader;
using detail::kAllFlags;
using detail::kClaimStored;
using detail::kDerived;
using detail::kItemHeaderBytes;
using detail::kValueEscaped;
static_assert(kVariablePrefix.size() == detail::kPrefixBytes);

char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether the claim can be told from its variable.
bool is_canonical(std::string_view claim) noexcept {
    return std::ranges::all_of(claim, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void append_item(std::string& block, const Attribute& attribute, std::string_view variable) {
    std::string value = attribute.value;
    // Whoever made the attribute has seen to that; here it could still split a header or hide the end of a value.
    std::ranges::replace_if(value, [](char c) { return c == '\0' || c == '\r' || c == '\n'; }, ' ');
    const unsigned flags = (attribute.derived ? kDerived : 0) | (is_canonical(attribute.claim) ? 0 : kClaimStored) |
                           (attribute.kind != Attribute::Kind::json && needs_json_escapes(value) ? kValueEscaped : 0);
    const ItemHeader header{.value_bytes = static_cast<std::uint32_t>(value.size()),
                            .claim_bytes = static_cast<std::uint16_t>(attribute.claim.size()),
                            .kind = static_cast<std::uint8_t>(attribute.kind),
                            .flags = static_cast<std::uint8_t>(flags)};
    block.append(reinterpret_cast<const char*>(&header), sizeof(header));
    block.append(variable).push_back('\0');
    block.append(value).push_back('\0');
    if ((flags & kClaimStored) != 0) {
        block.append(attribute.claim);
    }
}

}  // namespace

std::string variable_name(std::string_view claim) {
    std::string name{kVariablePrefix};
    for (const char c : claim) {
        const char raised = upper(c);
        name += (raised >= 'A' && raised <= 'Z') || (raised >= '0' && raised <= '9') ? raised : '_';
    }
    return name;
}

std::string encode_attributes(const std::vector<Attribute>& attributes) {
    std::string block(kBlockHeaderBytes, '\0');
    std::unordered_set<std::string> taken;
    for (const Attribute& attribute : attributes) {
        if (const auto [variable, is_new] = taken.insert(variable_name(attribute.claim)); is_new) {
            append_item(block, attribute, *variable);
        }
    }
    const auto count = static_cast<std::uint16_t>(std::min<std::size_t>(taken.size(), std::numeric_limits<std::uint16_t>::max()));
    block[0] = static_cast<char>(kVersion);
    std::memcpy(block.data() + 2, &count, sizeof(count));
    if (const auto parsed = AttributeBlock::parse({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()})) {
        const auto json_bytes = static_cast<std::uint32_t>(measure_claims_json(*parsed));
        std::memcpy(block.data() + 4, &json_bytes, sizeof(json_bytes));
    }
    return block;
}

std::optional<AttributeBlock> AttributeBlock::parse(std::span<const std::uint8_t> block) noexcept {
    // Six bytes of JSON for one of the block are the most there can be: a control character becomes \u00XX.
    constexpr std::size_t kMaxJsonBytes = 6 * SessionStore::kMaxPartBytes;
    if (block.size() < kBlockHeaderBytes || block.size() > SessionStore::kMaxPartBytes || block[0] != kVersion || block[1] != 0) {
        return std::nullopt;
    }
    AttributeBlock parsed;
    const char* position = reinterpret_cast<const char*>(block.data());
    const char* const end = position + block.size();
    std::memcpy(&parsed.count_, position + 2, sizeof(parsed.count_));
    std::memcpy(&parsed.json_bytes_, position + 4, sizeof(parsed.json_bytes_));
    parsed.items_ = position += kBlockHeaderBytes;
    for (std::uint16_t left = parsed.count_; left != 0; --left) {
        if (static_cast<std::size_t>(end - position) < kItemHeaderBytes) {
            return std::nullopt;
        }
        const ItemHeader header = header_at(position);
        position += kItemHeaderBytes;
        if (static_cast<std::size_t>(end - position) < header.content_bytes() || header.kind > static_cast<std::uint8_t>(Attribute::Kind::list) ||
            (header.flags & ~kAllFlags) != 0 || position[header.variable_bytes()] != '\0' ||
            position[header.variable_bytes() + 1 + header.value_bytes] != '\0') {
            return std::nullopt;
        }
        if (auto& offset = parsed.offsets_[slot_of(position, header.variable_bytes())]; offset == 0) {
            offset = static_cast<std::uint32_t>(position - kItemHeaderBytes - parsed.items_) + 1;
        }
        position += header.content_bytes();
    }
    return position == end && parsed.json_bytes_ <= kMaxJsonBytes ? std::optional{parsed} : std::nullopt;
}

std::string AttributeBlock::Item::claim() const {
    if (!stored_claim.empty()) {
        return std::string{stored_claim};
    }
    std::string claim{variable_view.substr(kVariablePrefix.size())};
    std::ranges::transform(claim, claim.begin(), lower);
    return claim;
}

std::optional<AttributeBlock::Item> AttributeBlock::find(std::string_view variable) const noexcept {
    // Every rule comes through here: the item is where parse() saw it, or only lengths are looked at on the way to it.
    const auto is_named = [&](const char* item) {
        return header_at(item).variable_bytes() == variable.size() && std::memcmp(item + kItemHeaderBytes, variable.data(), variable.size()) == 0;
    };
    const auto offset = variable.size() < detail::kPrefixBytes ? 0U : offsets_[slot_of(variable.data(), variable.size())];
    if (offset == 0) {
        return std::nullopt;
    }
    if (const char* seen = items_ + offset - 1; is_named(seen)) {
        return take_item(seen);
    }
    const char* position = items_;
    for (std::uint16_t left = count_; left != 0; --left) {
        if (is_named(position)) {
            return take_item(position);
        }
        position += kItemHeaderBytes + header_at(position).content_bytes();
    }
    return std::nullopt;
}

std::string unescape_list_element(std::string_view element) {
    std::string plain;
    for (std::size_t i = 0; i < element.size(); ++i) {
        if (element[i] == '\\' && i + 1 < element.size() && (element[i + 1] == ';' || element[i + 1] == '\\')) {
            ++i;
        }
        plain += element[i];
    }
    return plain;
}

std::vector<std::string> split_list(std::string_view value) {
    std::vector<std::string> elements;
    any_list_element(value, [&](std::string_view element) {
        elements.emplace_back(element);
        return false;
    });
    return elements;
}

}  // namespace proconnect::session
