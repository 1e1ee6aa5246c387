#include "nimes/crypto.hpp"

#include <algorithm>

namespace nimes {
namespace {

Digest blake2b(std::string_view label, std::initializer_list<ByteView> parts, ByteView key) {
    const auto personal = label16(label);
    const ByteArray<16> salt{};
    crypto_generichash_blake2b_state state;
    Digest out;
    crypto_generichash_blake2b_init_salt_personal(&state, key.data(), key.size(), Digest::size, salt.data(),
                                                  personal.data());
    for (const auto part : parts) crypto_generichash_blake2b_update(&state, part.data(), part.size());
    crypto_generichash_blake2b_final(&state, out.bytes.data(), Digest::size);
    sodium_memzero(&state, sizeof state);
    return out;
}

Bytes labelled(std::string_view label, std::initializer_list<ByteView> parts) {
    Writer out;
    out.bytes(label16(label));
    for (const auto part : parts) out.bytes(part);
    return std::move(out).take();
}

}  // namespace

bool crypto_init() { return sodium_init() >= 0; }

ByteArray<16> label16(std::string_view label) {
    ByteArray<16> out{};
    std::copy_n(label.begin(), std::min<std::size_t>(label.size(), 16), out.begin());
    return out;
}

Digest hash(std::string_view label, std::initializer_list<ByteView> parts) { return blake2b(label, parts, {}); }

Digest keyed_hash(std::string_view label, std::initializer_list<ByteView> parts, ByteView key32) {
    return blake2b(label, parts, key32);
}

Digest sha256(std::initializer_list<ByteView> parts) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (const auto part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
    Digest out;
    crypto_hash_sha256_final(&state, out.bytes.data());
    return out;
}

void kdf(std::span<std::uint8_t> out, std::uint64_t id, std::string_view ctx8, const Key& key) {
    char ctx[crypto_kdf_CONTEXTBYTES] = {};
    std::copy_n(ctx8.begin(), std::min<std::size_t>(ctx8.size(), sizeof ctx), ctx);
    crypto_kdf_derive_from_key(out.data(), out.size(), id, ctx, key.data());
}

Signature sign(const SigningKey& key, std::string_view label, std::initializer_list<ByteView> parts) {
    const auto text = labelled(label, parts);
    Signature out;
    crypto_sign_detached(out.bytes.data(), nullptr, text.data(), text.size(), key.data());
    return out;
}

bool verify(const PublicKey& key, const Signature& sig, std::string_view label, std::initializer_list<ByteView> parts) {
    const auto text = labelled(label, parts);
    return crypto_sign_verify_detached(sig.bytes.data(), text.data(), text.size(), key.bytes.data()) == 0;
}

SigningKeyPair signing_key_from_seed(ByteView seed32) {
    SigningKeyPair out;
    if (seed32.size() == crypto_sign_SEEDBYTES)
        crypto_sign_seed_keypair(out.public_key.bytes.data(), out.secret.data(), seed32.data());
    return out;
}

namespace {

// libsodium takes lengths on trust.
bool fits(ByteView key32, ByteView nonce24) {
    return key32.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
           nonce24.size() == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
}

}  // namespace

Bytes aead_seal(ByteView key32, ByteView nonce24, ByteView plaintext, ByteView aad) {
    if (!fits(key32, nonce24)) return {};
    Bytes out(plaintext.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(), aad.data(),
                                               aad.size(), nullptr, nonce24.data(), key32.data());
    return out;
}

Result<Bytes> aead_open(ByteView key32, ByteView nonce24, ByteView sealed, ByteView aad) {
    if (!fits(key32, nonce24)) return fail(Errc::undecryptable, "a key or nonce of another length");
    if (sealed.size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) return fail(Errc::undecryptable, "too short");
    Bytes out(sealed.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                   aad.data(), aad.size(), nonce24.data(), key32.data()) != 0)
        return fail(Errc::undecryptable, "the tag does not verify");
    return out;
}

KeyId key_id(const PublicKey& key) { return KeyId::from(hash("NM1/keyid", {key.view()}).view().first(8)); }
DeviceId key_actor(const PublicKey& key) { return DeviceId::from(hash("NM1/keyid", {key.view()}).view().first(16)); }
OrgId org_id(std::string_view organisation) {
    return OrgId::from(hash("NM1/org", {as_bytes(organisation)}).view().first(16));
}
DeviceId device_id(const UserId& user, const PublicKey& identity) {
    return DeviceId::from(hash("NM1/devid", {user.view(), identity.view()}).view().first(16));
}

}  // namespace nimes
