#include "nimes/seal_key.hpp"

#include "nimes/label.hpp"

namespace nimes {

Result<SealKey> SealKey::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a seal key record has 144 bytes");
    Reader in(bytes);
    SealKey k;
    in.expect("NMsk");
    in.expect_u8(1);
    in.expect_u8(1);
    const auto kind = in.u8();
    in.expect_u8(0);
    k.kind = static_cast<SealKeyKind>(kind);
    k.device = in.id<DeviceId>();
    k.batch_no = in.u32();
    k.key_id = in.u32();
    k.not_before = in.u64();
    k.not_after = in.u64();
    k.key = in.id<SealPublicKey>();
    k.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a seal key record of version 1");
    if (kind < 1 || kind > 2) return fail(Errc::malformed, "unknown kind of seal key");
    return k;
}

Bytes SealKey::body() const {
    Writer out;
    out.text("NMsk").u8(1).u8(1).u8(static_cast<std::uint8_t>(kind)).u8(0);
    out.id(device).u32(batch_no).u32(key_id).u64(not_before).u64(not_after).id(key);
    return std::move(out).take();
}

Bytes SealKey::encode() const {
    Writer out;
    out.bytes(body()).id(signature);
    return std::move(out).take();
}

Signature sign_seal_key(const SigningKey& identity, ByteView body) { return sign(identity, label::kSealKey, {body}); }

Result<void> check_seal_key(const SealKey& key, const PublicKey& identity, Millis now) {
    if (key.not_after <= key.not_before) return fail(Errc::malformed, "a seal key ends before it begins");
    if (key.kind == SealKeyKind::day && (key.not_before % kDay != 0 || key.not_after - key.not_before != kDay))
        return fail(Errc::malformed, "a day key lasts one UTC day");
    if (key.not_after - key.not_before > Millis{SealKey::kDaysInBatch} * kDay)
        return fail(Errc::malformed, "a seal key lasts as long as its batch");
    if (key.batch_no > utc_day(now) + 1) return fail(Errc::malformed, "a batch from the future");
    if (!verify(identity, key.signature, label::kSealKey, {key.body()})) return fail(Errc::signature_invalid);
    return {};
}

}  // namespace nimes
