#pragma once
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <apr_pools.h>
#include <apr_strings.h>

namespace proconnect::httpd {

/// Makes a C++ object that lives as long as the pool: its destructor runs as a pool cleanup.
/// APR aligns to 8 bytes only, hence the check.
template <typename T, typename... Args>
T* pool_make(apr_pool_t* pool, Args&&... args) {
    static_assert(alignof(T) <= 8, "APR aligns to 8 bytes");
    void* memory = apr_palloc(pool, sizeof(T));
    if (memory == nullptr) {
        throw std::bad_alloc{};
    }
    T* object = new (memory) T(std::forward<Args>(args)...);
    if constexpr (std::is_trivially_destructible_v<T>) {
        return object;
    }
    apr_pool_cleanup_register(
        pool, object,
        [](void* data) noexcept __attribute__((hot)) -> apr_status_t {
            static_cast<T*>(data)->~T();
            return APR_SUCCESS;
        },
        apr_pool_cleanup_null);
    return object;
}

/// A NUL-terminated copy in the pool.
inline char* pool_copy(apr_pool_t* pool, std::string_view text) {
    return apr_pstrmemdup(pool, text.data(), text.size());
}

}  // namespace proconnect::httpd
