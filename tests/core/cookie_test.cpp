#include "core/cookie.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

using proconnect::core::scan_cookies;
using proconnect::core::strip_cookies;

namespace {

constexpr std::string_view kSession = "proconnect";
constexpr std::string_view kLogin = "proconnect_login";
constexpr std::string_view kSilent = "proconnect-silent";
constexpr proconnect::core::CookieNames kNames{.session = kSession, .login = kLogin, .silent = kSilent};

/// "session|login|any", "-" for what was not found.
std::string scanned(std::string_view header) {
    const auto found = scan_cookies(header, kNames);
    return std::string{found.session.value_or("-")} + "|" + std::string{found.login.value_or("-")} + "|" + (found.any ? "any" : "none");
}

/// Strips into a buffer of exactly the promised size; what lies beyond must stay as it is.
std::string stripped(std::string_view header) {
    std::vector<char> buffer(header.size() + 16, '#');
    const auto size = strip_cookies(header, kNames, buffer.data());
    BOOST_REQUIRE(size <= header.size());
    for (std::size_t i = header.size(); i < buffer.size(); ++i) {
        BOOST_REQUIRE(buffer[i] == '#');
    }
    return {buffer.data(), size};
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// What a header holds, in the plainest way to say it.
std::vector<std::string> pairs(std::string_view header, bool keep_ours) {
    std::vector<std::string> found;
    std::size_t begin = 0;
    while (begin <= header.size()) {
        const auto end = std::min(header.find(';', begin), header.size());
        const auto pair = trim(header.substr(begin, end - begin));
        const auto equals = pair.find('=');
        const auto name = equals == std::string_view::npos ? std::string_view{} : trim(pair.substr(0, equals));
        const bool ours = equals != std::string_view::npos && (name == kSession || name == kLogin || name == kSilent);
        if (!pair.empty() && (keep_ours || !ours)) {
            found.emplace_back(pair);
        }
        begin = end + 1;
    }
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cookie)

BOOST_AUTO_TEST_CASE(finds_its_own_among_others) {
    BOOST_TEST(scanned("") == "-|-|none");
    BOOST_TEST(scanned("proconnect=s") == "s|-|any");
    BOOST_TEST(scanned("proconnect_login=l") == "-|l|any");
    BOOST_TEST(scanned("a=b; proconnect=s; proconnect_login=l; c=d") == "s|l|any");
    BOOST_TEST(scanned("proconnect_login=l;proconnect=s") == "s|l|any");
    BOOST_TEST(scanned("a=b; c=d") == "-|-|none");
}

BOOST_AUTO_TEST_CASE(compares_names_byte_for_byte) {
    for (const std::string_view header : {"proconnect2=s", "xproconnect=s", "Proconnect=s", "PROCONNECT=s", "proconnec=s", "proconnect_=s", "proconnect-=s", "__Host-proconnect=s", "a=proconnect=s", "\"proconnect\"=s",
                                          "$proconnect=s", "pro connect=s", "proconnect\v=s", "\fproconnect=s", "proconnect%3D=s", "a=b, proconnect=s", "proconnect", "proconnect s", "=proconnect", "=", ";;;", "proconnect;=s"}) {
        BOOST_TEST(scanned(header) == "-|-|none", header);
    }
    BOOST_TEST(scanned(std::string("proconnect\0=s", 13)) == "-|-|none");
}

BOOST_AUTO_TEST_CASE(takes_one_that_is_sent_more_than_once_for_none) {
    BOOST_TEST(scanned("proconnect=a; proconnect=b") == "-|-|any");
    BOOST_TEST(scanned("proconnect=a; proconnect=a") == "-|-|any");
    BOOST_TEST(scanned("proconnect=; proconnect=a") == "-|-|any");
    BOOST_TEST(scanned("proconnect=a; x=y; proconnect=b; proconnect=c") == "-|-|any");
    BOOST_TEST(scanned("proconnect=a; proconnect_login=l; proconnect=b") == "-|l|any");
    BOOST_TEST(scanned("proconnect_login=a; proconnect=s; proconnect_login=b") == "s|-|any");
    BOOST_TEST(scanned("proconnect_login=a; proconnect_login=b") == "-|-|any");
}

BOOST_AUTO_TEST_CASE(leaves_blanks_around_names_and_values_out) {
    BOOST_TEST(scanned("  proconnect=s  ") == "s|-|any");
    BOOST_TEST(scanned("\tproconnect \t=\t s\t;") == "s|-|any");
    BOOST_TEST(scanned(";; ;proconnect=s;;") == "s|-|any");
    BOOST_TEST(scanned("proconnect= a b ") == "a b|-|any");
}

BOOST_AUTO_TEST_CASE(takes_the_value_as_it_is) {
    BOOST_TEST(scanned("proconnect=") == "|-|any");
    BOOST_TEST(scanned("proconnect=a=b=c") == "a=b=c|-|any");
    BOOST_TEST(scanned("proconnect=\"s\"") == "\"s\"|-|any");
    BOOST_TEST(scanned("proconnect=é\xff\x01,\\") == "é\xff\x01,\\|-|any");
    // Quotes do not protect a semicolon, RFC 6265 section 4.1.1: nobody hides a cookie of ours in another one.
    BOOST_TEST(scanned("a=\"b; proconnect=s\"") == "s\"|-|any");
}

BOOST_AUTO_TEST_CASE(strips_its_own_and_leaves_the_others) {
    BOOST_TEST(stripped("") == "");
    BOOST_TEST(stripped("proconnect=s") == "");
    BOOST_TEST(stripped("proconnect=s; proconnect_login=l") == "");
    BOOST_TEST(stripped("a=b") == "a=b");
    BOOST_TEST(stripped("a=b; proconnect=s; c=d") == "a=b;c=d");
    BOOST_TEST(stripped("proconnect=s; a=b") == "a=b");
    BOOST_TEST(stripped("a=b; proconnect=s") == "a=b");
    BOOST_TEST(stripped("proconnect=s; a=b; proconnect=t; proconnect_login=l;") == "a=b");
    BOOST_TEST(stripped(" proconnect = s ; a = b ;; c") == "a = b;c");
    BOOST_TEST(stripped("a=\"x; proconnect=s; y\"") == "a=\"x;y\"");
}

BOOST_AUTO_TEST_CASE(strips_nothing_that_only_looks_like_its_own) {
    for (const std::string_view header : {"proconnect2=s", "xproconnect=s", "Proconnect=s", "proconnect", "a=proconnect=s", "=proconnect", "=", "\"proconnect\"=s", "proconnect_login2=l"}) {
        BOOST_TEST(stripped(header) == header);
    }
}

BOOST_AUTO_TEST_CASE(reads_a_header_of_a_megabyte) {
    std::string header = "proconnect=s";
    while (header.size() < (1U << 20)) {
        header += "; a=b; proconnect_login=" + std::string(50, 'x');
    }
    BOOST_TEST(scanned(header) == "s|-|any");
    const auto rest = stripped(header);
    BOOST_TEST((rest.find("proconnect") == std::string::npos));
    BOOST_TEST(rest.starts_with("a=b;a=b;"));
    BOOST_TEST(scanned(std::string(1 << 20, ';')) == "-|-|none");
    BOOST_TEST(stripped(std::string(1 << 20, ';')) == "");
    BOOST_TEST(scanned(std::string(1 << 20, '=')) == "-|-|none");
    BOOST_TEST(scanned("proconnect=" + std::string(1 << 20, 'v')).size() == (1U << 20) + 6U);
}

BOOST_AUTO_TEST_CASE(sees_the_mark_of_a_silent_attempt_and_keeps_it_from_the_application) {
    BOOST_TEST(scan_cookies("a=b; proconnect-silent=1", kNames).silent);
    BOOST_TEST(scan_cookies("a=b; proconnect-silent=1", kNames).any);
    BOOST_TEST(stripped("a=b; proconnect-silent=1; c=d") == "a=b;c=d");
    BOOST_TEST(!scan_cookies("proconnect=1; proconnect-silent2=1; proconnect-silent", kNames).silent);
    const proconnect::core::CookieNames without{.session = kSession, .login = kLogin, .silent = {}};
    BOOST_TEST(!scan_cookies("proconnect=1; =1; x", without).silent);
}

// Whatever the header: nothing of ours is left, all the rest stays in its order, and the second time changes nothing.
BOOST_AUTO_TEST_CASE(strips_random_headers_of_its_own_and_of_nothing_else) {
    std::mt19937 random{20260921};
    const std::vector<std::string> pieces{"proconnect", "proconnect_login", "proconnect-silent", "=", "=", ";", ";", "; ", " ", "\t", "\"", "a", "b=c", "proconnect=s", "proconnect_login=l", "x", ",", "$Version=1", "é", "\x01", "proconnect2=y",
                                          std::string(1, '\0'), "=;", "\\", "proconnect ="};
    for (int round = 0; round < 20'000; ++round) {
        std::string header;
        for (auto left = random() % 12; left != 0; --left) {
            header += pieces[random() % pieces.size()];
        }
        const auto rest = stripped(header);
        const auto kept = pairs(rest, true);
        if (kept != pairs(header, false) || scan_cookies(rest, kNames).any || stripped(rest) != rest) {
            BOOST_ERROR("stripping goes wrong for: " + header);
        }
        const bool any = pairs(header, true).size() != pairs(header, false).size();
        if (scan_cookies(header, kNames).any != any) {
            BOOST_ERROR("scanning goes wrong for: " + header);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
