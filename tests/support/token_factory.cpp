#include "support/token_factory.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_agreement.hpp"
#include "crypto/openssl_handles.hpp"
#include "crypto/random.hpp"
#include "json/document.hpp"

namespace proconnect::test {
namespace {

using namespace crypto;

void require(bool condition, const char* what) {
    if (!condition) {
        throw std::runtime_error(std::string{"token factory: "} + what);
    }
}

BigNumber big_number(std::string_view bytes) {
    return BigNumber{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    require(fill_random({bytes_of(bytes), bytes.size()}).has_value(), "random");
    return bytes;
}

EVP_PKEY* from_parameters(const char* type, int selection, OSSL_PARAM_BLD* builder) {
    const Params params{OSSL_PARAM_BLD_to_param(builder)};
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* key = nullptr;
    require(context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) == 1,
            "key from parameters");
    return key;
}

std::string member(json::Value jwk, std::string_view name) {
    return decoded(jwk.string_member(name).value_or(""));
}

EVP_PKEY* rsa_from(json::Value jwk) {
    const ParamsBuilder builder{OSSL_PARAM_BLD_new()};
    std::vector<BigNumber> numbers;  // the builder borrows them
    const std::pair<const char*, const char*> parts[] = {
        {"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},           {"d", OSSL_PKEY_PARAM_RSA_D},
        {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},     {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    for (const auto& [jwk_name, openssl_name] : parts) {
        if (jwk.find(jwk_name)) {
            numbers.push_back(big_number(member(jwk, jwk_name)));
            require(OSSL_PARAM_BLD_push_BN(builder.get(), openssl_name, numbers.back().get()) == 1, "RSA parameter");
        }
    }
    return from_parameters("RSA", EVP_PKEY_KEYPAIR, builder.get());
}

EVP_PKEY* p256_from(std::string_view x, std::string_view y, std::string_view d) {
    const ParamsBuilder builder{OSSL_PARAM_BLD_new()};
    std::string point{POINT_CONVERSION_UNCOMPRESSED};
    point.append(x).append(y);
    const auto private_number = big_number(d);
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    if (!d.empty()) {
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_number.get());
    }
    return from_parameters("EC", d.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, builder.get());
}

}  // namespace

TestKey::TestKey(evp_pkey_st* handle) : handle_(handle, EVP_PKEY_free) {
    require(handle != nullptr, "no key");
}

TestKey TestKey::make_rsa(unsigned bits) {
    return TestKey{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits))};
}

TestKey TestKey::make_ec(const char* group) {
    return TestKey{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", group)};
}

TestKey TestKey::from_jwk(std::string_view jwk) {
    const auto document = json::Document::parse_object(jwk);
    require(document.has_value(), "JWK is no JSON");
    const auto root = document->root();
    return TestKey{root.string_member("kty") == "RSA" ? rsa_from(root) : p256_from(member(root, "x"), member(root, "y"), member(root, "d"))};
}

bool TestKey::is_rsa() const {
    return EVP_PKEY_is_a(handle(), "RSA") == 1;
}

std::string TestKey::private_pem() const {
    const Bio bio{BIO_new(BIO_s_mem())};
    require(PEM_write_bio_PKCS8PrivateKey(bio.get(), handle(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

crypto::PrivateKey TestKey::private_key() const {
    auto key = PrivateKey::from_pem(private_pem());
    require(key.has_value(), "the key is refused");
    return *key;
}

std::string TestKey::public_jwk(std::string_view kid, std::string_view more) const {
    std::string jwk = is_rsa() ? R"({"kty":"RSA","n":")" + encoded(n()) + R"(","e":")" + encoded(e())
                               : R"({"kty":"EC","crv":"P-256","x":")" + encoded(x()) + R"(","y":")" + encoded(y());
    jwk += '"';
    if (!kid.empty()) {
        jwk += ",\"kid\":" + json::quoted(kid);
    }
    if (!more.empty()) {
        jwk.append(",").append(more);
    }
    return jwk + "}";
}

std::string TestKey::number(const char* name, int size) const {
    BIGNUM* value = nullptr;
    require(EVP_PKEY_get_bn_param(handle(), name, &value) == 1, name);
    const BigNumber owner{value};
    return to_bytes(value, static_cast<std::size_t>(size));
}

const TestKey& rsa_key() {
    static const auto key = TestKey::make_rsa();
    return key;
}

const TestKey& other_rsa_key() {
    static const auto key = TestKey::make_rsa();
    return key;
}

const TestKey& ec_key() {
    static const auto key = TestKey::make_ec();
    return key;
}

const TestKey& other_ec_key() {
    static const auto key = TestKey::make_ec();
    return key;
}

std::string encoded(std::string_view bytes) {
    return core::base64url_encode(bytes);
}

std::string decoded(std::string_view text) {
    auto bytes = core::base64url_decode(text);
    require(bytes.has_value(), "no base64url");
    return *bytes;
}

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
    }
    return bytes;
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        text.push_back(kHex[static_cast<unsigned char>(c) & 0x0F]);
    }
    return text;
}

std::string jwk_set(std::initializer_list<std::string> jwks) {
    std::string text = R"({"keys":[)";
    for (const auto& jwk : jwks) {
        text.append(text.back() == '[' ? "" : ",").append(jwk);
    }
    return text + "]}";
}

std::string openssl_signature(const TestKey& key, std::string_view input) {
    const DigestContext context{EVP_MD_CTX_new()};
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())), '\0');
    std::size_t size = signature.size();
    require(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.handle(), nullptr) == 1 &&
                EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(input), input.size()) == 1,
            "sign");
    signature.resize(size);
    return signature;
}

