// Making keys: PublicKey and PrivateKey of signature.hpp.
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "crypto/openssl_handles.hpp"

namespace proconnect::crypto {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;     // a verification stays within a millisecond or so
constexpr int kMaxExponentBits = 64;  // OpenSSL's own bound for large moduli
constexpr std::size_t kMaxPemBytes = 65536;
constexpr char kP256Name[] = "prime256v1";

std::unexpected<core::Error> jwk_refused(const char* why) {
    return std::unexpected(core::Error{core::ErrorCode::jwt_key_unusable, why});
}

std::unexpected<core::Error> pem_refused(const char* why) {
    return std::unexpected(core::Error{core::ErrorCode::key_unusable, why});
}

BigNumber to_number(std::string_view bytes) {
    return BigNumber{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

Pkey public_key_from(const char* type, OSSL_PARAM* params) {
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return nullptr;
    }
    return Pkey{key};
}

/// A number of a key, "n" or "qx" for example, in big-endian.
std::string number_of(const EVP_PKEY* key, const char* name, std::size_t size) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
        return {};
    }
    const BigNumber owner{number};
    return to_bytes(number, size);
}

bool is_p256(const EVP_PKEY* key) {
    std::array<char, 32> name{};
    std::size_t length = 0;
    return EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1 && std::string_view{name.data(), length} == kP256Name;
}

/// The public members of a JWK, RFC 7518 section 6; what RFC 7638 hashes.
struct JwkMembers {
    std::string first;   ///< "e", or "x"
    std::string second;  ///< "n", or "y"
};

std::expected<JwkMembers, core::Error> jwk_members(const PrivateKey::Impl& key) {
    const ErrorQueueGuard guard;
    const bool is_rsa = key.kind == KeyKind::rsa;
    const auto first = is_rsa ? number_of(key.key.get(), OSSL_PKEY_PARAM_RSA_E, 0)
                              : number_of(key.key.get(), OSSL_PKEY_PARAM_EC_PUB_X, kP256Bytes);
    const auto second = is_rsa ? number_of(key.key.get(), OSSL_PKEY_PARAM_RSA_N, 0)
                               : number_of(key.key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kP256Bytes);
    if (first.empty() || second.empty()) {
        return std::unexpected(crypto_failure("key has no part"));
    }
    return JwkMembers{core::base64url_encode(first), core::base64url_encode(second)};
}

std::string thumbprint_input(KeyKind kind, const JwkMembers& members) {
    return kind == KeyKind::rsa ? R"({"e":")" + members.first + R"(","kty":"RSA","n":")" + members.second + "\"}"
                                : R"({"crv":"P-256","kty":"EC","x":")" + members.first + R"(","y":")" + members.second + "\"}";
}

/// Names of `use` and `alg` come from our own code; anything that would need escaping is a bug.
bool is_plain_name(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '+';
    });
}

int refuse_password(char*, int, int, void*) { return -1; }

}  // namespace

std::string to_bytes(const BIGNUM* number, std::size_t size) {
    const auto shortest = static_cast<std::size_t>(BN_num_bytes(number));
    std::string bytes(size == 0 ? shortest : size, '\0');
    if (bytes.size() < shortest || BN_bn2binpad(number, bytes_of(bytes), static_cast<int>(bytes.size())) < 0) {
        return {};
    }
    return bytes;
}

std::expected<PublicKey, core::Error> PublicKey::from_rsa(std::string_view modulus, std::string_view exponent) {
    const ErrorQueueGuard guard;
    // One byte more than the largest, for the sign byte that some libraries put in front.
    if (modulus.size() > kMaxRsaBits / 8 + 1 || exponent.size() > kMaxRsaBits / 8) {
        return jwk_refused("RSA key is too large");
    }
    const auto n = to_number(modulus);
    const auto e = to_number(exponent);
    if (!n || !e) {
        return std::unexpected(crypto_failure("BN_bin2bn"));
    }
    if (BN_num_bits(n.get()) < kMinRsaBits || BN_num_bits(n.get()) > kMaxRsaBits || !BN_is_odd(n.get())) {
        return jwk_refused("RSA modulus is not an odd number of 2048 to 8192 bits");
    }
    if (!BN_is_odd(e.get()) || BN_is_one(e.get()) || BN_num_bits(e.get()) > kMaxExponentBits) {
        return jwk_refused("RSA exponent is even, 1 or too large");
    }
    const ParamsBuilder builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return std::unexpected(crypto_failure("RSA parameters"));
    }
    const Params params{OSSL_PARAM_BLD_to_param(builder.get())};
    auto key = public_key_from("RSA", params.get());
    if (!key) {
        return jwk_refused("RSA key is not usable");
    }
    return PublicKey{std::make_shared<const Impl>(Impl{std::move(key), KeyKind::rsa})};
}

