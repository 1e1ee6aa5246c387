// How long the gateway's share of the key may be used without a word from the gateway (FORMATS.md 2.13, "Lease").
//
// Time that passes is the larger of what wall clock and boot clock say, added up look by look, so that neither a clock
// that is turned nor a reboot gives any of it back. A wall clock behind the last look by more than kSlack ends the
// lease: within it lies what a time server corrects. Values; the share lies in the arena. Threads: one.
#pragma once

#include "container/arena.hpp"
#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

// What the gateway keeps: 32 bytes that this handset made, under a number that the slots name. Never number 0.
struct Share {
    std::uint32_t number = 0;
    Secret<32> bytes;
};

// The organisation's policy.
struct LeaseTerms {
    Millis grace = 12 * kHour;
    bool survives_restart = false;  // may the keystore hold the share, so that a restart needs no network?
};

class Lease {
  public:
    static constexpr std::size_t kBytes = 68;
    static constexpr Millis kSlack = kMinute;

    static Result<Lease> grant(Arena& arena, const Share& share, Millis grace, Millis wall, Millis boot);
    // As the keystore holds it. Errc::malformed.
    static Result<Lease> parse(Arena& arena, ByteView bytes);
    [[nodiscard]] Secret<kBytes> encode() const;

    // From now on the whole grace again.
    void renew(Millis grace, Millis wall, Millis boot);
    // No more than this of it, from the last renewal on. False: that much it was already, or less.
    bool limit(Millis grace);
    // Looks at the clocks: false when it is over.
    [[nodiscard]] bool look(Millis wall, Millis boot);
    [[nodiscard]] Millis left() const { return used_ < grace_ ? grace_ - used_ : 0; }
    [[nodiscard]] Millis used() const { return used_; }
    [[nodiscard]] std::uint32_t number() const { return number_; }
    [[nodiscard]] Share share() const { return {number_, Secret<32>(share_.view())}; }

  private:
    Lease() = default;
    std::uint32_t number_ = 0;
    HotKey share_;
    Millis grace_ = 0;
    Millis used_ = 0;
    Millis wall_ = 0;  // at the last look: the latest that was seen
    Millis boot_ = 0;
};

}  // namespace nimes::agent::container
