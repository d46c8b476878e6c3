// decrypt_jwe() and open_token() with decryption keys. An input is a compact token, or "header JSON -- plaintext", which is encrypted rightly
// when the header names a key of ours and, for ECDH-ES, an ephemeral point to agree with.
#include <algorithm>
#include <array>

#include "core/base64url.hpp"
#include "crypto/key_agreement.hpp"
#include "crypto/openssl_handles.hpp"
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/jwt.hpp"
#include "support/rfc_vectors.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using core::ErrorCode;

constexpr std::string_view kIv = "twelve bytes";

/// An encrypted key that our RSA key unwraps: that of RFC 7516 A.1.
std::string_view wrapped_key() {
    const auto rest = test::kRfc7516A1.substr(test::kRfc7516A1.find('.') + 1);
    return rest.substr(0, rest.find('.'));
}

std::string member_bytes(json::Value object, std::string_view name) {
    return core::base64url_decode(object.string_member(name).value_or("")).value_or("");
}

struct Encrypted {
    std::string token;
    bool rightly = false;  ///< with the key that the header and the encrypted key lead to
};

Encrypted encrypt(std::string_view header, std::string_view plaintext) {
    core::Secret key{std::string(32, 'k')};
    bool rightly = false;
    std::string_view encrypted_key;
    if (const auto document = json::Document::parse_object(header)) {
        const auto root = document->root();
        const auto epk = root.find("epk");
        std::expected<core::Secret, core::Error> agreed = std::unexpected(core::Error{});
        if (root.string_member("alg") == "RSA-OAEP") {
            encrypted_key = wrapped_key();
            agreed = crypto::unwrap_rsa_oaep(decryption_keys()[0], core::base64url_decode(encrypted_key).value());
        } else if (root.string_member("alg") == "ECDH-ES" && epk) {
            agreed = crypto::agree_ecdh_es(decryption_keys()[1], member_bytes(*epk, "x"), member_bytes(*epk, "y"), member_bytes(root, "apu"),
                                           member_bytes(root, "apv"));
        }
        rightly = agreed.has_value();
        if (agreed) {
            key = std::move(*agreed);
        }
    }
    const auto encoded = core::base64url_encode(header);
    std::string ciphertext(plaintext.size(), '\0');
    std::array<unsigned char, 16> tag{};
    require(crypto::gcm_encrypt(crypto::bytes_of(key.reveal()), crypto::bytes_of(kIv), encoded, plaintext, crypto::bytes_of(ciphertext), tag.data()),
            "AES-GCM encrypts");
    return {.token = encoded + '.' + std::string{encrypted_key} + '.' + core::base64url_encode(kIv) + '.' + core::base64url_encode(ciphertext) + '.' +
                     core::base64url_encode(tag),
            .rightly = rightly};
}

void check_header(std::string_view token) {
    const auto header = json::Document::parse_object(core::base64url_decode(token.substr(0, token.find('.'))).value());
    require(header.has_value(), "the header of a decrypted token is JSON");
    const auto root = header->root();
    require(root.string_member("enc") == "A256GCM" && (root.string_member("alg") == "ECDH-ES" || root.string_member("alg") == "RSA-OAEP"),
            "only the two algorithms decrypt");
    require(!root.find("crit") && !root.find("zip") && !root.find("b64"), "no extension is accepted");
}

Verdict judge(std::string_view input) {
    Encrypted made{.token = std::string{input}};
    const auto parts = split_parts(input, 2);
    if (input.starts_with('{')) {
        made = encrypt(parts[0], parts[1]);
    }
    const auto plaintext = oidc::decrypt_jwe(made.token, decryption_keys());
    constexpr oidc::AlgorithmPolicy kAll{.es256 = true, .rs256 = true, .hs256 = true};
    const oidc::VerificationKeys keys{.jwks = &provider_keys(), .client_secret = &client_secret()};
    require(!oidc::decrypt_jwe(made.token, {}), "nothing decrypts without a key");
    const auto opened = oidc::open_token(made.token, kAll, keys, decryption_keys());
    require(!opened || plaintext, "what does not decrypt is not opened");
    if (!plaintext) {
        const auto& error = plaintext.error();
        constexpr ErrorCode kExpected[] = {ErrorCode::jwt_malformed,       ErrorCode::jwt_algorithm,  ErrorCode::jwt_key_unusable, ErrorCode::jwt_critical_header,
                                           ErrorCode::jwt_form_unexpected, ErrorCode::jwe_decryption};
        require(std::ranges::find(kExpected, error.code) != std::end(kExpected), "a token is refused with a code of tokens");
        require(error.code != ErrorCode::jwe_decryption || error.detail == "JWE does not decrypt", "all failures to decrypt look the same");
        return Verdict::refused;
    }
    check_header(made.token);
    if (made.rightly) {
        require(*plaintext == parts[1], "what was encrypted is what is decrypted");
    }
    require(opened.has_value() == oidc::verify_jws(*plaintext, kAll, keys).has_value(), "an opened token is a signed one inside an encrypted one");
    auto changed = made.token;
    changed.back() = changed.back() == 'A' ? 'Q' : 'A';
    require(changed == made.token || !oidc::decrypt_jwe(changed, decryption_keys()), "a changed tag is refused");
    return Verdict::accepted;
}

const Registration kTarget{"jwe", judge};

}  // namespace
