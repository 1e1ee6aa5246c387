// Many devices on one loop: they connect with real tokens, at most so many handshakes at once, and come back by the
// agent's own reconnect policy when they are cut off.
//
// Threads: one. Ownership: accounts and ledger outlive it. Errors: what cannot work is said by start(); a connection
// that fails is counted and tried again.
#pragma once

#include "connection.hpp"
#include "device.hpp"
#include "transport/reconnect_policy.hpp"

namespace nimes::load {

struct FleetOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string audience;         // mqtts://host:port as the broker's plugin knows it
    std::string ca;               // PEM file; empty: plain TCP
    unsigned sources = 8;         // addresses 127.0.0.2 and on to connect from; 0: the kernel chooses
    std::size_t handshakes = 45;  // at once: Mosquitto's backlog is 100
    std::uint16_t keepalive_s = 240;
    DeviceOptions device;
    agent::transport::ReconnectPolicy::Limits reconnect;
    // What becomes of connections: "in" (admitted), "refused", "cut" (the broker says that an administrator wants it),
    // "closed" (otherwise), at the moment it is seen. With it, who was cut or refused counts as shut out: it goes on
    // trying, and has left the ledger.
    std::function<void(std::string_view what, const DeviceId&)> on_change;
};

class Fleet {
  public:
    Fleet(const std::vector<Account>& accounts, FleetOptions options, Ledger& ledger);
    ~Fleet();

    Result<void> start();
    // Until everyone was welcomed by the gateway; false when that takes longer.
    bool connect_all(Micros patience);
    bool run(const std::function<bool()>& done, Micros patience) { return loop_.run(done, micros_now() + patience); }

    [[nodiscard]] Device& device(std::uint32_t number);
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t welcomed() const;
    [[nodiscard]] std::size_t outstanding() const;
    [[nodiscard]] const Traffic& traffic() const { return traffic_; }
    [[nodiscard]] const Histogram& connect_time() const { return connect_time_; }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& failures() const { return failures_; }
    // How many came in each second in which somebody did, one after the other.
    [[nodiscard]] const std::map<Micros, std::uint64_t>& connects_by_second() const { return connects_by_second_; }
    Loop& loop() { return loop_; }
    RandomSource& random() { return random_; }
    [[nodiscard]] Millis wall() const { return clock_.now(); }

  private:
    class Handset;
    void want_connection(Handset& handset);
    void connect_some();
    void handshake_over();
    void tick();

    const std::vector<Account>& accounts_;
    const FleetOptions options_;
    Ledger& ledger_;
    SystemClock clock_;
    SystemRandom random_;
    Audience audience_;
    TlsContext tls_;
    Loop loop_;
    Traffic traffic_;
    Histogram connect_time_;
    std::vector<std::unique_ptr<Handset>> handsets_;
    std::deque<Handset*> waiting_;
    std::size_t shaking_ = 0;
    std::map<std::string, std::uint64_t> failures_;
    std::map<Micros, std::uint64_t> connects_by_second_;
};

}  // namespace nimes::load
