// What a row of the container says, as bytes that say nothing:
//   nonce24 random ‖ XChaCha20-Poly1305(key, plaintext, aad = L("NM1/rec") ‖ table u32 ‖ row id u64 ‖ version u64)
// and what it is found by: H("NM1/idx", table u32 ‖ column u32 ‖ value, index key)[0:16].
//
// A record opens only in the place and version it was sealed for. Pure; thread safe. Errors: Errc::undecryptable.
#pragma once

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

struct Place {
    std::uint32_t table = 0;
    std::uint64_t id = 0;
    std::uint64_t version = 0;
};

Bytes seal_record(ByteView key32, const Place& place, ByteView plaintext, RandomSource& random);
Result<Bytes> open_record(ByteView key32, const Place& place, ByteView sealed);

using Blind = Id<struct BlindTag, 16>;
Blind blind(ByteView index_key32, std::uint32_t table, std::uint32_t column, ByteView value);

// A plaintext that zeroes itself.
class Wiped {
  public:
    explicit Wiped(Bytes bytes) : bytes_(std::move(bytes)) {}
    Wiped(Wiped&&) = default;
    Wiped& operator=(Wiped&&) = delete;
    ~Wiped() { sodium_memzero(bytes_.data(), bytes_.size()); }
    [[nodiscard]] ByteView view() const { return bytes_; }

  private:
    Bytes bytes_;
};

}  // namespace nimes::agent::container
