// is_local_return_address() of core/url.hpp: what an attacker may put where the page asked for is expected.
#include <boost/test/unit_test.hpp>

#include "core/url.hpp"

using proconnect::core::is_local_return_address;
using proconnect::core::kMaxReturnBytes;

BOOST_AUTO_TEST_SUITE(return_address)

BOOST_AUTO_TEST_CASE(accepts_the_paths_of_this_site) {
    const std::string_view addresses[] = {
        "/", "/index.html", "/a/b/c", "/a//b", "/a?b=c&d=e", "/?q=a+b", "/a%20b", "/caf%C3%A9", "/a/%2Fb", "/a%2Fb", "/a%5Cb", "/a;b=c", "/~user/",
        "/a?url=https://example.org/", "/a?url=//example.org", "/a?url=%2F%2Fexample.org", "/login?return=/x", "/a?x=%25", "/a?100%",
        "/(a)/*b*/!c'", "/[a]{b}|^`<c>\"", "/a:b", "/a?b?c", "/?", "/a?", "/a?b=%0D%0Ac%09%1b", "/a?b=/../c", "/a/..b", "/a/b..", "/a/...", "/a/./b", "/%E2%82%AC", "/a@b",
        // Strange, but of this site for every browser: the host is settled before these are read.
        "/.//example.org", "/;@example.org", "/@example.org", "/:80", "/?//example.org", "/%252F%252Fexample.org", "/%255Cexample.org",
        "/%25%32%46example.org", "/%EF%BC%8Fexample.org", "/https://example.org", "/.example.org", "/%40example.org",
    };
    for (const auto address : addresses) {
        BOOST_TEST(is_local_return_address(address), address);
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_way_to_another_site) {
    const std::string_view payloads[] = {
        // Not a path
        "", "example.org", "example.org/", "www.example.org", "?a=b", "#a", ".", "..", "./a", "../a", "a/b", "@example.org", ":80", ";/example.org",
        // Absolute URLs and other schemes
        "https://example.org", "http://example.org/", "HTTPS://EXAMPLE.ORG/", "https:example.org", "https:/example.org", "https:///example.org", "http:\\\\example.org",
        "https:\\example.org", "https:/\\example.org", "https:\\/example.org", "hTtPs://example.org", "ftp://example.org/", "ws://example.org/",
        "javascript:alert(1)", "JavaScript:alert(1)", "javascript://%0aalert(1)", "javascript:%0aalert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD4=", "vbscript:msgbox(1)", "file:///etc/passwd", "blob:https://example.org/a",
        "view-source:https://example.org", "about:blank", "mailto:a@example.org", "tel:1", "intent://example.org#Intent;end", "x:y",
        "https://this.site@example.org/", "https://example.org%00.this.site/",
        // Protocol-relative
        "//example.org", "//example.org/", "//example.org/a?b", "///example.org", "////example.org", "/////example.org", "//", "///", "//@example.org",
        "//this.site@example.org", "//example.org:443/", "//1.2.3.4", "//0x01020304", "//16909060", "//[::1]/", "//localhost", "//a.b", "//%65xample.org", "//?a", "//#a",
        "//;@example.org", "//.", "//..//example.org", "//%2F", "//example.org\\@this.site",
        // Backslashes, which browsers read as slashes
        "\\example.org", "\\\\example.org", "\\/example.org", "/\\example.org", "/\\/example.org", "/\\\\example.org", "//\\example.org", "/a\\b", "/a?b=\\c", "\\",
        "/\\", "/\\@example.org", "/./\\example.org", "/.\\example.org", "/..\\example.org",
        // Escaped slash or backslash where a decoder may run before the browser
        "/%2Fexample.org", "/%2fexample.org", "/%2F/example.org", "/%2F%2Fexample.org", "/%5Cexample.org", "/%5cexample.org", "/%5C%5Cexample.org", "/%2f%5cexample.org",
        // Characters that browsers remove or trim
        "/\t/example.org", "/\n/example.org", "/\r/example.org", "/\r\n/example.org", "\t//example.org", "\n//example.org", " //example.org", " /a", "\t/a", "\r\n/a",
        "/a\n", "/a\r", "/a\t", "/ /example.org", "/a b", "/a ", "/\x0b/example.org", "/\x0c/example.org", "/\x01/example.org", "/\x1f/example.org", "/\x7f/example.org",
        "/\x08/example.org", "/a\x1b[31m",
        // Header injection, raw and escaped
        "/a\r\nSet-Cookie: b=c", "/a\nLocation: //example.org", "/%0D%0ASet-Cookie:b=c", "/%0d%0aLocation:%20//example.org", "/a%0A", "/a%0D", "/%0a/example.org", "/a%0aX:b",
        "/%%0d0a", "/%%0a",
        // Escaped control characters
        "/%00", "/a%00b", "/%00/example.org", "/%09/example.org", "/%0b/example.org", "/%0C/example.org", "/%08/example.org", "/%1F/example.org", "/%7f/example.org", "/a%0a?b",
        // Steps upwards, which the browser takes before it asks
        "/..", "/../", "/../a", "/a/..", "/a/../b", "/a/../../b", "/..//example.org", "/%2e%2e", "/%2E%2E/a", "/.%2e/a", "/%2e./a", "/a/%2e%2E/b", "/a/..?b",
        // Bytes beyond ASCII: full-width solidus, fraction slash, ideographic full stop, overlong slash, C1 next line, BOM, no-break space
        "/\xEF\xBC\x8F" "example.org", "/\xE2\x81\x84" "example.org", "//example\xE3\x80\x82org", "/\xC0\xAF" "example.org", "/\xC2\x85/example.org", "\xEF\xBB\xBF//example.org",
        "\xEF\xBB\xBF/a", "/\xC2\xA0/example.org", "\xEF\xBC\x8F\xEF\xBC\x8F" "example.org", "/caf\xC3\xA9", "/\xFF", "/\x80",
        // Fragments: the browser keeps them from the server, so none can come from it
        "/#", "/a#b", "/#//example.org", "/a?b#c", "/##",
    };
    BOOST_TEST(std::size(payloads) >= 150U);
    for (const auto payload : payloads) {
        BOOST_TEST(!is_local_return_address(payload), payload);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_raw_nul_anywhere) {
    for (const auto payload : {std::string_view("/\0/example.org", 14), std::string_view("\0/a", 3), std::string_view("/a\0", 3)}) {
        BOOST_TEST(!is_local_return_address(payload));
    }
}

BOOST_AUTO_TEST_CASE(bounds_the_length) {
    const std::string address = "/" + std::string(kMaxReturnBytes - 1, 'a');
    BOOST_TEST(is_local_return_address(address));
    BOOST_TEST(!is_local_return_address(address + "a"));
}

BOOST_AUTO_TEST_CASE(judges_each_byte_after_the_first_slash_as_browsers_do) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string address{'/', static_cast<char>(byte), 'e', '.', 'o', 'r', 'g'};
        const bool expected = byte > 0x20 && byte < 0x7F && byte != '/' && byte != '\\' && byte != '#';
        BOOST_TEST(is_local_return_address(address) == expected, byte);
    }
}

BOOST_AUTO_TEST_SUITE_END()
