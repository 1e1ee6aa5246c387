#include "operations/metrics.hpp"

#include <catch2/catch.hpp>

using namespace nimes::gateway::operations;

namespace {

bool has(const Metrics& metrics, const std::string& line) {
    return ("\n" + metrics.text()).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("handles reach the text") {
    Metrics metrics("0.1.0", "abc");
    metrics.messages_accepted.add();
    metrics.messages_accepted.add(2);
    metrics.messages_rejected.with({"ERR_RATE_LIMITED"}).add();
    metrics.devices_connected.set(7);
    metrics.message_commit_seconds.observe(0.003);
    metrics.http_requests.with({"/v1/media/{id}", "PATCH", "204"}).add();
    CHECK(has(metrics, "nimes_messages_accepted_total 3"));
    CHECK(has(metrics, "nimes_messages_rejected_total{code=\"ERR_RATE_LIMITED\"} 1"));
    CHECK(has(metrics, "nimes_devices_connected 7"));
    CHECK(has(metrics, "nimes_message_commit_seconds_bucket{le=\"0.002\"} 0"));
    CHECK(has(metrics, "nimes_message_commit_seconds_bucket{le=\"0.005\"} 1"));
    CHECK(has(metrics, "nimes_http_requests_total{method=\"PATCH\",route=\"/v1/media/{id}\",status=\"204\"} 1"));
    CHECK(has(metrics, "nimes_build_info{commit=\"abc\",version=\"0.1.0\"} 1"));
}

TEST_CASE("a followed total survives the restart of what counts it") {
    Metrics metrics("0", "0");
    metrics.broker_kicked.of("edge-1").follow(10);
    metrics.broker_kicked.of("edge-1").follow(12);
    metrics.broker_kicked.of("edge-1").follow(3);  // began again
    metrics.broker_kicked.of("edge-1").follow(4);
    CHECK(has(metrics, "nimes_broker_kicked_total{broker=\"edge-1\"} 16"));
    // Another broker counts for itself.
    metrics.broker_kicked.of("edge-2").follow(2);
    metrics.broker_kicked.of("edge-1").follow(5);
    CHECK(has(metrics, "nimes_broker_kicked_total{broker=\"edge-1\"} 17"));
    CHECK(has(metrics, "nimes_broker_kicked_total{broker=\"edge-2\"} 2"));
    metrics.broker_mirror_lag_seconds.of("edge-2").set(3);
    CHECK(has(metrics, "nimes_broker_mirror_lag_seconds{broker=\"edge-2\"} 3"));
}

TEST_CASE("label values from outside cannot grow a family without end") {
    Metrics metrics("0", "0");
    for (std::size_t i = 0; i < kMaxSeries + 50; ++i) metrics.messages_rejected.with({std::to_string(i)}).add();
    CHECK(has(metrics, "nimes_messages_rejected_total{code=\"other\"} 50"));
    metrics.messages_rejected.with({"0"}).add();
    CHECK(has(metrics, "nimes_messages_rejected_total{code=\"0\"} 2"));
}

TEST_CASE("gauges that are asked for are fresh at each scrape") {
    Metrics metrics("0", "0");
    double free = 5;
    metrics.before_scrape([&] { metrics.store_free_bytes.set(free); });
    CHECK(has(metrics, "nimes_store_free_bytes 5"));
    free = 4;
    CHECK(has(metrics, "nimes_store_free_bytes 4"));
}
