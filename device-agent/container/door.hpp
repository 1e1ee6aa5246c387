// From a passphrase to the keys that open slots (FORMATS.md, "Container"):
//   A    = Argon2id13(passphrase, salt16)
//   door = H("NM1/door", A ‖ K_hw)             Root = H("NM1/root", A ‖ K_hw ‖ K_srv)
// and the slots themselves: nonce24 ‖ XChaCha20-Poly1305(key, content, aad = L("NM1/slot") ‖ slot u32).
//
// Each slot says by a number which K_srv, the share that the gateway keeps, it was sealed with; kNoShare: none yet, 32
// zero bytes stand in its place. All keys stay in the arena. Errors: Errc::undecryptable,
// Errc::internal (no memory for Argon2). Thread safe but for the arena's own rules.
#pragma once

#include "container/arena.hpp"
#include "container/passphrase_cost.hpp"
#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

using Salt = ByteArray<16>;
using Commitment = ByteArray<32>;

inline constexpr std::uint32_t kNoShare = 0;  // K_srv is 32 zero bytes

struct DoorKeys {
    HotKey door;
    HotKey root;
};

// Errc::too_large for a cost that this program refuses to pay: it stands in clear in a file.
Result<HotKey> stretch(Arena& arena, ByteView passphrase, const Salt& salt, const PassphraseCost& cost);
Result<DoorKeys> door_keys(Arena& arena, const HotKey& stretched, const Secret<32>& half, const Secret<32>& share);
// kdf(32, id, "NM1store", key): 1 slot key and 9 commitment of Root, 3 key-wrapping key of S.
Result<HotKey> derive(Arena& arena, std::uint64_t id, const HotKey& key);
Result<Commitment> commitment_of(Arena& arena, const HotKey& root);

Bytes seal_slot(const HotKey& key, std::uint32_t slot, ByteView content, RandomSource& random);
Result<Bytes> open_slot(const HotKey& key, std::uint32_t slot, ByteView sealed);

}  // namespace nimes::agent::container
