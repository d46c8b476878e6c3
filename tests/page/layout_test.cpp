#include "page/layout.hpp"

#include <boost/test/unit_test.hpp>

#include "page/html.hpp"
#include "page/style.hpp"

using namespace proconnect::page;
using proconnect::core::Language;

namespace {

Content some_page() {
    Content content;
    content.service = "Congés & absences";
    content.title = "Accès <refusé>";
    content.text = "Un texte.";
    content.button = {.label = "Réessayer", .address = "/proconnect/login?return=%2Fa&b=\"c\"", .post = false, .fields = {}};
    content.support = "https://aide.example.gouv.fr/?a=1&b=2";
    content.reference = "PC6001 · ABC";
    return content;
}

Content login_page() {
    auto content = some_page();
    content.proconnect_button = true;
    content.button = {.label = "", .address = "/proconnect/login", .post = false, .fields = {}};
    return content;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(layout)

BOOST_AUTO_TEST_CASE(lays_out_a_page_with_one_heading_one_button_help_and_reference) {
    const auto html = Look{}.render(some_page());
    BOOST_TEST(html.starts_with("<!DOCTYPE html>\n<html lang=\"fr\">"));
    BOOST_TEST(html.contains("<h1>Accès &lt;refusé&gt;</h1>"));
    BOOST_TEST(html.contains("<title>Accès &lt;refusé&gt; – Congés &amp; absences</title>"));
    BOOST_TEST(html.contains("<a class=\"button\" href=\"/proconnect/login?return=%2Fa&amp;b=&quot;c&quot;\">Réessayer</a>"));
    BOOST_TEST(html.contains("href=\"https://aide.example.gouv.fr/?a=1&amp;b=2\">Contacter le support</a>"));
    BOOST_TEST(html.contains("<p class=\"reference\">Référence : PC6001 · ABC</p>"));
    for (const auto* landmark : {"<header>", "<main>", "<footer>"}) {
        BOOST_TEST(html.contains(landmark));
    }
    BOOST_TEST(html.find("<h1>") == html.rfind("<h1>"));
}

BOOST_AUTO_TEST_CASE(speaks_the_language_of_the_page) {
    auto content = login_page();
    content.language = Language::english;
    const auto html = Look{}.render(content);
    BOOST_TEST(html.contains("<html lang=\"en\">"));
    BOOST_TEST(html.contains("Sign in with </span><strong>ProConnect"));
    BOOST_TEST(html.contains("Contact support"));
    BOOST_TEST(!html.contains("Qu’est-ce"));
}

BOOST_AUTO_TEST_CASE(offers_the_login_as_proconnect_asks) {
    auto content = login_page();
    content.conditions = "Réservé aux agents.\n\n<b>";
    content.notice = "Maintenance";
    content.alternative = {"Sans ProConnect & autrement", "/autre?a&b"};
    const auto html = Look{}.render(content);
    BOOST_TEST(html.contains("S’identifier avec </span><strong>ProConnect</strong>"));
    BOOST_TEST(html.contains("<a href=\"https://www.proconnect.gouv.fr/\" target=\"_blank\" rel=\"noopener noreferrer\" title=\"Qu’est-ce que ProConnect ? – nouvelle fenêtre\">Qu’est-ce que ProConnect ?</a>"));
    BOOST_TEST(html.contains("<div class=\"conditions\"><p>Réservé aux agents.</p>\n<p>&lt;b&gt;</p>\n</div>"));
    BOOST_TEST(html.contains("<div class=\"notice\"><p>Maintenance</p>"));
    BOOST_TEST(html.contains("<a href=\"/autre?a&amp;b\">Sans ProConnect &amp; autrement</a>"));
    BOOST_TEST(html.find("class=\"conditions\"") < html.find("class=\"proconnect\""), "conditions come before the click");
}

BOOST_AUTO_TEST_CASE(makes_a_form_of_a_button_that_posts) {
    auto content = some_page();
    content.button = {.label = "Envoyer", .address = "/a", .post = true, .fields = {{"jeton", "\"x\""}}};
    const auto html = Look{}.render(content);
    BOOST_TEST(html.contains("<form method=\"post\" action=\"/a\" class=\"action\"><input type=\"hidden\" name=\"jeton\" value=\"&quot;x&quot;\"><button class=\"button\" type=\"submit\">Envoyer</button></form>"));
}

BOOST_AUTO_TEST_CASE(shows_more_blocks_escaped) {
    auto content = some_page();
    content.blocks = {{.heading = "Ce qui <manque>", .text = "a&b", .items = {"<un>"}, .terms = {{"Votre \"compte\"", "'x'"}}}};
    const auto html = Look{}.render(content);
    BOOST_TEST(html.contains("<h2>Ce qui &lt;manque&gt;</h2>\n<p>a&amp;b</p>\n<ul><li>&lt;un&gt;</li></ul>\n<dl><dt>Votre &quot;compte&quot;</dt><dd>&#39;x&#39;</dd></dl>"));
}

BOOST_AUTO_TEST_CASE(allows_its_style_and_nothing_else) {
    BOOST_TEST(Look{}.policy(some_page()) == "default-src 'none'; style-src " + style_hash_source(kStyle) + "; base-uri 'none'; frame-ancestors 'none'");
}

BOOST_AUTO_TEST_CASE(allows_an_image_in_the_page_when_the_button_has_one) {
    Look look;
    look.set_button_image("data:image/png;base64,AAAA");
    BOOST_TEST(look.policy(login_page()).contains("img-src data:;"));
    const auto html = look.render(login_page());
    BOOST_TEST(html.contains("<img src=\"data:image/png;base64,AAAA\" alt=\"S’identifier avec ProConnect\">"));
    BOOST_TEST(!look.render(some_page()).contains("<img"));
}

BOOST_AUTO_TEST_CASE(uses_the_administrators_template_for_its_kind_and_language_only) {
    const auto own = Template::parse("<html lang=\"{{lang}}\"><title>{{title}}</title><style>p{}</style>{{text}}{{details}}{{button}}{{reference}}OWN");
    BOOST_REQUIRE(own);
    Look look;
    look.replace(Look::Kind::login, Language::french, *own);
    BOOST_TEST(look.render(login_page()).contains("OWN"));
    BOOST_TEST(!look.render(some_page()).contains("OWN"));
    auto english = login_page();
    english.language = Language::english;
    BOOST_TEST(!look.render(english).contains("OWN"));
    BOOST_TEST(look.policy(login_page()) == "default-src 'none'; style-src 'self' " + style_hash_source("p{}") + "; img-src 'self' data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'");
    BOOST_TEST(!look.policy(login_page()).contains("script"));
}

BOOST_AUTO_TEST_SUITE_END()
