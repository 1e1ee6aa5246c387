#include "transport/upload_pace.hpp"

#include <algorithm>

namespace nimes::agent::transport {
namespace {

constexpr std::uint64_t kFirstPackets = 4;  // in a round trip
constexpr Millis kShortestWindow = 50;

// By how much faster next, in percent: with care near the rate at which a queue stood last, boldly far beyond it.
unsigned step(std::uint64_t rate, std::uint64_t link) {
    if (link == 0 || rate > link * 3 / 2) return 100;
    if (rate > link * 5 / 4) return 25;
    return rate < link * 4 / 5 ? 10 : 3;
}

}  // namespace

std::optional<std::uint64_t> UploadPace::heard(const PathSample& sample, Millis boot) {
    if (sample.rtt_us == 0 || sample.packet == 0) return std::nullopt;
    const auto before = rate_;
    if (sample.least_rtt_us < kNear) {  // perhaps another network than that of the connection before
        begun_ = false;
        rate_ = kUnlimited;
        return rate_ == before ? std::nullopt : std::optional(rate_);
    }
    if (!begun_) {
        begun_ = true;
        rate_ = std::max(kLeast, kFirstPackets * sample.packet * 1'000'000 / sample.rtt_us);
        window_ = {boot, sample.delivered, true};
        return rate_ == before ? std::nullopt : std::optional(rate_);
    }
    if (!window_.open) {
        window_ = {boot, sample.delivered, true};
        return rate_;  // a new connection has to be told
    }
    const auto took = boot - window_.began;
    if (took < std::max<Millis>(kShortestWindow, 2 * sample.rtt_us / 1'000)) return std::nullopt;
    judge(sample, (sample.delivered - std::min(sample.delivered, window_.delivered)) * sample.packet * 1'000 / took);
    window_ = {boot, sample.delivered, true};
    return rate_ == before ? std::nullopt : std::optional(rate_);
}

void UploadPace::judge(const PathSample& sample, std::uint64_t delivered_rate) {
    const auto queue = sample.rtt_us - std::min(sample.rtt_us, sample.least_rtt_us);
    const auto own = delivered_rate == 0 ? 0 : 2 * sample.packet * 1'000'000 / delivered_rate;
    const auto target = std::max(kShortQueue, sample.least_rtt_us / 5) + own;
    if (queue > target) {
        if (delivered_rate == 0) return;
        // While a queue stands, what is delivered is the link's rate: this does not sink further each time. A short one
        // may be chance, and then what was delivered is only what was sent.
        link_ = queue > 2 * target ? delivered_rate : std::max(delivered_rate, link_ * 19 / 20);
        rate_ = std::max(kLeast, link_ * (queue > 2 * target ? 60 : 85) / 100);
        return;
    }
    if (rate_ == kUnlimited || delivered_rate * 10 < rate_ * 6) return;  // not what holds it back
    rate_ += rate_ * step(rate_, link_) / 100;
    if (rate_ >= kFast) rate_ = kUnlimited;
}

}  // namespace nimes::agent::transport
