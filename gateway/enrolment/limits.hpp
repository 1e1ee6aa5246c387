// Counts per key in a fixed window: codes per address, requests per network. Memory is bounded: when it is full the
// oldest windows go. Threads: any. A restart forgets; the tries of a code are stored with it and do not.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "nimes/time.hpp"

namespace nimes::gateway::enrolment {

class Limits {
  public:
    Limits(unsigned most, Millis window) : most_(most), window_(window) {}
    // False when this key has had its share; counts otherwise.
    bool take(const std::string& key, Millis now);

  private:
    static constexpr std::size_t kKeys = 100'000;
    struct Count {
        Millis began = 0;
        unsigned n = 0;
    };
    const unsigned most_;
    const Millis window_;
    std::mutex mutex_;
    std::unordered_map<std::string, Count> counts_;
};

// 192.0.2.17 → 192.0.2.0/24, 2001:db8::1 → its /64; anything else is a network of its own.
std::string network_of(const std::string& ip);

}  // namespace nimes::gateway::enrolment
