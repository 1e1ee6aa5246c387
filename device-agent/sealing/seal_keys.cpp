#include "sealing/seal_keys.hpp"

namespace nimes::agent::sealing {

Bytes DayKey::encode() const { return std::move(Writer().bytes(record.encode()).bytes(secret.view())).take(); }

Result<DayKey> DayKey::parse(ByteView bytes) {
    if (bytes.size() != SealKey::kBytes + SealSecretKey::size) return fail(Errc::malformed, "a stored seal key");
    auto record = SealKey::parse(bytes.first(SealKey::kBytes));
    if (!record) return pass(record);
    return DayKey{*record, SealSecretKey(bytes.subspan(SealKey::kBytes))};
}

bool DayKey::over(Millis now, Millis replaced) const {
    if (now > record.not_after + kDay) return true;
    return replaced != 0 && now > replaced + kDay;
}

std::vector<DayKey> make_batch(const SigningKey& identity, const DeviceId& device, std::uint32_t first_key_id,
                               Millis now, RandomSource& random) {
    std::vector<DayKey> out;
    for (std::uint32_t i = 0; i < SealKey::kDaysInBatch; ++i) {
        DayKey key;
        random.fill(key.secret.edit());
        auto& r = key.record;
        r.device = device;
        r.batch_no = utc_day(now);
        r.key_id = first_key_id + i;
        r.not_before = (utc_day(now) + Millis{i}) * kDay;
        r.not_after = r.not_before + kDay;
        crypto_scalarmult_base(r.key.bytes.data(), key.secret.data());
        r.signature = sign_seal_key(identity, r.body());
        out.push_back(std::move(key));
    }
    return out;
}

}  // namespace nimes::agent::sealing
