#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

#include "core/base64url.hpp"
#include "session/session.hpp"
#include "session/table.hpp"

using namespace proconnect;
using session::SessionTokens;

namespace {

std::string encoded_size_probe(std::size_t bytes) {
    std::string raw(bytes, '\0');
    std::mt19937 random{static_cast<unsigned>(bytes)};
    std::ranges::generate(raw, [&] { return static_cast<char>(random()); });
    return core::base64url_encode(raw);
}

SessionTokens tokens_of(std::string id, std::string access = "", std::string refresh = "") {
    SessionTokens tokens;
    tokens.id_token = core::Secret{std::move(id)};
    tokens.access_token = core::Secret{std::move(access)};
    tokens.refresh_token = core::Secret{std::move(refresh)};
    tokens.access_token_expires = test::kNow;
    return tokens;
}

void check_round_trip(const std::string& id, const std::string& access = "", const std::string& refresh = "") {
    const auto block = session::encode_tokens(tokens_of(id, access, refresh));
    const auto decoded = session::decode_tokens(test::bytes_of(block.reveal())).value();
    BOOST_TEST(decoded.id_token.reveal() == id);
    BOOST_TEST(decoded.access_token.reveal() == access);
    BOOST_TEST(decoded.refresh_token.reveal() == refresh);
    BOOST_TEST((decoded.access_token_expires == test::kNow));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(come_back_byte_for_byte) {
    check_round_trip("", "", "");
    check_round_trip(encoded_size_probe(70) + "." + encoded_size_probe(600) + "." + encoded_size_probe(64), encoded_size_probe(32), "opaque");
    check_round_trip("not a token at all \x01\xff", "=.=", "a..b");
    check_round_trip(".", "..", "....");
    check_round_trip("a", "ab", "abc");
    check_round_trip("Zg==", "Zh", "Zg");  // padding; an unused bit set; canonical
    check_round_trip(encoded_size_probe(9) + ".." + encoded_size_probe(12) + "." + encoded_size_probe(1) + "." + encoded_size_probe(16));  // a JWE
    check_round_trip("Zg.Zg.Zg.Zg.Zg.Zg");  // more parts than any token has
}

BOOST_AUTO_TEST_CASE(come_back_for_every_short_text_over_a_hostile_alphabet) {
    constexpr std::string_view kAlphabet = "A_g.=\n";
    for (std::size_t length = 0, count = 1; length <= 5; ++length, count *= kAlphabet.size()) {
        for (std::size_t number = 0; number < count; ++number) {
            std::string token;
            for (std::size_t rest = number; token.size() < length; rest /= kAlphabet.size()) {
                token += kAlphabet[rest % kAlphabet.size()];
            }
            const auto decoded = session::decode_tokens(test::bytes_of(session::encode_tokens(tokens_of(token, "x")).reveal()));
            BOOST_REQUIRE(decoded && decoded->id_token.reveal() == token && decoded->access_token.reveal() == "x");
        }
    }
}

BOOST_AUTO_TEST_CASE(take_a_quarter_less_than_their_text) {
    const std::string token = encoded_size_probe(76) + "." + encoded_size_probe(624) + "." + encoded_size_probe(64);
    BOOST_TEST(session::encode_tokens(tokens_of(token)).size() < token.size() * 3 / 4 + 32);
}

BOOST_AUTO_TEST_CASE(a_very_long_part_is_kept_as_text) {
    check_round_trip(encoded_size_probe(70'000));
    check_round_trip(encoded_size_probe(65'535), encoded_size_probe(65'536));
}

BOOST_AUTO_TEST_CASE(a_truncated_or_longer_block_is_refused) {
    const auto secret = session::encode_tokens(tokens_of("Zg.Zg.Zg", "not base64url!", "Zg"));
    const std::string block{secret.reveal()};
    for (std::size_t size = 0; size < block.size(); ++size) {
        BOOST_TEST(!session::decode_tokens(test::bytes_of(block).first(size)));
    }
    BOOST_TEST(!session::decode_tokens(test::bytes_of(block + "x")));
}

BOOST_AUTO_TEST_CASE(a_changed_block_does_no_harm) {
    const auto secret = session::encode_tokens(tokens_of("Zg.Zg.Zg", "not base64url!", "Zg"));
    for (std::size_t at = 0; at < secret.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            std::vector<std::uint8_t> changed(secret.reveal().begin(), secret.reveal().end());
            changed[at] = static_cast<std::uint8_t>(value);
            const auto decoded = session::decode_tokens(changed);
            BOOST_REQUIRE(!decoded || decoded->id_token.size() < 1000);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
