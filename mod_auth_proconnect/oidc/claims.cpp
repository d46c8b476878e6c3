#include "oidc/claims.hpp"

#include <algorithm>
#include <array>

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using session::Attribute;

// The protocol's own claims of a signed userinfo, those only an ID token may speak for, and the names of the module's own variables.
constexpr std::array<std::string_view, 19> kNotIdentity{"iss",    "aud",    "exp", "iat", "nbf",       "jti", "azp",     "nonce",  "sub",    "at_hash",
                                                        "c_hash", "s_hash", "acr", "amr", "auth_time", "sid", "session", "claims", "expires"};
constexpr std::size_t kMaxClaimNameBytes = 128;

// By variable, not by name: "ACR" would take PROCONNECT_ACR just as "acr" does.
bool is_identity(std::string_view name) {
    const auto variable = session::variable_name(name);
    return std::ranges::none_of(kNotIdentity, [&](std::string_view reserved) { return session::variable_name(reserved) == variable; });
}

// Variables end up in logs and, through RequestHeader, in the requests to a back end: nothing in them may end a line.
std::string without_control_characters(std::string_view text) {
    std::string clean{text};
    for (char& c : clean) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            c = ' ';
        }
    }
    return clean;
}

std::string join_list(const std::vector<std::string_view>& elements) {
    std::string joined;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (i != 0) {
            joined += ';';
        }
        for (const char c : without_control_characters(elements[i])) {
            if (c == ';' || c == '\\') {
                joined += '\\';
            }
            joined += c;
        }
    }
    return joined;
}

/// Collects attributes under the limits.
class Collector {
public:
    void add(std::string claim, std::string value, Attribute::Kind kind, bool derived = false) {
        if (claim.empty() || claim.size() > kMaxClaimNameBytes || without_control_characters(claim) != claim) {
            claims_.left_out.emplace_back("a claim with an unusable name");
            return;
        }
        if (value.size() > kMaxClaimBytes) {
            claims_.left_out.push_back(std::move(claim));
            return;
        }
        total_bytes_ += claim.size() + value.size();
        claims_.attributes.push_back({.claim = std::move(claim), .value = std::move(value), .kind = kind, .derived = derived});
    }

    void add_value(std::string claim, const json::Value& value, bool derived = false) {
        if (const auto text = value.as_string()) {
            add(std::move(claim), without_control_characters(*text), Attribute::Kind::text, derived);
        } else if (const auto elements = value.as_strings()) {
            add(std::move(claim), join_list(*elements), Attribute::Kind::list, derived);
        } else if (value.type() != json::Value::Type::null) {
            add(std::move(claim), value.to_text(), Attribute::Kind::json, derived);
        }
    }

    [[nodiscard]] std::expected<Claims, Error> take() {
        if (claims_.attributes.size() > kMaxClaims || total_bytes_ > kMaxIdentityBytes) {
            return std::unexpected(Error{ErrorCode::session_too_large, "userinfo: " + std::to_string(claims_.attributes.size()) + " claims of " +
                                                                           std::to_string(total_bytes_) + " bytes in all"});
        }
        return std::move(claims_);
    }

    Claims& claims() { return claims_; }

private:
    Claims claims_;
    std::size_t total_bytes_ = 0;
};

bool is_scalar(const json::Value& value) {
    using enum json::Value::Type;
    return value.type() == string || value.type() == number || value.type() == boolean;
}

}  // namespace

std::expected<Claims, Error> merge_claims(const IdTokenClaims& id_token, const json::Value& userinfo) {
    Collector collector;
    collector.claims().subject = id_token.subject;
    collector.add("sub", id_token.subject, Attribute::Kind::text);

    userinfo.for_each_member([&](std::string_view name, json::Value value) {
        if (!is_identity(name)) {
            return;
        }
        collector.add_value(std::string{name}, value);
        if (name == "custom" && value.is_object()) {
            value.for_each_member([&](std::string_view member, json::Value inner) {
                if (is_scalar(inner)) {
                    collector.add_value("custom." + std::string{member}, inner, true);
                }
            });
        }
    });

    if (!id_token.acr.empty()) {
        collector.add("acr", without_control_characters(id_token.acr), Attribute::Kind::text);
    }
    if (!id_token.amr.empty()) {
        collector.add("amr", join_list({id_token.amr.begin(), id_token.amr.end()}), Attribute::Kind::list);
    }
    if (id_token.auth_time) {
        collector.add("auth_time", std::to_string(core::to_unix_seconds(*id_token.auth_time)), Attribute::Kind::json);
    }
    if (!id_token.sid.empty()) {
        collector.add("sid", without_control_characters(id_token.sid), Attribute::Kind::text);
    }
    collector.add("iss", id_token.issuer, Attribute::Kind::text);
    return collector.take();
}

}  // namespace proconnect::oidc
