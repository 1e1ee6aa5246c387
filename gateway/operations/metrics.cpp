#include "operations/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

namespace nimes::gateway::operations {
namespace {

using Names = std::vector<std::string>;
using Boundaries = prometheus::Histogram::BucketBoundaries;

// Seconds, around what is aimed at: a commit is a few sync times, a delivery 500 ms at p99, a revocation one second.
Boundaries commit_seconds() { return {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5}; }
Boundaries delivery_seconds() { return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60}; }
Boundaries revocation_seconds() { return {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60}; }

}  // namespace

struct FollowedCounter::State {
    prometheus::Counter* counter = nullptr;
    std::mutex mutex;
    double last = 0;
};

struct CounterFamily::Impl {
    prometheus::Family<prometheus::Counter>* family = nullptr;
    Names labels;
    std::mutex mutex;
    std::set<Names> series;
};

struct BrokerGauge::Impl {
    prometheus::Family<prometheus::Gauge>* family = nullptr;
};

struct BrokerCounter::Impl {
    prometheus::Family<prometheus::Counter>* family = nullptr;
    std::mutex mutex;
    std::map<std::string, FollowedCounter::State> of;  // map: what handles point to never moves
};

struct Metrics::Impl {
    prometheus::Registry registry;
    std::deque<CounterFamily::Impl> families;  // deque: what handles point to never moves
    std::deque<BrokerGauge::Impl> broker_gauges;
    std::deque<BrokerCounter::Impl> broker_counters;
    std::mutex scrape_mutex;
    std::vector<std::function<void()>> before_scrape;

    Counter counter(const std::string& name, const std::string& help) {
        return Counter(&prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({}));
    }
    BrokerGauge of_brokers(const std::string& name, const std::string& help) {
        auto& impl = broker_gauges.emplace_back();
        impl.family = &prometheus::BuildGauge().Name(name).Help(help).Register(registry);
        return BrokerGauge(&impl);
    }
    BrokerCounter follow(const std::string& name, const std::string& help) {
        auto& impl = broker_counters.emplace_back();
        impl.family = &prometheus::BuildCounter().Name(name).Help(help).Register(registry);
        return BrokerCounter(&impl);
    }
    CounterFamily family(const std::string& name, const std::string& help, Names labels) {
        auto& impl = families.emplace_back();
        impl.family = &prometheus::BuildCounter().Name(name).Help(help).Register(registry);
        impl.labels = std::move(labels);
        return CounterFamily(&impl);
    }
    Gauge gauge(const std::string& name, const std::string& help, const prometheus::Labels& labels = {}) {
        return Gauge(&prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels));
    }
    Histogram histogram(const std::string& name, const std::string& help, Boundaries boundaries) {
        return Histogram(
            &prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, std::move(boundaries)));
    }
};

void Counter::add(double n) const { counter_->Increment(n); }
void Gauge::set(double value) const { gauge_->Set(value); }
void Gauge::add(double n) const { gauge_->Increment(n); }
void Histogram::observe(double value) const { histogram_->Observe(value); }

void FollowedCounter::follow(double total) const {
    const std::lock_guard lock(state_->mutex);
    state_->counter->Increment(total >= state_->last ? total - state_->last : total);
    state_->last = total;
}

Gauge BrokerGauge::of(const std::string& broker) const { return Gauge(&impl_->family->Add({{"broker", broker}})); }

FollowedCounter BrokerCounter::of(const std::string& broker) const {
    const std::lock_guard lock(impl_->mutex);
    auto& state = impl_->of[broker];
    if (state.counter == nullptr) state.counter = &impl_->family->Add({{"broker", broker}});
    return FollowedCounter(&state);
}

Counter CounterFamily::with(std::initializer_list<std::string_view> values) const {
    const std::lock_guard lock(impl_->mutex);
    Names key(values.begin(), values.end());
    key.resize(impl_->labels.size());
    if (!impl_->series.contains(key) && impl_->series.size() >= kMaxSeries) key.assign(impl_->labels.size(), "other");
    impl_->series.insert(key);
    prometheus::Labels labels;
    for (std::size_t i = 0; i < key.size(); ++i) labels.emplace(impl_->labels[i], key[i]);
    return Counter(&impl_->family->Add(labels));
}

