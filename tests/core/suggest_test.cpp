#include "core/suggest.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>

using proconnect::core::nearest_word;

namespace {

constexpr std::array<std::string_view, 5> kWords{"ProConnectClientId", "ProConnectClientSecret", "production", "rie-production", "on"};

std::string nearest(std::string_view written) {
    return std::string{nearest_word(written, kWords)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(suggest)

BOOST_AUTO_TEST_CASE(finds_a_word_with_a_slip_in_it) {
    for (const std::string_view written : {"prodution", "produuction", "prodcution", "productiom", "roduction", "productions"}) {
        BOOST_TEST(nearest(written) == "production", written);
    }
    BOOST_TEST(nearest("ProConnectClientID") == "ProConnectClientId");
    BOOST_TEST(nearest("ProConectClientSecrt") == "ProConnectClientSecret");
}

BOOST_AUTO_TEST_CASE(does_not_mind_letter_case) {
    BOOST_TEST(nearest("PRODUCTION") == "production");
    BOOST_TEST(nearest("proconnectclientsecret") == "ProConnectClientSecret");
    BOOST_TEST(nearest("PROD") == "production");
    constexpr std::array<std::string_view, 2> longer_first{"email_domain", "email"};
    BOOST_TEST(nearest_word("Email", longer_first) == "email", "the word itself comes before what it begins");
}

BOOST_AUTO_TEST_CASE(completes_a_word_that_was_begun) {
    BOOST_TEST(nearest("prod") == "production");
    BOOST_TEST(nearest("pro") == "ProConnectClientId");   // the first of several
    BOOST_TEST(nearest("rie") == "rie-production");
    BOOST_TEST(nearest("ProConnectClientS") == "ProConnectClientSecret");
}

BOOST_AUTO_TEST_CASE(makes_nothing_of_too_short_a_beginning) {
    BOOST_TEST(nearest("pr") == "");
    BOOST_TEST(nearest("p") == "");
    BOOST_TEST(nearest("") == "");
}

BOOST_AUTO_TEST_CASE(prefers_the_nearest_of_several) {
    constexpr std::array<std::string_view, 3> words{"abcdefxx", "abcdefgx", "abcdefgh"};
    BOOST_TEST(nearest_word("abcdefgy", words) == "abcdefgx");
    BOOST_TEST(nearest_word("abcdefgh", words) == "abcdefgh");
    BOOST_TEST(nearest_word("Abcdefgh", words) == "abcdefgh");
}

// distance * 3 <= length + 2
BOOST_AUTO_TEST_CASE(suggests_nothing_that_is_too_far_away) {
    constexpr std::array<std::string_view, 1> four{"abcd"};
    BOOST_TEST(nearest_word("abxy", four) == "abcd");
    BOOST_TEST(nearest_word("axyz", four) == "");
    constexpr std::array<std::string_view, 1> three{"abc"};
    BOOST_TEST(nearest_word("abx", three) == "abc");
    BOOST_TEST(nearest_word("axy", three) == "");
    for (const std::string_view written : {"keycloak", "https://auth.example.org", "xxxxxxxxxx", "noitcudorp", "é"}) {
        BOOST_TEST(nearest(written) == "", written);
    }
}

BOOST_AUTO_TEST_CASE(looks_at_words_of_64_characters_at_most) {
    const std::string longest(64, 'a');
    const std::string longer(65, 'a');
    const std::array<std::string_view, 1> known{longest};
    const std::array<std::string_view, 1> too_long{longer};
    const auto slip = [](std::string text) {
        text.front() = 'b';
        return text;
    };
    BOOST_TEST(nearest_word(slip(longest), known) == longest);
    BOOST_TEST(nearest_word(slip(longer), known) == "");
    BOOST_TEST(nearest_word(slip(longest), too_long) == "");
    BOOST_TEST(nearest_word(std::string(1 << 20, 'a'), known) == "");
    // A beginning needs no measuring.
    BOOST_TEST(nearest_word(longest, too_long) == longer);
}

BOOST_AUTO_TEST_CASE(has_no_suggestion_when_nothing_is_known) {
    BOOST_TEST(nearest_word("production", {}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
