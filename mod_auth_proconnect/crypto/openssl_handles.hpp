#pragma once
// Internal to crypto/: how this folder holds what OpenSSL allocates. No other folder includes an OpenSSL header.
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>

#include <memory>

#include "core/error.hpp"
#include "crypto/signature.hpp"

namespace proconnect::crypto {

template <auto kFree>
struct FreeWith {
    template <typename T>
    void operator()(T* handle) const noexcept {
        kFree(handle);
    }
};

using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;
using Kdf = std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, FreeWith<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeWith<EVP_MAC_CTX_free>>;
using Params = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;
using ParamsBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;

/// Takes back what OpenSSL adds to the thread's error queue in this scope, and nothing older: mod_ssl, in the same
/// process, would take an error of ours for the failure of its connection.
class ErrorQueueGuard {
public:
    ErrorQueueGuard() noexcept { ERR_set_mark(); }
    ~ErrorQueueGuard() { ERR_pop_to_mark(); }
    ErrorQueueGuard(const ErrorQueueGuard&) = delete;
    ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

/// The algorithms of the process, fetched once. A null member makes the calls that need it fail.
struct Algorithms {
    Digest sha256;
    Mac hmac;
    Kdf hkdf;
    Cipher aes_256_gcm;
};
const Algorithms& algorithms() noexcept;

/// The contexts that one thread uses again and again. Raw pointers on purpose: a thread_local with a destructor makes
/// glibc keep the module mapped until the thread ends, so in httpd's parent, whose thread does not end, a graceful restart
/// after an upgrade would go on with the old code. Worker threads end with their process; release_thread_contexts() is for
/// the others.
struct ThreadContexts {
    EVP_MD_CTX* digest = nullptr;
    EVP_CIPHER_CTX* aes_256_gcm = nullptr;
};
ThreadContexts& thread_contexts() noexcept;

/// A failure of OpenSSL for functions that are noexcept: its detail fits into the string itself, without allocation.
template <std::size_t kSize>
core::Error crypto_failure(const char (&what)[kSize]) noexcept {
    static_assert(kSize <= 16);
    return {core::ErrorCode::crypto_failure, what};
}

/// AES-256-GCM over 12 bytes of IV and 16 of tag, with this thread's context; no allocation after the thread's first call.
/// @param out  input.size() bytes; may be the input itself
[[nodiscard]] bool gcm_encrypt(const unsigned char* key, const unsigned char* iv, std::string_view associated, std::string_view input,
                               unsigned char* out, unsigned char* tag) noexcept;
/// @return false when anything was wrong; `out` is then wiped
[[nodiscard]] bool gcm_decrypt(const unsigned char* key, const unsigned char* iv, std::string_view associated, std::string_view input,
                               unsigned char* out, const unsigned char* tag) noexcept;

inline const unsigned char* bytes_of(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }
inline unsigned char* bytes_of(std::string& text) noexcept { return reinterpret_cast<unsigned char*>(text.data()); }

struct PublicKey::Impl {
    Pkey key;
    KeyKind kind;
};

struct PrivateKey::Impl {
    Pkey key;
    KeyKind kind;
};

inline constexpr std::size_t kP256Bytes = 32;  ///< of a coordinate, of r and of s

/// The number in big-endian, padded with zeros in front to `size` bytes, or as short as it can be for `size` 0.
/// Empty when it does not fit.
[[nodiscard]] std::string to_bytes(const BIGNUM* number, std::size_t size);

}  // namespace proconnect::crypto
