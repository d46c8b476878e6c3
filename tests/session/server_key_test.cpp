#include "session/server_key.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace proconnect;
using session::ServerKey;

namespace {

std::vector<std::uint8_t> master(std::size_t size = 32, std::uint8_t fill = 7) {
    return std::vector<std::uint8_t>(size, fill);
}

/// Each key with the purpose it is derived for; changing one makes logins under way and snapshots unreadable.
std::vector<std::pair<std::string, crypto::Key256>> purposes(const ServerKey& key) {
    return {{"proconnect login ticket 1", key.login_ticket}, {"proconnect nonce 1", key.nonce},           {"proconnect code verifier 1", key.code_verifier},
            {"proconnect logout state 1", key.logout_state}, {"proconnect logout link 1", key.logout_link}, {"proconnect session name 1", key.session_name}, {"proconnect subject tag 1", key.subject_tag},
            {"proconnect snapshot 1", key.snapshot}, {"proconnect login mark 1", key.login_mark}};
}

std::string refusal(const std::vector<std::uint8_t>& bytes) {
    const auto key = ServerKey::derive(bytes);
    return key ? "accepted" : core::code_text(key.error().code);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_key)

BOOST_AUTO_TEST_CASE(derives_another_key_for_each_purpose) {
    const auto key = ServerKey::derive(master()).value();
    std::set<crypto::Key256> seen;
    for (const auto& [purpose, derived] : purposes(key)) {
        BOOST_TEST((derived == crypto::derive_key(master(), purpose).value()), purpose);
        seen.insert(derived);
    }
    BOOST_TEST(seen.size() == sizeof(ServerKey) / sizeof(crypto::Key256));
    BOOST_TEST(!seen.contains(crypto::Key256{}));
}

BOOST_AUTO_TEST_CASE(derives_other_keys_from_another_master) {
    auto other = master();
    other.back() ^= 1;
    const auto a = purposes(ServerKey::derive(master()).value());
    const auto b = purposes(ServerKey::derive(other).value());
    const auto again = purposes(ServerKey::derive(master()).value());
    for (std::size_t i = 0; i < a.size(); ++i) {
        BOOST_TEST((a[i].second != b[i].second), a[i].first);
        BOOST_TEST((a[i].second == again[i].second), a[i].first);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_master_of_any_other_length) {
    for (const std::size_t size : {0U, 1U, 16U, 31U, 33U, 64U, 4096U}) {
        BOOST_TEST(refusal(master(size)) == "PC5002", size);
    }
    BOOST_TEST(refusal(master(32)) == "accepted");
    BOOST_TEST(ServerKey::derive(master(31)).error().detail == "the server key must be exactly 32 bytes, not 31");
}

BOOST_AUTO_TEST_CASE(refuses_a_master_of_zero_bytes) {
    BOOST_TEST(refusal(master(32, 0)) == "PC5002");
    for (std::size_t i = 0; i < 32; ++i) {
        auto nearly = master(32, 0);
        nearly[i] = 1;
        BOOST_TEST(refusal(nearly) == "accepted");
    }
}

BOOST_AUTO_TEST_CASE(wipes_its_keys_at_the_end) {
    alignas(ServerKey) std::array<unsigned char, sizeof(ServerKey)> memory{};
    auto* const key = std::construct_at(reinterpret_cast<ServerKey*>(memory.data()), ServerKey::derive(master()).value());
    BOOST_TEST(std::ranges::any_of(memory, [](unsigned char byte) { return byte != 0; }));
    std::destroy_at(key);
    BOOST_TEST(std::ranges::all_of(memory, [](unsigned char byte) { return byte == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
