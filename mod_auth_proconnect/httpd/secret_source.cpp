#include "httpd/secret_source.hpp"

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <unixd.h>

namespace proconnect::httpd {
namespace {

constexpr std::size_t kMaxSecretBytes = 4096;

std::expected<core::Secret, std::string> read_all(int descriptor, std::size_t max_bytes) {
    std::string content(max_bytes + 1, '\0');
    std::size_t used = 0;
    while (used < content.size()) {
        const ssize_t count = ::read(descriptor, content.data() + used, content.size() - used);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            core::wipe(content.data(), content.size());
            return std::unexpected(std::string{"cannot be read: "} + std::strerror(errno));
        }
        if (count == 0) {
            break;
        }
        used += static_cast<std::size_t>(count);
    }
    if (used > max_bytes) {
        core::wipe(content.data(), content.size());
        return std::unexpected("is larger than " + std::to_string(max_bytes) + " bytes");
    }
    core::Secret secret{content.substr(0, used)};
    core::wipe(content.data(), content.size());
    return secret;
}

/// One for all that a program may do: each wait gets what is left.
class Deadline {
public:
    static constexpr int kSeconds = 10;
    [[nodiscard]] apr_interval_time_t left() const { return std::max<apr_interval_time_t>(std::chrono::duration_cast<std::chrono::microseconds>(end_ - std::chrono::steady_clock::now()).count(), 0); }

private:
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + std::chrono::seconds{kSeconds};
};

/// Up to the end, the deadline, or more than any secret has.
apr_status_t read_output(apr_file_t* pipe, const Deadline& deadline, std::string& output) {
    char chunk[512];
    apr_status_t status = APR_SUCCESS;
    while (output.size() <= kMaxSecretBytes && status == APR_SUCCESS) {
        const auto left = deadline.left();
        if (left == 0) {
            status = APR_TIMEUP;
            break;
        }
        apr_size_t count = sizeof chunk;
        apr_file_pipe_timeout_set(pipe, left);
        if ((status = apr_file_read(pipe, chunk, &count)) == APR_SUCCESS) {
            output.append(chunk, count);
        }
    }
    core::wipe(chunk, sizeof chunk);
    return status;
}

enum class Ending { ended, late, unseen };

Ending wait_for_end(apr_proc_t& process, const Deadline& deadline, int& exit_code, apr_exit_why_e& why) {
    constexpr apr_interval_time_t kPause = 10 * 1000;
    for (;;) {
        switch (apr_proc_wait(&process, &exit_code, &why, APR_NOWAIT)) {
            case APR_CHILD_DONE: return Ending::ended;
            case APR_CHILD_NOTDONE: break;
            default: return Ending::unseen;   // somebody else was told; its number may be another process's by now
        }
        if (deadline.left() == 0) {
            return Ending::late;
        }
        apr_sleep(kPause);
    }
}

std::expected<core::Secret, std::string> run_program(const std::string& command, apr_pool_t* pool) {
    char** arguments = nullptr;
    apr_procattr_t* attributes = nullptr;
    apr_proc_t process{};
    if (apr_tokenize_to_argv(command.c_str(), &arguments, pool) != APR_SUCCESS || arguments[0] == nullptr || arguments[0][0] != '/') {
        return std::unexpected(std::string{"must name a program by its full path"});
    }
    if (apr_procattr_create(&attributes, pool) != APR_SUCCESS || apr_procattr_io_set(attributes, APR_NO_PIPE, APR_FULL_BLOCK, APR_NO_PIPE) != APR_SUCCESS ||
        apr_procattr_cmdtype_set(attributes, APR_PROGRAM) != APR_SUCCESS || apr_proc_create(&process, arguments[0], arguments, nullptr, attributes, pool) != APR_SUCCESS) {
        return std::unexpected(std::string{"cannot be started"});
    }
    // A program that hangs must not keep httpd from starting, whether it says nothing, goes on for ever, or closes its output and stays.
    const Deadline deadline;
    std::string output;
    output.reserve(kMaxSecretBytes + 512);   // grown step by step, it would leave copies behind
    const apr_status_t status = read_output(process.out, deadline, output);
    apr_file_close(process.out);
    core::Secret secret{std::move(output)};
    int exit_code = 0;
    apr_exit_why_e why{};
    const Ending ending = wait_for_end(process, deadline, exit_code, why);
    if (ending == Ending::unseen) {
        return std::unexpected(std::string{"cannot be seen to end, so nobody knows whether it failed: httpd must not be started with SIGCHLD ignored"});
    }
    if (ending == Ending::late) {
        apr_proc_kill(&process, SIGKILL);
        apr_proc_wait(&process, &exit_code, &why, APR_WAIT);
        return std::unexpected((APR_STATUS_IS_TIMEUP(status) ? "gave no answer within " : "did not end within ") + std::to_string(Deadline::kSeconds) + " seconds");
    }
    if (!APR_PROC_CHECK_EXIT(why) || exit_code != 0) {
        return std::unexpected("ended with status " + std::to_string(exit_code));
    }
    if (APR_STATUS_IS_TIMEUP(status)) {
        return std::unexpected(std::string{"left its output open to another program"});
    }
    return secret;
}

std::expected<core::Secret, std::string> trimmed(core::Secret raw) {
    std::string_view text = raw.reveal();
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
        if (text.ends_with('\r')) {
            text.remove_suffix(1);
        }
    }
    if (text.empty()) {
        return std::unexpected(std::string{"is empty"});
    }
    if (text.size() > kMaxSecretBytes) {
        return std::unexpected(std::string{"is longer than 4096 bytes"});
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7f) {
            return std::unexpected(std::string{"holds spaces, several lines or characters outside ASCII; it must be the secret alone on one line"});
        }
    }
    return core::Secret{std::string{text}};
}

