#include "container/door.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes::agent::container {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::uint32_t kMostOperations = 64;
constexpr std::uint64_t kMostMemory = 4ULL << 30;

Result<HotKey> hashed(Arena& arena, std::string_view label, std::initializer_list<ByteView> parts) {
    auto digest = hash(label, parts);
    auto key = arena.take(digest.view());
    sodium_memzero(digest.bytes.data(), digest.bytes.size());
    return key;
}

Bytes slot_aad(std::uint32_t slot) {
    Writer out;
    out.bytes(label16(label::kSlot)).u32(slot);
    return std::move(out).take();
}

}  // namespace

Result<HotKey> stretch(Arena& arena, ByteView passphrase, const Salt& salt, const PassphraseCost& cost) {
    if (cost.operations < crypto_pwhash_OPSLIMIT_MIN || cost.operations > kMostOperations ||
        cost.memory_bytes < crypto_pwhash_MEMLIMIT_MIN || cost.memory_bytes > kMostMemory)
        return fail(Errc::too_large, "the passphrase's cost is outside its limits");
    auto key = arena.take();
    if (!key) return key;
    if (crypto_pwhash(key->edit().data(), Arena::kSlotBytes, as_text(passphrase).data(), passphrase.size(), salt.data(),
                      cost.operations, cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fail(Errc::internal, "not enough memory to stretch the passphrase");
    return key;
}

Result<DoorKeys> door_keys(Arena& arena, const HotKey& stretched, const Secret<32>& half, const Secret<32>& share) {
    DoorKeys out;
    auto door = hashed(arena, label::kDoor, {stretched.view(), half.view()});
    if (!door) return pass(door);
    auto root = hashed(arena, label::kRoot, {stretched.view(), half.view(), share.view()});
    if (!root) return pass(root);
    out.door = std::move(*door);
    out.root = std::move(*root);
    return out;
}

Result<HotKey> derive(Arena& arena, std::uint64_t id, const HotKey& key) {
    auto out = arena.take();
    if (!out) return out;
    crypto_kdf_derive_from_key(out->edit().data(), Arena::kSlotBytes, id, label::kStoreContext.data(),
                               key.view().data());
    return out;
}

Result<Commitment> commitment_of(Arena& arena, const HotKey& root) {
    auto key = derive(arena, 9, root);
    if (!key) return pass(key);
    Commitment out{};
    std::copy(key->view().begin(), key->view().end(), out.begin());
    return out;
}

Bytes seal_slot(const HotKey& key, std::uint32_t slot, ByteView content, RandomSource& random) {
    ByteArray<kNonce> nonce{};
    random.fill(nonce);
    Writer out;
    out.bytes(nonce).bytes(aead_seal(key.view(), nonce, content, slot_aad(slot)));
    return std::move(out).take();
}

Result<Bytes> open_slot(const HotKey& key, std::uint32_t slot, ByteView sealed) {
    if (sealed.size() < kNonce) return fail(Errc::undecryptable, "a slot too short");
    return aead_open(key.view(), sealed.first(kNonce), sealed.subspan(kNonce), slot_aad(slot));
}

}  // namespace nimes::agent::container
