#include "report.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace nimes::load {

std::size_t Histogram::bucket(std::uint64_t value) {
    if (value < kPerPower) return value;
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 7;  // kPerPower is 2^6
    return std::min<std::size_t>((power + 1) * kPerPower + (value >> power) - kPerPower, kPerPower * 40 - 1);
}

double Histogram::middle(std::size_t bucket) {
    if (bucket < kPerPower) return static_cast<double>(bucket);
    const auto power = bucket / kPerPower - 1;
    return std::ldexp(static_cast<double>(bucket % kPerPower + kPerPower) + 0.5, static_cast<int>(power));
}

void Histogram::add(Micros time) {
    ++buckets_[bucket(static_cast<std::uint64_t>(std::max<Micros>(time, 0)))];
    ++count_;
    max_ = std::max(max_, time);
}

double Histogram::quantile_ms(double q) const {
    if (count_ == 0) return 0;
    const auto wanted =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        if ((seen += buckets_[i]) >= wanted) return middle(i) / 1'000.0;
    return static_cast<double>(max_) / 1'000.0;
}

nlohmann::json Histogram::json() const {
    return {{"count", count_},          {"p50", quantile_ms(0.5)},    {"p90", quantile_ms(0.9)},
            {"p99", quantile_ms(0.99)}, {"p999", quantile_ms(0.999)}, {"max", static_cast<double>(max_) / 1'000.0}};
}

nlohmann::json Counts::json() const {
    return {{"sent", sent},
            {"accepted", accepted},
            {"rejected", rejected},
            {"resent", resent},
            {"most_resends", most_resends},
            {"delivered", delivered},
            {"sent_again", sent_again},
            {"lost", lost},
            {"duplicates", duplicates},
            {"out_of_order", out_of_order},
            {"gaps", gaps},
            {"undecryptable", undecryptable},
            {"malformed", malformed},
            {"connects", connects},
            {"refused", refused},
            {"disconnects", disconnects},
            {"up_packets", up_packets},
            {"down_packets", down_packets}};
}

bool Counts::faultless() const {
    return lost == 0 && duplicates == 0 && out_of_order == 0 && undecryptable == 0 && malformed == 0;
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace nimes::load
