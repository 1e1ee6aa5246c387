// The primitives of NM1 (FORMATS.md, "Primitives") over libsodium 1.0.18, under the names the text uses.
//
// call crypto_init() once before anything else. All functions are pure and thread safe. Secrets live in Secret<N>:
// it is zeroed when it dies, does not print and does not copy by accident. Errors: Errc::signature_invalid,
// Errc::undecryptable; a comparison of secrets is constant time.
#pragma once

#include <sodium.h>

#include <initializer_list>
#include <string_view>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes {

// Idempotent; false when libsodium cannot start (no randomness): the process must not go on.
[[nodiscard]] bool crypto_init();

template <std::size_t N>
class Secret {
  public:
    static constexpr std::size_t size = N;
    Secret() = default;
    explicit Secret(ByteView from) {
        if (from.size() == N) std::memcpy(data_.data(), from.data(), N);
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : data_(other.data_) { other.wipe(); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            data_ = other.data_;
            other.wipe();
        }
        return *this;
    }
    ~Secret() { wipe(); }

    [[nodiscard]] Secret copy() const { return Secret(ByteView(data_)); }
    [[nodiscard]] ByteView view() const { return data_; }
    [[nodiscard]] std::span<std::uint8_t> edit() { return data_; }
    [[nodiscard]] const std::uint8_t* data() const { return data_.data(); }
    [[nodiscard]] std::uint8_t* data() { return data_.data(); }
    void wipe() { sodium_memzero(data_.data(), N); }
    [[nodiscard]] bool equals(ByteView other) const {
        return other.size() == N && sodium_memcmp(data_.data(), other.data(), N) == 0;
    }

  private:
    ByteArray<N> data_{};
};

using Key = Secret<32>;            // symmetric key
using SigningKey = Secret<64>;     // Ed25519, libsodium's form: seed ‖ public key
using SealSecretKey = Secret<32>;  // X25519

// L(x): zero-padded to 16 bytes. Labels are at most 16 bytes (checked at compile time by label.hpp's table).
ByteArray<16> label16(std::string_view label);

// H(label, data…[, key]): BLAKE2b-256 with personal = L(label), salt 0. The parts are hashed as one string.
Digest hash(std::string_view label, std::initializer_list<ByteView> parts);
Digest keyed_hash(std::string_view label, std::initializer_list<ByteView> parts, ByteView key32);
Digest sha256(std::initializer_list<ByteView> parts);

// kdf(len, id, ctx, key): crypto_kdf_derive_from_key. ctx is 8 characters; out 16 to 64 bytes.
void kdf(std::span<std::uint8_t> out, std::uint64_t id, std::string_view ctx8, const Key& key);

// Ed25519 over L(label) ‖ parts…. Where an organisation key signs, org16 is the first part.
Signature sign(const SigningKey& key, std::string_view label, std::initializer_list<ByteView> parts);
[[nodiscard]] bool verify(const PublicKey& key, const Signature& sig, std::string_view label,
                          std::initializer_list<ByteView> parts);

struct SigningKeyPair {
    PublicKey public_key;
    SigningKey secret;
};
SigningKeyPair signing_key_from_seed(ByteView seed32);

// XChaCha20-Poly1305-IETF. seal answers plaintext.size() + 16 bytes; nothing for a key or nonce of another length.
Bytes aead_seal(ByteView key32, ByteView nonce24, ByteView plaintext, ByteView aad);
Result<Bytes> aead_open(ByteView key32, ByteView nonce24, ByteView sealed, ByteView aad);

// H("NM1/keyid", pk)[0:8] and [0:16] (an administrator or gateway key in the place of a device id).
KeyId key_id(const PublicKey& key);
DeviceId key_actor(const PublicKey& key);
// H("NM1/org", id)[0:16]
OrgId org_id(std::string_view organisation);
// dev16 = H("NM1/devid", user16 ‖ ik_pub32)[0:16]
DeviceId device_id(const UserId& user, const PublicKey& identity);

}  // namespace nimes