bool has_prefix(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

/// Who can change it that should not.
std::vector<std::string> weaknesses_of(const std::string& path, const std::string& remedy) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return {};
    }
    std::vector<std::string> found;
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        found.push_back("can be changed by others than its owner; write '" + remedy + path + "'");
    }
    // An ordinary user's httpd has children of his own.
    if (::geteuid() == 0 && status.st_uid != 0 && status.st_uid == ap_unixd_config.user_id) {
        found.push_back("belongs to the user of httpd's children, which whoever gets into one of them could read and change; write 'chown root " + path + "; " + remedy + path + "'");
    }
    return found;
}

}  // namespace

std::expected<SecretSource, std::string> parse_secret_source(std::string_view text) {
    static constexpr const char* kForms = "takes file:PATH, exec:PROGRAM, env:NAME, or the secret itself";
    const std::pair<std::string_view, SecretSource::Kind> prefixes[] = {
        {"file:", SecretSource::Kind::file}, {"exec:", SecretSource::Kind::program}, {"env:", SecretSource::Kind::environment}};
    for (const auto& [prefix, kind] : prefixes) {
        if (!has_prefix(text, prefix)) {
            continue;
        }
        if (text.size() == prefix.size()) {
            return std::unexpected(kForms + std::string{"; nothing stands after '"} + std::string{prefix} + "'");
        }
        return SecretSource{.kind = kind, .name = std::string{text.substr(prefix.size())}, .literal = {}};
    }
    // Sent to ProConnect as it stands, it would only be refused there, later.
    if (text.starts_with('/')) {
        return std::unexpected("is a path, not a secret; write 'file:" + std::string{text} + "'");
    }
    const auto letters = std::ranges::find_if_not(text, [](unsigned char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
    if (letters != text.begin() && letters != text.end() && *letters == ':') {
        return std::unexpected(kForms + std::string{"; '"} + std::string{text.begin(), letters} + ":' is none of them");
    }
    return SecretSource{.kind = SecretSource::Kind::literal, .name = {}, .literal = std::string{text}};
}

std::string path_of_file(std::string_view text) {
    constexpr std::string_view kPrefix = "file:";
    return std::string{has_prefix(text, kPrefix) ? text.substr(kPrefix.size()) : text};
}

std::expected<core::Secret, std::string> read_secret_file(const std::string& path, std::size_t max_bytes, FileAccess access) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return std::unexpected(std::string{"cannot be opened: "} + std::strerror(errno));
    }
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        ::close(descriptor);
        return std::unexpected(std::string{"is not a file"});
    }
    if (access == FileAccess::owner_only && ((status.st_uid != 0 && status.st_uid != ::geteuid()) || (status.st_mode & 077) != 0)) {
        ::close(descriptor);
        return std::unexpected("must belong to root and be closed to all others; write 'chown root " + path + "; chmod 600 " + path + "'");
    }
    auto content = read_all(descriptor, max_bytes);
    ::close(descriptor);
    return content;
}

std::expected<core::Secret, std::string> read_secret(const SecretSource& source, apr_pool_t* pool) {
    switch (source.kind) {
        case SecretSource::Kind::file: {
            auto content = read_secret_file(source.name, kMaxSecretBytes);
            return content ? trimmed(std::move(*content)) : std::move(content);
        }
        case SecretSource::Kind::program: {
            auto output = run_program(source.name, pool);
            return output ? trimmed(std::move(*output)) : std::move(output);
        }
        case SecretSource::Kind::environment: {
            const char* value = std::getenv(source.name.c_str());
            if (value == nullptr) {
                return std::unexpected(std::string{"is not set"});
            }
            return trimmed(core::Secret{value});
        }
        case SecretSource::Kind::literal:
            return trimmed(core::Secret{source.literal});
    }
    return std::unexpected(std::string{"is of an unknown kind"});
}

bool is_world_readable(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

std::vector<std::string> weaknesses_of_secret_file(const std::string& path) {
    auto found = weaknesses_of(path, "chmod 600 ");
    if (is_world_readable(path)) {
        found.insert(found.begin(), "can be read by everybody on this machine; write 'chmod 600 " + path + "'");
    }
    return found;
}

std::vector<std::string> weaknesses_of_program(const std::string& path) {
    return weaknesses_of(path, "chmod go-w ");
}

}  // namespace proconnect::httpd
