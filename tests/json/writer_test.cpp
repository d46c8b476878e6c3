// Writer and quoted() of json/document.hpp.
#include <boost/test/unit_test.hpp>

#include "json/document.hpp"

namespace json = proconnect::json;

BOOST_AUTO_TEST_SUITE(writer)

BOOST_AUTO_TEST_CASE(writes_nested_values_with_commas_where_they_belong) {
    json::Writer writer;
    writer.begin_object();
    writer.key("a").begin_array().number(1).number(-2).begin_object().end_object().begin_array().end_array().end_array();
    writer.key("b").begin_object().key("c").null().key("d").boolean(true).end_object();
    writer.key("e").string("f").key("g").raw("[1,2]").key("h").boolean(false);
    writer.end_object();
    BOOST_TEST(writer.take() == R"({"a":[1,-2,{},[]],"b":{"c":null,"d":true},"e":"f","g":[1,2],"h":false})");
}

BOOST_AUTO_TEST_CASE(writes_the_smallest_and_the_largest_number) {
    json::Writer writer;
    writer.begin_array().number(INT64_MIN).number(INT64_MAX).end_array();
    BOOST_TEST(writer.take() == "[-9223372036854775808,9223372036854775807]");
}

BOOST_AUTO_TEST_CASE(can_be_used_again_after_its_text_was_taken) {
    json::Writer writer;
    writer.number(1);
    BOOST_TEST(writer.take() == "1");
    writer.number(2);
    BOOST_TEST(writer.take() == "2");
}

BOOST_AUTO_TEST_CASE(escapes_what_json_wants_escaped) {
    BOOST_TEST(json::quoted("") == R"("")");
    BOOST_TEST(json::quoted("a\"b\\c/d") == R"("a\"b\\c/d")");
    BOOST_TEST(json::quoted("\r\n\t\x1f\x7f") == "\"\\u000d\\u000a\\u0009\\u001f\x7f\"");
    BOOST_TEST(json::quoted(std::string_view("a\0b", 3)) == R"("a\u0000b")");
    BOOST_TEST(json::quoted("Élise Ÿ œ 😀") == "\"Élise Ÿ œ 😀\"");
    json::Writer writer;
    writer.begin_object().key("a\"b").string("c\"d").end_object();
    BOOST_TEST(writer.take() == R"({"a\"b":"c\"d"})");
}

BOOST_AUTO_TEST_CASE(replaces_malformed_utf8) {
    BOOST_TEST(json::quoted("a\xFF" "b") == "\"a\xEF\xBF\xBD" "b\"");
    BOOST_TEST(json::quoted("\xC3") == "\"\xEF\xBF\xBD\"");
    BOOST_TEST(json::quoted("\xC0\xAF") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    BOOST_TEST(json::quoted("\xC3\"") == "\"\xEF\xBF\xBD\\\"\"");  // the quote is not swallowed
    BOOST_TEST(json::quoted("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

BOOST_AUTO_TEST_CASE(writes_what_the_parser_reads) {
    std::string bytes;
    for (int byte = 1; byte < 128; ++byte) {
        bytes.push_back(static_cast<char>(byte));
    }
    const auto document = json::Document::parse(json::quoted(bytes));
    BOOST_REQUIRE(document.has_value());
    BOOST_TEST(document->root().as_string().value() == bytes);
}

BOOST_AUTO_TEST_SUITE_END()
