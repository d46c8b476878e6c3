#include "json/document.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace json = proconnect::json;
using json::Document;
using json::Limits;
using json::Value;
using proconnect::core::ErrorCode;

namespace {

/// The detail of the refusal; "" when the text is accepted. The code is always the same.
std::string refusal(std::string_view text, const Limits& limits = {}) {
    const auto document = Document::parse(text, limits);
    if (document) {
        return "";
    }
    BOOST_TEST((document.error().code == ErrorCode::provider_json_malformed));
    return document.error().detail;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    while (times-- > 0) {
        all += text;
    }
    return all;
}

/// Limits wide enough that only what is under test can refuse.
constexpr Limits kWide{.max_bytes = 64 << 20, .max_depth = 1 << 20, .max_values = 4 << 20, .max_string_bytes = 4 << 20};

}  // namespace

BOOST_AUTO_TEST_SUITE(document)

BOOST_AUTO_TEST_CASE(reads_every_type) {
    const auto document = Document::parse(R"( {"n":null,"t":true,"f":false,"i":-12,"s":"é","a":[1,"b",[]],"o":{"x":{}}} )");
    BOOST_REQUIRE(document.has_value());
    const Value root = document->root();
    BOOST_TEST(root.is_object());
    BOOST_TEST(root.size() == 7U);
    BOOST_TEST((root.find("n")->type() == Value::Type::null));
    BOOST_TEST(root.find("t")->as_bool().value() == true);
    BOOST_TEST(root.find("f")->as_bool().value() == false);
    BOOST_TEST(root.find("i")->as_int64().value() == -12);
    BOOST_TEST(root.string_member("s").value() == "é");
    BOOST_TEST(root.find("a")->is_array());
    BOOST_TEST(root.find("a")->size() == 3U);
    BOOST_TEST(root.find("o")->find("x")->is_object());
    BOOST_TEST(root.find("o")->find("x")->size() == 0U);
    BOOST_TEST(!root.find("absent").has_value());
    BOOST_TEST(!root.find("x").has_value());  // of a nested object
}

BOOST_AUTO_TEST_CASE(reads_scalars_at_the_top) {
    BOOST_TEST(Document::parse("7")->root().as_int64().value() == 7);
    BOOST_TEST(Document::parse("\"a\"")->root().as_string().value() == "a");
    BOOST_TEST((Document::parse("null")->root().type() == Value::Type::null));
}

BOOST_AUTO_TEST_CASE(refuses_anything_but_an_object_where_an_object_is_asked_for) {
    BOOST_TEST(Document::parse_object("{}").has_value());
    for (const std::string_view text : {"[]", "1", "\"{}\"", "null", "true", "[{}]"}) {
        const auto document = Document::parse_object(text);
        BOOST_REQUIRE(!document.has_value());
        BOOST_TEST(document.error().detail == "JSON: not an object");
    }
}

BOOST_AUTO_TEST_CASE(decodes_escapes) {
    const auto document = Document::parse(R"(["\"\\\/\b\f\n\r\t","\u00e9\u20AC","\ud83d\ude00","\u0001"])");
    BOOST_REQUIRE(document.has_value());
    const auto strings = document->root().as_strings();
    BOOST_REQUIRE(strings.has_value());
    BOOST_TEST(strings->at(0) == "\"\\/\b\f\n\r\t");
    BOOST_TEST(strings->at(1) == "é€");
    BOOST_TEST(strings->at(2) == "😀");
    BOOST_TEST(strings->at(3) == "\x01");
}

BOOST_AUTO_TEST_CASE(never_converts_between_types) {
    const auto document = Document::parse(R"({"s":"1","n":1,"t":"true","z":null,"a":["x"],"e":""})");
    const Value root = document->root();
    BOOST_TEST(!root.find("s")->as_int64().has_value());
    BOOST_TEST(!root.find("s")->as_numeric_date().has_value());
    BOOST_TEST(!root.find("n")->as_string().has_value());
    BOOST_TEST(!root.find("n")->as_bool().has_value());
    BOOST_TEST(!root.find("t")->as_bool().has_value());
    BOOST_TEST(!root.find("z")->as_string().has_value());
    BOOST_TEST(!root.find("z")->as_bool().has_value());
    BOOST_TEST(!root.string_member("a").has_value());
    BOOST_TEST(root.string_member("e").value() == "");
    BOOST_TEST(!root.find("a")->find("x").has_value());
    BOOST_TEST(!root.find("s")->as_strings().has_value());
    BOOST_TEST(root.find("s")->size() == 0U);
}

