#include "transport/upload_pace.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace nimes::agent::transport {
namespace {

constexpr std::uint64_t kPacket = 1'348;

// A link with one queue, and an upload that always has something to send: unpaced it keeps up to `greed` µs of queue,
// as congestion control does.
struct Link {
    double bytes_per_second;
    double least_us;
    double greed_us;
    double queue = 0, delivered = 0;  // bytes
    double smoothed_us = 0;
    Millis now = 1'000;
    UploadPace pace{};

    struct Seen {
        double longest_queue_us = 0, sum_queue_us = 0, share = 0;
        int steps = 0;
        [[nodiscard]] double mean_queue_us() const { return sum_queue_us / steps; }
    };
    Seen run(Millis time) {
        Seen out;
        const auto before = delivered;
        for (const auto end = now + time; now < end; now += 10) {
            step(0.01);
            const auto wait = queue / bytes_per_second * 1e6;
            out.longest_queue_us = std::max(out.longest_queue_us, wait);
            out.sum_queue_us += wait;
            ++out.steps;
        }
        out.share = (delivered - before) * 1'000 / static_cast<double>(time) / bytes_per_second;
        return out;
    }

  private:
    void step(double seconds) {
        const auto limit = static_cast<double>(pace.rate());
        const auto room = greed_us / 1e6 * bytes_per_second - queue;
        const auto greedy = std::max(0.0, room + bytes_per_second * seconds);
        queue += pace.rate() == UploadPace::kUnlimited ? greedy : std::min(greedy, limit * seconds);
        const auto out = std::min(queue, bytes_per_second * seconds);
        queue -= out;
        delivered += out;
        const auto rtt = least_us + queue / bytes_per_second * 1e6;
        smoothed_us = smoothed_us == 0 ? rtt : smoothed_us * 0.95 + rtt * 0.05;
        (void)pace.heard({static_cast<std::uint64_t>(smoothed_us), static_cast<std::uint64_t>(least_us),
                          static_cast<std::uint64_t>(delivered / kPacket), kPacket},
                         now);
    }
};

}  // namespace

TEST_CASE("an upload on a slow link leaves no queue for what is said beside it") {
    Link edge{8'000, 600'000, 1'500'000};
    edge.run(20'000);
    const auto seen = edge.run(60'000);
    CHECK(seen.mean_queue_us() < 300'000);  // a text's way at most doubles: half of the round trip
    CHECK(seen.longest_queue_us < 1'000'000);
    CHECK(seen.share > 0.8);
}

TEST_CASE("the same upload unpaced fills the queue: the link of these tests is one that can be spoilt") {
    Link edge{8'000, 10'000, 1'500'000};  // so near that nothing is paced
    edge.run(20'000);
    CHECK(edge.run(60'000).mean_queue_us() > 1'400'000);
}

TEST_CASE("a good far link is used") {
    Link lte{1'250'000, 60'000, 200'000};
    lte.run(10'000);
    const auto seen = lte.run(30'000);
    CHECK(seen.share > 0.75);
    CHECK(seen.mean_queue_us() < 60'000);
}

TEST_CASE("an upload follows a link that becomes faster, and one that becomes slower") {
    Link link{8'000, 300'000, 1'500'000};
    link.run(30'000);
    link.bytes_per_second = 125'000;
    link.run(40'000);
    CHECK(link.run(20'000).share > 0.6);
    link.bytes_per_second = 8'000;
    link.run(20'000);
    CHECK(link.run(40'000).mean_queue_us() < 300'000);
}

TEST_CASE("near servers and the fastest links are not paced") {
    UploadPace near;
    CHECK_FALSE(near.heard({300, 100, 10, kPacket}, 1'000));
    CHECK_FALSE(near.heard({900'000, 100, 2'000, kPacket}, 5'000));
    CHECK(near.rate() == UploadPace::kUnlimited);

    Link fast{50'000'000, 30'000, 40'000};
    fast.run(10'000);
    CHECK(fast.pace.rate() == UploadPace::kUnlimited);
}

TEST_CASE("another connection is told what the link has taught") {
    Link edge{8'000, 600'000, 1'500'000};
    edge.run(30'000);
    const auto rate = edge.pace.rate();
    REQUIRE(rate != UploadPace::kUnlimited);
    edge.pace.pause();
    CHECK_FALSE(edge.pace.heard({0, 0, 0, kPacket}, edge.now));  // not connected yet
    CHECK(edge.pace.heard({600'000, 600'000, 1, kPacket}, edge.now + 10) == rate);
}

TEST_CASE("an upload that moves from a poor network to a near one is let go") {
    Link edge{8'000, 600'000, 1'500'000};
    edge.run(30'000);
    edge.pace.pause();
    CHECK(edge.pace.heard({5'000, 4'000, 1, kPacket}, edge.now + 10) == UploadPace::kUnlimited);
    CHECK(edge.pace.rate() == UploadPace::kUnlimited);
}

TEST_CASE("time in which nothing was under way says nothing of the link") {
    const PathSample begins{600'000, 600'000, 10, kPacket};
    const PathSample later{3'000'000, 600'000, 70, kPacket};  // its round trip is still smoothed from before
    UploadPace steady, paused;
    const auto rate = steady.heard(begins, 1'000);
    REQUIRE(paused.heard(begins, 1'000) == rate);
    paused.pause();  // a part's answer is waited for
    (void)paused.heard(later, 21'000);
    CHECK(paused.rate() == rate);
    (void)steady.heard(later, 21'000);
    CHECK(steady.rate() < rate);
}

TEST_CASE("figures that cannot be do no harm") {
    UploadPace pace;
    CHECK_FALSE(pace.heard({0, 0, 0, 0}, 0));
    (void)pace.heard({UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, 1);
    (void)pace.heard({600'000, 600'000, 5, kPacket}, 10'000);  // fewer than before
    (void)pace.heard({5'000'000, 600'000, 5, kPacket}, 20'000);
    CHECK(pace.rate() >= UploadPace::kLeast);
}

}  // namespace nimes::agent::transport
