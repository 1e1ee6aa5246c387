#include "media/quotas.hpp"

#include <algorithm>

namespace nimes::gateway::media {
namespace {

template <class Map, class Key>
void lower(Map& map, const Key& key, std::uint64_t bytes, std::uint64_t open) {
    const auto at = map.find(key);
    if (at == map.end()) return;
    at->second.bytes -= std::min(at->second.bytes, bytes);
    at->second.open -= std::min(at->second.open, open);
    if (at->second.bytes == 0 && at->second.open == 0) map.erase(at);
}

std::uint64_t open(const MediumHead& head) { return head.finished() ? 0 : 1; }

}  // namespace

Result<void> Quotas::take(const MediumHead& head) {
    const std::lock_guard lock(mutex_);
    const auto device = devices_[head.owner];
    const auto user = users_[head.user];
    const struct {
        std::uint64_t used, wanted, limit;
        const char* name;
    } rules[] = {
        {device.open, open(head), limits_.device_open, "open uploads of this device"},
        {user.open, open(head), limits_.user_open, "open uploads of this person"},
        {organisation_.open, open(head), limits_.organisation_open, "open uploads of the organisation"},
        {device.bytes, head.charge(), limits_.device_bytes, "bytes of this device"},
        {user.bytes, head.charge(), limits_.user_bytes, "bytes of this person"},
        {organisation_.bytes, head.charge(), limits_.organisation_bytes, "bytes of the organisation"},
    };
    for (const auto& rule : rules)
        if (rule.wanted > 0 && (rule.wanted > rule.limit || rule.used > rule.limit - rule.wanted))
            return fail(Errc::quota, std::string(rule.name) + ": at most " + std::to_string(rule.limit));
    add(head);
    return {};
}

void Quotas::give(const MediumHead& head) {
    const std::lock_guard lock(mutex_);
    subtract(head);
}

void Quotas::count(const MediumHead& head) {
    const std::lock_guard lock(mutex_);
    add(head);
}

void Quotas::changed(const MediumHead& before, const MediumHead& after) {
    const std::lock_guard lock(mutex_);
    subtract(before);
    add(after);
}

// With mutex_ held.
void Quotas::add(const MediumHead& head) {
    for (auto* use : {&devices_[head.owner], &users_[head.user], &organisation_}) {
        use->bytes += head.charge();
        use->open += open(head);
    }
}

void Quotas::subtract(const MediumHead& head) {
    lower(devices_, head.owner, head.charge(), open(head));
    lower(users_, head.user, head.charge(), open(head));
    organisation_.bytes -= std::min(organisation_.bytes, head.charge());
    organisation_.open -= std::min(organisation_.open, open(head));
}

}  // namespace nimes::gateway::media