std::string raw_signature(const TestKey& key, std::string_view input) {
    const auto signature = openssl_signature(key, input);
    if (key.is_rsa()) {
        return signature;
    }
    const unsigned char* position = bytes_of(signature);
    const EcdsaSignature parts{d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(signature.size()))};
    return to_bytes(ECDSA_SIG_get0_r(parts.get()), 32) + to_bytes(ECDSA_SIG_get0_s(parts.get()), 32);
}

std::string signed_token(const TestKey& key, std::string_view header, std::string_view payload) {
    const auto input = encoded(header) + "." + encoded(payload);
    return input + "." + encoded(raw_signature(key, input));
}

std::string signed_claims(const TestKey& key, std::string_view claims, std::string_view kid) {
    std::string header = key.is_rsa() ? R"({"alg":"RS256")" : R"({"alg":"ES256")";
    if (!kid.empty()) {
        header += ",\"kid\":" + json::quoted(kid);
    }
    return signed_token(key, header + "}", claims);
}

std::string hs256_token(std::string_view secret, std::string_view header, std::string_view payload) {
    const auto input = encoded(header) + "." + encoded(payload);
    const auto mac = hmac_sha256({bytes_of(secret), secret.size()}, input);
    require(mac.has_value(), "HMAC");
    return input + "." + core::base64url_encode(*mac);
}

std::string JweInParts::compact() const {
    return encoded(header) + "." + encoded(encrypted_key) + "." + encoded(iv) + "." + encoded(ciphertext) + "." + encoded(tag);
}

std::string rsa_oaep(const TestKey& recipient, std::string_view content_key) {
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, recipient.handle(), nullptr)};
    std::string wrapped(static_cast<std::size_t>(EVP_PKEY_get_size(recipient.handle())), '\0');
    std::size_t size = wrapped.size();
    require(EVP_PKEY_encrypt_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_encrypt(context.get(), bytes_of(wrapped), &size, bytes_of(content_key), content_key.size()) == 1,
            "RSA-OAEP");
    return wrapped;
}

std::string agreed_secret(const TestKey& own, std::string_view peer_x, std::string_view peer_y) {
    const Pkey peer{p256_from(peer_x, peer_y, {})};
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, own.handle(), nullptr)};
    std::string secret(32, '\0');
    std::size_t size = secret.size();
    require(EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                EVP_PKEY_derive(context.get(), bytes_of(secret), &size) == 1,
            "derive");
    return secret;
}

JweInParts encrypted_token(const TestKey& recipient, std::string_view plaintext, const JweHeader& header) {
    JweInParts jwe{.iv = random_bytes(12), .ciphertext = std::string(plaintext.size(), '\0'), .tag = std::string(16, '\0')};
    const std::string alg = !header.alg.empty() ? header.alg : recipient.is_rsa() ? "RSA-OAEP" : "ECDH-ES";
    jwe.header = R"({"alg":")" + alg + R"(","enc":")" + header.enc + '"';
    std::string content_key = random_bytes(32);
    if (recipient.is_rsa()) {
        jwe.encrypted_key = rsa_oaep(recipient, content_key);
    } else {
        const auto ephemeral = header.ephemeral != nullptr ? *header.ephemeral : TestKey::make_ec();
        const core::Secret shared{agreed_secret(ephemeral, recipient.x(), recipient.y())};
        content_key = concat_kdf(shared, "A256GCM", header.apu, header.apv, 32)->reveal();
        jwe.header += ",\"epk\":" + (header.epk.empty() ? ephemeral.public_jwk() : header.epk);
    }
    for (const auto& [name, value] : {std::pair{"apu", header.apu}, std::pair{"apv", header.apv}}) {
        if (!value.empty()) {
            jwe.header += std::string{",\""} + name + "\":\"" + encoded(value) + '"';
        }
    }
    jwe.header += (header.more.empty() ? "" : "," + header.more) + "}";
    require(gcm_encrypt(bytes_of(std::string_view{content_key}), bytes_of(std::string_view{jwe.iv}), encoded(jwe.header), plaintext,
                        bytes_of(jwe.ciphertext), bytes_of(jwe.tag)),
            "AES-GCM");
    return jwe;
}

}  // namespace proconnect::test