std::expected<PublicKey, core::Error> PublicKey::from_p256(std::string_view x, std::string_view y) {
    const ErrorQueueGuard guard;
    if (x.size() != kP256Bytes || y.size() != kP256Bytes) {
        return jwk_refused("EC coordinate is not of 32 bytes");
    }
    std::string point{POINT_CONVERSION_UNCOMPRESSED};
    point.append(x).append(y);
    char group[] = "P-256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end(),
    };
    auto key = public_key_from("EC", params);
    const PkeyContext check{key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr};
    if (!check || EVP_PKEY_public_check(check.get()) != 1) {
        return jwk_refused("EC point is not on P-256");
    }
    return PublicKey{std::make_shared<const Impl>(Impl{std::move(key), KeyKind::ec_p256})};
}

KeyKind PublicKey::kind() const noexcept { return impl_->kind; }

std::expected<PrivateKey, core::Error> PrivateKey::from_pem(std::string_view pem) {
    const ErrorQueueGuard guard;
    if (pem.empty() || pem.size() > kMaxPemBytes) {
        return pem_refused("PEM is empty or too large");
    }
    const Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    // Without a callback OpenSSL would ask for the password on the terminal.
    Pkey key{bio ? PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, refuse_password, nullptr, nullptr, nullptr) : nullptr};
    if (!key) {
        return pem_refused("PEM holds no private key, or an encrypted one");
    }
    if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
        const int bits = EVP_PKEY_get_bits(key.get());
        if (bits < kMinRsaBits || bits > kMaxRsaBits) {
            return pem_refused("RSA key is not of 2048 to 8192 bits");
        }
        return PrivateKey{std::make_shared<const Impl>(Impl{std::move(key), KeyKind::rsa})};
    }
    if (EVP_PKEY_is_a(key.get(), "EC") == 1 && is_p256(key.get())) {
        const PkeyContext check{EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)};
        if (!check || EVP_PKEY_check(check.get()) != 1) {
            return pem_refused("EC key is inconsistent");
        }
        return PrivateKey{std::make_shared<const Impl>(Impl{std::move(key), KeyKind::ec_p256})};
    }
    return pem_refused("key is neither RSA nor EC P-256");
}

KeyKind PrivateKey::kind() const noexcept { return impl_->kind; }

std::expected<std::string, core::Error> PrivateKey::thumbprint() const {
    const auto members = jwk_members(*impl_);
    if (!members) {
        return std::unexpected(members.error());
    }
    const auto digest = sha256(thumbprint_input(impl_->kind, *members));
    if (!digest) {
        return std::unexpected(digest.error());
    }
    return core::base64url_encode(*digest);
}

std::expected<std::string, core::Error> PrivateKey::public_jwk(std::string_view use, std::string_view algorithm) const {
    const auto members = jwk_members(*impl_);
    const auto kid = thumbprint();
    if (!members || !kid) {
        return std::unexpected(!members ? members.error() : kid.error());
    }
    if (!is_plain_name(use) || !is_plain_name(algorithm)) {
        return std::unexpected(core::Error{core::ErrorCode::internal_error, "JWK use or alg is no plain name"});
    }
    auto jwk = thumbprint_input(impl_->kind, *members);
    jwk.pop_back();
    jwk.append(R"(,"use":")").append(use).append(R"(","alg":")").append(algorithm).append(R"(","kid":")").append(*kid).append("\"}");
    return jwk;
}

}  // namespace proconnect::crypto
