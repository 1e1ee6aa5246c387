#include "broker/mirror_feed.hpp"

#include <algorithm>

namespace nimes::gateway::broker {
namespace {

constexpr Millis kHeartbeat = kMinute;
constexpr Millis kPatience = 3 * kSecond;   // a state that was on its way when we sent is no reason to send again
constexpr Millis kStepBack = 10 * kMinute;  // as far as the plugin believes in parts from its future

}  // namespace

void MirrorFeed::linked() {
    sent_ = 0;
    full_sent_ = false;
}

// The plugin takes no part that is older than the last one: a clock set back a little must not hold up revocations.
Millis MirrorFeed::stamp() {
    const auto now = clock_.now();
    issued_ = issued_ > now && issued_ - now <= kStepBack ? issued_ : now;
    return issued_;
}

std::vector<Bytes> MirrorFeed::everything() {
    // The revision first: what changes between the two is sent again with the next delta, never left out.
    MirrorPart part;
    part.to = source_.revision();
    const auto items = source_.all();
    part.kind = MirrorPart::Kind::full;
    part.org = org_;
    part.broker = broker_;
    part.issued = stamp();
    const auto parts = std::max<std::size_t>(1, (items.size() + MirrorPart::kMaxItems - 1) / MirrorPart::kMaxItems);
    part.parts = static_cast<std::uint16_t>(parts);
    std::vector<Bytes> out;
    for (std::size_t i = 0; i < parts; ++i) {
        part.part = static_cast<std::uint16_t>(i);
        const auto from = items.begin() + static_cast<std::ptrdiff_t>(i * MirrorPart::kMaxItems);
        const auto left = static_cast<std::size_t>(items.end() - from);
        part.items.assign(from, from + static_cast<std::ptrdiff_t>(std::min(left, MirrorPart::kMaxItems)));
        out.push_back(part.encode_signed(key_));
    }
    sent_ = part.to;
    sent_at_ = clock_.boot();
    full_sent_ = true;
    return out;
}

std::vector<Bytes> MirrorFeed::delta_from(std::uint64_t revision) {
    const auto now_at = source_.revision();
    auto items = source_.since(revision);
    if (!items || items->size() > MirrorPart::kMaxItems) return everything();
    MirrorPart part;
    part.org = org_;
    part.broker = broker_;
    part.issued = stamp();
    part.from = revision;
    part.to = now_at;
    part.items = std::move(*items);
    sent_ = now_at;
    sent_at_ = clock_.boot();
    full_sent_ = false;
    return {part.encode_signed(key_)};
}

std::vector<Bytes> MirrorFeed::changed() {
    if (sent_ == 0 || sent_ == source_.revision()) return {};
    return delta_from(sent_);
}

std::vector<Bytes> MirrorFeed::on_state(const EdgeState& state) {
    const bool waiting = sent_ != 0 && clock_.boot() < sent_at_ + kPatience;
    // Deltas in between are no answer to this wish: only a full copy on its way is worth waiting for.
    if (state.wants_full) return waiting && full_sent_ ? std::vector<Bytes>{} : everything();
    if (state.mirror_revision == source_.revision()) {
        sent_ = state.mirror_revision;
        return {};
    }
    if (waiting) return {};
    return delta_from(state.mirror_revision);
}

std::vector<Bytes> MirrorFeed::tick() {
    if (sent_ == 0 || clock_.boot() < sent_at_ + kHeartbeat) return {};
    return delta_from(sent_);
}

}  // namespace nimes::gateway::broker
