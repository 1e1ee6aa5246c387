// How much devices, people and the organisation keep here, and how many uploads they have open.
//
// Counted in memory, from the heads at the start. Threads: any. Errors: Errc::quota, the detail says which limit.
#pragma once

#include <mutex>
#include <unordered_map>

#include "media/medium_head.hpp"

namespace nimes::gateway::media {

struct Limits {
    std::uint64_t max_bytes = 512ull << 20;  // of one medium
    std::uint64_t device_bytes = 2ull << 30;
    std::uint64_t user_bytes = 4ull << 30;
    std::uint64_t organisation_bytes = 1ull << 40;
    std::uint64_t device_open = 64;  // uploads that are not finished
    std::uint64_t user_open = 128;
    std::uint64_t organisation_open = 20'000;
    Millis unlinked_life = kDay;  // of a medium that no message names
};

class Quotas {
  public:
    explicit Quotas(const Limits& limits) : limits_(limits) {}

    // Room for it, or why not; nothing is taken then.
    Result<void> take(const MediumHead& head);
    void give(const MediumHead& head);
    // Without a question: it is there already.
    void count(const MediumHead& head);
    // `before` has become `after`: finished, or its length is known.
    void changed(const MediumHead& before, const MediumHead& after);

  private:
    struct Use {
        std::uint64_t bytes = 0, open = 0;
    };
    void add(const MediumHead& head);
    void subtract(const MediumHead& head);

    const Limits limits_;
    std::mutex mutex_;
    std::unordered_map<DeviceId, Use> devices_;
    std::unordered_map<UserId, Use> users_;
    Use organisation_;
};

}  // namespace nimes::gateway::media
