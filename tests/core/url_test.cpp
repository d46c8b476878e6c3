#include "core/url.hpp"

#include <boost/test/unit_test.hpp>

namespace core = proconnect::core;
using core::ErrorCode;
using core::Parameters;

namespace {

/// Whether the text is refused as parameters, with the one code there is for that.
bool is_refused(std::string_view text) {
    const auto parameters = Parameters::parse(text);
    return !parameters && parameters.error().code == ErrorCode::parameters_malformed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(url)

BOOST_AUTO_TEST_CASE(percent_encodes_all_but_the_unreserved_characters) {
    BOOST_TEST(core::percent_encode("AZaz09-._~") == "AZaz09-._~");
    BOOST_TEST(core::percent_encode("a b&c=d+e/f?g#h%") == "a%20b%26c%3Dd%2Be%2Ff%3Fg%23h%25");
    BOOST_TEST(core::percent_encode("é") == "%C3%A9");
    BOOST_TEST(core::percent_encode(std::string_view("\0\r\n", 3)) == "%00%0D%0A");
    BOOST_TEST(core::percent_encode("") == "");
}

BOOST_AUTO_TEST_CASE(decodes_what_it_encodes) {
    std::string bytes;
    for (int byte = 1; byte < 256; ++byte) {
        bytes.push_back(static_cast<char>(byte));
    }
    BOOST_TEST(core::form_decode(core::percent_encode(bytes)).value() == bytes);
}

BOOST_AUTO_TEST_CASE(decodes_forms) {
    BOOST_TEST(core::form_decode("a+b%20c%2B").value() == "a b c+");
    BOOST_TEST(core::form_decode("%c3%A9").value() == "é");
    BOOST_TEST(core::form_decode("%2541").value() == "%41");  // once only
    BOOST_TEST(core::form_decode("").value() == "");
}

BOOST_AUTO_TEST_CASE(refuses_broken_escapes) {
    for (const std::string_view text : {"%", "%4", "a%", "%zz", "%4g", "%g4", "%%41", "% 41", "%+1", "%-1", "%0x", "%u0041"}) {
        BOOST_TEST(!core::form_decode(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_escaped_nul) {
    BOOST_TEST(!core::form_decode("a%00b").has_value());
}

BOOST_AUTO_TEST_CASE(parses_parameters) {
    const auto parameters = Parameters::parse("code=a%2Fb&state=c+d&iss=https%3A%2F%2Fexample.org&empty=&bare");
    BOOST_REQUIRE(parameters.has_value());
    BOOST_TEST(parameters->find("code").value() == "a/b");
    BOOST_TEST(parameters->find("state").value() == "c d");
    BOOST_TEST(parameters->find("iss").value() == "https://example.org");
    BOOST_TEST(parameters->find("empty").value() == "");
    BOOST_TEST(parameters->find("bare").value() == "");
    BOOST_TEST(!parameters->find("Code").has_value());
    BOOST_TEST(!parameters->find("").has_value());
}

BOOST_AUTO_TEST_CASE(takes_only_the_first_equals_sign_as_the_separator) {
    BOOST_TEST(Parameters::parse("a=b=c")->find("a").value() == "b=c");
}

BOOST_AUTO_TEST_CASE(has_no_parameters_for_empty_text) {
    const auto parameters = Parameters::parse("");
    BOOST_REQUIRE(parameters.has_value());
    BOOST_TEST(!parameters->find("a").has_value());
}

BOOST_AUTO_TEST_CASE(refuses_repeated_parameters_however_they_are_spelt) {
    for (const std::string_view text : {"a=1&a=1", "a=1&b=2&a=3", "state=1&st%61te=2", "a&a", "a=&a", "a+b=1&a%20b=2"}) {
        BOOST_TEST(is_refused(text), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_parameters_without_a_name) {
    for (const std::string_view text : {"=1", "&", "a=1&", "&a=1", "a=1&&b=2", "a=1&=2"}) {
        BOOST_TEST(is_refused(text), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_parameters_with_broken_escapes) {
    for (const std::string_view text : {"a=%", "a=%4", "%=1", "a=%00", "a%00=1", "a=1&b=%zz"}) {
        BOOST_TEST(is_refused(text), text);
    }
}

BOOST_AUTO_TEST_CASE(does_not_split_at_an_escaped_ampersand_or_at_a_semicolon) {
    BOOST_TEST(Parameters::parse("a=1%26b=2")->find("a").value() == "1&b=2");
    BOOST_TEST(Parameters::parse("a=1;b=2")->find("a").value() == "1;b=2");
}

BOOST_AUTO_TEST_CASE(bounds_the_number_of_parameters) {
    std::string text = "p0=";
    for (std::size_t i = 1; i < Parameters::kMaxCount; ++i) {
        text += "&p" + std::to_string(i) + "=";
    }
    BOOST_TEST(Parameters::parse(text).has_value());
    BOOST_TEST(is_refused(text + "&more="));
}

BOOST_AUTO_TEST_CASE(bounds_the_length_of_parameters) {
    const std::string text = "a=" + std::string(Parameters::kMaxBytes - 2, 'x');
    BOOST_TEST(Parameters::parse(text).has_value());
    BOOST_TEST(is_refused(text + "x"));
}

BOOST_AUTO_TEST_CASE(builds_parameters_that_parse_back) {
    core::ParameterList list;
    list.add("scope", "openid email").add("claims", R"({"a":"é&="})").add("empty", "");
    BOOST_TEST(list.text() == "scope=openid%20email&claims=%7B%22a%22%3A%22%C3%A9%26%3D%22%7D&empty=");
    const auto parameters = Parameters::parse(list.text());
    BOOST_REQUIRE(parameters.has_value());
    BOOST_TEST(parameters->find("claims").value() == R"({"a":"é&="})");
}

BOOST_AUTO_TEST_CASE(builds_long_lists_and_gives_them_away) {
    core::ParameterList list;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        const auto name = "name" + std::to_string(i);
        list.add(name, "value");
        expected += (i == 0 ? "" : "&") + name + "=value";
    }
    BOOST_TEST(list.text() == expected);
    BOOST_TEST(list.take() == expected);
}

BOOST_AUTO_TEST_CASE(parses_urls) {
    const auto url = core::parse_url("https://auth.agentconnect.gouv.fr/api/v2/authorize?a=b&c");
    BOOST_REQUIRE(url.has_value());
    BOOST_TEST(url->scheme == "https");
    BOOST_TEST(url->host == "auth.agentconnect.gouv.fr");
    BOOST_TEST(url->port == 443);
    BOOST_TEST(url->path == "/api/v2/authorize");
    BOOST_TEST(url->query == "a=b&c");
    BOOST_TEST(url->is_https());
    BOOST_TEST(!url->is_loopback());
    BOOST_TEST(url->origin() == "https://auth.agentconnect.gouv.fr");
}

BOOST_AUTO_TEST_CASE(reads_case_port_and_missing_parts) {
    const auto url = core::parse_url("HTTP://LocalHost:8080");
    BOOST_REQUIRE(url.has_value());
    BOOST_TEST(url->origin() == "http://localhost:8080");
    BOOST_TEST(url->path == "");
    BOOST_TEST(url->query == "");
    BOOST_TEST(core::parse_url("http://a?q")->query == "q");
    BOOST_TEST(core::parse_url("http://a/")->port == 80);
    BOOST_TEST(core::parse_url("https://a:443/")->origin() == "https://a");
    BOOST_TEST(core::parse_url("https://a:80/")->origin() == "https://a:80");
    BOOST_TEST(core::parse_url("https://a/b%20c;d/?e=/?:@!$'()*,")->path == "/b%20c;d/");
    BOOST_TEST(core::parse_url("https://[2001:DB8::1]:8443/")->origin() == "https://[2001:db8::1]:8443");
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_plain_http_url) {
    const std::string_view texts[] = {
        "", "/", "//a/", "https:", "https:/a", "https:///a", "https://", "https://?", "https://:443/", "ftp://a/", "javascript://a/%0aalert(1)",
        "file:///etc/passwd", "data:text/html,https://a/", "mailto:a?b=https://c/", " https://a/", "https ://a/", "https://a /", "https://a/ b",
        "https://a/\tb", "https://a/\nb", "https://a\r\n/", "https://user@a/", "https://user:pass@a/", "https://a@b@c/", "https://a:80@b/",
        "https://a/#f", "https://a#", "https://a?b#c", "https://a\\b/", "https://a/\\b", "https:\\\\a/", "https://a:/", "https://a:0/",
        "https://a:65536/", "https://a:99999/", "https://a:80x/", "https://a:+80/", "https://a:-1/", "https://a: 80/", "https://a:80:80/",
        "https://[::1/", "https://::1/", "https://[]/", "https://[::g]/", "https://[::1]x/", "https://[1.2.3.4]/", "https://[fe80::1%25eth0]/",
        "https://a%2eb/", "https://é.fr/", "https://a/é", "https://a/%", "https://a/%zz", "https://a/%2", "https://a/<b>", "https://a/\"b",
        "https://a/{b}", "https://a/|", "https://a/^", "https://a/`", "https://a/[b]", "https://a,b/", "https://a*b/", "https://a~b/", "https://a;b/",
        "http//a/", "://a/", "https//://a", "HTTPS//a"};
    for (const auto text : texts) {
        BOOST_TEST(!core::parse_url(text).has_value(), text);
    }
    BOOST_TEST(!core::parse_url(std::string_view("https://a\0b/", 12)).has_value());
    BOOST_TEST(!core::parse_url(std::string_view("https://a/\0", 11)).has_value());
    BOOST_TEST(!core::parse_url(std::string_view("https://[::1\0]/", 15)).has_value());
}

BOOST_AUTO_TEST_CASE(knows_the_loopback_hosts_and_no_others) {
    for (const std::string_view text : {"http://localhost/", "http://LOCALHOST:3000/", "http://127.0.0.1/", "http://127.255.255.254/", "http://[::1]/",
                                        "http://[0:0:0:0:0:0:0:1]:80/"}) {
        BOOST_TEST(core::parse_url(text)->is_loopback(), text);
    }
    for (const std::string_view text : {"http://localhost.example.org/", "http://localhost./", "http://xlocalhost/", "http://127.0.0.1.example.org/", "http://127.1/",
                                        "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://128.0.0.1/", "http://0.0.0.0/", "http://[::]/",
                                        "http://[::ffff:127.0.0.1]/", "http://[::2]/", "http://10.0.0.1/"}) {
        BOOST_TEST(!core::parse_url(text)->is_loopback(), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
