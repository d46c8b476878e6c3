// Typed access to a parsed document, see document.hpp.
#include <charconv>
#include <cmath>

#include "json/document.hpp"
#include "json/node.hpp"

namespace proconnect::json {
namespace {

void write_value(Writer& writer, const Node& node) {
    switch (node.type) {
        case Value::Type::null: writer.null(); return;
        case Value::Type::boolean: writer.boolean(node.boolean); return;
        case Value::Type::number: writer.raw(node.text); return;
        case Value::Type::string: writer.string(node.text); return;
        case Value::Type::array: writer.begin_array(); break;
        case Value::Type::object: writer.begin_object(); break;
    }
    const Node* child = &node + 1;
    for (std::uint32_t i = 0; i < node.size; ++i, child += child->extent) {
        if (node.type == Value::Type::object) {
            writer.key(child->name);
        }
        write_value(writer, *child);  // as deep as the limit the document was parsed with
    }
    if (node.type == Value::Type::object) {
        writer.end_object();
    } else {
        writer.end_array();
    }
}

}  // namespace

Value::Type Value::type() const noexcept {
    return node_at(node_).type;
}

std::optional<std::string_view> Value::as_string() const noexcept {
    const Node& node = node_at(node_);
    return node.type == Type::string ? std::optional{node.text} : std::nullopt;
}

std::optional<bool> Value::as_bool() const noexcept {
    const Node& node = node_at(node_);
    return node.type == Type::boolean ? std::optional{node.boolean} : std::nullopt;
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
    const Node& node = node_at(node_);
    std::int64_t number = 0;
    const char* const end = node.text.data() + node.text.size();
    if (node.type != Type::number) {
        return std::nullopt;
    }
    const auto [stop, error] = std::from_chars(node.text.data(), end, number);
    return error == std::errc{} && stop == end ? std::optional{number} : std::nullopt;
}

std::optional<std::int64_t> Value::as_numeric_date() const noexcept {
    constexpr double kLast = 253402300799.0;  // every whole second up to here is exact in a double
    const Node& node = node_at(node_);
    double number = 0;
    if (node.type != Type::number) {
        return std::nullopt;
    }
    // Reads the whole text: the grammar of JSON numbers is part of the one of from_chars().
    const auto error = std::from_chars(node.text.data(), node.text.data() + node.text.size(), number).ec;
    // Written so that a NaN would be refused.
    if (error != std::errc{} || !(number >= 0 && std::floor(number) <= kLast)) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(number);
}

std::optional<Value> Value::find(std::string_view name) const noexcept {
    const Node& node = node_at(node_);
    if (node.type != Type::object) {
        return std::nullopt;
    }
    const Node* child = &node + 1;
    for (std::uint32_t i = 0; i < node.size; ++i, child += child->extent) {
        if (child->name == name) {
            return Value{child};
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> Value::string_member(std::string_view name) const noexcept {
    const auto member = find(name);
    return member ? member->as_string() : std::nullopt;
}

std::size_t Value::size() const noexcept {
    return node_at(node_).size;
}

void Value::for_each_member(const std::function<void(std::string_view name, Value value)>& visit) const {
    const Node& node = node_at(node_);
    if (node.type != Type::object) {
        return;
    }
    const Node* child = &node + 1;
    for (std::uint32_t i = 0; i < node.size; ++i, child += child->extent) {
        visit(child->name, Value{child});
    }
}

void Value::for_each_element(const std::function<void(Value value)>& visit) const {
    const Node& node = node_at(node_);
    if (node.type != Type::array) {
        return;
    }
    const Node* child = &node + 1;
    for (std::uint32_t i = 0; i < node.size; ++i, child += child->extent) {
        visit(Value{child});
    }
}

std::optional<std::vector<std::string_view>> Value::as_strings() const {
    if (!is_array()) {
        return std::nullopt;
    }
    std::vector<std::string_view> strings;
    for_each_element([&](Value element) {
        if (const auto text = element.as_string()) {
            strings.push_back(*text);
        }
    });
    return strings.size() == size() ? std::optional{std::move(strings)} : std::nullopt;
}

std::string Value::to_text() const {
    Writer writer;
    write_value(writer, node_at(node_));
    return writer.take();
}

}  // namespace proconnect::json
