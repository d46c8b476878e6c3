#include "session/torture/worker.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "crypto/digest.hpp"

namespace proconnect::torture {

using session::Part;
using session::SessionHandle;

namespace {

session::RecordHead head_of(std::uint64_t owner, core::UnixTime now) {
    session::RecordHead head;
    head.realm.fill('r');
    head.subject.fill(static_cast<std::uint8_t>(owner % 250));
    head.created = now;
    head.expires = now + (owner % 7 == 0 ? std::chrono::seconds{1} : std::chrono::hours{1});  // so that expiry takes part
    head.last_used = now;
    head.idle = std::chrono::minutes{1};
    head.serial = 1;
    return head;
}

/// Says whose it is and which version, and has a size of its own.
std::string content_of(std::uint64_t owner, std::uint64_t serial) {
    std::string text = std::to_string(owner) + "/" + std::to_string(serial) + "/";
    text.resize(text.size() + (owner * 7919 + serial * 104'729) % 1500, static_cast<char>('a' + (owner + serial) % 26));
    return text;
}

std::string block_of(std::uint64_t owner, std::uint64_t serial) {
    return session::encode_attributes({{.claim = "sub", .value = content_of(owner, serial)}});
}

session::SessionTokens tokens_of(std::uint64_t owner, std::uint64_t serial) {
    session::SessionTokens tokens;
    tokens.id_token = core::Secret{content_of(owner, serial)};
    return tokens;
}

class Buffer final : public session::RecordBuffer {
public:
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override {
        used = true;
        memory_.resize(size);
        return memory_;
    }
    bool used = false;

private:
    std::vector<std::uint8_t> memory_;
};

}  // namespace

Worker::Worker(session::ShmStore store, Scoreboard& score, std::uint64_t owners, std::chrono::seconds lifetime, unsigned seed)
    : store_(store), score_(score), owners_(owners), lifetime_(lifetime), random_(seed), now_(core::now()) {}

/// The same for all workers: what one has created any other can open.
SessionHandle Worker::handle_of(std::uint64_t owner) const {
    const std::int64_t generation = lifetime_.count() == 0 ? 0 : core::to_unix_seconds(now_) / lifetime_.count();
    const std::string name = std::to_string(owner) + "/" + std::to_string(generation);
    const auto id = crypto::sha256("id of " + name).value();
    const auto key = crypto::sha256("key of " + name).value();
    SessionHandle handle;
    std::ranges::copy(id, handle.bytes.begin());
    std::ranges::copy(key, handle.bytes.begin() + SessionHandle::kIdBytes);
    return handle;
}

void Worker::violation(std::uint64_t owner, const std::string& what) {
    if (score_.violations.fetch_add(1) == 0) {
        std::snprintf(score_.first_violation, sizeof(score_.first_violation), "owner %llu: %s", static_cast<unsigned long long>(owner), what.c_str());
    }
}

void Worker::run_until_stopped() {
    while (!score_.stop.load(std::memory_order_relaxed)) {
        one_operation();
        score_.operations.fetch_add(1, std::memory_order_relaxed);
    }
}

std::uint64_t Worker::look_at_all() {
    now_ = core::now();
    const std::uint64_t before = score_.found.load();
    for (std::uint64_t owner = 0; owner < owners_; ++owner) {
        find(owner, Part::attributes, session::Touch::no);
    }
    return score_.found.load() - before;
}

void Worker::one_operation() {
    if (random_() % 64 == 0) {
        now_ = core::now();
    }
    const std::uint64_t owner = random_() % owners_;
    const auto choice = random_() % 100;
    if (choice < 25) {
        find(owner, Part::attributes, session::Touch::no);
    } else if (choice < 40) {
        find(owner, Part::attributes, session::Touch::yes);
    } else if (choice < 45) {
        find(owner, Part::tokens, session::Touch::no);
    } else if (choice < 70) {
        create(owner);
    } else if (choice < 84) {
        replace(owner);
    } else if (choice < 97) {
        remove(owner);
    } else if (choice < 98) {
        const auto removed = store_.remove_subject(head_of(owner, now_).realm, head_of(owner, now_).subject);
        if (!removed) {
            violation(owner, removed.error().detail);
        }
    } else {
        const auto swept = store_.sweep(now_);
        if (!swept) {
            violation(owner, swept.error().detail);
        }
    }
}

void Worker::create(std::uint64_t owner) {
    const auto handle = handle_of(owner);
    const auto head = head_of(owner, now_);
    const auto parts = session::seal_parts(handle, head, block_of(owner, 1), tokens_of(owner, 1)).value();
    const auto created = store_.create(handle.lookup_id().value(), head, parts.attributes, parts.tokens, now_);
    if (created) {
        score_.created.fetch_add(1, std::memory_order_relaxed);
    } else if (created.error().code != core::ErrorCode::internal_error) {  // that is: there is one already
        violation(owner, created.error().detail);
    }
}

void Worker::find(std::uint64_t owner, Part part, session::Touch touch) {
    Buffer buffer;
    const auto opened = session::open_session(store_, handle_of(owner), head_of(owner, now_).realm, part, buffer, now_, touch);
    if (!opened) {
        violation(owner, opened.error().detail);
    } else if (*opened) {
        check_content(owner, part, **opened);
    } else if (buffer.used) {
        violation(owner, "a record was found that does not open");
    }
}

void Worker::check_content(std::uint64_t owner, Part part, const session::OpenedPart& opened) {
    score_.found.fetch_add(1, std::memory_order_relaxed);
    std::string content;
    if (part == Part::attributes) {
        const auto block = session::AttributeBlock::parse(opened.plaintext);
        const auto item = block ? block->find("PROCONNECT_SUB") : std::nullopt;
        content = item ? std::string{item->value_view} : "";
    } else if (const auto tokens = session::decode_tokens(opened.plaintext)) {
        content = tokens->id_token.reveal();
    }
    if (content != content_of(owner, session::writings_of(opened.head.serial))) {
        violation(owner, "not this owner's data: " + content.substr(0, 40));
    }
}

void Worker::replace(std::uint64_t owner) {
    const auto handle = handle_of(owner);
    Buffer buffer;
    const auto opened = session::open_session(store_, handle, head_of(owner, now_).realm, Part::attributes, buffer, now_, session::Touch::no);
    if (!opened || !*opened) {
        return;
    }
    const std::uint64_t serial = session::writings_of((*opened)->head.serial) + 1;
    const auto replaced = session::replace_session(store_, handle, (*opened)->head, block_of(owner, serial), tokens_of(owner, serial), now_);
    if (!replaced) {
        violation(owner, replaced.error().detail);
    } else if (*replaced) {
        score_.replaced.fetch_add(1, std::memory_order_relaxed);
    }
}

void Worker::remove(std::uint64_t owner) {
    const auto removed = store_.remove(handle_of(owner).lookup_id().value(), head_of(owner, now_).realm);
    if (!removed) {
        violation(owner, removed.error().detail);
    } else if (*removed) {
        score_.removed.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace proconnect::torture
