#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace proconnect::json {

/// Limits on what is parsed, so that no input costs more than a known amount of memory and stack.
struct Limits {
    std::size_t max_bytes = 256 * 1024;    ///< of the text
    std::size_t max_depth = 16;            ///< nested objects and arrays
    std::size_t max_values = 20000;        ///< all values and keys together
    std::size_t max_string_bytes = 65536;  ///< of any one string or key
};

class Document;

/// A borrowed view of one value; valid as long as its Document lives. Typed access never converts: a number written
/// as a string is not a number.
class Value {
public:
    enum class Type { null, boolean, number, string, array, object };

    [[nodiscard]] Type type() const noexcept;
    [[nodiscard]] bool is_object() const noexcept { return type() == Type::object; }
    [[nodiscard]] bool is_array() const noexcept { return type() == Type::array; }
    [[nodiscard]] bool is_string() const noexcept { return type() == Type::string; }

    [[nodiscard]] std::optional<std::string_view> as_string() const noexcept;
    [[nodiscard]] std::optional<bool> as_bool() const noexcept;
    /// Whole numbers that fit; 1.0, 1e300 and "1" are none.
    [[nodiscard]] std::optional<std::int64_t> as_int64() const noexcept;
    /// Any JSON number written without loss into whole seconds is a NumericDate, RFC 7519 section 2; a fraction is cut.
    /// Nothing for negative values and values beyond 253402300799 (year 9999).
    [[nodiscard]] std::optional<std::int64_t> as_numeric_date() const noexcept;

    /// Member of an object; nothing when absent or when this is no object.
    [[nodiscard]] std::optional<Value> find(std::string_view name) const noexcept;
    /// find() and as_string() together.
    [[nodiscard]] std::optional<std::string_view> string_member(std::string_view name) const noexcept;
    /// Number of elements or members; 0 for scalars.
    [[nodiscard]] std::size_t size() const noexcept;
    void for_each_member(const std::function<void(std::string_view name, Value value)>& visit) const;
    void for_each_element(const std::function<void(Value value)>& visit) const;
    /// The strings of an array of strings; nothing when it is no array or holds anything else.
    [[nodiscard]] std::optional<std::vector<std::string_view>> as_strings() const;

    /// The value as compact JSON text, UTF-8, without white space.
    [[nodiscard]] std::string to_text() const;

private:
    friend class Document;
    explicit Value(const void* node) noexcept : node_(node) {}
    const void* node_;  ///< a node of the document; its type stays inside document.cpp
};

/// A parsed JSON text, RFC 8259. Refuses duplicate keys at any depth (RFC 7515 section 4 and the JWT BCP ask for it),
/// invalid UTF-8, lone surrogates, NUL inside strings, comments, trailing bytes, NaN and Infinity, and whatever passes the limits.
class Document {
public:
    static std::expected<Document, core::Error> parse(std::string_view text, const Limits& limits = {});
    /// parse() that also refuses anything but an object at the top.
    static std::expected<Document, core::Error> parse_object(std::string_view text, const Limits& limits = {});

    [[nodiscard]] Value root() const noexcept;

    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

private:
    struct Impl;
    explicit Document(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

/// Writes one flat or nested JSON text; keys and strings are escaped, invalid UTF-8 becomes U+FFFD.
class Writer {
public:
    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);
    Writer& string(std::string_view value);
    Writer& number(std::int64_t value);
    Writer& boolean(bool value);
    Writer& null();
    /// Text that is JSON already.
    Writer& raw(std::string_view json);
    [[nodiscard]] std::string take();

private:
    void separate();
    std::string text_;
    bool needs_comma_ = false;
};

/// A string with its quotes, escaped for JSON.
[[nodiscard]] std::string quoted(std::string_view value);

}  // namespace proconnect::json
