#pragma once
#include <cstdint>
#include <string_view>

#include "json/document.hpp"

namespace proconnect::json {

/// One value. The nodes of a document lie in one vector in the order of the text: the children of a node follow it, and
/// `extent` leads from any node to its next sibling. Texts point into the document's own copy of the input.
struct Node {
    Value::Type type = Value::Type::null;
    bool boolean = false;
    std::uint32_t size = 0;    ///< children
    std::uint32_t extent = 1;  ///< nodes of this value, itself included
    std::string_view name{};   ///< of a member of an object
    std::string_view text{};   ///< a decoded string, or a number as it was written
};

/// The node behind a Value.
inline const Node& node_at(const void* node) noexcept { return *static_cast<const Node*>(node); }

}  // namespace proconnect::json
