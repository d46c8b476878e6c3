#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "crypto/digest.hpp"
#include "session/session_store.hpp"

namespace proconnect::session {

/// One claim as the application and the rules see it.
struct Attribute {
    enum class Kind : std::uint8_t {
        text,  ///< a JSON string: `value` is its UTF-8 content without control characters
        json,  ///< number, boolean or object: `value` is compact JSON
        list,  ///< array of strings: elements joined by ';', a ';' or '\' inside one is preceded by '\'
    };
    std::string claim;       ///< the provider's name, e.g. "given_name", "chorusdt:matricule", "custom.structureTravail"
    std::string value;       ///< valid UTF-8 without NUL, CR or LF; these three become spaces if they occur all the same
    Kind kind = Kind::text;
    bool derived = false;    ///< a variable of its own but no member of PROCONNECT_CLAIMS (custom.x, session)
};

/// "PROCONNECT_" and the claim in capitals, every other character than A-Z 0-9 as '_'.
[[nodiscard]] std::string variable_name(std::string_view claim);

/// What logout and refresh need.
struct SessionTokens {
    core::Secret id_token;         ///< compact JWT; stored without its base64 (a quarter smaller), given back byte for byte
    core::Secret access_token;
    core::Secret refresh_token;
    core::UnixTime access_token_expires{};
};

/// The attributes in the form the hot path needs: every variable's name and value stand NUL-terminated in one block.
/// A claim whose variable name is taken already is left out (the first one wins). More than fits into a record makes a block that
/// create_session() refuses.
[[nodiscard]] std::string encode_attributes(const std::vector<Attribute>& attributes);

/// What an attribute block consists of; here, because every request walks through it and the walk must be inlined. See attributes.cpp.
namespace detail {
inline constexpr std::size_t kItemHeaderBytes = 8, kPrefixBytes = 11;  ///< "PROCONNECT_"
inline constexpr unsigned kDerived = 1, kClaimStored = 2, kValueEscaped = 4;
inline constexpr unsigned kAllFlags = kDerived | kClaimStored | kValueEscaped;

struct ItemHeader {
    std::uint32_t value_bytes;
    std::uint16_t claim_bytes;
    std::uint8_t kind;
    std::uint8_t flags;

    [[nodiscard]] std::size_t variable_bytes() const noexcept { return kPrefixBytes + claim_bytes; }
    [[nodiscard]] std::size_t stored_claim_bytes() const noexcept { return (flags & kClaimStored) != 0 ? claim_bytes : 0U; }
    /// All that follows the header, NULs included.
    [[nodiscard]] std::size_t content_bytes() const noexcept { return variable_bytes() + 1 + value_bytes + 1 + stored_claim_bytes(); }
};
static_assert(sizeof(ItemHeader) == kItemHeaderBytes);

inline ItemHeader header_at(const char* position) noexcept {
    ItemHeader header;
    std::memcpy(&header, position, sizeof(header));
    return header;
}
}  // namespace detail

/// A view on a decoded block; pointers stay valid as long as the block. No allocation.
class AttributeBlock {
public:
    struct Item {
        const char* variable;         ///< "PROCONNECT_EMAIL", NUL-terminated
        const char* value;            ///< NUL-terminated
        std::string_view variable_view, value_view;
        std::string_view stored_claim;  ///< empty when the claim is the variable without its prefix in lower case
        Attribute::Kind kind;
        bool derived;
        bool value_escaped;           ///< the value holds something that JSON, or the list form, escapes
        [[nodiscard]] std::string claim() const;  ///< the provider's name
    };
    /// Checks every length once; nothing when the block is malformed.
    static std::optional<AttributeBlock> parse(std::span<const std::uint8_t> block) noexcept;

