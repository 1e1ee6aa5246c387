#include "mailbox/expiry.hpp"

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kHoursAtOnce = 8;
constexpr std::size_t kMailboxesAtOnce = 100;

}  // namespace

Result<std::size_t> Expiry::step(Millis now) {
    if (auto ok = drop_bodies(now); !ok) return pass(ok);
    auto names = store_.partitions(store::Family::mailbox, next_, kMailboxesAtOnce);
    if (!names) return pass(names);
    std::size_t gone = 0;
    for (const auto& name : *names) {
        auto expired = committer_.mailboxes().expire(DeviceId::from(as_bytes(name)), now);
        if (!expired) return expired;
        gone += *expired;
        if (auto ok = committer_.expire_dedupe(name, now); !ok) return pass(ok);
    }
    next_ = names->size() < kMailboxesAtOnce ? std::string{} : names->back() + '\0';
    return gone;
}

// A bucket goes when its newest body has expired: one hour after its own.
Result<void> Expiry::drop_bodies(Millis now) {
    auto buckets = store_.partitions(store::Family::bodies, {}, kHoursAtOnce);
    if (!buckets) return pass(buckets);
    for (const auto& name : *buckets) {
        const auto hour = store::u64_of(name);
        if (!hour || (*hour + 1) * kHour + options_.retention > now) break;
        if (auto ok = store_.drop({store::Family::bodies, name}); !ok) return ok;
    }
    return {};
}

}  // namespace nimes::gateway::mailbox