BOOST_AUTO_TEST_CASE(reads_whole_numbers_that_fit_and_no_others) {
    const std::pair<std::string_view, std::int64_t> whole[] = {
        {"0", 0}, {"-0", 0}, {"9007199254740993", 9007199254740993}, {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
    for (const auto& [text, number] : whole) {
        BOOST_TEST(Document::parse(text)->root().as_int64().value() == number);
    }
    for (const std::string_view text : {"1.0", "1e3", "1E0", "0.5", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e300",
                                        "123456789012345678901234567890"}) {
        BOOST_TEST(!Document::parse(text)->root().as_int64().has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(reads_numeric_dates) {
    const std::pair<std::string_view, std::int64_t> dates[] = {
        {"0", 0}, {"1700000000", 1700000000}, {"1700000000.9", 1700000000}, {"1.7e9", 1700000000}, {"1700000000000e-3", 1700000000},
        {"253402300799", 253402300799}, {"253402300799.5", 253402300799}, {"0.99", 0}};
    for (const auto& [text, date] : dates) {
        BOOST_TEST(Document::parse(text)->root().as_numeric_date().value() == date, text);
    }
    for (const std::string_view text : {"-1", "-0.5", "-1700000000", "253402300800", "1e12", "1e300", "1e308", "9223372036854775808", "1e-400", "-1e300"}) {
        BOOST_TEST(!Document::parse(text)->root().as_numeric_date().has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_numbers_that_are_none) {
    for (const std::string_view text : {"01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "nan", "Inf", "1,0"}) {
        BOOST_TEST(refusal(text) != "", text);
    }
    BOOST_TEST(refusal("1e400") == "JSON: a number is too large");
}

BOOST_AUTO_TEST_CASE(survives_exponents_made_to_overflow) {
    // CVE-2024-38517 and CVE-2024-39684: the sum of exponent and fraction digits.
    for (const std::string_view text : {"1.5e-2147483647", "0.00000000001e-2147483639", "1.0e-99999999999999999999", "1.123456789e-214748363999"}) {
        BOOST_TEST(!Document::parse(text)->root().as_numeric_date().has_value(), text);
    }
    BOOST_TEST(refusal("1.5e99999999999999999999") != "");
}

BOOST_AUTO_TEST_CASE(refuses_repeated_keys) {
    for (const std::string_view text : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"({"":1,"":2})", R"({"a":1,"\u0061":2})", R"({"é":1,"\u00e9":2})",
                                        R"({"a\/b":1,"a/b":2})", R"([{"x":{"y":[{"a":1,"a":2}]}}])", R"({"a":{},"a":{}})", R"({"a":[{"a":1}],"b":1,"a":2})",
                                        R"({"iss":"good","sub":"x","iss":"evil"})"}) {
        BOOST_TEST(refusal(text) == "JSON: a key is repeated", text);
    }
}

BOOST_AUTO_TEST_CASE(accepts_the_same_key_in_different_objects_and_keys_that_only_look_alike) {
    for (const std::string_view text : {R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":2}])", R"({"a":1,"A":2,"a ":3,"":4})", R"({"\u00e9":1,"e\u0301":2})"}) {
        BOOST_TEST(refusal(text) == "", text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_malformed_utf8) {
    const std::string_view texts[] = {
        "\x80", "\xBF", "\xFF", "\xFE", "\xC3", "\xC3(", "\xE2\x82", "\xE2(\xAC", "\xF0\x9F\x98", "\xF0\x9F(\x80",
        "\xC0\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",  // overlong
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xED\xA0\xBD\xED\xB8\x80",                                                    // surrogates
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xC3\xA9\xA9"};
    for (const auto text : texts) {
        BOOST_TEST(refusal("\"" + std::string{text} + "\"") == "JSON: a string is not UTF-8");
        BOOST_TEST(refusal("{\"" + std::string{text} + "\":1}") == "JSON: a string is not UTF-8");
        BOOST_TEST(refusal(text) != "");
    }
}

BOOST_AUTO_TEST_CASE(accepts_the_limits_of_well_formed_utf8) {
    for (const std::string_view text : {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        BOOST_TEST(refusal("\"" + std::string{text} + "\"") == "");
    }
}

BOOST_AUTO_TEST_CASE(refuses_lone_surrogates) {
    for (const std::string_view text : {R"("\ud800")", R"("\ud83d")", R"("\udc00")", R"("\ude00\ud83d")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ud83d\ud83d")",
                                        R"("\udfff")", R"({"\udc00":1})", R"({"\ud800":1})"}) {
        BOOST_TEST(refusal(text) != "", text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_nul_raw_and_escaped) {
    BOOST_TEST(refusal(R"("\u0000")") == "JSON: a string contains NUL");
    BOOST_TEST(refusal(R"({"a\u0000b":1})") == "JSON: a string contains NUL");
    BOOST_TEST(refusal(R"(["admin\u0000@example.org"])") == "JSON: a string contains NUL");
    BOOST_TEST(refusal(std::string_view("{}\0", 3)) == "JSON: NUL byte");
    BOOST_TEST(refusal(std::string_view("{}\0{", 4)) == "JSON: NUL byte");
    BOOST_TEST(refusal(std::string_view("\"a\0b\"", 5)) == "JSON: NUL byte");
    BOOST_TEST(refusal(std::string_view("\0", 1)) == "JSON: NUL byte");
}

BOOST_AUTO_TEST_CASE(refuses_raw_control_characters_in_strings) {
    for (char c = 1; c < 0x20; ++c) {
        BOOST_TEST(refusal(std::string{'"', c, '"'}) != "", static_cast<int>(c));
    }
}

BOOST_AUTO_TEST_CASE(refuses_what_comes_after_the_end) {
    for (const std::string_view text : {"{}{}", "{} x", "{},", "{}]", "1 2", "[] []", "\"a\" \"b\"", "{}//c", "null;"}) {
        BOOST_TEST(refusal(text) != "", text);
    }
    BOOST_TEST(refusal("{} \t\r\n") == "");
}

BOOST_AUTO_TEST_CASE(refuses_empty_texts_and_a_byte_order_mark) {
    BOOST_TEST(refusal("") == "JSON: empty");
    BOOST_TEST(refusal(" \n") == "JSON: empty");
    BOOST_TEST(refusal("\xEF\xBB\xBF{}") != "");
    BOOST_TEST(refusal(std::string_view("{\0}\0", 4)) != "");  // UTF-16
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_json) {
    for (const std::string_view text :
         {"{", "}", "[", "]", "[1,]", "{\"a\":1,}", "{,}", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "{1:2}", "\"a", "\"\\", "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"",
          "tru", "True", "nul", "undefined", "/* c */{}", "{/* c */}", "// c\n{}", "# c\n{}", "[1 2]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "<html></html>", "a=b&c=d", "\v{}",
          "\xC2\xA0{}", "[1}", "{\"a\":1]", ":", ",", "()", "{null:1}"}) {
        BOOST_TEST(refusal(text) != "", text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_depth_beyond_the_limit) {
    const Limits limits{.max_depth = 3};
    BOOST_TEST(refusal("[[[]]]", limits) == "");
    BOOST_TEST(refusal(R"({"a":[{"b":1}],"c":[[1],[2]]})", limits) == "");
    BOOST_TEST(refusal("[[[[]]]]", limits) == "JSON: nested too deeply");
    BOOST_TEST(refusal(R"({"a":{"b":{"c":{}}}})", limits) == "JSON: nested too deeply");
    BOOST_TEST(refusal("1", {.max_depth = 0}) == "");
    BOOST_TEST(refusal("[]", {.max_depth = 0}) == "JSON: nested too deeply");
}

BOOST_AUTO_TEST_CASE(refuses_a_depth_of_ten_thousand_and_of_a_hundred_thousand) {
    for (const std::size_t depth : {10'000UZ, 100'000UZ}) {
        BOOST_TEST(refusal(repeated("[", depth) + repeated("]", depth)) == "JSON: nested too deeply");
        BOOST_TEST(refusal(repeated("[", depth)) == "JSON: nested too deeply");
        BOOST_TEST(refusal(repeated("{\"a\":", depth), kWide) != "");
    }
}

BOOST_AUTO_TEST_CASE(parses_a_great_depth_without_stack_when_the_limits_allow_it) {
    const std::size_t depth = 1'000'000;
    BOOST_TEST(refusal(repeated("[", depth) + repeated("]", depth), kWide) == "");
}

BOOST_AUTO_TEST_CASE(refuses_too_many_values_before_it_has_built_them) {
    std::string text = "{";
    for (int i = 0; i < 1'000'000; ++i) {
        text += "\"k" + std::to_string(i) + "\":0,";
    }
    text += "\"last\":0}";
    Limits limits = kWide;
    limits.max_values = 20'000;
    BOOST_TEST(refusal(text, limits) == "JSON: too many values");
    BOOST_TEST(refusal(text) == "JSON: too large");
}

BOOST_AUTO_TEST_CASE(counts_keys_and_values) {
    BOOST_TEST(refusal(R"({"a":1,"b":[2]})", {.max_values = 6}) == "");
    BOOST_TEST(refusal(R"({"a":1,"b":[2]})", {.max_values = 5}) == "JSON: too many values");
    BOOST_TEST(refusal("[1,1,1]", {.max_values = 3}) == "JSON: too many values");
}

BOOST_AUTO_TEST_CASE(finds_repeated_keys_among_a_million_in_little_time) {
    std::string text = "{";
    for (int i = 0; i < 1'000'000; ++i) {
        text += "\"k" + std::to_string(i) + "\":0,";
    }
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(refusal(text + "\"other\":0}", kWide) == "");
    BOOST_TEST(refusal(text + "\"k0\":0}", kWide) == "JSON: a key is repeated");
    // A quadratic search would take hours; the bound is wide for slow machines and sanitizers.
    BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds{60}));
}

BOOST_AUTO_TEST_CASE(refuses_strings_of_a_mebibyte) {
    const std::string string(1 << 20, 'a');
    Limits limits = kWide;
    limits.max_string_bytes = 65536;
    BOOST_TEST(refusal("\"" + string + "\"", limits) == "JSON: a string or number is too long");
    BOOST_TEST(refusal("{\"" + string + "\":1}", limits) == "JSON: a string or number is too long");
    BOOST_TEST(refusal(std::string(1 << 20, '1'), limits) != "");
    BOOST_TEST(refusal("\"" + string + "\"") == "JSON: too large");
}

BOOST_AUTO_TEST_CASE(measures_strings_decoded_and_bounds_the_text) {
    BOOST_TEST(refusal(R"("\u00e9\u00e9")", {.max_string_bytes = 4}) == "");
    BOOST_TEST(refusal(R"("\u00e9\u00e9")", {.max_string_bytes = 3}) == "JSON: a string or number is too long");
    BOOST_TEST(refusal("12345", {.max_string_bytes = 4}) == "JSON: a string or number is too long");
    BOOST_TEST(refusal("[]", {.max_bytes = 2}) == "");
    BOOST_TEST(refusal("[] ", {.max_bytes = 2}) == "JSON: too large");
}

BOOST_AUTO_TEST_CASE(says_nothing_of_the_content_when_it_refuses) {
    for (const std::string_view text : {R"({"sesame":1,"sesame":2})", R"("sesame)", R"(["sesame" "open"])", R"("sesame\u0000")"}) {
        BOOST_TEST(!refusal(text).contains("sesame"), text);
    }
}

BOOST_AUTO_TEST_CASE(visits_members_and_elements_in_order) {
    const auto document = Document::parse(R"({"b":[1,[2,3],4],"a":{"x":1},"c":2})");
    std::string names;
    document->root().for_each_member([&](std::string_view name, Value value) { names.append(name).append(std::to_string(value.size())).append(" "); });
    BOOST_TEST(names == "b3 a1 c0 ");
    std::string elements;
    document->root().find("b")->for_each_element([&](Value value) { elements.append(value.to_text()).append(" "); });
    BOOST_TEST(elements == "1 [2,3] 4 ");
    document->root().for_each_element([](Value) { BOOST_ERROR("an object has no elements"); });
    document->root().find("b")->for_each_member([](std::string_view, Value) { BOOST_ERROR("an array has no members"); });
}

BOOST_AUTO_TEST_CASE(gives_arrays_of_strings_only_when_all_are_strings) {
    BOOST_TEST(Document::parse(R"(["a","","a"])")->root().as_strings()->size() == 3U);
    BOOST_TEST(Document::parse("[]")->root().as_strings()->empty());
    for (const std::string_view text : {R"(["a",1])", R"([null])", R"([["a"]])", R"("a")", R"({"a":"b"})"}) {
        BOOST_TEST(!Document::parse(text)->root().as_strings().has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(writes_values_back_without_loss) {
    const std::string_view texts[] = {"{}", "[]", "null", "[true,false,null]", R"({"a":{"b":[1,-2.5e+10,123456789012345678901234567890]}})", R"("é😀")",
                                      R"(["\"\\\u0001\u001f/"])", R"({"":""})"};
    for (const auto text : texts) {
        BOOST_TEST(Document::parse(text)->root().to_text() == text);
    }
    BOOST_TEST(Document::parse(R"( { "a" : [ 1 , "\u00e9\/" ] } )")->root().to_text() == R"({"a":[1,"é/"]})");
    BOOST_TEST(Document::parse(R"({"a":{"b":[1]}})")->root().find("a")->to_text() == R"({"b":[1]})");
}

BOOST_AUTO_TEST_CASE(keeps_views_valid_when_the_document_moves) {
    auto document = Document::parse(R"({"a":"b"})");
    const auto view = document->root().string_member("a").value();
    Document moved{std::move(*document)};
    BOOST_TEST(view == "b");
    BOOST_TEST(moved.root().string_member("a").value() == "b");
    moved = std::move(*Document::parse("[1]"));
    BOOST_TEST(moved.root().is_array());
}

BOOST_AUTO_TEST_SUITE_END()
