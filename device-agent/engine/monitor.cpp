#include "engine/monitor.hpp"

#include "engine/put_back.hpp"
#include "engine/trust.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr std::string_view kSetting = "monitor";  // n × (revision u64 ‖ waiting since u64; 0: seen)

Result<void> put(const Core& core, Transaction& tx) {
    Writer out;
    for (const auto& [revision, since] : core.monitored) out.u64(revision).u64(since);
    auto stored = tx.put(Table::settings, setting_key(kSetting), out.view());
    if (!stored) return pass(stored);
    return {};
}

// A question that waits stays: to push it out would keep its alarm away.
void bound(Core& core) {
    for (auto at = core.monitored.begin(); core.monitored.size() > Monitor::kRevisions && at != core.monitored.end();)
        at = at->second == 0 ? core.monitored.erase(at) : std::next(at);
}

}  // namespace

Result<void> Monitor::load(Core& core, Transaction& tx) {
    auto row = tx.get(Table::settings, setting_key(kSetting));
    if (!row) return pass(row);
    if (!*row) return {};
    for (Reader in((*row)->value); in.left() > 0;) {
        const auto revision = in.u64();
        core.monitored[revision] = in.u64();
    }
    return {};
}

Result<void> Monitor::note(Core& core, Transaction& tx, std::uint64_t revision) {
    const auto head = core.directory->known(revision);
    if (!head || head->ts + kLooksBack < core.now() || core.monitored.contains(revision)) return {};
    put_back_if_lost(tx, core.monitored);
    core.monitored[revision] = core.now();
    bound(core);
    return put(core, tx);
}

void Monitor::seen(Core& core, std::uint64_t revision) {
    core.monitored[revision] = 0;
    bound(core);
}

Result<void> Monitor::run(Lock& lock) {
    std::vector<std::pair<std::uint64_t, Millis>> due;
    for (const auto& item : core_.monitored)
        if (item.second != 0 && due.size() < kAtOnce) due.push_back(item);
    for (const auto& [revision, since] : due) {
        const auto own = core_.own().user;
        v1::LookupRequest request;
        request.add_users(std::string(as_text(own.view())));
        request.set_held_revision(core_.directory->head().revision);
        request.set_under_revision(revision);
        lock.unlock();
        const auto answer = network_.lookup(request);
        lock.lock();
        if (!answer) {
            if (core_.now() < since + kPatience) return {};
            auto ok = done(revision,
                           "the directory does not say for a day what it showed others of your devices: ask your "
                           "administrator");
            if (!ok) return ok;
            continue;
        }
        const auto entry = core_.directory->entry_under(*answer, own, revision);
        // Nothing was sealed to this device before its sender saw it: it is in every head that a grant to it names.
        const bool there = entry && entry->cert(core_.own().device) != nullptr;
        auto ok = there ? judge(revision, *entry)
                        : done(revision,
                               "the directory does not bear out that the head which it showed others has this device: "
                               "tell an administrator");
        if (!ok) return ok;
    }
    return {};
}

Result<void> Monitor::judge(std::uint64_t revision, const DirectoryEntry& entry) {
    if (auto ok = judge_own_devices(core_, entry); !ok) return ok;
    const auto* held = core_.directory->find(core_.own().user);
    if (held == nullptr) return done(revision);
    const bool older = revision <= held->revision;
    const auto fits =
        older ? check_successor(entry, held->entry, core_.now()) : check_successor(held->entry, entry, core_.now());
    return done(revision, fits ? std::string_view()
                               : "the directory showed others another list of your devices than it shows you: tell an "
                                 "administrator");
}

Result<void> Monitor::done(std::uint64_t revision, std::string_view alarm) {
    return core_.transact([&](Transaction& tx) -> Result<void> {
        put_back_if_lost(tx, core_.monitored);
        core_.monitored[revision] = 0;
        if (!alarm.empty())
            if (auto ok = core_.raise_alarm(tx, alarm); !ok) return ok;
        return put(core_, tx);
    });
}

}  // namespace nimes::agent::engine