Metrics::Metrics(std::string_view version, std::string_view commit)
    : impl_(std::make_unique<Impl>()),
      messages_accepted(
          impl_->counter("nimes_messages_accepted_total", "Messages on disk and confirmed to their sender.")),
      messages_rejected(
          impl_->family("nimes_messages_rejected_total", "Messages refused, by the code told.", {"code"})),
      messages_repeated(impl_->counter("nimes_messages_repeated_total", "Messages that had been accepted before.")),
      deliveries(impl_->counter("nimes_deliveries_total", "Envelopes published to connected devices.")),
      message_commit_seconds(impl_->histogram("nimes_message_commit_seconds",
                                              "From a message's arrival to its bytes on disk.", commit_seconds())),
      message_delivery_seconds(impl_->histogram("nimes_message_delivery_seconds",
                                                "From a message's arrival to its acknowledgement by a device that "
                                                "was connected.",
                                                delivery_seconds())),
      devices_connected(impl_->gauge("nimes_devices_connected", "Devices connected to a broker.")),
      enrolments(impl_->family("nimes_enrolments_total", "Enrolments that ended, by result.", {"result"})),
      mails(impl_->family("nimes_mails_total", "Mails handed to the mail server, by result.", {"result"})),
      revocations_pending(impl_->gauge("nimes_revocations_pending", "Revocations with steps not confirmed yet.")),
      revocation_effective_seconds(
          impl_->histogram("nimes_revocation_effective_seconds",
                           "From the order to revoke, an administrator's or the owner's, to the "
                           "device's last byte.",
                           revocation_seconds())),
      uploads_in_progress(impl_->gauge("nimes_uploads_in_progress", "Uploads that bytes are coming for now.")),
      upload_received_bytes(impl_->counter("nimes_upload_received_bytes_total", "Bytes of media received.")),
      media_served_bytes(impl_->counter("nimes_media_served_bytes_total", "Bytes of media handed out.")),
      media_removed(impl_->counter("nimes_media_removed_total", "Media removed: expired, recalled or abandoned.")),
      wakes(impl_->family("nimes_wakes_total", "Wake-ups of devices that were not connected, by result.", {"result"})),
      wake_endpoints(impl_->gauge("nimes_wake_endpoints", "Devices that a push service can wake.")),
      http_requests(
          impl_->family("nimes_http_requests_total", "HTTP requests answered.", {"route", "method", "status"})),
      http_connections(impl_->gauge("nimes_http_connections", "HTTP connections open.")),
      store_free_bytes(impl_->gauge("nimes_store_free_bytes", "Bytes free on the store's disk.")),
      log_errors(impl_->counter("nimes_log_errors_total", "Lines logged at level error.")),
      broker_linked(impl_->of_brokers("nimes_broker_linked", "1 while the gateway is connected to the broker.")),
      broker_mirror_revision(impl_->of_brokers("nimes_broker_mirror_revision",
                                               "Revision of the directory's mirror that the broker holds.")),
      broker_mirror_lag_seconds(
          impl_->of_brokers("nimes_broker_mirror_lag_seconds",
                            "For how long the directory has said something that the broker does not hold.")),
      broker_publish_dropped(impl_->follow("nimes_broker_publish_dropped_total", "Messages the broker dropped.")),
      broker_relay_dropped(impl_->follow("nimes_broker_relay_dropped_total",
                                         "Packets of devices that the broker's plugin had no room to hold.")),
      broker_relay_waiting_bytes(impl_->of_brokers("nimes_broker_relay_waiting_bytes",
                                                   "Bytes of packets that wait for the gateway at the broker.")),
      broker_admitted(impl_->follow("nimes_broker_admitted_total", "Connections the broker admitted.")),
      broker_refused(impl_->follow("nimes_broker_refused_total", "Connections the broker refused.")),
      broker_denied(impl_->follow("nimes_broker_denied_total", "Publishes and subscriptions the broker denied.")),
      broker_kicked(impl_->follow("nimes_broker_kicked_total", "Connections the broker cut.")),
      broker_tick_gap_max_seconds(
          impl_->of_brokers("nimes_broker_tick_gap_max_seconds", "Longest time the broker's loop did not come round.")),
      admin_refusals(impl_->family("nimes_admin_refusals_total",
                                   "Requests of the administration that were refused for who asked.", {"reason"})) {
    impl_
        ->gauge("nimes_build_info", "Always 1; what is running.",
                {{"version", std::string(version)}, {"commit", std::string(commit)}})
        .set(1);
}
Metrics::~Metrics() = default;

void Metrics::before_scrape(std::function<void()> set) {
    const std::lock_guard lock(impl_->scrape_mutex);
    impl_->before_scrape.push_back(std::move(set));
}

std::string Metrics::text() const {
    {
        const std::lock_guard lock(impl_->scrape_mutex);
        for (const auto& set : impl_->before_scrape) set();
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, impl_->registry.Collect());
    return out.str();
}

}  // namespace nimes::gateway::operations
