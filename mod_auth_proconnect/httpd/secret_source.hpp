#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <apr_pools.h>

#include "core/secret.hpp"

namespace proconnect::httpd {

/// Reads a secret given as file:PATH, exec:PROGRAM, env:NAME or the value itself. One final line end is cut off; anything that would
/// be a mistake (empty, several lines, white space at the ends, over 4096 bytes) is refused with the end of a sentence.
struct SecretSource {
    enum class Kind { file, program, environment, literal };
    Kind kind = Kind::literal;
    std::string name;     ///< path, command or variable; empty for a literal
    std::string literal;

    /// For messages: the name without the arguments of a command, which may be secret too.
    [[nodiscard]] std::string shown() const { return kind == Kind::program ? name.substr(0, name.find(' ')) : name; }
};
/// The prefixes in any case. An unknown one, a path without one and an empty one are mistakes: the end of a sentence that says what to write.
[[nodiscard]] std::expected<SecretSource, std::string> parse_secret_source(std::string_view text);

/// PATH or file:PATH, where nothing but a file is possible.
[[nodiscard]] std::string path_of_file(std::string_view text);

std::expected<core::Secret, std::string> read_secret(const SecretSource& source, apr_pool_t* pool);

/// A whole file of at most `max_bytes`, for keys and secrets. `owner_only` refuses one that belongs to neither root nor us, or that group
/// or others can reach.
enum class FileAccess { any, owner_only };
std::expected<core::Secret, std::string> read_secret_file(const std::string& path, std::size_t max_bytes, FileAccess access = FileAccess::any);

/// Whether others than its owner and group may read the file.
[[nodiscard]] bool is_world_readable(const std::string& path);

/// Who can reach a file with a secret that should not, each as the end of a sentence that says what to write: "can be read by everybody on this machine; write …".
[[nodiscard]] std::vector<std::string> weaknesses_of_secret_file(const std::string& path);
/// The same of a program that prints one; it may be read.
[[nodiscard]] std::vector<std::string> weaknesses_of_program(const std::string& path);

}  // namespace proconnect::httpd
