#include "session/snapshot.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <iterator>

#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using core::ErrorCode;
using session::Part;
using session::ShmStore;
using session::load_snapshot;
using session::write_snapshot;
using test::bytes_of;
using test::head_at;
using test::id_of;
using test::kNow;
using test::part_of;
using test::realm_of;
using test::Table;
namespace fs = std::filesystem;

namespace {

class Directory {
public:
    Directory() {
        std::string name = (fs::temp_directory_path() / "proconnect-snapshot-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Directory() { fs::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] fs::path file() const { return path_ / "sessions"; }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator{path_}, fs::directory_iterator{}));
    }

private:
    fs::path path_;
};

crypto::Key256 key_of(std::uint8_t mark) {
    crypto::Key256 key;
    key.fill(mark);
    return key;
}

const crypto::Key256 kKey = key_of(1);

void put(ShmStore& store, std::uint64_t number, const std::string& content, core::UnixTime used = kNow) {
    auto head = head_at();
    head.last_used = used;
    store.create(id_of(number), head, bytes_of(content), bytes_of("tokens " + std::to_string(number)), kNow).value();
}

std::string read(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void write(const fs::path& path, std::string_view content) {
    {
        std::ofstream file{path, std::ios::binary | std::ios::trunc};
        file << content;
    }
    ::chmod(path.c_str(), 0600);
}

/// A file with two sessions.
std::string small_snapshot(const fs::path& path) {
    Table table{10};
    put(table.store, 1, "first");
    put(table.store, 2, "second");
    BOOST_REQUIRE(write_snapshot(table.store, path, kKey, kNow).has_value());
    return read(path);
}

/// That the file is not used at all. @return the reason given
std::string refusal(const fs::path& path, const crypto::Key256& key = kKey) {
    Table table{10};
    const auto loaded = load_snapshot(table.store, path, key, kNow);
    BOOST_REQUIRE(!loaded.has_value());
    BOOST_TEST((loaded.error().code == ErrorCode::snapshot_unusable));
    BOOST_TEST(table.store.statistics()->live == 0U);
    return loaded.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot)

BOOST_AUTO_TEST_CASE(brings_every_session_back_as_it_was) {
    const Directory directory;
    Table before{3000};
    for (std::uint64_t number = 0; number < 3000; ++number) {
        auto head = head_at();
        head.serial = number + 1;
        head.idle = std::chrono::seconds{number % 2 * 3600};
        head.last_used = kNow - std::chrono::seconds{number % 600};
        before.store.create(id_of(number), head, bytes_of(std::string(number, 'a')), bytes_of("t" + std::to_string(number)), kNow).value();
    }
    const auto written = write_snapshot(before.store, directory.file(), kKey, kNow).value();
    BOOST_TEST(written.sessions == 3000U);
    BOOST_TEST(directory.entries() == 1U);

    Table after{3000};
    const auto loaded = load_snapshot(after.store, directory.file(), kKey, kNow).value();
    BOOST_TEST(loaded.found);
    BOOST_TEST(loaded.sessions == 3000U);
    BOOST_TEST(loaded.expired + loaded.dropped == 0U);
    for (std::uint64_t number = 0; number < 3000; ++number) {
        test::VectorBuffer buffer;
        const auto head = after.store.find(id_of(number), realm_of('r'), Part::attributes, buffer, kNow, session::Touch::no).value().value();
        BOOST_TEST((buffer.text() == std::string(number, 'a')));
        BOOST_TEST((head.serial == number + 1 && head.idle.count() == static_cast<std::int64_t>(number % 2 * 3600) && head.subject == head_at().subject &&
                    head.created == kNow && head.expires == kNow + 12h && head.last_used == kNow - std::chrono::seconds{number % 600}));
        BOOST_TEST(part_of(after.store, id_of(number), Part::tokens).value() == "t" + std::to_string(number));
    }
    BOOST_TEST(test::problem_of(after.store) == "");
}

BOOST_AUTO_TEST_CASE(a_session_opens_with_its_cookie_afterwards) {
    const Directory directory;
    Table before{10};
    const auto handle = session::create_session(before.store, head_at(), {{.claim = "sub", .value = "alice"}}, {}, kNow).value();
    BOOST_REQUIRE(write_snapshot(before.store, directory.file(), kKey, kNow).has_value());
    BOOST_TEST(!read(directory.file()).contains("alice"));
    Table after{10};
    BOOST_REQUIRE(load_snapshot(after.store, directory.file(), kKey, kNow).has_value());
    test::VectorBuffer buffer;
    const auto opened = session::open_session(after.store, handle, realm_of('r'), Part::attributes, buffer, kNow, session::Touch::no).value();
    BOOST_TEST(session::AttributeBlock::parse(opened.value().plaintext).value().find("PROCONNECT_SUB").value().value_view == "alice");
}

BOOST_AUTO_TEST_CASE(of_the_largest_records_and_of_none_is_read_again) {
    const Directory directory;
    Table empty{10};
    BOOST_TEST(write_snapshot(empty.store, directory.file(), kKey, kNow).value().sessions == 0U);
    BOOST_TEST(load_snapshot(empty.store, directory.file(), kKey, kNow).value().sessions == 0U);
    Table large{100};
    const std::string most(session::SessionStore::kMaxPartBytes, 'm');
    for (std::uint64_t number = 0; number < 2; ++number) {
        large.store.create(id_of(number), head_at(), bytes_of(most), bytes_of(most), kNow).value();
    }
    large.store.create(id_of(9), head_at(), {}, {}, kNow).value();
    BOOST_TEST(write_snapshot(large.store, directory.file(), kKey, kNow).value().sessions == 3U);
    Table after{100};
    BOOST_TEST(load_snapshot(after.store, directory.file(), kKey, kNow).value().sessions == 3U);
    BOOST_TEST((part_of(after.store, id_of(1), Part::tokens).value() == most));
}

BOOST_AUTO_TEST_CASE(that_is_not_there_is_no_failure) {
    const Directory directory;
    Table table{10};
    BOOST_TEST(!load_snapshot(table.store, directory.file(), kKey, kNow).value().found);
    BOOST_TEST(!load_snapshot(table.store, directory.file() / "no" / "such", kKey, kNow).value().found);
}

BOOST_AUTO_TEST_CASE(expired_sessions_are_neither_written_nor_loaded) {
    const Directory directory;
    Table table{10};
    put(table.store, 1, "x", kNow - 59min);
    put(table.store, 2, "x", kNow - 30min);
    put(table.store, 3, "x");
    const auto written = write_snapshot(table.store, directory.file(), kKey, kNow + 5min).value();
    BOOST_TEST(written.sessions == 2U);
    BOOST_TEST(written.expired == 1U);
    Table after{10};
    const auto loaded = load_snapshot(after.store, directory.file(), kKey, kNow + 45min).value();
    BOOST_TEST(loaded.sessions == 1U);
    BOOST_TEST(loaded.expired == 1U);
    BOOST_TEST(load_snapshot(after.store, directory.file(), kKey, kNow + 24h).value().expired == 2U);
}

BOOST_AUTO_TEST_CASE(sessions_ended_while_another_table_takes_over_stay_ended) {
    const Directory directory;
    Table table{10};
    Table larger{1000};
    put(table.store, 1, "x");
    put(table.store, 2, "x");
    larger.store.copy_from(table.store, kNow).value();
    BOOST_TEST(larger.store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(write_snapshot(larger.store, directory.file(), kKey, kNow).value().sessions == 1U);
}

BOOST_AUTO_TEST_CASE(a_smaller_table_keeps_those_used_last) {
    const Directory directory;
    Table before{100};
    for (std::uint64_t number = 0; number < 100; ++number) {
        put(before.store, number, std::string(900, 'x'), kNow - std::chrono::seconds{number * 37 % 100});
    }
    BOOST_REQUIRE(write_snapshot(before.store, directory.file(), kKey, kNow).has_value());
    Table after{30};
    const auto loaded = load_snapshot(after.store, directory.file(), kKey, kNow).value();
    BOOST_TEST(loaded.sessions == 30U);
    BOOST_TEST(loaded.dropped == 70U);
    for (std::uint64_t number = 0; number < 100; ++number) {
        BOOST_TEST(part_of(after.store, id_of(number), Part::attributes).has_value() == (number * 37 % 100 < 30));
    }
}

BOOST_AUTO_TEST_CASE(a_session_that_is_known_already_is_left_as_it_is) {
    const Directory directory;
    small_snapshot(directory.file());
    Table table{10};
    put(table.store, 1, "newer");
    const auto loaded = load_snapshot(table.store, directory.file(), kKey, kNow).value();
    BOOST_TEST(loaded.sessions == 1U);
    BOOST_TEST(part_of(table.store, id_of(1), Part::attributes).value() == "newer");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(snapshot_refusals)

BOOST_AUTO_TEST_CASE(torn_at_any_byte) {
    const Directory directory;
    const std::string whole = small_snapshot(directory.file());
    BOOST_TEST(whole.size() < 1000U);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write(directory.file(), whole.substr(0, size));
        refusal(directory.file());
    }
}

BOOST_AUTO_TEST_CASE(changed_at_any_byte) {
    const Directory directory;
    const std::string whole = small_snapshot(directory.file());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const int bit : {0, 3, 7}) {
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            write(directory.file(), changed);
            refusal(directory.file());
        }
    }
}

BOOST_AUTO_TEST_CASE(longer_than_it_was_written) {
    const Directory directory;
    const std::string whole = small_snapshot(directory.file());
    for (const std::string& more : {std::string(1, '\0'), whole, std::string(100'000, 'x')}) {
        write(directory.file(), whole + more);
        BOOST_TEST(refusal(directory.file()) == "session snapshot does not end where it should");
    }
}

BOOST_AUTO_TEST_CASE(with_blocks_missing_repeated_or_from_another_file) {
    // Each file: 24 bytes of header and 32 of MAC, one block of records, the last block of 8 + 8 + 32.
    const Directory directory;
    constexpr std::size_t kHead = 24 + 32;
    constexpr std::size_t kTail = 8 + 8 + 32;
    const std::string one = small_snapshot(directory.file());
    Table table{10};
    put(table.store, 3, "third");
    put(table.store, 4, "fourth");
    BOOST_REQUIRE(write_snapshot(table.store, directory.file(), kKey, kNow + 1s).has_value());
    const std::string other = read(directory.file());
    const std::string block = one.substr(kHead, one.size() - kHead - kTail);
    const std::string tail = one.substr(one.size() - kTail);
    for (const std::string& made :
         {one.substr(0, kHead) + tail, one.substr(0, kHead) + block + block + tail, one.substr(0, kHead) + tail + block, other.substr(0, kHead) + block + tail,
          one.substr(0, kHead) + other.substr(kHead), one.substr(0, one.size() - kTail) + other.substr(other.size() - kTail)}) {
        write(directory.file(), made);
        refusal(directory.file());
    }
}

BOOST_AUTO_TEST_CASE(under_another_key) {
    const Directory directory;
    small_snapshot(directory.file());
    BOOST_TEST(refusal(directory.file(), key_of(2)) == "session snapshot changed, or of another server key");
}

BOOST_AUTO_TEST_CASE(of_another_version_or_no_snapshot_at_all) {
    const Directory directory;
    std::string content = small_snapshot(directory.file());
    content[8] = 2;
    write(directory.file(), content);
    BOOST_TEST(refusal(directory.file()) == "session snapshot of another version");
    write(directory.file(), "");
    BOOST_TEST(refusal(directory.file()) == "not a session snapshot");
    write(directory.file(), std::string(1'000'000, 'x'));
    BOOST_TEST(refusal(directory.file()) == "not a session snapshot");
}

BOOST_AUTO_TEST_CASE(that_others_may_read_or_write) {
    const Directory directory;
    small_snapshot(directory.file());
    for (const mode_t mode : {0644, 0640, 0604, 0620, 0602, 0610, 0601}) {
        ::chmod(directory.file().c_str(), mode);
        BOOST_TEST(refusal(directory.file()) == directory.file().string() + ": others than its owner have access");
    }
    ::chmod(directory.file().c_str(), 0400);
    Table table{10};
    BOOST_TEST(load_snapshot(table.store, directory.file(), kKey, kNow).value().sessions == 2U);
}

BOOST_AUTO_TEST_CASE(of_another_owner) {
    const Directory directory;
    small_snapshot(directory.file());
    if (::chown(directory.file().c_str(), 12345, 12345) != 0) {
        BOOST_TEST_MESSAGE("not allowed to give a file away: nothing tested");
        return;
    }
    BOOST_TEST(refusal(directory.file()) == directory.file().string() + ": belongs to another user");
}

BOOST_AUTO_TEST_CASE(that_are_links_pipes_or_directories) {
    const Directory directory;
    const fs::path target = directory.file().parent_path() / "target";
    small_snapshot(target);
    fs::create_symlink(target, directory.file());
    BOOST_TEST(refusal(directory.file()).starts_with(directory.file().string()));
    fs::remove(directory.file());
    BOOST_REQUIRE(::mkfifo(directory.file().c_str(), 0600) == 0);
    BOOST_TEST(refusal(directory.file()) == directory.file().string() + ": not a regular file");
    fs::remove(directory.file());
    fs::create_directory(directory.file());
    BOOST_TEST(refusal(directory.file()) == directory.file().string() + ": not a regular file");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(snapshot_writing)

BOOST_AUTO_TEST_CASE(makes_a_file_for_its_owner_only) {
    const Directory directory;
    const mode_t former = ::umask(0);
    small_snapshot(directory.file());
    ::umask(former);
    struct stat status {};
    BOOST_REQUIRE(::stat(directory.file().c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0600U);
}

BOOST_AUTO_TEST_CASE(replaces_the_former_file_and_what_a_killed_writer_left) {
    const Directory directory;
    write(directory.file(), "something old");
    write(directory.file().string() + ".new", "half a snapshot");
    small_snapshot(directory.file());
    BOOST_TEST(directory.entries() == 1U);
}

BOOST_AUTO_TEST_CASE(writes_through_no_link) {
    const Directory directory;
    const fs::path precious = directory.file().parent_path() / "precious";
    write(precious, "precious");
    fs::create_symlink(precious, directory.file());
    fs::create_symlink(precious, directory.file().string() + ".new");
    small_snapshot(directory.file());
    BOOST_TEST(read(precious) == "precious");
    BOOST_TEST(!fs::is_symlink(directory.file()));
}

BOOST_AUTO_TEST_CASE(fails_plainly_where_nothing_can_be_written) {
    const Directory directory;
    Table table{10};
    const auto failed = write_snapshot(table.store, directory.file().parent_path() / "no" / "sessions", kKey, kNow);
    BOOST_TEST((failed.error().code == ErrorCode::snapshot_unusable));
    fs::create_directory(directory.file());
    BOOST_TEST(!write_snapshot(table.store, directory.file(), kKey, kNow).has_value(), "a directory stands in its place");
    BOOST_TEST(!fs::exists(directory.file().string() + ".new"));
}

BOOST_AUTO_TEST_CASE(keeps_the_former_file_when_the_disk_is_full) {
    const Directory directory;
    const std::string former = small_snapshot(directory.file());
    Table table{100};
    for (std::uint64_t number = 0; number < 100; ++number) {
        put(table.store, number, std::string(900, 'x'));
    }
    // A limit on the size of files stands for a full disk; in a child, because it cannot be taken back by everybody.
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{50'000, 50'000};
        const bool limited = ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
        const auto failed = write_snapshot(table.store, directory.file(), kKey, kNow);
        ::_exit(limited && !failed.has_value() && failed.error().code == ErrorCode::snapshot_unusable ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    BOOST_TEST(read(directory.file()) == former);
    BOOST_TEST(directory.entries() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
