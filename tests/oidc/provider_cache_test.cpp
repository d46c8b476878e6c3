#include "oidc/provider_cache.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

#include "oidc/provider_cache_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace proconnect::test::caches;
using core::ErrorCode;
using Refresh = ProviderCache::Refresh;

namespace {

void check_failed(const std::expected<Known, core::Error>& result, ErrorCode code, std::string_view detail = "") {
    BOOST_REQUIRE(!result);
    BOOST_TEST(code_of(result.error()) == core::code_text(code), result.error().detail);
    BOOST_TEST((result.error().detail.find(detail) != std::string::npos), result.error().detail);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(provider_cache, CacheFixture)

BOOST_AUTO_TEST_CASE(fetches_the_first_copy_once_for_all_processes) {
    const auto first = cache.current(kNow);
    BOOST_REQUIRE_MESSAGE(first, (first ? "" : first.error().detail));
    BOOST_TEST((*first)->metadata.token_endpoint == kIssuer + "/token");
    BOOST_TEST(key_names(**first) == "one");
    BOOST_TEST(client.requests() == 2);
    BOOST_TEST(other.current(kNow).has_value());
    BOOST_TEST(client.requests() == 2);
}

BOOST_AUTO_TEST_CASE(returns_the_same_object_while_nothing_changes) {
    const auto first = cache.current(kNow);
    BOOST_REQUIRE(first);
    BOOST_TEST((cache.current(kNow + 24h).value() == *first));
    BOOST_TEST(client.requests() == 2, "age alone makes no login wait");
}

BOOST_AUTO_TEST_CASE(sees_what_another_process_has_published) {
    const auto first = cache.current(kNow);
    BOOST_REQUIRE(first);
    client.jwks = [] { return good(jwks_text({"two"})); };
    BOOST_REQUIRE(other.refresh_if_due(kNow + 1h));
    const auto second = cache.current(kNow + 1h);
    BOOST_REQUIRE(second);
    BOOST_TEST(key_names(**second) == "two");
    BOOST_TEST(key_names(**first) == "one", "who still uses the old one is not disturbed");
}

BOOST_AUTO_TEST_CASE(fails_at_once_while_the_provider_is_known_to_be_down) {
    client.go_down(ErrorCode::provider_timeout);
    check_failed(cache.current(kNow), ErrorCode::provider_timeout, "discovery: scripted");
    for (int i = 0; i < 100; ++i) {
        check_failed(cache.current(kNow), ErrorCode::provider_timeout, "next attempt in 1 s");
        check_failed(other.current(kNow), ErrorCode::provider_timeout);
    }
    BOOST_TEST(client.requests() == 1, "a hundred logins, one request");
    check_failed(cache.current(kNow + 1s), ErrorCode::provider_timeout, "discovery: scripted");
    BOOST_TEST(client.requests() == 2);
}

BOOST_AUTO_TEST_CASE(notices_a_recovery_within_half_a_minute_after_any_outage) {
    client.go_down();
    auto now = kNow;
    for (int i = 0; i < 3600; ++i) {
        static_cast<void>(cache.refresh_if_due(++now));
    }
    BOOST_TEST(client.requests() < 3600 / 10);
    client.recover();
    const auto recovered = now;
    while (!cache.current(now)) {
        static_cast<void>(cache.refresh_if_due(++now));
    }
    BOOST_TEST((now - recovered <= 15s));
    BOOST_TEST(status().failures == 0u);
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_during_an_outage_does_not_stop_the_attempts) {
    client.go_down();
    for (int i = 0; i < 10; ++i) {
        static_cast<void>(cache.refresh_if_due(kNow + i * 15s));
    }
    client.recover();
    BOOST_TEST(cache.current(kNow - 1h).has_value());
}

BOOST_AUTO_TEST_CASE(the_timer_fetches_the_first_copy_too) {
    const auto outcome = cache.refresh_if_due(kNow);
    BOOST_REQUIRE(outcome);
    BOOST_TEST((*outcome == Refresh::done));
    BOOST_TEST(client.requests() == 2);
    BOOST_TEST(other.current(kNow).has_value());
    BOOST_TEST(client.requests() == 2);
}

BOOST_AUTO_TEST_CASE(says_whether_a_refresh_is_due_and_asks_nobody) {
    BOOST_TEST(cache.is_refresh_due(kNow), "there is no copy yet");
    BOOST_TEST(client.requests() == 0);
    BOOST_REQUIRE(cache.current(kNow));
    BOOST_TEST(!cache.is_refresh_due(kNow + 449s));
    BOOST_TEST(cache.is_refresh_due(kNow + 450s));
    client.go_down();
    BOOST_REQUIRE(!cache.refresh_if_due(kNow + 450s));
    BOOST_TEST(!other.is_refresh_due(kNow + 450s), "the next attempt must wait");
    BOOST_TEST(other.is_refresh_due(kNow + 480s));
    BOOST_TEST(client.requests() == 3);
}

BOOST_AUTO_TEST_CASE(refreshes_at_three_quarters_of_the_life_of_each_part) {
    BOOST_REQUIRE(cache.current(kNow));
    BOOST_TEST((cache.refresh_if_due(kNow + 449s).value() == Refresh::not_due));
    BOOST_TEST(client.requests() == 2);
    BOOST_TEST((cache.refresh_if_due(kNow + 450s).value() == Refresh::done));
    BOOST_TEST(*client.jwks_requests == 2);
    BOOST_TEST(*client.discovery_requests == 1);
    BOOST_TEST((other.refresh_if_due(kNow + 450s).value() == Refresh::not_due));
    auto now = kNow + 450s;
    while (*client.discovery_requests == 1) {
        now += 10s;
        BOOST_REQUIRE(cache.refresh_if_due(now));
    }
    BOOST_TEST((now - kNow == 2700s), "discovery lives an hour");
}

BOOST_AUTO_TEST_CASE(keeps_the_life_of_the_keys_between_a_minute_and_an_hour) {
    const std::vector<std::pair<std::chrono::seconds, std::chrono::seconds>> cases{{-1s, 600s}, {0s, 60s}, {59s, 60s}, {600s, 600s}, {3601s, 3600s}, {1000000s, 3600s}};
    auto now = kNow;
    for (const auto& [max_age, lifetime] : cases) {
        client.jwks = [age = max_age] { return good(jwks_text({"one"}), age); };
        now += 2h;
        BOOST_REQUIRE(cache.refresh_if_due(now));
        BOOST_TEST((status().jwks_lifetime == lifetime), max_age.count());
    }
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_makes_everything_due) {
    BOOST_REQUIRE(cache.current(kNow));
    BOOST_TEST((cache.refresh_if_due(kNow - 5s).value() == Refresh::not_due), "two processes that read the clock at different moments");
    BOOST_TEST((cache.refresh_if_due(kNow - 1h).value() == Refresh::done));
    BOOST_TEST((cache.refresh_if_due(kNow - 1h).value() == Refresh::not_due));
}

BOOST_AUTO_TEST_CASE(an_answer_that_fails_any_check_never_replaces_the_good_copy) {
    const auto first = cache.current(kNow);
    BOOST_REQUIRE(first);
    http::Response unavailable = good("<html>");
    unavailable.status = 503;
    http::Response redirect = good(discovery_text());
    redirect.status = 302;
    const std::vector<std::pair<Answer, ErrorCode>> bad_discovery{
        {failing(ErrorCode::provider_unreachable), ErrorCode::provider_unreachable},
        {failing(ErrorCode::provider_timeout), ErrorCode::provider_timeout},
        {failing(ErrorCode::provider_tls), ErrorCode::provider_tls},
        {failing(ErrorCode::provider_body_too_large), ErrorCode::provider_body_too_large},
        {unavailable, ErrorCode::provider_status},
        {redirect, ErrorCode::provider_status},
        {good("<html>Sorry</html>"), ErrorCode::discovery_malformed},
        {good(""), ErrorCode::discovery_malformed},
        {good(discovery_text("https://attacker.test")), ErrorCode::discovery_issuer_mismatch},
        {good(discovery_text(kIssuer, "http://provider.test/jwks")), ErrorCode::discovery_malformed},
    };
    auto now = kNow;
    for (const auto& [answer, code] : bad_discovery) {
        now += 1h;
        client.discovery = [bad = answer] { return bad; };
        const auto outcome = cache.refresh_if_due(now);
        BOOST_REQUIRE(!outcome);
        BOOST_TEST(code_of(outcome.error()) == core::code_text(code));
        BOOST_TEST((status().last_error == code));
        BOOST_TEST((cache.current(now).value() == *first));
        BOOST_TEST((other.current(now).value()->metadata.token_endpoint == kIssuer + "/token"));
    }
    client.recover();
    for (const auto& text : {std::string("{}"), std::string(R"({"keys":[]})"), std::string("<html>"), std::string(R"({"keys":[{"kty":"oct","k":"AAAA"}]})")}) {
        now += 1h;
        client.jwks = [text] { return good(text); };
        const auto outcome = cache.refresh_if_due(now);
        BOOST_REQUIRE(!outcome);
        BOOST_TEST(code_of(outcome.error()) == core::code_text(ErrorCode::jwks_malformed));
        BOOST_TEST((cache.current(now).value() == *first));
    }
}

BOOST_AUTO_TEST_CASE(the_first_copy_needs_good_keys_too) {
    client.jwks = [] { return good(R"({"keys":[]})"); };
    check_failed(cache.current(kNow), ErrorCode::jwks_malformed);
    client.jwks = [] { return failing(ErrorCode::provider_timeout); };
    check_failed(cache.current(kNow + 5s), ErrorCode::provider_timeout, "JWKS: scripted");
    BOOST_TEST(board.generation() == 0u);
}

BOOST_AUTO_TEST_CASE(refreshes_the_keys_even_while_the_discovery_document_is_broken) {
    BOOST_REQUIRE(cache.current(kNow));
    client.discovery = [] { return good(discovery_text("https://attacker.test")); };
    client.jwks = [] { return good(jwks_text({"two"})); };
    const auto outcome = cache.refresh_if_due(kNow + 1h);
    BOOST_REQUIRE(!outcome);
    BOOST_TEST(code_of(outcome.error()) == core::code_text(ErrorCode::discovery_issuer_mismatch));
    BOOST_TEST(key_names(**cache.current(kNow + 1h)) == "two", "a withdrawn key does not live on");
}

BOOST_AUTO_TEST_CASE(fetches_the_keys_at_once_when_they_have_moved) {
    BOOST_REQUIRE(cache.current(kNow));
    client.discovery = [] { return good(discovery_text(kIssuer, kJwksUri + "/new")); };
    client.jwks = [] { return good(jwks_text({"two"}), 3600s); };
    BOOST_REQUIRE(cache.refresh_if_due(kNow + 450s));
    BOOST_TEST(*client.discovery_requests == 1);
    BOOST_REQUIRE(cache.refresh_if_due(kNow + 2700s));
    BOOST_TEST((*cache.current(kNow))->metadata.jwks_uri == kJwksUri + "/new");
    BOOST_TEST(*client.jwks_requests == 3);
}

BOOST_AUTO_TEST_CASE(metadata_whose_new_keys_cannot_be_had_is_not_taken) {
    BOOST_REQUIRE(cache.current(kNow));
    client.discovery = [] { return good(discovery_text(kIssuer, kJwksUri + "/new")); };
    client.jwks = [] { return failing(ErrorCode::provider_timeout); };
    BOOST_TEST(!cache.refresh_if_due(kNow + 1h));
    BOOST_TEST((*cache.current(kNow))->metadata.jwks_uri == kJwksUri);
}

BOOST_AUTO_TEST_CASE(new_metadata_is_taken_while_the_unmoved_keys_cannot_be_had) {
    BOOST_REQUIRE(cache.current(kNow));
    client.discovery = [] { return good(discovery_text(kIssuer, kJwksUri, kIssuer + "/token2")); };
    client.jwks = [] { return failing(ErrorCode::provider_timeout); };
    BOOST_TEST(!cache.refresh_if_due(kNow + 1h));
    BOOST_TEST((*cache.current(kNow))->metadata.token_endpoint == kIssuer + "/token2");
    BOOST_TEST(key_names(**cache.current(kNow)) == "one");
}

BOOST_AUTO_TEST_CASE(repairs_a_board_whose_texts_were_damaged) {
    const auto first = cache.current(kNow);
    BOOST_REQUIRE(first);
    BOOST_REQUIRE(board.publish(ProviderBoard::Part{.text = "damaged", .fetched = kNow, .lifetime = 600s}, std::nullopt));
    BOOST_TEST((cache.current(kNow).value() == *first), "who has parsed a good copy goes on with it");
    BOOST_TEST(client.requests() == 2);
    BOOST_TEST(other.current(kNow).has_value(), "who has none fetches");
    BOOST_TEST(client.requests() == 4);
    BOOST_TEST(cache.current(kNow).has_value());
}

BOOST_AUTO_TEST_CASE(measures_the_providers_clock) {
    client.discovery = [] {
        http::Response response = good(discovery_text());
        response.date = core::to_unix_seconds(kNow + 300s);
        return response;
    };
    BOOST_REQUIRE(cache.current(kNow));
    BOOST_TEST((status().clock_ahead >= 298s && status().clock_ahead <= 300s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(provider_cache_unknown_key, CacheFixture)

BOOST_AUTO_TEST_CASE(a_rotated_key_is_found_by_one_fetch_of_the_keys_alone) {
    const Known first = cache.current(kNow).value();
    client.jwks = [] { return good(jwks_text({"two", "one"})); };
    const auto newer = cache.after_unknown_key(first, kNow + 5s, has("two"));
    BOOST_REQUIRE(newer);
    BOOST_TEST(key_names(**newer) == "two one");
    BOOST_TEST(*client.discovery_requests == 1);
    BOOST_TEST(*client.jwks_requests == 2);
    BOOST_TEST((cache.current(kNow + 5s).value() == *newer));
}

BOOST_AUTO_TEST_CASE(a_copy_that_another_process_has_fetched_meanwhile_costs_nothing) {
    const Known first = cache.current(kNow).value();
    client.jwks = [] { return good(jwks_text({"two"})); };
    BOOST_REQUIRE(other.after_unknown_key(other.current(kNow).value(), kNow, has("two")));
    const auto newer = cache.after_unknown_key(first, kNow, has("two"));
    BOOST_REQUIRE(newer);
    BOOST_TEST(key_names(**newer) == "two");
    BOOST_TEST(*client.jwks_requests == 2);
}

BOOST_AUTO_TEST_CASE(a_copy_of_another_process_without_the_wanted_key_is_fetched_again) {
    const Known first = cache.current(kNow).value();
    client.jwks = [] { return good(jwks_text({"one", "two"})); };
    BOOST_REQUIRE(other.refresh_if_due(kNow + 10min));
    client.jwks = [] { return good(jwks_text({"one", "two", "three"})); };
    const auto newer = cache.after_unknown_key(first, kNow + 10min, has("three"));
    BOOST_REQUIRE(newer);
    BOOST_TEST(key_names(**newer) == "one two three");
}

BOOST_AUTO_TEST_CASE(keys_that_nobody_has_cause_one_fetch_a_minute_for_all_processes) {
    const Known first = cache.current(kNow).value();
    const Known seen_by_other = other.current(kNow).value();
    for (int second = 0; second < 180; ++second) {
        const auto now = kNow + std::chrono::seconds{second};
        BOOST_TEST((cache.after_unknown_key(first, now, has("two")).value() == first), "the same keys again, no error");
        BOOST_TEST((other.after_unknown_key(seen_by_other, now, has("two")).value() == seen_by_other));
    }
    BOOST_TEST(*client.jwks_requests == 1 + 3);
}

BOOST_AUTO_TEST_CASE(the_fetch_that_fails_says_so_and_those_after_it_keep_their_keys) {
    const Known first = cache.current(kNow).value();
    client.go_down(ErrorCode::provider_timeout);
    const auto failed = cache.after_unknown_key(first, kNow, has("two"));
    BOOST_REQUIRE(!failed);
    BOOST_TEST(code_of(failed.error()) == core::code_text(ErrorCode::provider_timeout));
    BOOST_TEST((cache.after_unknown_key(first, kNow + 1s, has("two")).value() == first));
    BOOST_TEST((cache.current(kNow + 1s).value() == first));
}

BOOST_AUTO_TEST_CASE(is_fetched_during_the_back_off_of_another_failure) {
    const Known first = cache.current(kNow).value();
    client.discovery = [] { return good("<html>"); };
    BOOST_REQUIRE(!cache.refresh_if_due(kNow + 1h));
    client.jwks = [] { return good(jwks_text({"two"})); };
    BOOST_TEST(key_names(**cache.after_unknown_key(first, kNow + 1h, has("two"))) == "two");
}

BOOST_AUTO_TEST_CASE(those_who_come_during_the_fetch_wait_for_its_keys) {
    const Known first = cache.current(kNow).value();
    client.jwks = [] {
        std::this_thread::sleep_for(100ms);
        return good(jwks_text({"two"}));
    };
    std::atomic<int> found = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                ProviderCache& mine = t % 2 == 0 ? cache : other;
                const auto newer = mine.after_unknown_key(first, kNow, has("two"));
                found += newer && key_names(**newer) == "two" ? 1 : 0;
            });
        }
    }
    BOOST_TEST(found == 8);
    BOOST_TEST(*client.jwks_requests == 2);
}

BOOST_AUTO_TEST_CASE(is_fetched_once_by_many_processes) {
    BOOST_REQUIRE(cache.current(kNow));
    client.jwks = [] {
        std::this_thread::sleep_for(50ms);
        return good(jwks_text({"two"}));
    };
    const Shared<std::atomic<int>> found;
    {
        std::vector<Child> children;
        for (int i = 0; i < 8; ++i) {
            children.emplace_back([&] {
                ProviderCache mine(board, client, kIssuer, 20s);
                const oidc::Provider old = **cache.current(kNow);
                const auto newer = mine.after_unknown_key(std::make_shared<const oidc::Provider>(old), kNow, has("two"));
                *found += newer && key_names(**newer) == "two" ? 1 : 0;
            });
        }
        for (Child& child : children) {
            BOOST_TEST(child.wait());
        }
    }
    BOOST_TEST(*found == 8);
    BOOST_TEST(*client.jwks_requests == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(provider_cache_single_flight, CacheFixture)

BOOST_AUTO_TEST_CASE(eight_threads_share_one_first_fetch) {
    client.discovery = [] {
        std::this_thread::sleep_for(100ms);
        return good(discovery_text());
    };
    std::atomic<int> found = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] { found += (t % 2 == 0 ? cache : other).current(kNow) ? 1 : 0; });
        }
    }
    BOOST_TEST(found == 8);
    BOOST_TEST(client.requests() == 2);
}

