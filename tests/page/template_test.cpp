#include "page/template.hpp"

#include <boost/test/unit_test.hpp>

#include "page/html.hpp"
#include "page/style.hpp"

using namespace proconnect::page;

namespace {

/// A whole page with `inside` in its body.
std::string page_with(const std::string& inside, const std::string& head = "") {
    return "<!DOCTYPE html><html lang=\"{{lang}}\"><head><title>{{title}} – {{service}}</title>" + head + "</head><body>{{text}}{{details}}{{button}}{{reference}}" + inside + "</body></html>";
}

std::string refusal(const std::string& text) {
    const auto parsed = Template::parse(text);
    return parsed ? "accepted" : parsed.error();
}

Values some_values() {
    Values values;
    values[Placeholder::lang] = "fr";
    values[Placeholder::title] = "<b>\"Titre\" & 'co'</b>";
    values[Placeholder::service] = "Service";
    values[Placeholder::text] = "<p>texte</p>";
    return values;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(page_template)

BOOST_AUTO_TEST_CASE(escapes_values_and_puts_blocks_as_they_are) {
    const auto page = Template::parse(page_with("<a title='{{title}}' href=\"/{{lang}}/aide\">{{title}}</a>"));
    BOOST_REQUIRE(page);
    const auto html = page->render(some_values());
    const std::string escaped = "&lt;b&gt;&quot;Titre&quot; &amp; &#39;co&#39;&lt;/b&gt;";
    BOOST_TEST(html == "<!DOCTYPE html><html lang=\"fr\"><head><title>" + escaped + " – Service</title></head><body><p>texte</p><a title='" + escaped + "' href=\"/fr/aide\">" + escaped + "</a></body></html>");
}

BOOST_AUTO_TEST_CASE(leaves_everything_else_byte_for_byte) {
    const std::string rest = "<!-- a { b } --><p class=x data-a = \"{ }\" hidden>1 < 2 > 0 & </p ><br/><input value='>' disabled><style>a{color:red}</style>é";
    const auto page = Template::parse(page_with(rest));
    BOOST_REQUIRE(page);
    BOOST_TEST(page->render({}).contains(rest));
}

BOOST_AUTO_TEST_CASE(refuses_a_placeholder_where_it_would_not_stay_text) {
    for (const auto* inside : {"<a {{title}}>", "<a title={{title}}>", "<{{title}}>", "<a {{title}}=\"x\">", "<!-- {{title}} -->", "<style>{{title}}</style>", "<a href=\"{{title}}\">", "<img src='{{service}}'>",
                               "<a title=\"{{text}}\">", "<form action=\"{{service}}\">", "<a href = \"{{title}}\">", "<p title=\"a\"{{title}}>", "<meta content=\"{{title}}\">", "</p {{title}}>", "<a title= {{title}}>",
                               "<a xlink:href=\"{{title}}\">", "<a HREF=\"{{title}}\">"}) {
        BOOST_TEST(refusal(page_with(inside)).contains("where no"), inside << ": " << refusal(page_with(inside)));
    }
    BOOST_TEST(refusal(page_with("", "<title>{{text}}</title>")).contains("where no element"));
}

BOOST_AUTO_TEST_CASE(refuses_a_value_whose_quote_is_none) {
    for (const auto* inside : {"<a title==\"{{title}}\">", "<a title = =\"{{title}}\">", "<a title==x>", "<p =\"{{title}}\">", "<p title/=\"{{title}}\">"}) {
        BOOST_TEST(refusal(page_with(inside)).contains("begins with '='"), inside << ": " << refusal(page_with(inside)));
    }
}

BOOST_AUTO_TEST_CASE(refuses_what_it_does_not_know) {
    BOOST_TEST(refusal(page_with("\n\n{{titel}}")).contains("unknown placeholder {{titel}}; known are lang, title"));
    BOOST_TEST(refusal(page_with("\n\n{{titel}}")).contains("(line 3)"));
    for (const auto* inside : {"{{}}", "{{ title }}", "{{title", "{{Title}}", "{{{title}}}"}) {
        BOOST_TEST(refusal(page_with(inside)).contains("unknown placeholder"), inside);
    }
}

BOOST_AUTO_TEST_CASE(refuses_whatever_the_policy_would_block_in_silence) {
    for (const auto* inside : {"<script>x</script>", "<SCRIPT src=x></script>", "<p onclick=\"x\">", "<p ONLOAD = 'x'>", "<p/onclick=x>", "<p style=\"color:red\">", "<iframe srcdoc=\"x\">", "<svg><script>x</script></svg>", "<textarea>",
                               "<p title=\"a\"onclick='x'>"}) {
        BOOST_TEST(refusal(page_with(inside)) != "accepted", inside);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_page_that_leaves_people_without_a_next_step) {
    const auto whole = page_with("");
    BOOST_REQUIRE(refusal(whole) == "accepted");
    for (const std::string name : {"{{lang}}", "{{text}}", "{{details}}", "{{button}}", "{{reference}}"}) {
        auto without = whole;
        without.erase(without.find(name), name.size());
        BOOST_TEST(refusal(without) == "has no " + name + ", which every page needs");
    }
    BOOST_TEST(refusal("") != "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_broken_files) {
    BOOST_TEST(refusal(page_with("\xff")) == "is not UTF-8 text");
    BOOST_TEST(refusal(page_with(std::string(1, '\0'))) == "is not UTF-8 text");
    BOOST_TEST(refusal(page_with(std::string(Template::kMaxBytes, 'x'))).contains("larger than 256 KiB"));
    for (const auto* inside : {"<p", "<p title=\"", "<!-- ", "<style>", "<style>a</styl"}) {
        BOOST_TEST(refusal(page_with("") + inside).contains("ends inside"), inside);
    }
}

BOOST_AUTO_TEST_CASE(allows_its_own_style_elements_and_no_other) {
    const auto own = Template::parse(page_with("<style>a{}</style>", "<style media=all>\nb{}</style>"));
    BOOST_REQUIRE(own);
    BOOST_TEST(own->style_sources() == style_hash_source("\nb{}") + " " + style_hash_source("a{}"));
    const auto none = Template::parse(page_with(""));
    BOOST_REQUIRE(none);
    BOOST_TEST(none->style_sources().empty());
    const auto ours = Template::parse(page_with("", "{{style}}"));
    BOOST_REQUIRE(ours);
    BOOST_TEST(ours->style_sources() == style_hash_source(kStyle));
}

BOOST_AUTO_TEST_SUITE_END()
