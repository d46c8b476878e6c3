#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace proconnect::core {

/// Every way something can fail, with its stable number: pages, logs and the manual name it as PC and four digits.
/// Numbers are never reused. PC1xxx browser, PC2xxx network and provider, PC3xxx tokens, PC4xxx sessions,
/// PC5xxx configuration, PC6xxx access refused, PC9xxx bug.
enum class ErrorCode : std::uint16_t {
    // The browser, or somebody behind it
    callback_without_state = 1001,
    state_unreadable = 1002,         ///< truncated, foreign, forged, or sealed by a key that is gone
    state_expired = 1003,
    state_of_another_browser = 1004,
    parameters_malformed = 1005,     ///< repeated, oversized, broken escapes
    callback_without_code = 1006,    ///< neither code nor error
    cookies_refused = 1007,
    login_loop = 1008,
    logout_not_same_site = 1009,
    return_address_refused = 1010,
    unknown_endpoint = 1011,
    method_not_allowed = 1012,
    logout_state_mismatch = 1013,
    form_not_kept = 1014,
    login_required_machine = 1015,   ///< 401 to a client that cannot follow a redirect
    callback_repeated = 1016,        ///< the login this callback belongs to is finished already
    form_of_another_user = 1030,     ///< a kept form, and somebody else is signed in
    form_gone = 1031,                ///< a kept form that was sent already, is too old, or is not this browser's
    form_too_large = 1032,           ///< larger than what is kept
    form_not_admitted = 1033,        ///< a kept form whose page its user may not enter
    form_needs_other_login = 1034,   ///< sent below the level that its page asks for, and not kept
    // Network and provider
    provider_unreachable = 2001,
    provider_timeout = 2002,
    provider_tls = 2003,
    provider_status = 2004,          ///< an HTTP status that is no success
    provider_body_too_large = 2005,
    provider_json_malformed = 2006,
    provider_busy = 2007,            ///< too many logins wait for the provider already
    provider_url_refused = 2008,     ///< not https, not a URL
    server_stopping = 2009,          ///< httpd stops or restarts; says nothing about the provider
    discovery_malformed = 2010,
    discovery_issuer_mismatch = 2011,
    jwks_malformed = 2012,
    client_refused = 2020,           ///< invalid_client at the token endpoint
    code_refused = 2021,             ///< invalid_grant
    token_request_refused = 2022,    ///< any other OAuth error of the token endpoint
    token_response_malformed = 2023,
    userinfo_failed = 2030,
    revocation_failed = 2031,
    introspection_failed = 2032,
    authorization_access_denied = 2040,
    authorization_login_required = 2041,
    authorization_invalid_scope = 2042,
    authorization_invalid_request = 2043,
    authorization_server_error = 2044,
    authorization_temporarily_unavailable = 2045,
    authorization_unsupported_response_type = 2046,
    authorization_other = 2047,
    authorization_acr_not_reached = 2048,  ///< access_denied because the requested level could not be had
    // Tokens
    jwt_malformed = 3001,
    jwt_algorithm = 3002,            ///< `alg` is not the configured one
    jwt_signature = 3003,
    jwt_key_unusable = 3004,         ///< no key fits, or the key is too weak or of another kind
    jwt_critical_header = 3005,
    jwe_decryption = 3006,           ///< one answer for every decryption failure
    jwt_form_unexpected = 3007,      ///< a JWE where a JWS was configured, or the reverse, or an unsigned userinfo
    jwt_key_unknown = 3008,          ///< `kid` is not in the JWKS
    issuer_mismatch = 3010,
    audience_mismatch = 3011,
    authorized_party_mismatch = 3012,
    subject_invalid = 3013,
    token_expired = 3014,
    issued_at_invalid = 3015,
    nonce_mismatch = 3016,
    access_token_hash_mismatch = 3017,
    acr_not_satisfied = 3018,
    auth_time_invalid = 3019,
    claim_malformed = 3020,          ///< a claim of the wrong type or beyond its limit
    token_not_yet_valid = 3021,      ///< `nbf`
    userinfo_subject_mismatch = 3030,
    response_issuer_mismatch = 3040, ///< RFC 9207
    // Sessions
    session_store_unavailable = 4001,
    session_too_large = 4002,
    session_record_corrupt = 4003,
    sealed_box_unreadable = 4004,
    snapshot_unusable = 4005,
    session_store_full = 4006,
    // Configuration
    configuration_invalid = 5001,
    key_unusable = 5002,             ///< a PEM or key file that cannot be used
    audit_log_unwritable = 5010,     ///< events are lost
    // Access refused
    access_denied = 6001,
    access_rule_not_met = 6002,      ///< a line `Require proconnect …` refused the user
    access_level_not_reached = 6003, ///< acr or amr, after the step-up or where none is possible
    access_list_unavailable = 6004,  ///< a file of values cannot be read: nobody is let in
    access_claim_missing = 6005,     ///< the user has no such claim
    // Bugs and failures of the machine
    internal_error = 9001,
    crypto_failure = 9002,           ///< random source or OpenSSL failed
};

/// A failure as a value. `detail` is for the log: which check, which address. It never holds a secret, code, token,
/// nonce, state or cookie value; whatever comes from outside is escaped and cut by the logger.
struct Error {
    ErrorCode code;
    std::string detail;
};

enum class LogLevel { info, notice, warning, error };
enum class Language { french, english };

/// What the page says, in one language.
struct Message {
    std::string_view title;
    std::string_view text;    ///< what happened and what to do now
};

/// What the one button of the page does.
enum class NextStep {
    retry_login,
    login,          ///< the ProConnect button: nothing failed, somebody has to sign in
    site_start,
    support_only,   ///< the support where one is named, else the site's start
};

/// One line of the catalogue.
struct CatalogueEntry {
    ErrorCode code;
    std::string_view name;    ///< stable words for logs and audit, e.g. "state_expired"
    int http_status;
    LogLevel log_level;
    NextStep next_step;
    Message french;
    Message english;
};

/// The entry of a code; every code has one (checked by a test over all of them).
[[nodiscard]] const CatalogueEntry& catalogue_entry(ErrorCode code) noexcept;
[[nodiscard]] std::span<const CatalogueEntry> catalogue() noexcept;

/// "PC1003"
[[nodiscard]] std::string code_text(ErrorCode code);

}  // namespace proconnect::core