BOOST_AUTO_TEST_CASE(those_who_waited_for_a_failure_share_it) {
    client.discovery = [] {
        std::this_thread::sleep_for(100ms);
        return failing(ErrorCode::provider_tls);
    };
    std::atomic<int> told = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&] {
                const auto result = cache.current(kNow);
                told += !result && result.error().code == ErrorCode::provider_tls ? 1 : 0;
            });
        }
    }
    BOOST_TEST(told == 8);
    BOOST_TEST(client.requests() == 1);
}

BOOST_AUTO_TEST_CASE(nobody_waits_longer_than_told) {
    ProviderCache hasty(board, client, kIssuer, 30ms);
    const auto fetching = board.begin_fetch(0ms);
    BOOST_REQUIRE(fetching.is_held());
    std::jthread([&] {
        check_failed(hasty.current(kNow), ErrorCode::provider_busy);
        BOOST_TEST((hasty.refresh_if_due(kNow).value() == Refresh::in_flight));
    }).join();
    BOOST_TEST(client.requests() == 0);
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_an_attempt_after_a_failure) {
    client.go_down(ErrorCode::provider_timeout);
    check_failed(cache.current(kNow), ErrorCode::provider_timeout);
    const auto fetching = board.begin_fetch(0ms);
    BOOST_REQUIRE(fetching.is_held());
    std::jthread([&] {
        const auto start = std::chrono::steady_clock::now();
        check_failed(cache.current(kNow + 100s), ErrorCode::provider_timeout, "next attempt");
        BOOST_TEST((std::chrono::steady_clock::now() - start < 10s), "twenty seconds would have been allowed");
    }).join();
    BOOST_TEST(client.requests() == 1);
}

