// access::Rule: one word a line of what follows "Require proconnect", then "--" and the value of the claim it names.
#include "access/rule.hpp"
#include "fuzz/fuzz.hpp"
#include "session/session.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using access::Outcome;
using access::Rule;
using session::Attribute;
using session::AttributeBlock;

/// Stands for httpd's regular expressions, which are not what is tested.
class Within final : public access::Pattern {
public:
    explicit Within(std::string text) : text_(std::move(text)) {}
    [[nodiscard]] bool matches_within(std::string_view text) const noexcept override { return text.contains(text_); }

private:
    std::string text_;
};

Outcome evaluate(const Rule& rule, const std::vector<Attribute>& attributes) {
    const auto encoded = session::encode_attributes(attributes);
    const auto block = AttributeBlock::parse({reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size()});
    require(block.has_value(), "what is encoded can be read");
    return rule.evaluate(*block, core::UnixTime{});
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

Verdict judge(std::string_view input) {
    const auto parts = split_parts(input, 2);
    const auto words = lines_of(parts[0]);
    const auto rule = Rule::parse(words, [](const std::string& text) { return std::make_unique<Within>(text); });
    if (!rule) {
        require(!rule.error().empty(), "a refusal says why");
        return Verdict::refused;
    }
    const Rule& read = **rule;
    require(!words.empty() && read.claim() == words.front() && read.text().starts_with(words.front()), "a rule is about the claim it names");
    require(evaluate(read, {}) == (Outcome::claim_missing), "a claim that is not there decides nothing");
    if (!read.files().empty()) {
        return Verdict::accepted;   // no reading of whatever file is named
    }
    const std::string claim = read.claim() == "email_domain" ? "email" : read.claim();
    for (const auto kind : {Attribute::Kind::text, Attribute::Kind::list}) {
        const Attribute given{.claim = claim, .value = std::string{parts[1]}, .kind = kind, .derived = false};
        const auto outcome = evaluate(read, {given});
        require(outcome != Outcome::list_unavailable, "without a file nothing is unavailable");
        require(evaluate(read, {given}) == outcome, "the same session gets the same answer");
        require(evaluate(read, {{.claim = claim + "x", .value = given.value, .kind = kind, .derived = false}}) == Outcome::claim_missing, "another claim does not count");
        if (outcome == Outcome::met && read.comparison() == access::Comparison::email_domain && kind == Attribute::Kind::text) {
            require(parts[1].contains('@') && !parts[1].ends_with('@'), "only an address has a domain");
        }
    }
    return Verdict::accepted;
}

const Registration kTarget{"rule", judge};

}  // namespace
