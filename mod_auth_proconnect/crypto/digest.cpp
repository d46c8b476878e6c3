#include "crypto/digest.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "crypto/openssl_handles.hpp"

namespace proconnect::crypto {
namespace {

const unsigned char kNothing = 0;

/// OpenSSL takes a null pointer for "no key given", not for an empty one.
const unsigned char* not_null(const unsigned char* bytes) noexcept {
    return bytes == nullptr ? &kNothing : bytes;
}

OSSL_PARAM octets(const char* name, const unsigned char* bytes, std::size_t size) noexcept {
    // The parameter type is shared with outputs, hence not const; OpenSSL does not write to inputs.
    return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(not_null(bytes)), size);
}

OSSL_PARAM sha256_name(const char* parameter) noexcept {
    static char name[] = "SHA256";
    return OSSL_PARAM_construct_utf8_string(parameter, name, 0);
}

}  // namespace

// Freed when the module is unloaded or the process ends. OpenSSL registers its own cleanup at the first fetch, that is
// before this object is complete, so the cleanup runs after this destructor.
const Algorithms& algorithms() noexcept {
    static const Algorithms fetched = [] {
        const ErrorQueueGuard guard;
        return Algorithms{
            .sha256 = Digest{EVP_MD_fetch(nullptr, "SHA256", nullptr)},
            .hmac = Mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)},
            .hkdf = Kdf{EVP_KDF_fetch(nullptr, "HKDF", nullptr)},
            .aes_256_gcm = Cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)},
        };
    }();
    return fetched;
}

ThreadContexts& thread_contexts() noexcept {
    thread_local constinit ThreadContexts contexts;
    return contexts;
}

void release_thread_contexts() noexcept {
    ThreadContexts& contexts = thread_contexts();
    const DigestContext digest{contexts.digest};
    const CipherContext cipher{contexts.aes_256_gcm};
    contexts = {};
}

std::expected<void, core::Error> initialize() {
    // The process that ends gives its memory back anyway, while a thread that is still inside OpenSSL at exit() would find it taken down.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    const Algorithms& fetched = algorithms();
    if (!fetched.sha256 || !fetched.hmac || !fetched.hkdf || !fetched.aes_256_gcm) {
        return std::unexpected(core::Error{core::ErrorCode::crypto_failure, "OpenSSL lacks SHA256, HMAC, HKDF or AES-256-GCM"});
    }
    return {};
}

std::expected<Sha256, core::Error> sha256(std::span<const std::uint8_t> bytes) noexcept {
    const ErrorQueueGuard guard;
    EVP_MD_CTX*& context = thread_contexts().digest;
    if (context == nullptr) {
        context = EVP_MD_CTX_new();
    }
    const EVP_MD* const algorithm = algorithms().sha256.get();
    Sha256 result;
    // No algorithm means the one that the context has, which is then neither compared nor counted again.
    const EVP_MD* const named = context != nullptr && EVP_MD_CTX_get0_md(context) == algorithm ? nullptr : algorithm;
    if (context == nullptr || algorithm == nullptr || EVP_DigestInit_ex2(context, named, nullptr) != 1 ||
        EVP_DigestUpdate(context, bytes.data(), bytes.size()) != 1 || EVP_DigestFinal_ex(context, result.data(), nullptr) != 1) {
        return std::unexpected(crypto_failure("SHA-256 failed"));
    }
    return result;
}

std::expected<Sha256, core::Error> sha256(std::string_view bytes) noexcept {
    return sha256(std::span{bytes_of(bytes), bytes.size()});
}

std::expected<Sha256, core::Error> hmac_sha256(std::span<const std::uint8_t> key, std::string_view message) noexcept {
    const ErrorQueueGuard guard;
    // A context per call: it holds the key, and freeing it wipes the key.
    const MacContext context{algorithms().hmac ? EVP_MAC_CTX_new(algorithms().hmac.get()) : nullptr};
    const OSSL_PARAM params[] = {sha256_name(OSSL_MAC_PARAM_DIGEST), OSSL_PARAM_construct_end()};
    Sha256 result;
    std::size_t size = 0;
    if (key.empty() || !context || EVP_MAC_init(context.get(), key.data(), key.size(), params) != 1 ||
        EVP_MAC_update(context.get(), bytes_of(message), message.size()) != 1 ||
        EVP_MAC_final(context.get(), result.data(), &size, result.size()) != 1 || size != result.size()) {
        return std::unexpected(crypto_failure("HMAC failed"));
    }
    return result;
}

std::expected<Key256, core::Error> derive_key(std::span<const std::uint8_t> master, std::string_view purpose) noexcept {
    const ErrorQueueGuard guard;
    const KdfContext context{algorithms().hkdf ? EVP_KDF_CTX_new(algorithms().hkdf.get()) : nullptr};
    const OSSL_PARAM params[] = {
        sha256_name(OSSL_KDF_PARAM_DIGEST),
        octets(OSSL_KDF_PARAM_KEY, master.data(), master.size()),
        octets(OSSL_KDF_PARAM_INFO, bytes_of(purpose), purpose.size()),
        OSSL_PARAM_construct_end(),
    };
    Key256 key;
    if (master.empty() || !context || EVP_KDF_derive(context.get(), key.data(), key.size(), params) != 1) {
        return std::unexpected(crypto_failure("HKDF failed"));
    }
    return key;
}

}  // namespace proconnect::crypto
