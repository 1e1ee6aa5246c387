#include "sealing/seal_keys.hpp"

#include <algorithm>

namespace nimes::agent::sealing {
namespace {

OwnSealKey make(const SigningKey& identity, SealKey record, RandomSource& random) {
    OwnSealKey out;
    random.fill(out.secret.edit());
    out.record = record;
    crypto_scalarmult_base(out.record.key.bytes.data(), out.secret.data());
    out.record.signature = sign_seal_key(identity, out.record.body());
    return out;
}

}  // namespace

Bytes OwnSealKey::encode() const { return std::move(Writer().bytes(record.encode()).bytes(secret.view())).take(); }

Result<OwnSealKey> OwnSealKey::parse(ByteView bytes) {
    if (bytes.size() != SealKey::kBytes + SealSecretKey::size) return fail(Errc::malformed, "a stored seal key");
    auto record = SealKey::parse(bytes.first(SealKey::kBytes));
    if (!record) return pass(record);
    return OwnSealKey{*record, SealSecretKey(bytes.subspan(SealKey::kBytes))};
}

std::vector<OwnSealKey> make_batch(const SigningKey& identity, const DeviceId& device, std::uint32_t first_key_id,
                                   Millis now, RandomSource& random, std::uint32_t batch_no) {
    std::vector<OwnSealKey> out;
    for (std::uint32_t i = 0; i < SealKey::kDaysInBatch; ++i) {
        SealKey r;
        r.device = device;
        r.batch_no = std::max(batch_no, utc_day(now));
        r.key_id = first_key_id + i;
        r.not_before = (utc_day(now) + Millis{i}) * kDay;
        r.not_after = r.not_before + kDay;
        out.push_back(make(identity, r, random));
    }
    return out;
}

std::vector<OwnSealKey> make_one_time_keys(const SigningKey& identity, const DeviceId& device,
                                           std::uint32_t first_key_id, std::uint32_t batch_no, std::size_t count,
                                           Millis now, RandomSource& random) {
    std::vector<OwnSealKey> out;
    for (std::size_t i = 0; i < count; ++i) {
        SealKey r;
        r.kind = SealKeyKind::one_time;
        r.device = device;
        r.batch_no = batch_no;
        r.key_id = first_key_id + static_cast<std::uint32_t>(i);
        r.not_before = utc_day(now) * kDay;
        r.not_after = r.not_before + Millis{SealKey::kDaysInBatch} * kDay;
        out.push_back(make(identity, r, random));
    }
    return out;
}

}  // namespace nimes::agent::sealing
