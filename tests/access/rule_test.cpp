#include "access/rule.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <regex>

#include "access/refusal.hpp"
#include "session/session.hpp"

using namespace proconnect;
using access::Outcome;
using access::Rule;
using session::Attribute;

namespace proconnect::access {

std::ostream& operator<<(std::ostream& out, Outcome outcome) {
    return out << (outcome == Outcome::met ? "met" : outcome == Outcome::not_met ? "not_met" : outcome == Outcome::claim_missing ? "claim_missing" : "list_unavailable");
}

}  // namespace proconnect::access

namespace {

class StandardPattern final : public access::Pattern {
public:
    explicit StandardPattern(const std::string& text) : regex_(text) {}
    [[nodiscard]] bool matches_within(std::string_view text) const noexcept override { return std::regex_search(std::string{text}, regex_); }

private:
    std::regex regex_;
};

std::expected<std::unique_ptr<access::Pattern>, std::string> compile(const std::string& text) {
    try {
        return std::make_unique<StandardPattern>(text);
    } catch (const std::regex_error&) {
        return std::unexpected("'" + text + "'");
    }
}

std::expected<std::unique_ptr<Rule>, std::string> parse(const std::vector<std::string>& words) {
    return Rule::parse(words, compile);
}

std::unique_ptr<Rule> rule(const std::vector<std::string>& words) {
    auto parsed = parse(words);
    BOOST_REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error()));
    return std::move(*parsed);
}

std::string complaint(const std::vector<std::string>& words) {
    const auto parsed = parse(words);
    BOOST_REQUIRE(!parsed);
    return parsed.error();
}

/// A session's claims, kept for as long as a rule looks at them.
class Claims {
public:
    Claims(std::initializer_list<Attribute> attributes) : bytes_(session::encode_attributes(attributes)) {}
    [[nodiscard]] session::AttributeBlock block() const {
        return *session::AttributeBlock::parse({reinterpret_cast<const std::uint8_t*>(bytes_.data()), bytes_.size()});
    }

private:
    std::string bytes_;
};

