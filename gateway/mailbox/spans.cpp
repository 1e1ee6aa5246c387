#include "mailbox/spans.hpp"

#include <algorithm>

#include "nimes/bytes.hpp"

namespace nimes::gateway::mailbox {
namespace {

// A mailbox of nobody: it has neither entries nor dedupe records.
const store::Partition kPlace{store::Family::mailbox, std::string(16, '\0')};
constexpr std::string_view kNewest = "t", kGaps = "g";

}  // namespace

Result<void> Spans::open(Millis started) {
    auto newest = store_.get(kPlace, std::string(kNewest));
    if (!newest) return pass(newest);
    auto gaps = store_.get(kPlace, std::string(kGaps));
    if (!gaps) return pass(gaps);
    if (*newest) newest_ = store::u64_of(as_text(**newest)).value_or(0);
    started = std::max(started, newest_ + 1);
    gaps_.clear();
    if (*gaps)
        for (Reader in(**gaps); in.left() > 0 && !in.failed();) {
            const Millis after = in.u64(), until = in.u64();
            if (until + kKept > started) gaps_.push_back({after, until});
        }
    // A process that accepted nothing leaves the gap as it was, only longer.
    if (!gaps_.empty() && gaps_.back().after == newest_) gaps_.back().until = started;
    else gaps_.push_back({newest_, started});
    if (gaps_.size() > kMost) join_nearest();
    Writer all;
    for (const auto& gap : gaps_) all.u64(gap.after).u64(gap.until);
    store::Batch batch(kPlace);
    batch.put(std::string(kGaps), all.view());
    if (auto ok = store_.commit(batch, store::Sync::yes); !ok) return ok;
    newest_ = started - 1;
    open_ = true;
    return {};
}

// The two with the least between them become one: more is submitted again, nothing is forgotten.
void Spans::join_nearest() {
    const auto between = [&](std::size_t i) {
        return gaps_[i + 1].after - std::min(gaps_[i].until, gaps_[i + 1].after);
    };
    std::size_t nearest = 0;
    for (std::size_t i = 1; i + 1 < gaps_.size(); ++i)
        if (between(i) < between(nearest)) nearest = i;
    gaps_[nearest].until = gaps_[nearest + 1].until;
    gaps_.erase(gaps_.begin() + static_cast<std::ptrdiff_t>(nearest) + 1);
}

Millis Spans::time(Millis now) const { return std::max(newest_ + 1, now); }

store::Batch Spans::take(Millis time) {
    newest_ = time;
    store::Batch out(kPlace);
    out.put(std::string(kNewest), as_bytes(store::key_u64(newest_)));
    return out;
}

}  // namespace nimes::gateway::mailbox
