#include <boost/test/unit_test.hpp>

#include <random>

#include "json/document.hpp"
#include "session/session.hpp"
#include "session/table.hpp"

using namespace proconnect;
using session::Attribute;
using session::AttributeBlock;
using Kind = Attribute::Kind;

namespace {

AttributeBlock parse(const std::string& block) {
    return AttributeBlock::parse(test::bytes_of(block)).value();
}

std::string claims_json(const AttributeBlock& block) {
    std::string json(block.claims_json_bytes() + 2, '#');
    block.write_claims_json(std::span{json}.first(block.claims_json_bytes()));
    BOOST_TEST(json.ends_with("##"));
    json.resize(json.size() - 2);
    return json;
}

std::string claims_json(const std::vector<Attribute>& attributes) {
    const std::string block = session::encode_attributes(attributes);
    return claims_json(parse(block));
}

Attribute text(std::string claim, std::string value) {
    return {.claim = std::move(claim), .value = std::move(value)};
}

Attribute list(std::string claim, std::string value) {
    return {.claim = std::move(claim), .value = std::move(value), .kind = Kind::list};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attributes)

BOOST_AUTO_TEST_CASE(a_variable_is_the_claim_in_capitals_with_underscores_for_the_rest) {
    BOOST_TEST(session::variable_name("given_name") == "PROCONNECT_GIVEN_NAME");
    BOOST_TEST(session::variable_name("chorusdt:matricule") == "PROCONNECT_CHORUSDT_MATRICULE");
    BOOST_TEST(session::variable_name("custom.structureTravail") == "PROCONNECT_CUSTOM_STRUCTURETRAVAIL");
    BOOST_TEST(session::variable_name("é=\n\"") == "PROCONNECT______");
    BOOST_TEST(session::variable_name("") == "PROCONNECT_");
}

BOOST_AUTO_TEST_CASE(every_attribute_comes_back_with_name_value_kind_and_claim) {
    const std::vector<Attribute> given{text("sub", "a1b2"), text("given_name", "Élise ʻOkina Ÿ œ"), text("chorusdt:matricule", "USER_AGC"),
                                       list("roles", "agent_public;agent_public_etat"), {"auth_time", "1800000000", Kind::json, false},
                                       {"custom", R"({"x":[1,2]})", Kind::json, false}, {"custom.x", "Y", Kind::text, true}, text("empty", "")};
    const std::string block = session::encode_attributes(given);
    const AttributeBlock parsed = parse(block);
    BOOST_TEST(parsed.size() == given.size());
    std::size_t i = 0;
    parsed.for_each([&](const AttributeBlock::Item& item) {
        BOOST_TEST(item.claim() == given[i].claim);
        BOOST_TEST(item.variable_view == session::variable_name(given[i].claim));
        BOOST_TEST(std::string{item.variable} == item.variable_view);
        BOOST_TEST(item.value_view == given[i].value);
        BOOST_TEST(std::string{item.value} == given[i].value);
        BOOST_TEST((item.kind == given[i].kind));
        BOOST_TEST(item.derived == given[i].derived);
        ++i;
    });
    BOOST_TEST(i == given.size());
}

BOOST_AUTO_TEST_CASE(no_attributes_make_an_empty_block_and_an_empty_object) {
    BOOST_TEST(claims_json(std::vector<Attribute>{}) == "{}");
    const std::string block = session::encode_attributes({});
    BOOST_TEST(parse(block).size() == 0U);
    BOOST_TEST(!parse(block).find("PROCONNECT_SUB"));
}

BOOST_AUTO_TEST_CASE(a_claim_is_stored_only_where_its_variable_does_not_tell_it) {
    for (const auto& [claim, stored] : {std::pair{"given_name", false}, {"x2", false}, {"Given_Name", true}, {"a:b", true}, {"a.b", true}, {"é", true}}) {
        const std::string block = session::encode_attributes({text(claim, "v")});
        parse(block).for_each([&](const AttributeBlock::Item& item) {
            BOOST_TEST(!item.stored_claim.empty() == stored, claim);
            BOOST_TEST(item.claim() == claim);
        });
    }
}

BOOST_AUTO_TEST_CASE(of_two_claims_with_one_variable_the_first_wins) {
    const std::string block = session::encode_attributes({text("a:b", "first"), text("a.b", "second"), text("A_B", "third"), text("c", "other")});
    const AttributeBlock parsed = parse(block);
    BOOST_TEST(parsed.size() == 2U);
    BOOST_TEST(parsed.find("PROCONNECT_A_B").value().value_view == "first");
    BOOST_TEST(claims_json(parsed) == R"({"a:b":"first","c":"other"})");
}

BOOST_AUTO_TEST_CASE(finds_names_that_are_remembered_in_the_same_place) {
    std::vector<Attribute> attributes;
    for (char first = 'a'; first <= 'z'; ++first) {
        attributes.push_back({.claim = std::string{first} + "same", .value = std::string{first}});
    }
    const auto block = session::encode_attributes(attributes);
    const auto parsed = parse(block);
    for (const auto& attribute : attributes) {
        BOOST_TEST(parsed.find(session::variable_name(attribute.claim)).value().value_view == attribute.value, attribute.claim);
    }
    BOOST_TEST(!parsed.find("PROCONNECT_0SAME"));
    BOOST_TEST(!parsed.find("PROCONNECT_ASAMF"));
}

BOOST_AUTO_TEST_CASE(finds_by_the_whole_variable_only) {
    const std::string block = session::encode_attributes({text("email", "a@b"), text("email2", "c@d")});
    const AttributeBlock parsed = parse(block);
    BOOST_TEST(parsed.find("PROCONNECT_EMAIL").value().value_view == "a@b");
    BOOST_TEST(parsed.find("PROCONNECT_EMAIL2").value().value_view == "c@d");
    for (const char* variable : {"PROCONNECT_EMAI", "PROCONNECT_EMAIL3", "email", "", "PROCONNECT_"}) {
        BOOST_TEST(!parsed.find(variable), variable);
    }
}

BOOST_AUTO_TEST_CASE(what_could_split_a_header_or_end_a_value_early_becomes_a_space) {
    using namespace std::string_literals;
    const std::string block = session::encode_attributes({text("a", "x\r\nSet-Cookie: y\0z"s)});
    BOOST_TEST(parse(block).find("PROCONNECT_A").value().value_view == "x  Set-Cookie: y z");
}

BOOST_AUTO_TEST_CASE(a_hostile_claim_name_stays_inside_its_place) {
    using namespace std::string_literals;
    const std::string name = "a\0b\r\n\"\\=\x7f"s;
    const std::string block = session::encode_attributes({text(name, "v")});
    const AttributeBlock parsed = parse(block);
    const auto item = parsed.find("PROCONNECT_A_B______").value();
    BOOST_TEST(item.claim() == name);
    BOOST_TEST(claims_json(parsed) == "{\"a\\u0000b\\r\\n\\\"\\\\=\x7f\":\"v\"}");
}

BOOST_AUTO_TEST_CASE(the_json_is_exact_for_every_kind) {
    BOOST_TEST(claims_json({text("sub", "x"), text("empty", ""), {"auth_time", "5", Kind::json, false}, {"b", "true", Kind::json, false},
                            {"custom", R"({"k":"v"})", Kind::json, false}, {"custom.k", "v", Kind::text, true}, list("roles", "a;b"),
                            list("groups", ""), list("one", "x")}) ==
               R"({"sub":"x","empty":"","auth_time":5,"b":true,"custom":{"k":"v"},"roles":["a","b"],"groups":[],"one":["x"]})");
}

BOOST_AUTO_TEST_CASE(the_json_escapes_what_it_must_and_nothing_else) {
    std::string all;
    for (int c = 1; c < 0x80; ++c) {
        if (c != '\r' && c != '\n') {
            all += static_cast<char>(c);
        }
    }
    all += "é€😀";
    const auto document = json::Document::parse_object(claims_json({text("x", all), list("y", "\t")})).value();
    BOOST_TEST(document.root().string_member("x").value() == all);
    BOOST_TEST(claims_json({text("x", "\b\f\t\x01\x1f\"\\/<é")}) == "{\"x\":\"\\b\\f\\t\\u0001\\u001f\\\"\\\\/<é\"}");
}

BOOST_AUTO_TEST_CASE(the_json_of_a_list_has_the_elements_that_splitting_gives) {
    for (const std::string value : {"a", ";", "a;", ";a", "a;;b", "a\\;b", "a\\\\;b", "\\", "a\\", "\\x;y", "\\;", "\\\\", "a\";\tb", ";;", "é;Ÿ", "a\\;", "a\\;;"}) {
        const auto elements = session::split_list(value);
        const auto document = json::Document::parse_object(claims_json({list("l", value)}));
        BOOST_REQUIRE_MESSAGE(document.has_value(), value);
        const auto in_json = document->root().find("l").value().as_strings().value();
        BOOST_TEST(std::vector<std::string>(in_json.begin(), in_json.end()) == elements, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_list_is_split_at_semicolons_that_are_not_escaped) {
    const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
        {"", {}}, {"a", {"a"}}, {"a;b", {"a", "b"}}, {";", {"", ""}}, {"a;", {"a", ""}}, {"a\\;b;c", {"a;b", "c"}}, {"a\\\\;b", {"a\\", "b"}},
        {"\\", {"\\"}}, {"\\x", {"\\x"}}, {"a\\\\\\;b", {"a\\;b"}}};
    for (const auto& [value, elements] : cases) {
        BOOST_TEST(session::split_list(value) == elements, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_search_in_a_list_stops_at_the_first_match) {
    int visits = 0;
    BOOST_TEST(session::any_list_element("a;b\\;c;d", [&](std::string_view element) { return ++visits, element == "b;c"; }));
    BOOST_TEST(visits == 2);
    BOOST_TEST(!session::any_list_element("a;b", [](std::string_view element) { return element == "a;b"; }));
    BOOST_TEST(!session::any_list_element("", [](std::string_view) { return true; }));
}

BOOST_AUTO_TEST_CASE(random_attributes_come_back_and_make_valid_json) {
    std::mt19937 random{7};
    const std::string alphabet = "ab;\\\"\t,{é";
    const auto any_text = [&](std::size_t most) {
        std::string made;
        for (std::size_t n = random() % (most + 1); n != 0; --n) {
            const std::size_t at = random() % 9;
            made += at == 8 ? "é" : std::string(1, alphabet[at]);
        }
        return made;
    };
    for (int round = 0; round < 2000; ++round) {
        std::vector<Attribute> given;
        for (std::size_t n = random() % 6; n != 0; --n) {
            given.push_back({.claim = "c" + std::to_string(n) + any_text(3), .value = any_text(12), .kind = random() % 2 == 0 ? Kind::text : Kind::list,
                             .derived = random() % 4 == 0});
        }
        const std::string block = session::encode_attributes(given);
        const AttributeBlock parsed = parse(block);
        const auto document = json::Document::parse_object(claims_json(parsed)).value();
        for (const Attribute& attribute : given) {
            const auto item = parsed.find(session::variable_name(attribute.claim)).value();
            BOOST_TEST(item.value_view == attribute.value);
            const auto member = document.root().find(attribute.claim);
            BOOST_TEST(member.has_value() == !attribute.derived);
            if (member && attribute.kind == Kind::text) {
                BOOST_TEST(member->as_string().value() == attribute.value);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_truncated_or_longer_block_is_refused) {
    const std::string block = session::encode_attributes({text("sub", "value"), text("a:b", "c")});
    for (std::size_t size = 0; size < block.size(); ++size) {
        BOOST_TEST(!AttributeBlock::parse(test::bytes_of(block).first(size)));
    }
    BOOST_TEST(!AttributeBlock::parse(test::bytes_of(block + "x")));
    BOOST_TEST(!AttributeBlock::parse(test::bytes_of(block + block)));
}

BOOST_AUTO_TEST_CASE(a_changed_block_is_refused_or_stays_inside_its_bounds) {
    const std::string block = session::encode_attributes({text("sub", "value"), text("a:b", "c\\"), list("roles", "a;b\\;"), {"n", "1", Kind::json, true}});
    for (std::size_t at = 0; at < block.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            // Exactly as large as the block: a sanitizer sees every byte beyond it.
            std::vector<std::uint8_t> changed(block.begin(), block.end());
            changed[at] = static_cast<std::uint8_t>(value);
            if (const auto parsed = AttributeBlock::parse(changed)) {
                std::size_t bytes = 0;
                parsed->for_each([&](const AttributeBlock::Item& item) { bytes += std::strlen(item.variable) + std::strlen(item.value) + item.claim().size(); });
                std::vector<char> json(parsed->claims_json_bytes());
                parsed->write_claims_json(json);
                parsed->write_claims_json(std::span{json}.first(json.size() / 2));
                BOOST_REQUIRE(bytes < 3 * block.size());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(more_than_a_record_holds_is_not_parsed) {
    const std::string huge = session::encode_attributes({text("x", std::string(70'000, 'x'))});
    BOOST_TEST(huge.size() > session::SessionStore::kMaxPartBytes);
    BOOST_TEST(!AttributeBlock::parse(test::bytes_of(huge)));
    BOOST_TEST(session::encode_attributes({text(std::string(70'000, 'x'), "")}).size() > session::SessionStore::kMaxPartBytes);
    const std::string just = session::encode_attributes({text("x", std::string(session::SessionStore::kMaxPartBytes - 40, 'x'))});
    BOOST_TEST(AttributeBlock::parse(test::bytes_of(just)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