constexpr core::UnixTime kNow{std::chrono::seconds{1'800'000'000}};

Outcome ask(const std::vector<std::string>& words, std::initializer_list<Attribute> attributes, core::UnixTime now = kNow) {
    const Claims claims{attributes};
    return rule(words)->evaluate(claims.block(), now);
}

Attribute text(std::string claim, std::string value) {
    return {.claim = std::move(claim), .value = std::move(value)};
}

Attribute list(std::string claim, std::string joined) {
    return {.claim = std::move(claim), .value = std::move(joined), .kind = Attribute::Kind::list};
}

/// A file of its own for one test.
class ScratchFile {
public:
    explicit ScratchFile(const std::string& content) : path_(std::filesystem::temp_directory_path() / ("rule-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count))) { write(content); }
    ~ScratchFile() { std::filesystem::remove(path_); }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    void write(const std::string& content) const { std::ofstream{path_} << content; }
    void remove() const { std::filesystem::remove(path_); }
    [[nodiscard]] std::string word() const { return "file:" + path_.string(); }

private:
    static inline int count = 0;
    std::filesystem::path path_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(several_values_mean_one_of_them) {
    BOOST_TEST(ask({"idp_id", "a", "b"}, {text("idp_id", "b")}) == Outcome::met);
    BOOST_TEST(ask({"idp_id", "a", "b"}, {text("idp_id", "c")}) == Outcome::not_met);
    BOOST_TEST(ask({"idp_id", "a"}, {text("idp_id", "A")}) == Outcome::not_met);
    BOOST_TEST(ask({"idp_id", "a"}, {text("idp_id", "a ")}) == Outcome::not_met);
    BOOST_TEST(ask({"idp_id", "a"}, {text("idp_id", "")}) == Outcome::not_met);
}

BOOST_AUTO_TEST_CASE(a_missing_claim_is_neither_met_nor_unmet) {
    for (const auto& words : std::vector<std::vector<std::string>>{{"idp_id", "a"}, {"roles", "a"}, {"acr", ">=", "eidas1"}, {"amr", "mfa"}, {"email", "a@b.fr"}, {"email_domain", "b.fr"},
                                                                   {"siret", "13002526500013"}, {"custom.x", "1"}, {"usual_name", "=~", "."}}) {
        BOOST_TEST(ask(words, {text("given_name", "a")}) == Outcome::claim_missing, words.front());
    }
}

BOOST_AUTO_TEST_CASE(one_element_of_a_list_is_enough_and_an_empty_list_is_no_missing_claim) {
    BOOST_TEST(ask({"roles", "agent_public_etat"}, {list("roles", "agent_public;agent_public_etat")}) == Outcome::met);
    BOOST_TEST(ask({"roles", "agent_public_etat"}, {list("roles", "agent_public")}) == Outcome::not_met);
    BOOST_TEST(ask({"roles", "agent_public"}, {list("roles", "")}) == Outcome::not_met);
    BOOST_TEST(ask({"groups", "a;b"}, {list("groups", "x;a\\;b")}) == Outcome::met);
    BOOST_TEST(ask({"groups", "a"}, {list("groups", "x;a\\;b")}) == Outcome::not_met);
}

BOOST_AUTO_TEST_CASE(a_level_expands_to_all_that_are_at_least_as_good) {
    const std::vector<std::string> from1{"eidas1", "eidas1-mfa", "eidas2", "eidas3"}, from0mfa{"eidas0-mfa", "eidas1-mfa", "eidas2", "eidas3"},
        from1mfa{"eidas1-mfa", "eidas2", "eidas3"};
    BOOST_TEST(rule({"acr", ">=", "eidas0"})->accepted().size() == 6U);
    BOOST_TEST(rule({"acr", ">=", "eidas1"})->accepted() == from1);
    BOOST_TEST(rule({"acr", ">=", "eidas0-mfa"})->accepted() == from0mfa);
    BOOST_TEST(rule({"acr", ">=", "eidas1-mfa"})->accepted() == from1mfa);
    BOOST_TEST(rule({"acr", ">=", "eidas3"})->accepted() == std::vector<std::string>{"eidas3"});
    BOOST_TEST(ask({"acr", ">=", "eidas1-mfa"}, {text("acr", "eidas1")}) == Outcome::not_met);
    BOOST_TEST(ask({"acr", ">=", "eidas1-mfa"}, {text("acr", "eidas2")}) == Outcome::met);
    BOOST_TEST(ask({"acr", ">=", "eidas1-mfa"}, {text("acr", "eidas9")}) == Outcome::not_met);
    BOOST_TEST(ask({"acr", "eidas1"}, {text("acr", "eidas2")}) == Outcome::not_met);
}

BOOST_AUTO_TEST_CASE(the_role_proof_is_no_level) {
    const auto proof = std::string{"https://proconnect.gouv.fr/assurance/certification-dirigeant"};
    BOOST_TEST(rule({"acr", "certification-dirigeant"})->accepted() == std::vector<std::string>{proof});
    BOOST_TEST(ask({"acr", "certification-dirigeant"}, {text("acr", proof)}) == Outcome::met);
    BOOST_TEST(ask({"acr", ">=", "eidas0"}, {text("acr", proof)}) == Outcome::not_met);
    BOOST_TEST(complaint({"acr", ">=", "certification-dirigeant"}).contains("without '>='"));
}

BOOST_AUTO_TEST_CASE(a_method_counts_under_its_former_name_too) {
    BOOST_TEST(ask({"amr", "mfa"}, {list("amr", "pwd;otp;mfa")}) == Outcome::met);
    BOOST_TEST(ask({"amr", "otp"}, {list("amr", "pwd;totp;mfa")}) == Outcome::met);
    BOOST_TEST(ask({"amr", "totp"}, {list("amr", "otp")}) == Outcome::met);
    BOOST_TEST(ask({"amr", "hwk"}, {list("amr", "pwd;otp")}) == Outcome::not_met);
}

BOOST_AUTO_TEST_CASE(a_domain_is_compared_whole_and_without_regard_to_case) {
    const auto domain = [](const char* email) { return ask({"email_domain", "interieur.gouv.fr", "lyon.fr"}, {text("email", email)}); };
    BOOST_TEST(domain("a@interieur.gouv.fr") == Outcome::met);
    BOOST_TEST(domain("a@Interieur.GOUV.fr") == Outcome::met);
    BOOST_TEST(domain("a@lyon.fr") == Outcome::met);
    for (const char* other : {"a@evil-interieur.gouv.fr", "a@x.interieur.gouv.fr", "a@interieur.gouv.fr.evil.fr", "a@gouv.fr", "interieur.gouv.fr@evil.fr"}) {
        BOOST_TEST(domain(other) == Outcome::not_met, other);
    }
    for (const char* broken : {"a@evil@interieur.gouv.fr", "@interieur.gouv.fr", "interieur.gouv.fr", "a@interieur.gouv.fr.", "a@.interieur.gouv.fr", "a@interieur.gouv.fr ", "a@", "", "a@interieur..gouv.fr",
                               "a@interieur.gouv.fr/x"}) {
        BOOST_TEST(domain(broken) == Outcome::claim_missing, broken);
    }
}

BOOST_AUTO_TEST_CASE(only_a_wildcard_admits_what_is_below_a_domain) {
    const auto below = [](const char* email) { return ask({"email_domain", "*.gouv.fr"}, {text("email", email)}); };
    BOOST_TEST(below("a@interieur.gouv.fr") == Outcome::met);
    BOOST_TEST(below("a@x.interieur.gouv.fr") == Outcome::met);
    BOOST_TEST(below("a@gouv.fr") == Outcome::not_met);
    BOOST_TEST(below("a@evilgouv.fr") == Outcome::not_met);
    BOOST_TEST(below("a@.gouv.fr") == Outcome::claim_missing);
}

BOOST_AUTO_TEST_CASE(both_spellings_of_an_international_domain_are_one) {
    BOOST_TEST(ask({"email_domain", "préfecture.fr"}, {text("email", "a@xn--prfecture-c4a.fr")}) == Outcome::met);
    BOOST_TEST(ask({"email_domain", "xn--prfecture-c4a.fr"}, {text("email", "a@PRÉFECTURE.fr")}) == Outcome::met);
    BOOST_TEST(ask({"email_domain", "prefecture.fr"}, {text("email", "a@préfecture.fr")}) == Outcome::not_met);
}

BOOST_AUTO_TEST_CASE(addresses_are_compared_without_regard_to_case) {
    BOOST_TEST(ask({"email", "Camille.Dupont@interieur.gouv.fr"}, {text("email", "camille.dupont@Interieur.gouv.fr")}) == Outcome::met);
    BOOST_TEST(ask({"email", "a@b.fr"}, {text("email", "aa@b.fr")}) == Outcome::not_met);
    BOOST_TEST(ask({"email", "a@b.fr"}, {text("email", std::string(400, 'a'))}) == Outcome::claim_missing);
}

BOOST_AUTO_TEST_CASE(of_a_siret_the_digits_count) {
    BOOST_TEST(ask({"siret", "13002526500013"}, {text("siret", "13002526500013")}) == Outcome::met);
    BOOST_TEST(ask({"siret", "130 025 265 00013"}, {text("siret", "130025265 00013")}) == Outcome::met);
    BOOST_TEST(ask({"siret", "13002526500013"}, {text("siret", "13002526500014")}) == Outcome::not_met);
    BOOST_TEST(ask({"siret", "13002526500013"}, {text("siret", "130025265000131")}) == Outcome::claim_missing);
    BOOST_TEST(ask({"siret", "13002526500013"}, {text("siret", "x13002526500013")}) == Outcome::claim_missing);
    BOOST_TEST(complaint({"siret", "1300252650001"}).contains("14 digits"));
    BOOST_TEST(complaint({"siren", "13002526500013"}).contains("9 digits"));
}

BOOST_AUTO_TEST_CASE(a_member_of_custom_is_named_exactly) {
    const Attribute number{.claim = "custom.structureTravail", .value = "59194", .kind = Attribute::Kind::json, .derived = true};
    BOOST_TEST(ask({"custom.structureTravail", "59194"}, {number}) == Outcome::met);
    BOOST_TEST(ask({"custom.structureTravail", "59195"}, {number}) == Outcome::not_met);
    BOOST_TEST(ask({"custom.structuretravail", "59194"}, {number}) == Outcome::claim_missing);
    BOOST_TEST(ask({"custom.a_b", "1"}, {text("custom.a b", "1")}) == Outcome::claim_missing);
    BOOST_TEST(ask({"email", "a@b.fr"}, {text("EMAIL", "a@b.fr")}) == Outcome::claim_missing);
    BOOST_TEST(ask({"chorusdt:matricule", "7"}, {text("chorusdt:matricule", "7")}) == Outcome::met);
    BOOST_TEST(ask({"chorusdt:matricule", "7"}, {text("chorusdt_matricule", "7")}) == Outcome::claim_missing);
}

BOOST_AUTO_TEST_CASE(a_regular_expression_looks_into_the_value) {
    BOOST_TEST(ask({"usual_name", "=~", "^DU"}, {text("usual_name", "DUPONT")}) == Outcome::met);
    BOOST_TEST(ask({"usual_name", "=~", "^DU"}, {text("usual_name", "LEDUC")}) == Outcome::not_met);
    BOOST_TEST(ask({"roles", "=~", "etat$"}, {list("roles", "agent_public;agent_public_etat")}) == Outcome::met);
    BOOST_TEST(complaint({"usual_name", "=~", "("}).contains("regular expression"));
    BOOST_TEST(complaint({"usual_name", "=~"}).contains("one regular expression"));
    BOOST_TEST(complaint({"usual_name", "=~", "a", "b"}).contains("one regular expression"));
    BOOST_TEST(complaint({"acr", "=~", "eidas"}).contains("=~"));
}

BOOST_AUTO_TEST_CASE(an_unknown_word_gets_the_nearest_right_one) {
    BOOST_TEST(complaint({"email_domian", "lyon.fr"}).contains("'email_domain'"));
    BOOST_TEST(complaint({"role", "agent_public"}).contains("'roles'"));
    BOOST_TEST(complaint({"acr", ">=", "eidas1-mfo"}).contains("'eidas1-mfa'"));
    BOOST_TEST(complaint({"acr", "certification-dirigent"}).contains("'certification-dirigeant'"));
    BOOST_TEST(complaint({"amr", "mfas"}).contains("'mfa'"));
    BOOST_TEST(complaint({}).contains("no claim"));
    BOOST_TEST(complaint({"roles"}).contains("no value"));
    BOOST_TEST(complaint({"custom", "x"}).contains("custom."));
    BOOST_TEST(complaint({"acr>=eidas1"}).contains("space"));
    BOOST_TEST(complaint({"roles", "!=", "x"}).contains("'!='"));
    BOOST_TEST(complaint({"roles", ">=", "x"}).contains("acr only"));
    BOOST_TEST(complaint({"email", "nobody"}).contains("address"));
    BOOST_TEST(complaint({"email_domain", "@lyon.fr"}).contains("domain"));
    BOOST_TEST(complaint({"email", "file:agents.txt"}).contains("whole path"));
}

BOOST_AUTO_TEST_CASE(a_file_lists_one_value_a_line) {
    const ScratchFile file{"\xEF\xBB\xBF# agents\r\n\r\n  Camille.Dupont@interieur.gouv.fr  # chef\r\nclaude.martin@lyon.fr\n"};
    const auto agents = rule({"email", file.word(), "one@more.fr"});
    const auto asks = [&](const char* email) { return agents->evaluate(Claims{text("email", email)}.block(), kNow); };
    BOOST_TEST(asks("camille.dupont@interieur.gouv.fr") == Outcome::met);
    BOOST_TEST(asks("claude.martin@lyon.fr") == Outcome::met);
    BOOST_TEST(asks("one@more.fr") == Outcome::met);
    BOOST_TEST(asks("other@lyon.fr") == Outcome::not_met);
}

BOOST_AUTO_TEST_CASE(a_file_is_read_again_when_it_changes) {
    const ScratchFile file{"a@b.fr\n"};
    const auto agents = rule({"email", file.word()});
    const auto asks = [&](const char* email, int seconds) { return agents->evaluate(Claims{text("email", email)}.block(), kNow + std::chrono::seconds{seconds}); };
    BOOST_TEST(asks("a@b.fr", 0) == Outcome::met);
    file.write("c@d.fr\n");
    BOOST_TEST(asks("a@b.fr", 0) == Outcome::met);   // looked at once a second at most
    BOOST_TEST(asks("a@b.fr", 1) == Outcome::not_met);
    BOOST_TEST(asks("c@d.fr", 1) == Outcome::met);
    file.remove();
    BOOST_TEST(asks("c@d.fr", 2) == Outcome::list_unavailable);
    file.write("c@d.fr\n");
    BOOST_TEST(asks("c@d.fr", 3) == Outcome::met);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_admits_nobody_and_says_so_once_a_minute) {
    const auto agents = rule({"email", "file:/nowhere/agents.txt"});
    BOOST_TEST(agents->evaluate(Claims{text("email", "a@b.fr")}.block(), kNow) == Outcome::list_unavailable);
    auto& file = *agents->files().front();
    BOOST_TEST(file.take_problem(kNow).contains("/nowhere/agents.txt"));
    BOOST_TEST(file.take_problem(kNow + std::chrono::seconds{30}).empty());
    BOOST_TEST(!file.take_problem(kNow + std::chrono::seconds{61}).empty());
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_value_is_named_and_admits_nobody) {
    const ScratchFile file{"lyon.fr\n@evil.fr\n"};
    const auto domains = rule({"email_domain", file.word()});
    BOOST_TEST(domains->evaluate(Claims{text("email", "a@lyon.fr")}.block(), kNow) == Outcome::met);
    BOOST_TEST(domains->evaluate(Claims{text("email", "a@evil.fr")}.block(), kNow) == Outcome::not_met);
    BOOST_TEST(domains->files().front()->take_problem(kNow).contains("line 2"));
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_condition_and_no_secret) {
    const auto says = [](const std::vector<std::string>& words) { return std::string{access::refusal_message(*rule(words), Outcome::not_met, false, core::Language::french).text}; };
    BOOST_TEST(says({"roles", "agent_public_etat"}) == "Ce service est réservé aux agents publics de l’État.");
    BOOST_TEST(says({"roles", "agent_public_etat", "agent_public_territorial"}) == "Ce service est réservé aux agents publics.");
    BOOST_TEST(!says({"email", "secret@lyon.fr"}).contains("secret"));
    for (const auto claim : access::known_claims()) {
        BOOST_TEST(!claim.empty());
    }
}
