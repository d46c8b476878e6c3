#include "crypto/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <array>

#include "crypto/constant_time.hpp"
#include "crypto/digest.hpp"
#include "crypto/openssl_handles.hpp"

namespace proconnect::crypto {
namespace {

constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2: at least the size of the hash
constexpr std::size_t kRawEs256Bytes = 2 * kP256Bytes;

// The order n of P-256, SEC 2 section 2.4.2.
constexpr std::array<unsigned char, kP256Bytes> kP256Order{
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

std::unexpected<core::Error> wrong_signature(const char* detail) {
    return std::unexpected(core::Error{core::ErrorCode::jwt_signature, detail});
}

std::unexpected<core::Error> unusable_key(const char* detail) {
    return std::unexpected(core::Error{core::ErrorCode::jwt_key_unusable, detail});
}

/// r or s of ES256: in [1, n-1]. Both are public values.
bool is_in_range(std::string_view number) noexcept {
    const std::string_view order{reinterpret_cast<const char*>(kP256Order.data()), kP256Order.size()};
    return number.find_first_not_of('\0') != std::string_view::npos && number < order;
}

BigNumber to_number(std::string_view bytes) {
    return BigNumber{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

/// The DER form that OpenSSL takes, of the raw form r||s that JWS has. Empty when OpenSSL fails.
std::string raw_to_der(std::string_view raw) {
    auto r = to_number(raw.substr(0, kP256Bytes));
    auto s = to_number(raw.substr(kP256Bytes));
    const EcdsaSignature signature{ECDSA_SIG_new()};
    if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
        return {};
    }
    // The signature owns them now.
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    unsigned char* encoded = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &encoded);
    if (size <= 0) {
        return {};
    }
    std::string der(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
    OPENSSL_free(encoded);
    return der;
}

std::string der_to_raw(std::string_view der) {
    const unsigned char* position = bytes_of(der);
    const EcdsaSignature signature{d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der.size()))};
    if (!signature) {
        return {};
    }
    return to_bytes(ECDSA_SIG_get0_r(signature.get()), kP256Bytes) + to_bytes(ECDSA_SIG_get0_s(signature.get()), kP256Bytes);
}

bool verify_with_openssl(EVP_PKEY* key, std::string_view input, std::string_view signature) {
    const DigestContext context{EVP_MD_CTX_new()};
    return context && EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(input), input.size()) == 1;
}

}  // namespace

std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) noexcept {
    for (const auto algorithm : {SignatureAlgorithm::es256, SignatureAlgorithm::rs256, SignatureAlgorithm::hs256}) {
        if (name == to_text(algorithm)) {
            return algorithm;
        }
    }
    return std::nullopt;
}

std::string_view to_text(SignatureAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case SignatureAlgorithm::es256: return "ES256";
        case SignatureAlgorithm::rs256: return "RS256";
        case SignatureAlgorithm::hs256: return "HS256";
    }
    return "";
}

std::expected<void, core::Error> verify_signature(SignatureAlgorithm algorithm, const PublicKey& key, std::string_view signing_input,
                                                  std::string_view signature) {
    const ErrorQueueGuard guard;
    EVP_PKEY* const handle = key.impl().key.get();
    if (algorithm == SignatureAlgorithm::es256 && key.kind() == KeyKind::ec_p256) {
        if (signature.size() != kRawEs256Bytes) {
            return wrong_signature("ES256 signature is not of 64 bytes");
        }
        if (!is_in_range(signature.substr(0, kP256Bytes)) || !is_in_range(signature.substr(kP256Bytes))) {
            return wrong_signature("ES256 signature is out of range");
        }
        return verify_with_openssl(handle, signing_input, raw_to_der(signature)) ? std::expected<void, core::Error>{}
                                                                                 : wrong_signature("ES256 signature is wrong");
    }
    if (algorithm == SignatureAlgorithm::rs256 && key.kind() == KeyKind::rsa) {
        if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(handle))) {
            return wrong_signature("RS256 signature is not as long as the key");
        }
        return verify_with_openssl(handle, signing_input, signature) ? std::expected<void, core::Error>{}
                                                                     : wrong_signature("RS256 signature is wrong");
    }
    return unusable_key("the key is not of the algorithm's kind");
}

std::expected<void, core::Error> verify_hs256(const core::Secret& secret, std::string_view signing_input, std::string_view signature) {
    const auto key = secret.reveal();
    if (key.size() < kMinSecretBytes) {
        return unusable_key("the client secret is too short for HS256");
    }
    auto expected = hmac_sha256(std::span{bytes_of(key), key.size()}, signing_input);
    if (!expected) {
        return std::unexpected(std::move(expected.error()));
    }
    if (!equal_constant_time(std::span<const std::uint8_t>{*expected}, std::span{bytes_of(signature), signature.size()})) {
        return wrong_signature("HS256 signature is wrong");
    }
    return {};
}

SignatureAlgorithm algorithm_of(const PrivateKey& key) noexcept {
    return key.kind() == KeyKind::rsa ? SignatureAlgorithm::rs256 : SignatureAlgorithm::es256;
}

std::expected<std::string, core::Error> sign(const PrivateKey& key, std::string_view signing_input) {
    const ErrorQueueGuard guard;
    EVP_PKEY* const handle = key.impl().key.get();
    const DigestContext context{EVP_MD_CTX_new()};
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(handle)), '\0');
    std::size_t size = signature.size();
    // OpenSSL 3.0 may answer 1 and a size of 2^32 - 1 when it has no memory for an ECDSA signature.
    if (!context || EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, handle, nullptr) != 1 ||
        EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(signing_input), signing_input.size()) != 1 || size > signature.size()) {
        return std::unexpected(crypto_failure("signing failed"));
    }
    signature.resize(size);
    if (key.kind() == KeyKind::ec_p256) {
        signature = der_to_raw(signature);
        if (signature.size() != kRawEs256Bytes) {
            return std::unexpected(crypto_failure("signing failed"));
        }
    }
    return signature;
}

}  // namespace proconnect::crypto
