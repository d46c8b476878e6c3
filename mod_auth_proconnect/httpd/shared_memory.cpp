#include "httpd/shared_memory.hpp"

#include <apr_shm.h>
#include <http_config.h>

namespace proconnect::httpd {
namespace {

/// What httpd keeps for us between the generations of the module. Plain data only; the stamp stands for its layout, as a part of the key.
struct Retained {
    void* base;
    std::size_t size;
    void* replaced_base;
    std::size_t replaced_size;
};
constexpr unsigned kStamp = 0x50430001;

std::string key_of(const std::string& name) {
    return "mod_auth_proconnect:" + std::to_string(kStamp) + ":" + name;
}

Retained* retained(const std::string& name) {
    const auto key = key_of(name);
    void* data = ap_retained_data_get(key.c_str());
    if (data == nullptr) {
        data = ap_retained_data_create(key.c_str(), sizeof(Retained));
    }
    return static_cast<Retained*>(data);
}

std::span<std::byte> as_span(void* base, std::size_t size) {
    return {static_cast<std::byte*>(base), base == nullptr ? 0 : size};
}

}  // namespace

SharedSegment shared_segment(server_rec* s, const std::string& name, std::size_t bytes, bool replace) {
    auto* kept = retained(name);
    if (!replace && kept->base != nullptr && kept->size >= bytes) {
        return {.bytes = as_span(kept->base, kept->size), .is_new = false};
    }
    apr_shm_t* segment = nullptr;
    // Anonymous, so that no file name can be taken over by somebody else; children inherit it by fork.
    if (apr_shm_create(&segment, bytes, nullptr, s->process->pool) != APR_SUCCESS) {
        return {};
    }
    kept->replaced_base = kept->base;
    kept->replaced_size = kept->size;
    kept->base = apr_shm_baseaddr_get(segment);
    kept->size = apr_shm_size_get(segment);
    return {.bytes = as_span(kept->base, kept->size), .is_new = true};
}

std::span<std::byte> replaced_segment(const std::string& name) {
    const auto* kept = retained(name);
    return as_span(kept->replaced_base, kept->replaced_size);
}

}  // namespace proconnect::httpd
