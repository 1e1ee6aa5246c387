// The policy that the gateway tells: obeyed at once, kept behind the door, or beside it while that is locked.
#include "engine/core.hpp"
#include "media/sealed_file.hpp"

namespace nimes::agent::engine {
namespace {

// A clock that runs ahead at the gateway must not freeze policy for years: serials are times.
constexpr Millis kMostAhead = 30 * kDay;
constexpr Millis kAnyTime = ~Millis{0};
constexpr std::size_t kMaxRecord = 17'000;  // bytes: 16,384 and what signs them

std::filesystem::path file_of(const container::Container& box) { return box.home() / "policy"; }

// Nothing of it is secret, and a change of it shows.
Bytes read_beside(const container::Container& box) {
    auto file = media::File::read(file_of(box));
    if (!file) return {};
    Bytes out(kMaxRecord);
    const auto got = file->read(out);
    out.resize(got ? *got : 0);
    return out;
}

}  // namespace

Result<void> Core::take_policy(ByteView record) {
    if (!provisioning || !enrolled()) return fail(Errc::not_enrolled);
    auto policy = Policy::open(record, provisioning->keys, provisioning->policy.serial, now() + kMostAhead);
    if (!policy) {
        if (policy.error().code != Errc::exists) told_policy.refused = policy.error();
        told_policy.forged = told_policy.forged || policy.error().code == Errc::signature_invalid;
        settle_policy();
        return pass(policy);
    }
    provisioning->policy = std::move(*policy);
    door.policy = to_bytes(record);
    told_policy = {};
    told_policy.unstored = true;
    if (box->state() != container::State::open) (void)media::write_durably(file_of(*box), record);
    settle_policy();
    changed.notify_all();
    return {};
}

// It is obeyed in any case; a full disk only puts this off.
void Core::settle_policy() {
    if (box->state() != container::State::open) return;
    if (told_policy.unstored && store_door()) {
        told_policy.unstored = false;
        std::error_code ignored;
        std::filesystem::remove(file_of(*box), ignored);
    }
    if (told_policy.forged && !told_policy.alarmed)
        told_policy.alarmed = transact([&](container::Transaction& tx) {
                                  return raise_alarm(tx,
                                                     "the gateway told a policy that no administrator signed: tell an "
                                                     "administrator");
                              }).has_value();
}

// The newest of what is behind the door, beside it, and was heard by this process. Of an administrator's key that is
// pinned no more, the provisioning file's counts again.
void Core::find_policy(const Bytes& heard) {
    const auto stored = std::exchange(door.policy, Bytes{});
    const auto beside = read_beside(*box);
    for (const auto* record : {&stored, &beside, &heard}) {
        if (record->empty()) continue;
        auto policy = Policy::open(*record, provisioning->keys, provisioning->policy.serial, kAnyTime);
        if (!policy) continue;
        provisioning->policy = std::move(*policy);
        door.policy = *record;
    }
    told_policy.unstored = door.policy != stored;
}

ContentRules Core::rules() const {
    const auto* own_entry = directory && enrolled() ? directory->find(own().user) : nullptr;
    std::optional<std::string> unit;
    if (own_entry != nullptr && own_entry->person) unit = own_entry->person->unit;
    return provisioning->policy.rules_for(unit);
}

}  // namespace nimes::agent::engine
