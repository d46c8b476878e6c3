// A snapshot of so many live sessions, for a server that is to start with them: nobody logs in a million times.
//
//   make_sessions ISSUER CLIENT_ID SERVER_KEY_FILE SNAPSHOT_FILE SESSIONS COOKIES
//
// Prints the cookies of COOKIES of them, spread over all, one a line.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "bench/typical_session.hpp"
#include "crypto/digest.hpp"
#include "session/server_key.hpp"
#include "session/snapshot.hpp"
#include "session/table.hpp"

using namespace proconnect;

namespace {

/// As the site itself names its sessions.
session::RealmTag realm_tag(const std::string& issuer, const std::string& client_id) {
    const auto digest = crypto::sha256("realm 1\n" + std::to_string(issuer.size()) + ':' + issuer + '\n' + client_id).value();
    session::RealmTag realm;
    std::copy_n(digest.begin(), realm.size(), realm.begin());
    return realm;
}

std::vector<std::uint8_t> read_file(const char* path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fputs("usage: make_sessions ISSUER CLIENT_ID SERVER_KEY_FILE SNAPSHOT_FILE SESSIONS COOKIES\n", stderr);
        return 2;
    }
    crypto::initialize().value();
    const auto key = session::ServerKey::derive(read_file(argv[3])).value();
    const std::size_t sessions = std::strtoul(argv[5], nullptr, 10);
    const std::size_t cookies = std::min<std::size_t>(sessions, std::strtoul(argv[6], nullptr, 10));
    test::Table table{std::max<std::size_t>(sessions, 1)};
    const auto now = core::now();
    const auto claims = bench::default_claims();
    const auto id_token = bench::typical_id_token();
    auto head = test::head_at(now);
    head.realm = realm_tag(argv[1], argv[2]);
    for (std::size_t i = 0; i < sessions; ++i) {
        const auto handle = session::create_session(table.store, head, claims, bench::typical_tokens(id_token), now).value();
        if (cookies != 0 && i % (sessions / cookies) == 0 && i / (sessions / cookies) < cookies) {
            std::puts(handle.cookie_value().c_str());
        }
    }
    return session::write_snapshot(table.store, argv[4], key.snapshot, now).value().sessions == sessions ? 0 : 1;
}
