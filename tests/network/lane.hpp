// One direction of a bad link: what is sent into it comes out later, or not at all.
//
// A packet is lost by chance, or while the link is cut, or when it would wait longer than the queue is; else it leaves
// when the rate allows, and arrives after the delay with its jitter, never before the packet ahead. Pure: time and
// chance are handed in. Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace nimes::network {

using Micros = std::int64_t;
using Packet = std::vector<std::uint8_t>;

struct Quality {
    double bits_per_second = 0;  // 0: no limit
    Micros delay = 0;            // one way
    Micros jitter = 0;           // uniform, either way
    double loss = 0;             // probability
    Micros queue = 1'000'000;    // longest wait for one's turn
};

struct LaneCounts {
    std::uint64_t packets = 0, bytes = 0;             // with IP headers, as sent into it
    std::uint64_t lost = 0, overflowed = 0, cut = 0;  // of these
    std::uint64_t arrived_bytes = 0;
};

class Lane {
  public:
    explicit Lane(std::uint64_t seed) : chance_(seed) {}

    void set(const Quality& quality) { quality_ = quality; }
    void cut(bool is_cut) { cut_ = is_cut; }
    void put(Packet packet, Micros now) {
        ++counts.packets;
        counts.bytes += packet.size();
        if (cut_) {
            ++counts.cut;
            return;
        }
        if (std::bernoulli_distribution(quality_.loss)(chance_)) {
            ++counts.lost;
            return;
        }
        const auto start = std::max(now, free_at_);
        if (start - now > quality_.queue) {
            ++counts.overflowed;
            return;
        }
        const double bits = 8.0 * static_cast<double>(packet.size());
        free_at_ = start;
        if (quality_.bits_per_second > 0) free_at_ += static_cast<Micros>(bits * 1e6 / quality_.bits_per_second);
        auto arrival = free_at_ + quality_.delay;
        if (quality_.jitter > 0)
            arrival += std::uniform_int_distribution<Micros>(-quality_.jitter, quality_.jitter)(chance_);
        last_arrival_ = std::max(last_arrival_, arrival);
        under_way_.push_back({last_arrival_, std::move(packet)});
    }
    // When the next packet arrives; nullopt: none is under way.
    [[nodiscard]] std::optional<Micros> next() const {
        if (under_way_.empty()) return std::nullopt;
        return under_way_.front().arrival;
    }
    std::optional<Packet> take(Micros now) {
        if (under_way_.empty() || under_way_.front().arrival > now) return std::nullopt;
        auto out = std::move(under_way_.front().packet);
        under_way_.pop_front();
        if (cut_) return Packet{};  // what was in the air when the tunnel came
        counts.arrived_bytes += out.size();
        return out;
    }

    LaneCounts counts;

  private:
    struct UnderWay {
        Micros arrival = 0;
        Packet packet;
    };
    std::mt19937_64 chance_;
    Quality quality_;
    bool cut_ = false;
    Micros free_at_ = 0, last_arrival_ = 0;
    std::deque<UnderWay> under_way_;
};

}  // namespace nimes::network
