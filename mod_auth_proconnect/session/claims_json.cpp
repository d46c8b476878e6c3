#include "session/claims_json.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace proconnect::session {

namespace {

/// The JSON escape of a character, or an empty text when it needs none.
std::string_view json_escape(char c) noexcept {
    static constexpr char kControl[] =
        "\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b    \\t    \\n    \\u000b\\f    \\r    \\u000e\\u000f"
        "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f";
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
        const std::string_view escape{kControl + code * 6, 6};
        return escape.substr(0, escape[1] == 'u' ? 6 : 2);
    }
    return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : "";
}

/// Where JSON is measured, at login.
class CountingSink {
public:
    void put(std::string_view text) noexcept { bytes_ += text.size(); }
    void put_claim_of(std::string_view variable) noexcept { bytes_ += variable.size() - kVariablePrefix.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    std::size_t bytes_ = 0;
};

/// Where JSON is written, at each request. A piece for which there is no room is left out: that happens only with a block that no
/// encoder made.
class BoundedSink {
public:
    explicit BoundedSink(std::span<char> out) noexcept : position_(out.data()), end_(out.data() + out.size()) {}

    void put(std::string_view text) noexcept {
        if (has_room(text.size())) {
            std::memcpy(position_, text.data(), text.size());
            position_ += text.size();
        }
    }
    /// Of known length, so that it becomes a store or two rather than a call.
    template <std::size_t Size>
    [[gnu::always_inline]] void put(const char (&text)[Size]) noexcept {
        if (has_room(Size - 1)) {
            std::memcpy(position_, text, Size - 1);
            position_ += Size - 1;
        }
    }
    /// A variable without its prefix in lower case, eight characters at a time. The last few are taken as the end of a word that reaches back into
    /// the prefix, and written as the beginning of one, the rest of which is written over next.
    void put_claim_of(std::string_view variable) noexcept {
        std::string_view suffix = variable.substr(kVariablePrefix.size());
        if (!has_room(suffix.size() + sizeof(std::uint64_t)) || std::endian::native != std::endian::little) [[unlikely]] {
            for (const char c : suffix) {
                const char lowered = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
                put(std::string_view{&lowered, 1});
            }
            return;
        }
        for (; suffix.size() >= sizeof(std::uint64_t); suffix.remove_prefix(sizeof(std::uint64_t))) {
            put_word(lower_word(suffix.data()));
            position_ += sizeof(std::uint64_t);
        }
        if (const std::size_t rest = suffix.size(); rest != 0) {
            put_word(lower_word(suffix.data() + rest - sizeof(std::uint64_t)) >> (8 * (sizeof(std::uint64_t) - rest)));
            position_ += rest;
        }
    }
    /// White space is still JSON.
    void fill_up() noexcept { std::fill(position_, end_, ' '); }

private:
    [[nodiscard]] bool has_room(std::size_t bytes) const noexcept { return static_cast<std::size_t>(end_ - position_) >= bytes; }

    static std::uint64_t lower_word(const char* text) noexcept {
        constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
        std::uint64_t word = 0;
        std::memcpy(&word, text, sizeof(word));
        const std::uint64_t low = word & (0x7f * kEach);
        const std::uint64_t from_a = low + (0x80 - 'A') * kEach;  // top bit set: 'A' or above
        const std::uint64_t past_z = low + (0x7f - 'Z') * kEach;  // top bit set: above 'Z'
        const std::uint64_t capitals = ~word & (from_a ^ past_z) & (0x80 * kEach);
        return word | capitals >> 2;
    }
    void put_word(std::uint64_t word) noexcept { std::memcpy(position_, &word, sizeof(word)); }

    char* position_;
    char* end_;
};

template <typename Sink>
void put_escaped(Sink& sink, std::string_view text) noexcept {
    for (const char& c : text) {
        const std::string_view escape = json_escape(c);
        sink.put(escape.empty() ? std::string_view{&c, 1} : escape);
    }
}

/// One element of a list, without the list form's own escapes. @return where it ends
template <typename Sink>
std::size_t put_list_element(Sink& sink, std::string_view value, std::size_t i) noexcept {
    for (; i < value.size() && value[i] != ';'; ++i) {
        if (value[i] == '\\' && i + 1 < value.size() && (value[i + 1] == ';' || value[i + 1] == '\\')) {
            ++i;
        }
        put_escaped(sink, value.substr(i, 1));
    }
    return i;
}

/// "a;b" as ["a","b"].
template <typename Sink>
void put_list(Sink& sink, std::string_view value, bool escaped) noexcept {
    if (value.empty()) {
        sink.put("[]");
        return;
    }
    sink.put("[\"");
    for (std::size_t i = 0;;) {
        std::size_t end = 0;
        if (escaped) {
            end = put_list_element(sink, value, i);
        } else {
            end = std::min(value.find(';', i), value.size());
            sink.put(value.substr(i, end - i));
        }
        if (end == value.size()) {
            break;
        }
        sink.put("\",\"");
        i = end + 1;
    }
    sink.put("\"]");
}

template <typename Sink>
void put_member(Sink& sink, const AttributeBlock::Item& item) noexcept {
    if (item.stored_claim.empty()) [[likely]] {
        sink.put_claim_of(item.variable_view);
    } else {
        put_escaped(sink, item.stored_claim);
    }
    switch (item.kind) {
        case Attribute::Kind::text:
            sink.put("\":\"");
            if (item.value_escaped) [[unlikely]] {
                put_escaped(sink, item.value_view);
            } else {
                sink.put(item.value_view);
            }
            sink.put("\"");
            return;
        case Attribute::Kind::list:
            sink.put("\":");
            put_list(sink, item.value_view, item.value_escaped);
            return;
        case Attribute::Kind::json:
            sink.put("\":");
            sink.put(item.value_view);
            return;
    }
}

template <typename Sink>
void put_object(Sink& sink, const AttributeBlock& block) noexcept {
    sink.put("{");
    bool first = true;
    block.for_each([&](const AttributeBlock::Item& item) {
        if (!item.derived) {
            if (!first) {
                sink.put(",");
            }
            sink.put("\"");
            put_member(sink, item);
            first = false;
        }
    });
    sink.put("}");
}

}  // namespace

bool needs_json_escapes(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) { return !json_escape(c).empty(); });
}

std::size_t measure_claims_json(const AttributeBlock& block) noexcept {
    CountingSink sink;
    put_object(sink, block);
    return sink.bytes();
}

void AttributeBlock::write_claims_json(std::span<char> out) const noexcept {
    BoundedSink sink{out};
    put_object(sink, *this);
    sink.fill_up();
}

}  // namespace proconnect::session
