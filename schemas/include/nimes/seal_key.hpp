// SealKey (144 bytes): a device's X25519 key for one UTC day, or for one use (FORMATS.md, "Seal key records").
//
// Errors: Errc::malformed by parse; Errc::device_stale when no record is usable. Pure; thread safe.
#pragma once

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

enum class SealKeyKind : std::uint8_t { day = 1, one_time = 2 };

struct SealKey {
    static constexpr std::size_t kBytes = 144;
    static constexpr std::size_t kBody = 80;
    static constexpr std::size_t kDaysInBatch = 32;

    SealKeyKind kind = SealKeyKind::day;
    DeviceId device;
    std::uint32_t batch_no = 0;  // UTC day number of publication
    std::uint32_t key_id = 0;
    Millis not_before = 0;
    Millis not_after = 0;
    SealPublicKey key;
    Signature signature;

    bool operator==(const SealKey&) const = default;
    static Result<SealKey> parse(ByteView bytes144);
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
};

Signature sign_seal_key(const SigningKey& identity, ByteView body80);
// IK signature, dates (kind day: exactly one UTC day; one-time: at most as long as a batch), batch_no at most the day
// of `now` plus one.
Result<void> check_seal_key(const SealKey& key, const PublicKey& identity, Millis now);
inline std::uint32_t utc_day(Millis t) { return static_cast<std::uint32_t>(t / kDay); }

}  // namespace nimes
