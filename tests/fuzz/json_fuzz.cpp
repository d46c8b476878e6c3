// json::Document, Value and Writer.
#include <charconv>

#include "fuzz/fuzz.hpp"
#include "json/document.hpp"
#include "json/utf8.hpp"

namespace {

using namespace proconnect::fuzz;
using proconnect::json::Document;
using proconnect::json::Limits;
using proconnect::json::Value;

constexpr Limits kSmall{.max_bytes = 200, .max_depth = 3, .max_values = 20, .max_string_bytes = 16};

void check_text(std::string_view text, const Limits& limits) {
    require(text.size() <= limits.max_string_bytes, "no text is beyond the limit");
    require(!text.contains('\0') && proconnect::json::is_valid_utf8(text), "each text is UTF-8 without NUL");
}

void check_number(const Value& value) {
    const auto text = value.to_text();
    const auto whole = value.as_int64();
    const auto date = value.as_numeric_date();
    require(!whole || std::to_string(*whole) == text || text == "-0", "a whole number is what was written");
    require(!date || (*date >= 0 && *date <= 253402300799), "a date is in range");
    if (whole && *whole >= 0 && *whole <= 253402300799) {
        require(date == whole, "a whole number of seconds is a date");
    }
    require(!whole || *whole >= 0 || !date, "a negative number is no date");
}

/// Goes through everything below a value. @return how many values and keys there are
std::size_t check_value(const Value& value, const Limits& limits, std::size_t depth) {
    std::size_t count = 1;
    std::size_t children = 0;
    std::size_t strings = 0;
    value.for_each_member([&](std::string_view name, Value member) {
        check_text(name, limits);
        const auto found = value.find(name);
        require(found && found->to_text() == member.to_text(), "find() finds the one member of a name");
        require(value.string_member(name) == member.as_string(), "string_member() is find() and as_string()");
        count += 1 + check_value(member, limits, depth + 1);
        ++children;
    });
    value.for_each_element([&](Value element) {
        strings += element.is_string() ? 1 : 0;
        count += check_value(element, limits, depth + 1);
        ++children;
    });
    require(children == value.size(), "size() counts the children");
    const bool is_container = value.is_object() || value.is_array();
    require(!is_container || depth < limits.max_depth, "nothing is deeper than the limit");
    require(is_container || children == 0, "a scalar has no children");
    require(value.as_strings().has_value() == (value.is_array() && strings == children), "as_strings() takes arrays of strings only");
    require(value.as_string().has_value() == value.is_string(), "only a string is a string");
    require(value.as_bool().has_value() == (value.type() == Value::Type::boolean), "only a boolean is a boolean");
    if (value.type() == Value::Type::number) {
        check_number(value);
    } else {
        require(!value.as_int64() && !value.as_numeric_date(), "only a number is a number");
    }
    if (const auto text = value.as_string()) {
        check_text(*text, limits);
    }
    return count;
}

void check_quoted(std::string_view input) {
    const auto document = Document::parse(proconnect::json::quoted(input), {.max_bytes = 8 * input.size() + 16, .max_string_bytes = 3 * input.size() + 16});
    if (input.contains('\0')) {
        require(!document, "NUL is not accepted, escaped neither");
        return;
    }
    require(document && document->root().is_string(), "a quoted text is a JSON string");
    if (proconnect::json::is_valid_utf8(input)) {
        require(document->root().as_string() == input, "a quoted text is read back as it was");
    }
}

Verdict judge(std::string_view input) {
    check_quoted(input);
    const auto document = Document::parse(input);
    const auto small = Document::parse(input, kSmall);
    const auto object = Document::parse_object(input);
    require(object.has_value() == (document && document->root().is_object()), "parse_object() takes objects only");
    if (!document) {
        require(!small, "smaller limits accept less");
        require(document.error().code == proconnect::core::ErrorCode::provider_json_malformed, "JSON is refused as JSON");
        return Verdict::refused;
    }
    require(check_value(document->root(), {}, 0) <= Limits{}.max_values, "values and keys are within the limit");
    const auto text = document->root().to_text();
    if (small) {
        require(input.size() <= kSmall.max_bytes && check_value(small->root(), kSmall, 0) <= kSmall.max_values, "small limits hold");
        require(small->root().to_text() == text, "limits do not change the content");
    }
    const auto again = Document::parse(text, {.max_bytes = 8 * input.size() + 16});
    require(again && again->root().to_text() == text, "what is written reads as the same again");
    return Verdict::accepted;
}

const Registration kTarget{"json", judge};

}  // namespace
