#include "shares/seal.hpp"

namespace nimes::gateway::shares {
namespace {

// version1 ‖ keyid8 ‖ number u32 ‖ nonce24 ‖ sealed 48. What stands before the nonce is authenticated with the device.
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHead = 1 + KeyId::size + 4;
constexpr std::size_t kNonce = 24;
constexpr std::size_t kSealed = Secret<32>::size + 16;
constexpr std::size_t kValue = kHead + kNonce + kSealed;

KeyId id_of(const Key& key) {
    return KeyId::from(keyed_hash("nimes/share-id", {}, key.view()).view().first(KeyId::size));
}

Bytes associated(ByteView head, const DeviceId& device) {
    return std::move(Writer().bytes(label16("nimes/share")).bytes(head).id(device)).take();
}

bool sealed_form(ByteView value) { return value.size() == kValue && value[0] == kVersion; }

}  // namespace

// number u32 ‖ share 32
std::optional<Share> Seal::unsealed(ByteView value) {
    Reader in(value);
    const auto number = in.u32();
    Share out{number, Secret<32>(in.take(Secret<32>::size))};
    return in.done() ? std::optional(std::move(out)) : std::nullopt;
}

KeyId Seal::id() const { return id_of(key_); }

bool Seal::current(ByteView value) const {
    return sealed_form(value) && KeyId::from(value.subspan(1, KeyId::size)) == id();
}

Bytes Seal::seal(const DeviceId& device, const Share& share) const {
    Writer out;
    out.u8(kVersion).id(id()).u32(share.number);
    ByteArray<kNonce> nonce{};
    random_.fill(nonce);
    const auto sealed = aead_seal(key_.view(), nonce, share.bytes.view(), associated(out.view(), device));
    out.bytes(nonce).bytes(sealed);
    return std::move(out).take();
}

Result<Share> Seal::open(const DeviceId& device, ByteView value) const {
    if (!sealed_form(value)) return fail(Errc::storage, "a stored share");
    const auto under = KeyId::from(value.subspan(1, KeyId::size));
    const auto* key = under == id() ? &key_ : retired_ && under == id_of(*retired_) ? &*retired_ : nullptr;
    if (key == nullptr) return fail(Errc::storage, "a share under a key that is not here");
    const auto head = value.first(kHead);
    auto bytes =
        aead_open(key->view(), value.subspan(kHead, kNonce), value.subspan(kHead + kNonce), associated(head, device));
    if (!bytes) return fail(Errc::storage, "a stored share that is not this device's");
    Share out{Reader(head.subspan(1 + KeyId::size)).u32(), Secret<32>(*bytes)};
    sodium_memzero(bytes->data(), bytes->size());
    return out;
}

}  // namespace nimes::gateway::shares
