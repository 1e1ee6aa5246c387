// Which token nonces were shown already, for as long as their tokens could be shown again.
//
// Bounded: a nonce enters only behind a valid signature, and leaves when its token has run out; above kMax the door
// closes rather than forgets. Broker thread only.
#pragma once

#include <array>
#include <unordered_set>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::plugin {

class NonceMemory {
  public:
    static constexpr std::size_t kMax = 1'000'000;
    using Nonce = Id<struct NonceTag, 16>;

    // True once for each nonce until `until` has passed. `until` is at most kSpan ahead of now.
    bool admit(const Nonce& nonce, Millis until, Millis now) {
        forget(now);
        const auto slot = until / kSlot;
        for (const auto& bucket : buckets_)
            if (bucket.nonces.contains(nonce)) return false;
        if (size_ >= kMax || slot > now / kSlot + kSlots - 2) return false;
        auto& bucket = buckets_[slot % kSlots];
        bucket.slot = slot;
        bucket.nonces.insert(nonce);
        ++size_;
        return true;
    }

  private:
    static constexpr Millis kSlot = 30 * kSecond;
    static constexpr std::size_t kSlots = 12;  // 6 minutes: a token lives at most 4 from now

    void forget(Millis now) {
        for (auto& bucket : buckets_)
            if (bucket.slot < now / kSlot && !bucket.nonces.empty()) {
                size_ -= bucket.nonces.size();
                bucket.nonces.clear();
            }
    }

    struct Bucket {
        Millis slot = 0;
        std::unordered_set<Nonce> nonces;
    };
    std::array<Bucket, kSlots> buckets_;
    std::size_t size_ = 0;
};

}  // namespace nimes::plugin
