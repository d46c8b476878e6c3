#include "core/error.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace proconnect::core;

namespace {

// By hand: -Wswitch names the enumerator that is missing here.
bool is_listed(ErrorCode code) {
    switch (code) {
        using enum ErrorCode;
        case callback_without_state: case state_unreadable: case state_expired: case state_of_another_browser: case parameters_malformed: case callback_without_code: case cookies_refused:
        case login_loop: case logout_not_same_site: case return_address_refused: case unknown_endpoint: case method_not_allowed: case logout_state_mismatch: case form_not_kept:
        case login_required_machine: case callback_repeated: case form_of_another_user: case form_gone: case form_too_large: case form_not_admitted: case form_needs_other_login:
        case provider_unreachable: case provider_timeout: case provider_tls: case provider_status: case provider_body_too_large: case provider_json_malformed: case provider_busy:
        case provider_url_refused: case server_stopping: case discovery_malformed: case discovery_issuer_mismatch: case jwks_malformed: case client_refused: case code_refused: case token_request_refused:
        case token_response_malformed: case userinfo_failed: case revocation_failed: case introspection_failed: case authorization_access_denied: case authorization_login_required:
        case authorization_invalid_scope: case authorization_invalid_request: case authorization_server_error: case authorization_temporarily_unavailable:
        case authorization_unsupported_response_type: case authorization_other: case authorization_acr_not_reached:
        case jwt_malformed: case jwt_algorithm: case jwt_signature: case jwt_key_unusable: case jwt_critical_header: case jwe_decryption: case jwt_form_unexpected: case jwt_key_unknown:
        case issuer_mismatch: case audience_mismatch: case authorized_party_mismatch: case subject_invalid: case token_expired: case issued_at_invalid: case nonce_mismatch:
        case access_token_hash_mismatch: case acr_not_satisfied: case auth_time_invalid: case claim_malformed: case token_not_yet_valid: case userinfo_subject_mismatch: case response_issuer_mismatch:
        case session_store_unavailable: case session_too_large: case session_record_corrupt: case sealed_box_unreadable: case snapshot_unusable: case session_store_full:
        case configuration_invalid: case key_unusable: case audit_log_unwritable: case ErrorCode::access_denied: case access_rule_not_met: case access_level_not_reached: case access_list_unavailable: case access_claim_missing: case internal_error: case crypto_failure:
            return true;
    }
    return false;
}

std::vector<ErrorCode> all_codes() {
    std::vector<ErrorCode> codes;
    for (std::uint16_t number = 0; number < 10'000; ++number) {
        if (is_listed(static_cast<ErrorCode>(number))) {
            codes.push_back(static_cast<ErrorCode>(number));
        }
    }
    return codes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(has_exactly_one_entry_for_each_code) {
    for (const auto code : all_codes()) {
        BOOST_TEST(std::ranges::count(catalogue(), code, &CatalogueEntry::code) == 1, code_text(code));
        BOOST_TEST((catalogue_entry(code).code == code), code_text(code));
    }
    BOOST_TEST(catalogue().size() == all_codes().size());
    for (const auto& entry : catalogue()) {
        BOOST_TEST(is_listed(entry.code), entry.name);
    }
}

BOOST_AUTO_TEST_CASE(numbers_each_code_once) {
    std::set<ErrorCode> numbers;
    std::set<std::string_view> names;
    for (const auto& entry : catalogue()) {
        numbers.insert(entry.code);
        names.insert(entry.name);
    }
    BOOST_TEST(numbers.size() == catalogue().size());
    BOOST_TEST(names.size() == catalogue().size());
}

BOOST_AUTO_TEST_CASE(names_codes_in_words_a_log_can_be_searched_for) {
    for (const auto& entry : catalogue()) {
        BOOST_TEST(!entry.name.empty());
        BOOST_TEST((entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos), entry.name);
        const auto text = code_text(entry.code);
        BOOST_TEST(text.size() == 6U, text);
        BOOST_TEST(text.starts_with("PC"), text);
        BOOST_TEST((std::string_view{"1234569"}.find(text[2]) != std::string_view::npos), text);
    }
    BOOST_TEST(code_text(ErrorCode::state_expired) == "PC1003");
    BOOST_TEST(catalogue_entry(ErrorCode::state_expired).name == "state_expired");
}

BOOST_AUTO_TEST_CASE(says_something_in_both_languages) {
    for (const auto& entry : catalogue()) {
        for (const auto& message : {entry.french, entry.english}) {
            BOOST_TEST(message.title.size() >= 5U, entry.name);
            BOOST_TEST(message.text.size() >= 20U, entry.name);
            BOOST_TEST((message.text.ends_with('.') || message.text.ends_with('?')), message.text);
            for (const auto text : {message.title, message.text}) {
                BOOST_TEST(std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '&'; }), text);
            }
        }
        BOOST_TEST(entry.french.text != entry.english.text, entry.name);
        BOOST_TEST(entry.french.title != entry.english.title, entry.name);
    }
}

