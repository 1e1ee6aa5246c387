// A device's own seal keys: X25519 key pairs, published in batches of 32 day keys and some one-time keys beside them
// (FORMATS.md 2.4).
//
// Pure; thread safe. Private halves are in Secret and wiped with it; encodings hold secrets, and the caller wipes them.
// Errors: Errc::malformed.
#pragma once

#include <vector>

#include "nimes/seal_key.hpp"

namespace nimes::agent::sealing {

struct OwnSealKey {
    SealKey record;  // signed, as published
    SealSecretKey secret;

    [[nodiscard]] Bytes encode() const;
    static Result<OwnSealKey> parse(ByteView bytes);
};

// 32 keys from the day of `now` on; ids from first_key_id on. batch_no: the day of `now` or a later one that the
// gateway holds already.
std::vector<OwnSealKey> make_batch(const SigningKey& identity, const DeviceId& device, std::uint32_t first_key_id,
                                   Millis now, RandomSource& random, std::uint32_t batch_no = 0);

// One-time keys of the batch: they serve as long as its day keys do.
std::vector<OwnSealKey> make_one_time_keys(const SigningKey& identity, const DeviceId& device,
                                           std::uint32_t first_key_id, std::uint32_t batch_no, std::size_t count,
                                           Millis now, RandomSource& random);

}  // namespace nimes::agent::sealing
