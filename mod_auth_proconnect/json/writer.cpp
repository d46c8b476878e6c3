#include "json/document.hpp"
#include "json/utf8.hpp"

namespace proconnect::json {
namespace {

void append_quoted(std::string& out, std::string_view value) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.push_back('"');
    while (!value.empty()) {
        const std::size_t length = utf8_sequence_length(value);
        const char c = value.front();
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (length == 1 && c < 0x20) {
            out += "\\u00";
            out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
            out.push_back(kHex[static_cast<unsigned char>(c) & 0x0F]);
        } else {
            out.append(value.substr(0, length));
        }
        value.remove_prefix(length == 0 ? 1 : length);
    }
    out.push_back('"');
}

}  // namespace

void Writer::separate() {
    if (needs_comma_) {
        text_.push_back(',');
    }
    needs_comma_ = true;
}

Writer& Writer::begin_object() {
    separate();
    text_.push_back('{');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::end_object() {
    text_.push_back('}');
    needs_comma_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    separate();
    text_.push_back('[');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::end_array() {
    text_.push_back(']');
    needs_comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    append_quoted(text_, name);
    text_.push_back(':');
    needs_comma_ = false;
    return *this;
}

Writer& Writer::string(std::string_view value) {
    separate();
    append_quoted(text_, value);
    return *this;
}

Writer& Writer::number(std::int64_t value) {
    return raw(std::to_string(value));
}

Writer& Writer::boolean(bool value) {
    return raw(value ? "true" : "false");
}

Writer& Writer::null() {
    return raw("null");
}

Writer& Writer::raw(std::string_view json) {
    separate();
    text_.append(json);
    return *this;
}

std::string Writer::take() {
    needs_comma_ = false;
    return std::move(text_);
}

std::string quoted(std::string_view value) {
    std::string text;
    append_quoted(text, value);
    return text;
}

}  // namespace proconnect::json
