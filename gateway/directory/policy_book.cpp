#include "directory/policy_book.hpp"

#include <algorithm>
#include <array>

#include "nimes/opaque.hpp"

namespace nimes::gateway::directory {
namespace {

const store::Partition kPartition{store::Family::directory, "policy"};
constexpr const char* kRecord = "p";

template <class Message>
bool same(const Message& a, const Message& b) {
    return a.SerializeAsString() == b.SerializeAsString();
}

store::Batch batch_of(ByteView record) {
    store::Batch out(kPartition);
    out.put(kRecord, record);
    return out;
}

}  // namespace

Bytes PolicyBook::sign(const v1::SignedPolicy& policy) const {
    return sign_policy(secrets_.administrator, secrets_.org, as_bytes(policy.SerializeAsString()));
}

std::optional<v1::SignedPolicy> PolicyBook::read(ByteView record) const {
    const std::array keys{secrets_.administrator.public_key};
    const auto bytes = open_policy(keys, secrets_.org, record);
    v1::SignedPolicy out;
    if (!bytes || !out.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) return std::nullopt;
    return out;
}

std::uint64_t PolicyBook::serial_after(std::uint64_t held) const {
    return std::max<std::uint64_t>(held + 1, clock_.now());
}

Result<bool> PolicyBook::tell(const PolicyWish& wish, const Commit& commit) {
    const std::lock_guard lock(mutex_);
    auto stored = store_.get(kPartition, kRecord);
    if (!stored) return pass(stored);
    // One that an earlier administrator key signed is none.
    if (*stored)
        if (auto held = read(**stored)) policy_ = std::move(*held), record_ = **stored;
    if (!record_.empty() && same(policy_.policy(), wish.policy) && same(policy_.pilot(), wish.pilot)) return false;
    v1::SignedPolicy next;
    next.set_serial(serial_after(policy_.serial()));
    next.set_since_ms(clock_.now());
    *next.mutable_policy() = wish.policy;
    *next.mutable_pilot() = wish.pilot;
    auto record = sign(next);
    if (!read(record))
        return fail(Errc::bad_config, "what [policy] and [pilot] say is longer than handsets take: name fewer units");
    if (auto ok = commit(batch_of(record), next); !ok) return pass(ok);
    policy_ = std::move(next);
    record_ = std::move(record);
    return true;
}

Bytes PolicyBook::newer_than(std::uint64_t serial) {
    const std::lock_guard lock(mutex_);
    if (serial == policy_.serial()) return {};
    // Told by a store that was lost: what this one says is what counts, but it must be the newer one. Nobody could know
    // a serial that is yet to come; and a handset that lies about it shall not have all of them told without end.
    const auto now = clock_.now();
    if (serial > policy_.serial() && now >= next_catch_up_ && serial <= now) {
        next_catch_up_ = now + kMinute;
        auto next = policy_;
        next.set_serial(serial_after(serial));
        auto record = sign(next);
        if (!store_.commit(batch_of(record), store::Sync::yes)) return {};
        policy_ = std::move(next);
        record_ = std::move(record);
        next_catch_up_ = now + kHour;
    }
    return serial < policy_.serial() ? record_ : Bytes{};
}

v1::SignedPolicy PolicyBook::now() const {
    const std::lock_guard lock(mutex_);
    return policy_;
}

}  // namespace nimes::gateway::directory