BOOST_AUTO_TEST_CASE(has_a_sentence_of_its_own_for_each_error_of_the_provider) {
    std::set<std::string_view> sentences;
    std::size_t errors = 0;
    for (const auto& entry : catalogue()) {
        if (static_cast<int>(entry.code) >= 2040 && static_cast<int>(entry.code) < 2050) {
            ++errors;
            sentences.insert({entry.french.text, entry.english.text});
        }
    }
    BOOST_TEST(errors == 9U);
    BOOST_TEST(sentences.size() == 2 * errors);
}

BOOST_AUTO_TEST_CASE(speaks_to_people_without_the_words_of_the_trade) {
    for (const auto& entry : catalogue()) {
        for (const auto text : {entry.french.title, entry.french.text, entry.english.title, entry.english.text}) {
            for (const auto* word : {"token", "jeton", "HTTP", "JSON", "OpenID", "callback", "state", "nonce", "client_id", "scope", "JWT", "endpoint", "URL"}) {
                BOOST_TEST((text.find(word) == std::string_view::npos), entry.name << " says " << word);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(answers_with_a_status_that_fits) {
    const std::set<int> sane{200, 400, 401, 403, 404, 405, 500, 503};
    for (const auto& entry : catalogue()) {
        BOOST_TEST(sane.contains(entry.http_status), entry.name);
        const auto number = static_cast<int>(entry.code);
        if (number / 1000 == 1) {
            BOOST_TEST(entry.http_status < 500, entry.name);
        }
        if (number / 1000 == 9 || number / 1000 == 5) {
            BOOST_TEST(entry.http_status == 500, entry.name);
        }
    }
    BOOST_TEST(catalogue_entry(ErrorCode::access_denied).http_status == 403);
    BOOST_TEST(catalogue_entry(ErrorCode::acr_not_satisfied).http_status == 403);
    BOOST_TEST(catalogue_entry(ErrorCode::provider_unreachable).http_status == 503);
    BOOST_TEST(catalogue_entry(ErrorCode::login_required_machine).http_status == 401);
}

BOOST_AUTO_TEST_CASE(takes_an_unknown_number_for_a_bug) {
    BOOST_TEST((catalogue_entry(static_cast<ErrorCode>(1)).code == ErrorCode::internal_error));
    BOOST_TEST((catalogue_entry(static_cast<ErrorCode>(65535)).code == ErrorCode::internal_error));
    BOOST_TEST(!is_listed(static_cast<ErrorCode>(1)));
}

BOOST_AUTO_TEST_CASE(asks_for_stronger_authentication_whoever_found_it_too_weak) {
    const auto& provider = catalogue_entry(ErrorCode::authorization_acr_not_reached);
    const auto& own = catalogue_entry(ErrorCode::acr_not_satisfied);
    BOOST_TEST(provider.french.title == own.french.title);
    BOOST_TEST(provider.english.title == own.english.title);
}

BOOST_AUTO_TEST_SUITE_END()
