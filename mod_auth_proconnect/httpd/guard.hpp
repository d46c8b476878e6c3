#pragma once
#include <exception>

#include <httpd.h>

#include "httpd/log.hpp"

namespace proconnect::httpd {

/// Runs the body of a hook. An exception never reaches httpd, which is C: it is logged as PC9001 and answered 500, never DECLINED,
/// because declining would let the request pass.
template <typename Body>
int guarded(request_rec* r, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::exception& exception) {
        log_internal_error(r, exception.what());
    } catch (...) {
        log_internal_error(r, "unknown exception");
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

/// The same for hooks without a request (start, timers).
template <typename Result, typename Body>
Result guarded(const server_rec* s, Result on_failure, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::exception& exception) {
        log_internal_error(s, exception.what());
    } catch (...) {
        log_internal_error(s, "unknown exception");
    }
    return on_failure;
}

/// The same for the callbacks that make the objects of the configuration. They cannot fail: httpd ends the process when it has no memory, and so do they.
template <typename Body>
void* guarded_configuration(apr_pool_t* pool, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::exception& exception) {
        log_and_end_process(pool, exception.what());
    } catch (...) {
        log_and_end_process(pool, "unknown exception");
    }
}

/// The same for directive setters, whose failure is a message.
template <typename Body>
const char* guarded_setter(Body&& body) noexcept {
    try {
        return body();
    } catch (...) {
        return "internal error (PC9001) while reading this directive";
    }
}

}  // namespace proconnect::httpd
