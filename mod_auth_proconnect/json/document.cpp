#include "json/document.hpp"

#include <rapidjson/reader.h>

#include <algorithm>

#include "core/secret.hpp"
#include "json/node.hpp"
#include "json/utf8.hpp"

namespace proconnect::json {
namespace {

core::Error malformed(std::string detail) {
    return {core::ErrorCode::provider_json_malformed, std::move(detail)};
}

/// Receives what the reader reads, builds the nodes, and stops the reader at the first excess.
class Builder {
public:
    Builder(const Limits& limits, std::vector<Node>& nodes) noexcept : limits_(limits), nodes_(nodes) {}

    /// Why the builder stopped the reader; null when it did not.
    [[nodiscard]] const char* refusal() const noexcept { return refusal_; }

    // The events of rapidjson, which chooses their names.
    bool Null() { return add({}); }
    bool Bool(bool value) { return add({.type = Value::Type::boolean, .boolean = value}); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
        return check_length(length) && add({.type = Value::Type::number, .text = {text, length}});
    }
    bool String(const char* text, rapidjson::SizeType length, bool) {
        return check_text({text, length}) && add({.type = Value::Type::string, .text = {text, length}});
    }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        name_ = {text, length};
        return check_text(name_) && count_value();
    }
    bool StartObject() { return open(Value::Type::object); }
    bool StartArray() { return open(Value::Type::array); }
    bool EndObject(rapidjson::SizeType) {
        const bool unique = names_are_unique(nodes_[open_.back()]);
        close();
        return unique || refuse("JSON: a key is repeated");
    }
    bool EndArray(rapidjson::SizeType) {
        close();
        return true;
    }
    // Never called: numbers are asked for as text.
    bool Int(int) { return refuse("JSON: number"); }
    bool Uint(unsigned) { return refuse("JSON: number"); }
    bool Int64(std::int64_t) { return refuse("JSON: number"); }
    bool Uint64(std::uint64_t) { return refuse("JSON: number"); }
    bool Double(double) { return refuse("JSON: number"); }

private:
    bool refuse(const char* why) noexcept {
        refusal_ = why;
        return false;
    }

    bool check_length(std::size_t length) noexcept {
        return length <= limits_.max_string_bytes || refuse("JSON: a string or number is too long");
    }

    // The reader passes a lone low surrogate (\udc00) and NUL (\u0000) as bytes, so the decoded text is looked at.
    bool check_text(std::string_view text) noexcept {
        if (!check_length(text.size())) {
            return false;
        }
        if (text.contains('\0')) {
            return refuse("JSON: a string contains NUL");
        }
        return is_valid_utf8(text) || refuse("JSON: a string is not UTF-8");
    }

    bool count_value() noexcept { return ++count_ <= limits_.max_values || refuse("JSON: too many values"); }

    bool add(Node node) {
        if (!count_value()) {
            return false;
        }
        if (!open_.empty()) {
            Node& parent = nodes_[open_.back()];
            ++parent.size;
            node.name = parent.type == Value::Type::object ? name_ : std::string_view{};
        }
        nodes_.push_back(node);
        return true;
    }

    bool open(Value::Type type) {
        if (open_.size() >= limits_.max_depth) {
            return refuse("JSON: nested too deeply");
        }
        if (!add({.type = type})) {
            return false;
        }
        open_.push_back(nodes_.size() - 1);
        return true;
    }

    void close() noexcept {
        const std::size_t index = open_.back();
        nodes_[index].extent = static_cast<std::uint32_t>(nodes_.size() - index);
        open_.pop_back();
    }

    /// Sorting costs n log n whatever the names are; a hash table could be made quadratic by chosen names.
    bool names_are_unique(const Node& object) {
        names_.clear();
        const Node* child = &object + 1;
        for (std::uint32_t i = 0; i < object.size; ++i, child += child->extent) {
            names_.push_back(child->name);
        }
        std::ranges::sort(names_);
        return std::ranges::adjacent_find(names_) == names_.end();
    }

    const Limits& limits_;
    std::vector<Node>& nodes_;
    std::vector<std::size_t> open_;         ///< indices of the objects and arrays not yet closed
    std::vector<std::string_view> names_;   ///< scratch of names_are_unique()
    std::string_view name_;                 ///< the key last read
    std::size_t count_ = 0;                 ///< values and keys
    const char* refusal_ = nullptr;
};

const char* syntax_error(rapidjson::ParseErrorCode code) noexcept {
    switch (code) {
        case rapidjson::kParseErrorDocumentEmpty: return "JSON: empty";
        case rapidjson::kParseErrorDocumentRootNotSingular: return "JSON: bytes after the end";
        case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return "JSON: lone surrogate";
        case rapidjson::kParseErrorStringMissQuotationMark: return "JSON: a string does not end";
        case rapidjson::kParseErrorNumberTooBig: return "JSON: a number is too large";
        default: return "JSON: syntax error";
    }
}

}  // namespace

struct Document::Impl {
    explicit Impl(std::string_view input) : text(input) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    // The text may be a token response.
    ~Impl() { core::wipe(text.data(), text.size()); }

    std::string text;  ///< decoded in place by the reader; never moved, since the nodes point into it
    std::vector<Node> nodes;
};

Document::Document(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

std::expected<Document, core::Error> Document::parse(std::string_view text, const Limits& limits) {
    // The node counts are 32 bits wide.
    constexpr std::size_t kHardLimit = 0x7FFFFFFF;
    if (text.size() > std::min(limits.max_bytes, kHardLimit)) {
        return std::unexpected(malformed("JSON: too large"));
    }
    // The reader takes NUL for the end of the text.
    if (text.contains('\0')) {
        return std::unexpected(malformed("JSON: NUL byte"));
    }
    auto impl = std::make_unique<Impl>(text);
    Builder builder{limits, impl->nodes};
    // Iterative: the depth of the input costs no stack. Numbers as text: nothing is rounded, and the reader's own
    // conversion, whose exponent arithmetic can overflow (CVE-2024-38517), is never run.
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    rapidjson::InsituStringStream stream{impl->text.data()};
    rapidjson::Reader reader;
    const auto result = reader.Parse<kFlags>(stream, builder);
    if (result.IsError()) {
        const char* why = builder.refusal() != nullptr ? builder.refusal() : syntax_error(result.Code());
        return std::unexpected(malformed(why));
    }
    return Document{std::move(impl)};
}

std::expected<Document, core::Error> Document::parse_object(std::string_view text, const Limits& limits) {
    auto document = parse(text, limits);
    if (document && !document->root().is_object()) {
        return std::unexpected(malformed("JSON: not an object"));
    }
    return document;
}

Value Document::root() const noexcept {
    return Value{impl_->nodes.data()};
}

}  // namespace proconnect::json
