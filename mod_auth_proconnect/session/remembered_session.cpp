#include "session/remembered_session.hpp"

#include <algorithm>

#include "crypto/constant_time.hpp"

namespace proconnect::session {
namespace {

/// Whether a record is still the one that was opened. The seal binds all of this; `last_used` moves with every request.
bool is_same_record(const RecordHead& a, const RecordHead& b) noexcept {
    return a.realm == b.realm && a.subject == b.subject && a.created == b.created && a.expires == b.expires && a.idle == b.idle && a.serial == b.serial;
}

}  // namespace

RememberedSession::RememberedSession(const SessionHandle& handle, const LookupId& id, const OpenedPart& opened)
    : cookie_(handle.cookie_value()), id_(id), head_(opened.head), block_(opened.plaintext.begin(), opened.plaintext.end()) {}

std::shared_ptr<RememberedSession> RememberedSession::make(const SessionHandle& handle, const OpenedPart& opened) {
    const auto id = handle.lookup_id();
    if (!id) {
        return nullptr;
    }
    std::shared_ptr<RememberedSession> made{new RememberedSession(handle, *id, opened)};
    const auto attributes = AttributeBlock::parse(made->block_);
    if (!attributes) {
        return nullptr;
    }
    made->attributes_ = *attributes;
    made->claims_json_.resize(attributes->claims_json_bytes() + 1);
    attributes->write_claims_json(std::span{made->claims_json_}.first(attributes->claims_json_bytes()));
    return made;
}

RememberedSession::~RememberedSession() {
    core::wipe(block_.data(), block_.size());
    core::wipe(claims_json_.data(), claims_json_.size());
}

bool RememberedSession::is_of(std::string_view cookie, const RealmTag& realm) const noexcept {
    return crypto::equal_constant_time(cookie_.reveal(), cookie) && head_.realm == realm;
}

std::expected<std::optional<RecordHead>, core::Error> RememberedSession::look(SessionStore& store, core::UnixTime now, Touch touch) const {
    const auto head = store.find_head(id_, head_.realm, now, touch);
    if (head && *head && !is_same_record(**head, head_)) {
        return std::nullopt;
    }
    return head;
}

bool RememberedSession::has_passed(std::uint64_t test) const noexcept {
    return test != 0 && std::ranges::find(passed_, test) != passed_.end();
}

void RememberedSession::note_passed(std::uint64_t test) noexcept {
    passed_[next_passed_] = test;
    next_passed_ = (next_passed_ + 1) % passed_.size();
}

}  // namespace proconnect::session
