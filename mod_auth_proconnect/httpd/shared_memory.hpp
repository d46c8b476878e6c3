#pragma once
#include <cstddef>
#include <span>
#include <string>

#include <httpd.h>

namespace proconnect::httpd {

/// A segment of memory that all processes of this server share and that survives `graceful`: it belongs to the process pool of the parent and is found
/// again by name through httpd's retained data. What is kept there is its address and size only, never anything of the module's code, which is
/// unloaded in between.
struct SharedSegment {
    std::span<std::byte> bytes;
    bool is_new = false;      ///< zero-filled, made just now
};

/// The segment of that name, or a new one when there is none or it is smaller than `bytes` (the old one stays mapped for the old children).
/// @param replace  take a new one even if there is one: its content is of another version
/// @return an empty span when there is no memory
SharedSegment shared_segment(server_rec* s, const std::string& name, std::size_t bytes, bool replace = false);

/// The segment that shared_segment() last replaced under that name; empty when none.
std::span<std::byte> replaced_segment(const std::string& name);

}  // namespace proconnect::httpd