    template <typename Visitor>
    void for_each(Visitor&& visit) const {
        const char* position = items_;
        for (std::uint16_t left = count_; left != 0; --left) {
            visit(take_item(position));
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    /// By variable name (as variable_name() makes it), so that a rule compares prepared names only.
    [[nodiscard]] std::optional<Item> find(std::string_view variable) const noexcept;

    /// PROCONNECT_CLAIMS: one JSON object of all that is not derived. claims_json_bytes() is the size without NUL; write_claims_json()
    /// fills exactly that many bytes.
    [[nodiscard]] std::size_t claims_json_bytes() const noexcept { return json_bytes_; }
    void write_claims_json(std::span<char> out) const noexcept;

private:
    static Item take_item(const char*& position) noexcept {
        const detail::ItemHeader header = detail::header_at(position);
        const char* const variable = position + detail::kItemHeaderBytes;
        const char* const value = variable + header.variable_bytes() + 1;
        position = variable + header.content_bytes();
        return {.variable = variable,
                .value = value,
                .variable_view = {variable, header.variable_bytes()},
                .value_view = {value, header.value_bytes},
                .stored_claim = {value + header.value_bytes + 1, header.stored_claim_bytes()},
                .kind = static_cast<Attribute::Kind>(header.kind),
                .derived = (header.flags & detail::kDerived) != 0,
                .value_escaped = (header.flags & detail::kValueEscaped) != 0};
    }

    /// Where an item of this name is remembered, if no other took the place.
    static std::size_t slot_of(const char* variable, std::size_t bytes) noexcept {
        const auto second = static_cast<unsigned char>(variable[bytes > detail::kPrefixBytes + 1 ? detail::kPrefixBytes + 1 : 0]);
        return (bytes * 5 + second) % kSlots;
    }

    static constexpr std::size_t kSlots = 32;
    const char* items_ = nullptr;
    std::uint16_t count_ = 0;
    std::uint32_t json_bytes_ = 0;
    std::array<std::uint32_t, kSlots> offsets_{};   ///< from items_, and one more; 0: none
};

/// One element of a list value without its escapes.
[[nodiscard]] std::string unescape_list_element(std::string_view element);
/// The elements of a list value, unescaped. An empty value is an empty list.
[[nodiscard]] std::vector<std::string> split_list(std::string_view value);
/// Calls visit(element) for each element until it returns true; no allocation for elements without escapes. @return whether one did
template <typename Visitor>
bool any_list_element(std::string_view value, Visitor&& visit);

[[nodiscard]] core::Secret encode_tokens(const SessionTokens& tokens);
[[nodiscard]] std::optional<SessionTokens> decode_tokens(std::span<const std::uint8_t> block);

/// The two secrets in the browser's cookie, side by side: nothing is derived per request but one SHA-256.
struct SessionHandle {
    static constexpr std::size_t kIdBytes = 32, kKeyBytes = 32;
    static constexpr std::size_t kCookieChars = 86;  ///< base64url of 64 bytes
    std::array<std::uint8_t, kIdBytes + kKeyBytes> bytes{};

    SessionHandle() = default;
    ~SessionHandle();  ///< wipes
    SessionHandle(const SessionHandle&) = delete;
    SessionHandle& operator=(const SessionHandle&) = delete;
    SessionHandle(SessionHandle&&) noexcept;
    SessionHandle& operator=(SessionHandle&&) noexcept;

    [[nodiscard]] static std::expected<SessionHandle, core::Error> make_random();
    /// Constant work for any text; nothing unless it is the canonical encoding of exactly 64 bytes.
    [[nodiscard]] static std::optional<SessionHandle> parse(std::string_view cookie) noexcept;
    [[nodiscard]] std::string cookie_value() const;
    [[nodiscard]] std::expected<LookupId, core::Error> lookup_id() const noexcept;
    [[nodiscard]] std::span<const std::uint8_t> key() const noexcept { return std::span{bytes}.subspan(kIdBytes); }
};

/// Both parts of a record as they stand in the store: sealed under the handle's key for exactly this head, serial included.
struct SealedParts {
    std::vector<std::uint8_t> attributes, tokens;
};
[[nodiscard]] std::expected<SealedParts, core::Error> seal_parts(const SessionHandle& handle, const RecordHead& head, std::string_view attribute_block,
                                                                 const SessionTokens& tokens);

/// Seals and stores a new session under a fresh handle. head.serial is set to 1, head.last_used to now.
[[nodiscard]] std::expected<SessionHandle, core::Error> create_session(SessionStore& store, RecordHead head, const std::vector<Attribute>& attributes,
                                                                       const SessionTokens& tokens, core::UnixTime now);

/// Finds and opens one part; the plaintext is the first `bytes` of what `out` reserved. Nothing when there is no such live session, or the key does not open it.
struct OpenedPart {
    RecordHead head;
    std::span<std::uint8_t> plaintext;
};
[[nodiscard]] std::expected<std::optional<OpenedPart>, core::Error> open_session(SessionStore& store, const SessionHandle& handle, const RealmTag& realm,
                                                                                 Part part, RecordBuffer& out, core::UnixTime now, Touch touch);

/// Writes a session again under its handle, for refreshed tokens. `head` and `attribute_block` are what open_session() gave.
/// @return false when somebody else wrote it since, or it is gone
[[nodiscard]] std::expected<bool, core::Error> replace_session(SessionStore& store, const SessionHandle& handle, RecordHead head,
                                                               std::string_view attribute_block, const SessionTokens& tokens, core::UnixTime now);

template <typename Visitor>
bool any_list_element(std::string_view value, Visitor&& visit) {
    std::size_t begin = 0;
    bool escaped = false;
    for (std::size_t i = 0; !value.empty() && i <= value.size(); ++i) {
        if (i + 1 < value.size() && value[i] == '\\') {
            escaped = true;
            ++i;  // whatever follows is no separator
            continue;
        }
        if (i < value.size() && value[i] != ';') {
            continue;
        }
        const std::string_view element = value.substr(begin, i - begin);
        if (escaped ? visit(std::string_view{unescape_list_element(element)}) : visit(element)) {
            return true;
        }
        begin = i + 1;
        escaped = false;
    }
    return false;
}

}  // namespace proconnect::session
