// Keeping up with the directory: the newest head, entries of those whom this device seals to, its own entry, its seal
// keys (FORMATS.md 2.4, 2.11).
//
// Functions take the core's lock and let go of it while the network answers. Errors: what Network says;
// Errc::head_stale (no head of today can be had), directory_fork, proof_invalid (alarms were raised), device_revoked
// (proven).
#pragma once

#include "engine/own_keys.hpp"

namespace nimes::agent::engine {

class Sync {
  public:
    Sync(Core& core, Network& network) : core_(core), network_(network), keys_(core, network) {}

    // After each connect, and once a day: newest head, own entry, seal keys.
    Result<void> run(Lock& lock);
    // Before something is sealed to these users: their entries are proven under a head of today, and what the gateway
    // said has moved was looked up. Offline, what is held serves for as long as it is fresh.
    Result<void> bring_up(Lock& lock, const std::vector<UserId>& users);
    // The user of an address; Errc::not_found when it is proven that there is none.
    Result<UserId> by_address(Lock& lock, const std::string& address);
    // What held items wait for; true when something came.
    bool fetch_wanted(Lock& lock);
    // One-time keys of these devices, as far as the gateway has any; without an answer there are none.
    void fetch_one_time(Lock& lock, const std::vector<const DeviceCert*>& certs);
    [[nodiscard]] OwnKeys& keys() { return keys_; }
    [[nodiscard]] Network& network() { return network_; }

  private:
    Result<void> take(const v1::LookupAnswer& answer, const std::vector<UserId>& asked);
    Result<void> take_head(const v1::HeadAnswer& answer);
    Result<void> look_up(Lock& lock, const std::vector<UserId>& users);
    Result<void> judge_own_entry();
    Result<void> forked(const Error& error, const std::string& head);
    Result<void> alarmed(const Error& error, std::string_view text);

    Core& core_;
    Network& network_;
    OwnKeys keys_;
    Millis next_one_time_ = 0;  // boot clock
};

}  // namespace nimes::agent::engine
