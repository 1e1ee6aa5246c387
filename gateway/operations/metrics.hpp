// The gateway's figures, in the form Prometheus reads: one object owns the registry, rooms use its named handles.
//
//   metrics.messages_accepted.add();
//   metrics.messages_rejected.with({"ERR_RATE_LIMITED"}).add();
//   metrics.message_commit_seconds.observe(seconds);
//
// Names have the prefix nimes_ and base units; labels have few values (codes, routes), never a device, person or
// address. A family that reaches kMaxSeries sends further label values to "other": hostile input cannot grow memory.
// Threads: all from any thread. Ownership: handles are pointers into Metrics, which must outlive their users.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace nimes::gateway::operations {

inline constexpr std::size_t kMaxSeries = 500;

class Counter {
  public:
    explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
    void add(double n = 1) const;

  private:
    prometheus::Counter* counter_;
};

class Gauge {
  public:
    explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
    void set(double value) const;
    void add(double n = 1) const;

  private:
    prometheus::Gauge* gauge_;
};

class Histogram {
  public:
    explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
    void observe(double value) const;

  private:
    prometheus::Histogram* histogram_;
};

// Repeats a total that another process counts (the broker). Follows what it grows by; a smaller total than the last one
// means that the process began again.
class FollowedCounter {
  public:
    struct State;
    explicit FollowedCounter(State* state) : state_(state) {}
    void follow(double total) const;

  private:
    State* state_;
};

// Gauges and followed totals of one name, one for each broker.
class BrokerGauge {
  public:
    struct Impl;
    explicit BrokerGauge(Impl* impl) : impl_(impl) {}
    [[nodiscard]] Gauge of(const std::string& broker) const;

  private:
    Impl* impl_;
};
class BrokerCounter {
  public:
    struct Impl;
    explicit BrokerCounter(Impl* impl) : impl_(impl) {}
    [[nodiscard]] FollowedCounter of(const std::string& broker) const;

  private:
    Impl* impl_;
};

// Counters of one name that differ in labels.
class CounterFamily {
  public:
    struct Impl;
    explicit CounterFamily(Impl* impl) : impl_(impl) {}
    // One value for each label name, in the order declared. Looks up under a lock: keep the handle in hot loops.
    [[nodiscard]] Counter with(std::initializer_list<std::string_view> values) const;

  private:
    Impl* impl_;
};

class Metrics {
  public:
    Metrics(std::string_view version, std::string_view commit);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // Called before each scrape, to set gauges that are cheaper to ask for than to keep (free bytes).
    void before_scrape(std::function<void()> set);
    // The text of /metrics.
    [[nodiscard]] std::string text() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;  // declared first: the handles below point into it

  public:
    const Counter messages_accepted;
    const CounterFamily messages_rejected;  // code
    const Counter messages_repeated;
    const Counter deliveries;
    const Histogram message_commit_seconds;
    const Histogram message_delivery_seconds;

    const Gauge devices_connected;
    const CounterFamily enrolments;  // result: "ok" or a code
    const CounterFamily mails;       // result: "sent", "failed"
    const Gauge revocations_pending;
    const Histogram revocation_effective_seconds;

    const Gauge uploads_in_progress;
    const Counter upload_received_bytes;
    const Counter media_served_bytes;
    const Counter media_removed;

    const CounterFamily wakes;  // result: "sent", "failed", "gone", "refused_address", "dropped"
    const Gauge wake_endpoints;

    const CounterFamily http_requests;  // route, method, status
    const Gauge http_connections;
    const Gauge store_free_bytes;
    const Counter log_errors;

    const BrokerGauge broker_linked;
    const BrokerGauge broker_mirror_revision;     // what it holds of the directory
    const BrokerGauge broker_mirror_lag_seconds;  // how long the directory has said something that it does not hold
    const BrokerCounter broker_publish_dropped;
    const BrokerCounter broker_relay_dropped;
    const BrokerGauge broker_relay_waiting_bytes;
    const BrokerCounter broker_admitted;
    const BrokerCounter broker_refused;
    const BrokerCounter broker_denied;
    const BrokerCounter broker_kicked;
    const BrokerGauge broker_tick_gap_max_seconds;

    const CounterFamily admin_refusals;  // reason: "unknown", "role", "scope", "owner", "reach"
};

}  // namespace nimes::gateway::operations
