#include "crypto/sealed_box.hpp"

#include <algorithm>
#include <limits>

#include "core/secret.hpp"
#include "crypto/openssl_handles.hpp"
#include "crypto/random.hpp"

namespace proconnect::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kSaltBytes = kSaltedOverhead - kTagBytes;

using Iv = std::array<std::uint8_t, kIvBytes>;

/// The thread's context, made for AES-256-GCM at its first use. Naming the cipher again would free and allocate its
/// state, so each call gives key and IV only. It keeps the key of its last use, as the request's own memory does.
EVP_CIPHER_CTX* gcm_context() noexcept {
    EVP_CIPHER_CTX*& context = thread_contexts().aes_256_gcm;
    if (context == nullptr) {
        CipherContext fresh{EVP_CIPHER_CTX_new()};
        const EVP_CIPHER* const cipher = algorithms().aes_256_gcm.get();
        if (fresh && cipher != nullptr && EVP_CipherInit_ex2(fresh.get(), cipher, nullptr, nullptr, 1, nullptr) == 1) {
            context = fresh.release();
        }
    }
    return context;
}

constexpr bool fits_int(std::size_t size) noexcept {
    return size <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

/// One message through the context, up to but not including the tag.
bool run(EVP_CIPHER_CTX* context, bool encrypt, const unsigned char* key, const unsigned char* iv, std::string_view associated,
         std::string_view input, unsigned char* out) noexcept {
    int written = 0;
    return context != nullptr && fits_int(associated.size()) && fits_int(input.size()) &&
           EVP_CipherInit_ex2(context, nullptr, key, iv, encrypt ? 1 : 0, nullptr) == 1 &&
           (associated.empty() ||
            EVP_CipherUpdate(context, nullptr, &written, bytes_of(associated), static_cast<int>(associated.size())) == 1) &&
           (input.empty() || EVP_CipherUpdate(context, out, &written, bytes_of(input), static_cast<int>(input.size())) == 1);
}

Iv iv_of(std::uint64_t nonce) noexcept {
    Iv iv{};
    for (std::size_t i = 0; i < sizeof nonce; ++i) {
        iv[kIvBytes - 1 - i] = static_cast<std::uint8_t>(nonce >> (8 * i));
    }
    return iv;
}

/// The key of the one box with this salt. The label keeps it apart from whatever else the caller's key authenticates.
std::expected<Key256, core::Error> box_key(const Key256& key, std::string_view salt) {
    std::string message{"proconnect sealed box"};
    message += salt;
    return hmac_sha256(key, message);
}

// A box key is used once, so its IV may be constant.
constexpr Iv kZeroIv{};

}  // namespace

bool gcm_encrypt(const unsigned char* key, const unsigned char* iv, std::string_view associated, std::string_view input,
                 unsigned char* out, unsigned char* tag) noexcept {
    const ErrorQueueGuard guard;
    EVP_CIPHER_CTX* const context = gcm_context();
    std::array<unsigned char, kTagBytes> final_block;  // GCM writes nothing here
    int written = 0;
    return run(context, true, key, iv, associated, input, out) && EVP_CipherFinal_ex(context, final_block.data(), &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
}

bool gcm_decrypt(const unsigned char* key, const unsigned char* iv, std::string_view associated, std::string_view input,
                 unsigned char* out, const unsigned char* tag) noexcept {
    const ErrorQueueGuard guard;
    EVP_CIPHER_CTX* const context = gcm_context();
    std::array<unsigned char, kTagBytes> final_block;
    int written = 0;
    // The control call takes its input through a pointer to non-const.
    const bool authentic = run(context, false, key, iv, associated, input, out) &&
                           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, const_cast<unsigned char*>(tag)) == 1 &&
                           EVP_CipherFinal_ex(context, final_block.data(), &written) == 1;
    if (!authentic) {
        core::wipe(out, input.size());
    }
    return authentic;
}

std::expected<std::string, core::Error> seal(const Key256& key, std::string_view associated, std::string_view plaintext) {
    std::string box(plaintext.size() + kSaltedOverhead, '\0');
    const std::span salt{bytes_of(box), kSaltBytes};
    if (auto filled = fill_random(salt); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    auto one_key = box_key(key, std::string_view{box}.substr(0, kSaltBytes));
    if (!one_key) {
        return std::unexpected(std::move(one_key.error()));
    }
    unsigned char* const ciphertext = bytes_of(box) + kSaltBytes;
    const bool sealed = gcm_encrypt(one_key->data(), kZeroIv.data(), associated, plaintext, ciphertext, ciphertext + plaintext.size());
    core::wipe(one_key->data(), one_key->size());
    if (!sealed) {
        return std::unexpected(crypto_failure("AES-GCM failed"));
    }
    return box;
}

std::expected<std::string, core::Error> open_sealed(const Key256& key, std::string_view associated, std::string_view box) {
    const auto unreadable = [] { return std::unexpected(core::Error{core::ErrorCode::sealed_box_unreadable, "sealed box does not open"}); };
    if (box.size() < kSaltedOverhead) {
        return unreadable();
    }
    auto one_key = box_key(key, box.substr(0, kSaltBytes));
    if (!one_key) {
        return unreadable();
    }
    const auto ciphertext = box.substr(kSaltBytes, box.size() - kSaltedOverhead);
    std::string plaintext(ciphertext.size(), '\0');
    const bool opened = gcm_decrypt(one_key->data(), kZeroIv.data(), associated, ciphertext, bytes_of(plaintext),
                                    bytes_of(ciphertext) + ciphertext.size());
    core::wipe(one_key->data(), one_key->size());
    if (!opened) {
        return unreadable();
    }
    return plaintext;
}

std::expected<void, core::Error> seal_into(std::span<const std::uint8_t> key, std::uint64_t nonce, std::string_view associated,
                                           std::string_view plaintext, std::span<std::uint8_t> out) noexcept {
    if (key.size() != kKeyBytes || out.size() < kTagBytes || out.size() - kTagBytes < plaintext.size() ||
        !gcm_encrypt(key.data(), iv_of(nonce).data(), associated, plaintext, out.data(), out.data() + plaintext.size())) {
        core::wipe(out.data(), out.size());
        return std::unexpected(crypto_failure("AES-GCM failed"));
    }
    return {};
}

bool open_in_place(std::span<const std::uint8_t> key, std::uint64_t nonce, std::string_view associated,
                   std::span<std::uint8_t> box) noexcept {
    if (key.size() != kKeyBytes || box.size() < kTagBytes) {
        core::wipe(box.data(), box.size());
        return false;
    }
    const std::string_view ciphertext{reinterpret_cast<const char*>(box.data()), box.size() - kTagBytes};
    return gcm_decrypt(key.data(), iv_of(nonce).data(), associated, ciphertext, box.data(), box.data() + ciphertext.size());
}

}  // namespace proconnect::crypto
