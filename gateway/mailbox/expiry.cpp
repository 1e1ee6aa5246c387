#include "mailbox/expiry.hpp"

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kHoursAtOnce = 8;
constexpr std::size_t kMailboxesAtOnce = 100;
constexpr std::size_t kDedupeAtOnce = 2'000;

}  // namespace

Result<std::size_t> Expiry::step(Millis now) {
    if (auto ok = drop_bodies(now); !ok) return pass(ok);
    if (auto ok = expire_dedupe(now); !ok) return pass(ok);
    auto names = store_.partitions(store::Family::mailbox, next_, kMailboxesAtOnce);
    if (!names) return pass(names);
    std::size_t gone = 0;
    for (const auto& name : *names) {
        auto expired = committer_.mailboxes().expire(DeviceId::from(as_bytes(name)), now);
        if (!expired) return expired;
        gone += *expired;
    }
    next_ = names->size() < kMailboxesAtOnce ? std::string{} : names->back() + '\0';
    const auto erased = committer_.mailboxes().take_erased();
    if (auto ok = store_.commit(erased, store::Sync::no); !ok) return pass(ok);
    return gone;
}

// Round and round through all mailboxes, a few records at a time.
Result<void> Expiry::expire_dedupe(Millis now) {
    for (std::size_t box = 0; box < kMailboxesAtOnce; ++box) {
        auto names = store_.partitions(store::Family::mailbox, dedupe_box_, 1);
        if (!names) return pass(names);
        if (names->empty()) {
            dedupe_box_.clear();
            return {};
        }
        if (names->front() != dedupe_box_) dedupe_from_.clear();
        dedupe_box_ = names->front();
        auto next = committer_.expire_dedupe(dedupe_box_, dedupe_from_, kDedupeAtOnce, now);
        if (!next) return pass(next);
        dedupe_from_ = std::move(*next);
        if (!dedupe_from_.empty()) return {};
        dedupe_box_ += '\0';
    }
    return {};
}

// A bucket goes when its newest body has expired: one hour after its own.
Result<void> Expiry::drop_bodies(Millis now) {
    auto buckets = store_.partitions(store::Family::bodies, {}, kHoursAtOnce);
    if (!buckets) return pass(buckets);
    for (const auto& name : *buckets) {
        const auto hour = store::u64_of(name);
        if (!hour || (*hour + 1) * kHour + options_.retention > now) break;
        if (auto ok = store_.drop({store::Family::bodies, name}); !ok) return ok;
        store_.reclaim(store::Family::bodies, name, store::key_u64(*hour + 1));
    }
    return {};
}

}  // namespace nimes::gateway::mailbox
