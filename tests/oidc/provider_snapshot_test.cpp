#include "oidc/provider_snapshot.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

#include "oidc/provider_cache_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace proconnect::test::caches;
using oidc::export_text;
using oidc::import_text;

namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, what);
    return text.replace(at, what.size(), with);
}

struct Fixture : CacheFixture {
    SharedMemory new_memory{ProviderBoard::bytes_needed()};
    ProviderBoard new_board = ProviderBoard::create(new_memory.bytes(), kIssuer).value();

    std::string exported() {
        BOOST_REQUIRE(cache.current(kNow));
        return export_text(board, kIssuer).value();
    }
    void check_refused(std::string_view text) {
        const auto taken = import_text(new_board, kIssuer, text, kNow);
        BOOST_REQUIRE(!taken);
        BOOST_TEST(code_of(taken.error()) == core::code_text(core::ErrorCode::snapshot_unusable));
        BOOST_TEST(new_board.generation() == 0u);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(provider_snapshot, Fixture)

BOOST_AUTO_TEST_CASE(there_is_nothing_to_export_before_the_first_copy) {
    BOOST_TEST(!export_text(board, kIssuer));
}

BOOST_AUTO_TEST_CASE(carries_the_good_copy_over_a_full_stop_and_an_outage) {
    const std::string text = exported();
    const auto taken = import_text(new_board, kIssuer, text, kNow + 24h);
    BOOST_REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().detail));
    BOOST_TEST(*taken);
    client.go_down();
    ProviderCache started(new_board, client, kIssuer, 20s);
    const auto known = started.current(kNow + 24h);
    BOOST_REQUIRE(known);
    BOOST_TEST(key_names(**known) == "one");
    BOOST_TEST(client.requests() == 2, "no request since the export");
    BOOST_TEST((new_board.status()->jwks_fetched == kNow));
    BOOST_TEST(!started.refresh_if_due(kNow + 24h), "and it is due for a refresh at once");
    BOOST_TEST(export_text(new_board, kIssuer).value() == text);
}

BOOST_AUTO_TEST_CASE(never_replaces_what_a_board_already_has) {
    const std::string text = exported();
    client.jwks = [] { return good(jwks_text({"two"})); };
    BOOST_REQUIRE(cache.refresh_if_due(kNow + 1h));
    BOOST_TEST(!import_text(board, kIssuer, text, kNow + 1h).value());
    BOOST_TEST(key_names(**cache.current(kNow + 1h)) == "two");
}

BOOST_AUTO_TEST_CASE(takes_texts_of_the_largest_size_with_much_white_space) {
    const std::string jwks = jwks_text({"one"}) + std::string(ProviderBoard::kMaxJwksBytes - jwks_text({"one"}).size(), '\n');
    const std::string discovery = discovery_text() + std::string(ProviderBoard::kMaxDiscoveryBytes - discovery_text().size(), '\t');
    client.jwks = [&] { return good(jwks); };
    client.discovery = [&] { return good(discovery); };
    const auto taken = import_text(new_board, kIssuer, exported(), kNow);
    BOOST_REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().detail));
    BOOST_TEST((new_board.read()->jwks == jwks));
    BOOST_TEST((new_board.read()->discovery == discovery));
}

BOOST_AUTO_TEST_CASE(is_due_for_a_refresh_at_once_whatever_age_it_claims) {
    for (const auto now : {kNow, kNow + 1s, kNow + 1h, kNow + 24h, kNow - 24h}) {
        SharedMemory memory_of_start(ProviderBoard::bytes_needed());
        ProviderBoard board_of_start = ProviderBoard::create(memory_of_start.bytes(), kIssuer).value();
        BOOST_REQUIRE(import_text(board_of_start, kIssuer, exported(), now).value());
        ProviderCache started(board_of_start, client, kIssuer, 20s);
        BOOST_TEST(started.current(now).has_value());
        BOOST_TEST(started.is_refresh_due(now));
        BOOST_TEST((board_of_start.status()->jwks_fetched < now && board_of_start.status()->discovery_fetched < now));
        const int before = client.requests();
        BOOST_TEST((started.refresh_if_due(now).value() == ProviderCache::Refresh::done));
        BOOST_TEST(client.requests() == before + 2, "both parts are asked for");
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_copy_of_another_issuer) {
    check_refused(replaced(exported(), R"("issuer":"https://provider)", R"("issuer":"https://attacker)"));
    SharedMemory other_memory(ProviderBoard::bytes_needed());
    ProviderBoard other_board = ProviderBoard::create(other_memory.bytes(), "https://other.test").value();
    BOOST_TEST(!import_text(other_board, "https://other.test", exported(), kNow));
    BOOST_TEST(other_board.generation() == 0u);
}

BOOST_AUTO_TEST_CASE(refuses_parts_that_the_provider_could_not_have_answered) {
    const std::string text = exported();
    check_refused(replaced(text, R"(\"issuer\":\"https://provider.test/api/v2\")", R"(\"issuer\":\"https://attacker.test\")"));
    check_refused(replaced(text, R"(\"token_endpoint\":\"https)", R"(\"token_endpoint\":\"http)"));
    check_refused(replaced(text, R"(\"kty\":\"EC\")", R"(\"kty\":\"oct\")"));
    check_refused(replaced(text, "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D0"));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_torn_empty_or_of_another_version) {
    const std::string text = exported();
    for (std::size_t size = 0; size < text.size(); size += 7) {
        check_refused(std::string_view(text).substr(0, size));
    }
    check_refused(text + text);
    check_refused("null");
    check_refused(replaced(text, R"("version":1)", R"("version":2)"));
    check_refused(replaced(text, R"("version":1)", R"("version":"1")"));
    check_refused(replaced(text, R"("version":1,)", ""));
    for (const char* name : {"jwks", "discovery", "jwks_fetched", "discovery_fetched", "issuer"}) {
        check_refused(replaced(text, '"' + std::string(name) + "\":", '"' + std::string(name) + "_\":"));
    }
    check_refused(replaced(text, R"("jwks_fetched":)", R"("jwks_fetched":-)"));
    check_refused(std::string(20 * 1024 * 1024, ' '));
}

BOOST_AUTO_TEST_CASE(a_tampered_text_is_refused_or_harmless) {
    const std::string text = exported();
    std::minstd_rand random(3);
    for (int round = 0; round < 500; ++round) {
        std::string tampered = text;
        tampered[random() % tampered.size()] = static_cast<char>(random());
        SharedMemory fresh(ProviderBoard::bytes_needed());
        ProviderBoard fresh_board = ProviderBoard::create(fresh.bytes(), kIssuer).value();
        const auto taken = import_text(fresh_board, kIssuer, tampered, kNow);
        ProviderCache started(fresh_board, client, kIssuer, 20s);
        BOOST_TEST(taken.has_value() == (fresh_board.generation() == 1));
        BOOST_TEST((!taken || started.current(kNow).value()->metadata.issuer == kIssuer));
    }
}

BOOST_AUTO_TEST_SUITE_END()
