// Counts per key in a fixed window: codes per address, requests per network. Memory is bounded: when it is full, a new
// key takes the place of the oldest window, one for one, so that a crowd of new keys does not free everybody at once.
// Threads: any. A restart forgets; the tries of a code are stored with it and do not.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "nimes/time.hpp"

namespace nimes::gateway::enrolment {

class Limits {
  public:
    static constexpr std::size_t kKeys = 100'000;
    Limits(unsigned most, Millis window, std::size_t keys = kKeys) : most_(most), window_(window), keys_(keys) {}
    // False when this key has had its share; counts otherwise. `now` never steps back: Clock::boot().
    bool take(const std::string& key, Millis now);
    // What take() would answer; counts nothing.
    [[nodiscard]] bool has(const std::string& key, Millis now) const;

  private:
    struct Window {
        std::string key;
        Millis began = 0;
        unsigned n = 0;
    };
    void drop_oldest();

    const unsigned most_;
    const Millis window_;
    const std::size_t keys_;
    mutable std::mutex mutex_;
    std::list<Window> windows_;                                                 // in the order in which they began
    std::unordered_map<std::string_view, std::list<Window>::iterator> by_key_;  // views into windows_
};

// 192.0.2.17 → 192.0.2.0/24, 2001:db8::1 → its /64; anything else is a network of its own.
std::string network_of(const std::string& ip);

}  // namespace nimes::gateway::enrolment
