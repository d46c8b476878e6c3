#include "page/html.hpp"

#include <boost/test/unit_test.hpp>

using namespace proconnect::page;
using proconnect::core::Language;

BOOST_AUTO_TEST_SUITE(html)

BOOST_AUTO_TEST_CASE(escapes_what_could_end_a_text_or_an_attribute) {
    BOOST_TEST(escape_html("<b a=\"1\" c='2'>&amp;") == "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
    BOOST_TEST(escape_html("Élise – œuvre") == "Élise – œuvre");
    BOOST_TEST(escape_html("").empty());
}

BOOST_AUTO_TEST_CASE(makes_paragraphs_of_a_text) {
    BOOST_TEST(paragraphs("").empty());
    BOOST_TEST(paragraphs("\n \r\n\n").empty());
    BOOST_TEST(paragraphs("un") == "<p>un</p>\n");
    BOOST_TEST(paragraphs("un\r\ndeux\n\n<trois>\n") == "<p>un<br>deux</p>\n<p>&lt;trois&gt;</p>\n");
}

// The published hashes of these texts; echo -n 'alert(1)' | openssl sha256 -binary | base64 gives the first.
BOOST_AUTO_TEST_CASE(names_a_style_by_its_hash) {
    BOOST_TEST(style_hash_source("alert(1)") == "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
    BOOST_TEST(style_hash_source("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
}

BOOST_AUTO_TEST_CASE(encodes_data_with_its_padding) {
    BOOST_TEST(data_uri("image/png", "a") == "data:image/png;base64,YQ==");
    BOOST_TEST(data_uri("image/png", "ab") == "data:image/png;base64,YWI=");
    BOOST_TEST(data_uri("image/png", "abc") == "data:image/png;base64,YWJj");
    BOOST_TEST(data_uri("image/png", "\xfb\xff") == "data:image/png;base64,+/8=");
}

BOOST_AUTO_TEST_CASE(speaks_french_unless_english_is_preferred) {
    for (const auto* header : {"", "fr", "de", "*", "en;q=0", "en;q=0.3,fr;q=0.7", "fr,en", "enx", "e", ",,,", "en;q=x,fr"}) {
        BOOST_TEST((preferred_language(header) == Language::french), header);
    }
    for (const auto* header : {"en", "EN-gb,fr;q=0.5", "de,en;q=0.5", "fr;q=0.2, en;q=0.3"}) {
        BOOST_TEST((preferred_language(header) == Language::english), header);
    }
}

BOOST_AUTO_TEST_SUITE_END()
