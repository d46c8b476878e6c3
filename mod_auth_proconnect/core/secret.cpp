#include "core/secret.hpp"

#include <strings.h>

#include <cstring>

namespace proconnect::core {

void wipe(void* memory, std::size_t size) noexcept {
    if (memory != nullptr && size != 0) {
        ::explicit_bzero(memory, size);
    }
}

void Secret::wipe_value() noexcept {
    // The capacity, not the size: a shortened string still holds its old tail.
    wipe(value_.data(), value_.capacity());
    value_.clear();
}

// std::string's small buffer is copied on move and the source keeps its bytes, hence the wipe of the source.
Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) {
    other.wipe_value();
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe_value();
        value_ = std::move(other.value_);
        other.wipe_value();
    }
    return *this;
}

}  // namespace proconnect::core
