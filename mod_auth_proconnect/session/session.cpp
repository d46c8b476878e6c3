#include "session/session.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "core/base64url.hpp"
#include "crypto/random.hpp"
#include "crypto/sealed_box.hpp"

namespace proconnect::session {

using core::Error;
using core::ErrorCode;

namespace {

/// What a part's seal is bound to besides its key: the part, and all of the head that never changes. Nothing of it can be exchanged by somebody
/// who can write to the store. The serial is bound by the nonce; `last_used` is not bound at all, because every request moves it.
class AssociatedData {
public:
    AssociatedData(const RecordHead& head, Part part) noexcept {
        append(kLabel);
        append(part);
        append(head.realm);
        append(head.subject);
        append(core::to_unix_seconds(head.created));
        append(core::to_unix_seconds(head.expires));
        append(std::int64_t{head.idle.count()});
    }
    [[nodiscard]] std::string_view text() const noexcept { return {bytes_.data(), size_}; }

private:
    static constexpr std::array<char, 20> kLabel{"proconnect session1"};

    template <typename Field>
    void append(const Field& field) noexcept {
        static_assert(std::has_unique_object_representations_v<Field>);
        std::memcpy(bytes_.data() + size_, &field, sizeof(field));
        size_ += sizeof(field);
    }
    std::array<char, sizeof(kLabel) + sizeof(Part) + sizeof(RealmTag) + sizeof(SubjectTag) + 3 * sizeof(std::int64_t)> bytes_;
    std::size_t size_ = 0;
};

/// The key is random per session and each writing of a record has another serial: no nonce occurs twice.
std::uint64_t nonce_of(const RecordHead& head, Part part) noexcept {
    return head.serial * 2 + static_cast<std::uint64_t>(part);
}

/// One more writing, and other random bits.
std::expected<std::uint64_t, Error> next_serial(std::uint64_t serial) {
    if (writings_of(serial) == kMaxWritings) {
        return std::unexpected(Error{ErrorCode::internal_error, "a session was written too often"});
    }
    std::array<std::uint8_t, sizeof(std::uint64_t)> random{};
    if (const auto filled = crypto::fill_random(random); !filled) {
        return std::unexpected(filled.error());
    }
    constexpr std::uint64_t kAll = ~std::uint64_t{0} >> 1;   // nonce_of() needs one bit
    return (std::bit_cast<std::uint64_t>(random) & kAll & ~kMaxWritings) | (writings_of(serial) + 1);
}

std::expected<std::vector<std::uint8_t>, Error> seal_part(const SessionHandle& handle, const RecordHead& head, Part part, std::string_view plaintext) {
    if (plaintext.size() > SessionStore::kMaxPartBytes - crypto::kTagBytes) {
        return std::unexpected(Error{ErrorCode::session_too_large, "a session's part has " + std::to_string(plaintext.size()) + " bytes"});
    }
    std::vector<std::uint8_t> sealed(plaintext.size() + crypto::kTagBytes);
    if (const auto done = crypto::seal_into(handle.key(), nonce_of(head, part), AssociatedData{head, part}.text(), plaintext, sealed); !done) {
        return std::unexpected(done.error());
    }
    return sealed;
}

/// Remembers what the caller's buffer gave out.
class RememberedBuffer final : public RecordBuffer {
public:
    explicit RememberedBuffer(RecordBuffer& out) noexcept : out_(out) {}
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override { return last_ = out_.reserve(size); }
    [[nodiscard]] std::span<std::uint8_t> last() const noexcept { return last_; }

private:
    RecordBuffer& out_;
    std::span<std::uint8_t> last_;
};

}  // namespace

SessionHandle::~SessionHandle() {
    core::wipe(bytes.data(), bytes.size());
}

SessionHandle::SessionHandle(SessionHandle&& other) noexcept : bytes(other.bytes) {
    core::wipe(other.bytes.data(), other.bytes.size());
}

SessionHandle& SessionHandle::operator=(SessionHandle&& other) noexcept {
    if (this != &other) {
        bytes = other.bytes;
        core::wipe(other.bytes.data(), other.bytes.size());
    }
    return *this;
}

std::expected<SessionHandle, Error> SessionHandle::make_random() {
    SessionHandle handle;
    if (const auto filled = crypto::fill_random(handle.bytes); !filled) {
        return std::unexpected(filled.error());
    }
    return handle;
}

std::optional<SessionHandle> SessionHandle::parse(std::string_view cookie) noexcept {
    std::optional<SessionHandle> handle{std::in_place};
    if (cookie.size() != kCookieChars || !core::base64url_decode_exactly(cookie, handle->bytes)) {
        return std::nullopt;
    }
    return handle;
}

std::string SessionHandle::cookie_value() const {
    return core::base64url_encode(bytes);
}

std::expected<LookupId, Error> SessionHandle::lookup_id() const noexcept {
    return crypto::sha256(std::span{bytes}.first(kIdBytes));
}

std::expected<SealedParts, Error> seal_parts(const SessionHandle& handle, const RecordHead& head, std::string_view attribute_block,
                                             const SessionTokens& tokens) {
    auto attributes = seal_part(handle, head, Part::attributes, attribute_block);
    if (!attributes) {
        return std::unexpected(attributes.error());
    }
    auto sealed_tokens = seal_part(handle, head, Part::tokens, encode_tokens(tokens).reveal());
    if (!sealed_tokens) {
        return std::unexpected(sealed_tokens.error());
    }
    return SealedParts{std::move(*attributes), std::move(*sealed_tokens)};
}

std::expected<SessionHandle, Error> create_session(SessionStore& store, RecordHead head, const std::vector<Attribute>& attributes,
                                                   const SessionTokens& tokens, core::UnixTime now) {
    head.serial = 1;
    head.last_used = now;
    auto handle = SessionHandle::make_random();
    if (!handle) {
        return handle;
    }
    const auto id = handle->lookup_id();
    if (!id) {
        return std::unexpected(id.error());
    }
    const auto parts = seal_parts(*handle, head, encode_attributes(attributes), tokens);
    if (!parts) {
        return std::unexpected(parts.error());
    }
    if (const auto created = store.create(*id, head, parts->attributes, parts->tokens, now); !created) {
        return std::unexpected(created.error());
    }
    return handle;
}

std::expected<std::optional<OpenedPart>, Error> open_session(SessionStore& store, const SessionHandle& handle, const RealmTag& realm, Part part,
                                                             RecordBuffer& out, core::UnixTime now, Touch touch) {
    const auto id = handle.lookup_id();
    if (!id) {
        return std::unexpected(id.error());
    }
    RememberedBuffer buffer{out};
    const auto head = store.find(*id, realm, part, buffer, now, touch);
    if (!head) {
        return std::unexpected(head.error());
    }
    const std::span<std::uint8_t> box = buffer.last();
    if (!*head || !crypto::open_in_place(handle.key(), nonce_of(**head, part), AssociatedData{**head, part}.text(), box)) {
        return std::nullopt;
    }
    return OpenedPart{**head, box.first(box.size() - crypto::kTagBytes)};
}

std::expected<bool, Error> replace_session(SessionStore& store, const SessionHandle& handle, RecordHead head, std::string_view attribute_block,
                                           const SessionTokens& tokens, core::UnixTime now) {
    const auto serial = next_serial(head.serial);
    if (!serial) {
        return std::unexpected(serial.error());
    }
    head.serial = *serial;
    head.last_used = now;
    const auto id = handle.lookup_id();
    if (!id) {
        return std::unexpected(id.error());
    }
    const auto parts = seal_parts(handle, head, attribute_block, tokens);
    if (!parts) {
        return std::unexpected(parts.error());
    }
    return store.replace(*id, head, parts->attributes, parts->tokens, now);
}

}  // namespace proconnect::session
