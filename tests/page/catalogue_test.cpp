// Every code of the catalogue as the page somebody sees, in both languages and in both looks.
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "core/error.hpp"
#include "page/html.hpp"
#include "page/layout.hpp"

using namespace proconnect;
using core::Language;

namespace {

constexpr std::string_view kOwnPage = "<!DOCTYPE html><html lang=\"{{lang}}\"><title>{{title}}</title><main>{{text}}{{details}}{{button}}{{notice}}</main>{{help}}{{reference}}OWN";

std::string reference_of(const core::CatalogueEntry& entry) {
    return core::code_text(entry.code) + " · 7KQ2MXT4BD";
}

/// As httpd/page.cpp puts a failure together.
page::Content content_of(const core::CatalogueEntry& entry, Language language) {
    const auto& message = language == Language::french ? entry.french : entry.english;
    page::Content content;
    content.language = language;
    content.service = "Service";
    content.title = message.title;
    content.text = message.text;
    content.reference = reference_of(entry);
    content.support = "mailto:aide@example.gouv.fr";
    content.proconnect_button = entry.next_step == core::NextStep::login;
    content.button = {.label = content.proconnect_button ? "" : "ETAPE", .address = "/proconnect/login?return=%2Fa", .post = false, .fields = {}};
    return content;
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
        ++count;
    }
    return count;
}

void check_page(const std::string& html, const core::CatalogueEntry& entry, Language language) {
    const bool french = language == Language::french;
    const auto& said = french ? entry.french : entry.english;
    const auto& other = french ? entry.english : entry.french;
    const auto name = core::code_text(entry.code) + (french ? " fr" : " en");
    BOOST_TEST(html.contains(french ? "<html lang=\"fr\">" : "<html lang=\"en\">"), name);
    BOOST_TEST(html.contains("<title>" + page::escape_html(said.title)), name);
    BOOST_TEST(html.contains("<p>" + page::escape_html(said.text) + "</p>"), name);
    BOOST_TEST(!html.contains(page::escape_html(other.text)), name);
    BOOST_TEST(count_of(html, reference_of(entry)) == 1U, name);
    BOOST_TEST(count_of(html, "href=\"/proconnect/login?return=%2Fa\"") == 1U, name << ": one next step");
    BOOST_TEST(html.contains("href=\"mailto:aide@example.gouv.fr\""), name);
    for (const auto* never : {"<script", "{{", " style=", " onclick", "http://"}) {
        BOOST_TEST(!html.contains(never), name << ": " << never);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(catalogue_pages)

BOOST_AUTO_TEST_CASE(shows_each_code_in_french_and_english_with_one_next_step_and_its_reference) {
    const page::Look built_in;
    std::size_t shown = 0;
    for (const auto& entry : core::catalogue()) {
        for (const auto language : {Language::french, Language::english}) {
            const auto html = built_in.render(content_of(entry, language));
            check_page(html, entry, language);
            BOOST_TEST(count_of(html, "<h1>" + page::escape_html((language == Language::french ? entry.french : entry.english).title) + "</h1>") == 1U, entry.name);
            ++shown;
        }
    }
    BOOST_TEST(shown == 2 * core::catalogue().size());
    BOOST_TEST(shown > 150U);
}

BOOST_AUTO_TEST_CASE(shows_each_code_in_the_administrators_template_too) {
    const auto own = page::Template::parse(kOwnPage);
    BOOST_REQUIRE(own);
    page::Look look;
    for (const auto kind : {page::Look::Kind::page, page::Look::Kind::login}) {
        for (const auto language : {Language::french, Language::english}) {
            look.replace(kind, language, *own);
        }
    }
    for (const auto& entry : core::catalogue()) {
        for (const auto language : {Language::french, Language::english}) {
            const auto html = look.render(content_of(entry, language));
            check_page(html, entry, language);
            BOOST_TEST(html.ends_with("OWN"), entry.name);
        }
    }
}

BOOST_AUTO_TEST_CASE(keeps_to_texts_that_fit_a_telephone) {
    for (const auto& entry : core::catalogue()) {
        for (const auto& message : {entry.french, entry.english}) {
            BOOST_TEST(message.title.size() <= 80U, entry.name << ": " << message.title.size());
            BOOST_TEST(message.text.size() <= 320U, entry.name << ": " << message.text.size());
            std::size_t word = 0;
            for (const char c : message.text) {
                word = c == ' ' ? 0 : word + 1;
                BOOST_TEST(word <= 24U, entry.name);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
