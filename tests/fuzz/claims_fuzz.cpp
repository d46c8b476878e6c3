// A userinfo answer on its way to the application: merge_claims(), encode_attributes(), AttributeBlock and PROCONNECT_CLAIMS.
#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "json/utf8.hpp"
#include "oidc/claims.hpp"
#include "session/session.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using session::Attribute;
using session::AttributeBlock;

oidc::IdTokenClaims id_token() {
    oidc::IdTokenClaims claims;
    claims.issuer = kIssuer;
    claims.subject = "subject-1";
    claims.acr = "eidas2";
    claims.amr = {"pwd", "a;b\\"};
    claims.sid = "sid-1";
    claims.auth_time = kNow;
    return claims;
}

bool is_printable(std::string_view text) {
    return json::is_valid_utf8(text) && std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void check_claims(const oidc::Claims& claims) {
    require(claims.subject == "subject-1" && claims.attributes.front().claim == "sub" && claims.attributes.front().value == "subject-1", "sub comes first");
    std::size_t bytes = 0;
    std::multiset<std::string> names;
    for (const auto& attribute : claims.attributes) {
        require(!attribute.claim.empty() && is_printable(attribute.claim), "a claim has a name that can be printed");
        require(is_printable(attribute.value), "no value can end a line");
        require(attribute.value.size() <= oidc::kMaxClaimBytes, "no value is beyond its limit");
        bytes += attribute.claim.size() + attribute.value.size();
        names.insert(attribute.claim);
    }
    require(bytes <= oidc::kMaxIdentityBytes && claims.attributes.size() <= oidc::kMaxClaims, "an identity is bounded");
    for (const char* const name : {"sub", "acr", "amr", "auth_time", "sid", "iss"}) {
        require(names.count(name) == 1, "what the ID token says comes from there only");
    }
    for (const char* const name : {"aud", "exp", "iat", "nonce", "azp", "at_hash"}) {
        require(names.count(name) == 0, "the protocol's own claims are no identity");
    }
}

void check_item(const AttributeBlock::Item& item, const Attribute& attribute, const json::Value& member) {
    require(item.value_view == attribute.value && item.kind == attribute.kind && std::strlen(item.value) == attribute.value.size(), "a value is stored whole");
    switch (item.kind) {
        case Attribute::Kind::text:
            require(member.as_string() == attribute.value, "a text is a JSON string");
            break;
        case Attribute::Kind::json:
            require(member.to_text() == attribute.value, "JSON stays JSON");
            break;
        case Attribute::Kind::list: {
            const auto elements = member.as_strings();
            const auto expected = session::split_list(attribute.value);
            require(elements && std::ranges::equal(*elements, expected), "a list is an array of strings");
            break;
        }
    }
}

/// The object that the application gets is the attributes of the block, no more and no less.
void check_block(const std::vector<Attribute>& attributes) {
    const auto block = session::encode_attributes(attributes);
    const auto parsed = AttributeBlock::parse({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()});
    require(parsed.has_value() == (block.size() <= session::SessionStore::kMaxPartBytes), "a block is readable unless it is too long");
    if (!parsed) {
        return;
    }
    const auto out = std::make_unique<char[]>(parsed->claims_json_bytes());
    parsed->write_claims_json({out.get(), parsed->claims_json_bytes()});
    const std::string_view text{out.get(), parsed->claims_json_bytes()};
    const auto document = json::Document::parse_object(text, {.max_bytes = text.size(), .max_depth = 32, .max_values = 100'000, .max_string_bytes = text.size()});
    require(document.has_value(), "PROCONNECT_CLAIMS is JSON");
    std::set<std::string> variables;
    std::size_t members = 0;
    for (const auto& attribute : attributes) {
        const auto variable = session::variable_name(attribute.claim);
        if (!variables.insert(variable).second) {
            continue;  // the first of a name wins
        }
        const auto item = parsed->find(variable);
        require(item && item->claim() == attribute.claim && item->derived == attribute.derived, "each claim has its variable");
        const auto member = document->root().find(attribute.claim);
        require(member.has_value() == !attribute.derived, "derived variables are no members");
        if (member) {
            check_item(*item, attribute, *member);
            ++members;
        }
    }
    require(parsed->size() == variables.size() && document->root().size() == members, "nothing is added");
}

Verdict judge(std::string_view input) {
    const auto userinfo = json::Document::parse_object(input);
    if (!userinfo) {
        return Verdict::refused;
    }
    const auto claims = oidc::merge_claims(id_token(), userinfo->root());
    if (!claims) {
        require(claims.error().code == core::ErrorCode::session_too_large, "an identity is refused when it is too large");
        return Verdict::refused;
    }
    check_claims(*claims);
    check_block(claims->attributes);
    return Verdict::accepted;
}

const Registration kTarget{"claims", judge};

}  // namespace