BOOST_AUTO_TEST_CASE(a_process_killed_during_its_fetch_holds_nobody_up) {
    const Shared<std::atomic<bool>> fetching;
    client.discovery = [&] {
        *fetching = true;
        ::pause();
        return good(discovery_text());
    };
    Child child([&] { static_cast<void>(cache.current(kNow)); });
    while (!*fetching) {
        std::this_thread::sleep_for(1ms);
    }
    client.recover();
    std::jthread killer([&] {
        std::this_thread::sleep_for(50ms);
        child.kill();
    });
    BOOST_TEST(other.current(kNow).has_value());
    BOOST_TEST(*client.discovery_requests == 2);
}

BOOST_AUTO_TEST_CASE(logins_and_refreshes_run_side_by_side) {
    std::atomic<int> version = 0;
    client.jwks = [&] { return good(jwks_text({("key" + std::to_string(++version)).c_str()}), 60s); };
    BOOST_REQUIRE(cache.current(kNow));
    std::atomic<bool> stop = false;
    std::atomic<int> failures = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                ProviderCache& mine = t % 2 == 0 ? cache : other;
                while (!stop) {
                    const auto known = mine.current(kNow);
                    failures += known && key_names(**known).starts_with("key") ? 0 : 1;
                }
            });
        }
        for (int i = 1; i <= 200; ++i) {
            failures += (i % 2 == 0 ? cache : other).refresh_if_due(kNow + i * 60s) ? 0 : 1;
        }
        stop = true;
    }
    BOOST_TEST(failures == 0);
    BOOST_TEST(version == 201);
}

BOOST_AUTO_TEST_SUITE_END()
