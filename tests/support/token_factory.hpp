#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "core/secret.hpp"
#include "crypto/signature.hpp"

struct evp_pkey_st;

namespace proconnect::test {

/// A key pair, of any kind and strength: tests need the bad ones too.
class TestKey {
public:
    static TestKey make_rsa(unsigned bits = 2048);
    /// @param group  OpenSSL's name: "P-256", "secp256k1"…
    static TestKey make_ec(const char* group = "P-256");
    /// RSA with `n e d` at least, or EC P-256 with `x y d`.
    static TestKey from_jwk(std::string_view jwk);

    [[nodiscard]] evp_pkey_st* handle() const noexcept { return handle_.get(); }
    [[nodiscard]] bool is_rsa() const;
    /// PKCS#8
    [[nodiscard]] std::string private_pem() const;
    /// The same key as the code under test takes it; throws when it does not.
    [[nodiscard]] crypto::PrivateKey private_key() const;
    /// @param more  further members, for example R"("use":"sig")"
    [[nodiscard]] std::string public_jwk(std::string_view kid = {}, std::string_view more = {}) const;
    [[nodiscard]] std::string n() const { return number("n", 0); }
    [[nodiscard]] std::string e() const { return number("e", 0); }
    [[nodiscard]] std::string x() const { return number("qx", 32); }
    [[nodiscard]] std::string y() const { return number("qy", 32); }

private:
    explicit TestKey(evp_pkey_st* handle);
    [[nodiscard]] std::string number(const char* name, int size) const;
    std::shared_ptr<evp_pkey_st> handle_;
};

/// Keys made once per process, because RSA keys take long.
const TestKey& rsa_key();
const TestKey& other_rsa_key();
const TestKey& ec_key();
const TestKey& other_ec_key();

/// base64url
std::string encoded(std::string_view bytes);
/// The other way round; throws on malformed text.
std::string decoded(std::string_view text);
/// The bytes of "00ff10"
std::string from_hex(std::string_view text);
std::string to_hex(std::string_view bytes);

/// {"keys":[…]}
std::string jwk_set(std::initializer_list<std::string> jwks);

/// SHA-256 signatures, ECDSA in the raw form r||s, or as OpenSSL writes it.
std::string raw_signature(const TestKey& key, std::string_view input);
std::string openssl_signature(const TestKey& key, std::string_view input);

/// A compact JWS of any header and payload, signed with the key whatever the header says.
std::string signed_token(const TestKey& key, std::string_view header, std::string_view payload);
/// With the header {"alg":…} of the key's kind and, when given, `kid`.
std::string signed_claims(const TestKey& key, std::string_view claims, std::string_view kid = {});
std::string hs256_token(std::string_view secret, std::string_view header, std::string_view payload);

/// A compact JWE in its parts, all decoded, so that tests can spoil any of them.
struct JweInParts {
    std::string header{};
    std::string encrypted_key{};
    std::string iv{};
    std::string ciphertext{};
    std::string tag{};
    [[nodiscard]] std::string compact() const;
};

/// What the header of an encrypted token says, when it should not be the usual.
struct JweHeader {
    std::string alg{};        ///< "" = by the kind of the key
    std::string enc = "A256GCM";
    std::string more{};       ///< further members, for example R"("kid":"a")"
    std::string apu{};        ///< not encoded
    std::string apv{};
    const TestKey* ephemeral = nullptr;  ///< null = a new one
    std::string epk{};        ///< whole JWK; "" = the one really used
};

/// Encrypts by RSA-OAEP or ECDH-ES, by the kind of the recipient's key, and A256GCM.
JweInParts encrypted_token(const TestKey& recipient, std::string_view plaintext, const JweHeader& header = {});

/// Any text under RSA-OAEP, as a content key would be.
std::string rsa_oaep(const TestKey& recipient, std::string_view content_key);

/// The x coordinate of the point two keys agree on, RFC 7518 section 4.6.
std::string agreed_secret(const TestKey& own, std::string_view peer_x, std::string_view peer_y);

}  // namespace proconnect::test
