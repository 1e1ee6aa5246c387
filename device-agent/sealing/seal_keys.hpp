// A device's seal keys: X25519 key pairs, one a UTC day, published 32 days ahead (FORMATS.md 2.4).
//
// Pure; thread safe. Private halves are in Secret and wiped with it; encodings hold secrets, and the caller wipes them.
// Errors: Errc::malformed.
#pragma once

#include <vector>

#include "nimes/seal_key.hpp"

namespace nimes::agent::sealing {

struct DayKey {
    SealKey record;  // signed, as published
    SealSecretKey secret;

    [[nodiscard]] Bytes encode() const;
    static Result<DayKey> parse(ByteView bytes);
    // When nothing sealed to it can come any more but by a hostile server: a day after the day's end, and only after
    // the mailbox was drained since. `replaced` is when a newer batch was published; 0: it was not.
    [[nodiscard]] bool over(Millis now, Millis replaced) const;
};

// 32 keys from the day of `now` on; ids from first_key_id on.
std::vector<DayKey> make_batch(const SigningKey& identity, const DeviceId& device, std::uint32_t first_key_id,
                               Millis now, RandomSource& random);

}  // namespace nimes::agent::sealing
