#include "crypto/key_agreement.hpp"

#include <openssl/rsa.h>

#include <array>
#include <cstdint>
#include <limits>

#include "crypto/digest.hpp"
#include "crypto/openssl_handles.hpp"
#include "crypto/random.hpp"

namespace proconnect::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;  // of A256GCM
constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kTagBytes = 16;

std::unexpected<core::Error> not_decrypted() {
    return std::unexpected(core::Error{core::ErrorCode::jwe_decryption, "JWE does not decrypt"});
}

void append_number(std::string& out, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(number >> shift));
    }
}

void append_with_length(std::string& out, std::string_view bytes) {
    append_number(out, static_cast<std::uint32_t>(bytes.size()));
    out.append(bytes);
}

/// Z, the x coordinate of the shared point. Empty when OpenSSL fails, so for an RSA key too.
core::Secret shared_secret(EVP_PKEY* own, EVP_PKEY* peer) {
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr)};
    std::string secret(kP256Bytes, '\0');
    std::size_t size = secret.size();
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
        EVP_PKEY_derive(context.get(), bytes_of(secret), &size) != 1 || size != kP256Bytes) {
        return core::Secret{};
    }
    return core::Secret{std::move(secret)};
}

}  // namespace

std::expected<core::Secret, core::Error> concat_kdf(const core::Secret& shared, std::string_view algorithm, std::string_view apu,
                                                    std::string_view apv, std::size_t key_bytes) {
    // NIST SP 800-56A section 5.8.1; with one round, because the key is no longer than the hash.
    if (key_bytes > sizeof(Sha256)) {
        return not_decrypted();
    }
    std::string input;
    input.reserve(shared.size() + algorithm.size() + apu.size() + apv.size() + 5 * sizeof(std::uint32_t));
    append_number(input, 1);
    input.append(shared.reveal());
    append_with_length(input, algorithm);
    append_with_length(input, apu);
    append_with_length(input, apv);
    append_number(input, static_cast<std::uint32_t>(key_bytes * 8));
    auto digest = sha256(input);
    core::wipe(input.data(), input.size());
    if (!digest) {
        return std::unexpected(std::move(digest.error()));
    }
    core::Secret key{std::string(reinterpret_cast<const char*>(digest->data()), key_bytes)};
    core::wipe(digest->data(), digest->size());
    return key;
}

std::expected<core::Secret, core::Error> agree_ecdh_es(const PrivateKey& key, std::string_view x, std::string_view y,
                                                       std::string_view apu, std::string_view apv) {
    const ErrorQueueGuard guard;
    const auto peer = PublicKey::from_p256(x, y);
    if (!peer) {
        return not_decrypted();
    }
    const auto shared = shared_secret(key.impl().key.get(), peer->impl().key.get());
    if (shared.empty()) {
        return not_decrypted();
    }
    return concat_kdf(shared, "A256GCM", apu, apv, kKeyBytes);
}

std::expected<core::Secret, core::Error> unwrap_rsa_oaep(const PrivateKey& key, std::string_view encrypted_key) {
    const ErrorQueueGuard guard;
    // Drawn before anything can fail, so that failure takes the same steps as success.
    std::string random(kKeyBytes, '\0');
    if (auto filled = fill_random({bytes_of(random), random.size()}); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    core::Secret substitute{std::move(random)};
    if (key.kind() != KeyKind::rsa) {
        return substitute;
    }
    EVP_PKEY* const handle = key.impl().key.get();
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, handle, nullptr)};
    std::string unwrapped(static_cast<std::size_t>(EVP_PKEY_get_size(handle)), '\0');
    std::size_t size = unwrapped.size();
    // RFC 8017, section 7.1.2, step 1b: OpenSSL also takes one that lost its leading zeros. Its length is no secret.
    const bool whole = encrypted_key.size() == unwrapped.size();
    const bool succeeded = whole && context && EVP_PKEY_decrypt_init(context.get()) == 1 &&
                           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                           EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), "SHA1", nullptr) == 1 &&
                           EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.get(), "SHA1", nullptr) == 1 &&
                           EVP_PKEY_decrypt(context.get(), bytes_of(unwrapped), &size, bytes_of(encrypted_key), encrypted_key.size()) == 1 &&
                           size == kKeyBytes;
    core::Secret result{unwrapped.substr(0, kKeyBytes)};
    core::wipe(unwrapped.data(), unwrapped.size());
    return succeeded ? std::move(result) : std::move(substitute);
}

std::expected<std::string, core::Error> decrypt_a256gcm(const core::Secret& key, std::string_view iv, std::string_view associated,
                                                        std::string_view ciphertext, std::string_view tag) {
    if (key.size() != kKeyBytes || iv.size() != kIvBytes || tag.size() != kTagBytes) {
        return not_decrypted();
    }
    std::string plaintext(ciphertext.size(), '\0');
    if (!gcm_decrypt(bytes_of(key.reveal()), bytes_of(iv), associated, ciphertext, bytes_of(plaintext), bytes_of(tag))) {
        return not_decrypted();
    }
    return plaintext;
}

}  // namespace proconnect::crypto
