#include "engine/sync.hpp"

#include <algorithm>
#include <set>

#include "directory/own_entry.hpp"
#include "engine/monitor.hpp"
#include "engine/trust.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr std::size_t kAtOnce = 64;
constexpr std::string_view kNotBorneOut = "the directory showed an entry that its own head does not bear out";

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

// What is held serves offline; a server's refusal or a failed proof does not.
bool passing(const Error& error) {
    return error.code == Errc::offline || error.code == Errc::timed_out || error.code == Errc::unavailable;
}

}  // namespace

Result<void> Sync::alarmed(const Error& error, std::string_view text) {
    auto ok = core_.transact([&](Transaction& tx) { return core_.raise_alarm(tx, text); });
    if (!ok) return ok;
    return fail(error.code, error.detail);
}

// Two signed heads of one revision: the other one is kept as evidence, and what was seen survives a restart.
Result<void> Sync::forked(const Error& error, const std::string& head) {
    auto ok = core_.transact([&](Transaction& tx) -> Result<void> {
        if (core_.directory->forked()) {
            auto known = tx.get(Table::settings, setting_key(setting::kFork));
            if (!known) return pass(known);
            if (*known) return {};  // told already
            auto put = tx.put(Table::settings, setting_key(setting::kFork), as_bytes(head));
            if (!put) return pass(put);
        }
        return core_.raise_alarm(tx, "the directory shows two histories: tell an administrator");
    });
    if (!ok) return ok;
    return fail(error.code, error.detail);
}

Result<void> Sync::take_head(const v1::HeadAnswer& answer) {
    auto step = core_.directory->take_head(answer, core_.clock.now());
    if (!step && step.error().code == Errc::directory_fork) return forked(step.error(), answer.head());
    if (!step) return pass(step);
    core_.mark_changed(step->changed, step->too_many);
    // What did not get to the disk last time gets there now.
    if (!step->moved && core_.stored_head >= core_.directory->head().revision) return {};
    return core_.transact([&](Transaction& tx) { return core_.put_head(tx); });
}

Result<void> Sync::take(const v1::LookupAnswer& answer, const std::vector<UserId>& asked) {
    if (auto ok = take_head(answer.head()); !ok) return ok;
    if (static_cast<std::size_t>(answer.entries_size()) != asked.size())
        return fail(Errc::malformed, "not as many entries as asked for");
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const auto entry = core_.directory->take_user(answer.entries(static_cast<int>(i)), asked[i], core_.now());
        core_.wanted_users.erase(asked[i]);
        if (!entry && entry.error().code == Errc::not_found) {
            core_.stale.erase(asked[i]);
            continue;
        }
        if (!entry) return alarmed(entry.error(), kNotBorneOut);
        if (auto ok = core_.transact([&](Transaction& tx) { return core_.put_entry(tx, **entry); }); !ok) return ok;
        core_.stale.erase(asked[i]);
        if (asked[i] == core_.own().user) {
            Monitor::seen(core_, (*entry)->revision);
            if (auto ok = judge_own_devices(core_, (*entry)->entry); !ok) return ok;
        }
        for (const auto& info : answer.entries(static_cast<int>(i)).devices())
            if (as_bytes(info.device()).size() == DeviceId::size &&
                DeviceId::from(as_bytes(info.device())) == core_.own().device)
                core_.one_time_left = info.one_time_left();
    }
    if (core_.stale == core_.stored_stale) return {};
    return core_.transact([&](Transaction& tx) { return core_.put_stale(tx); });
}

Result<void> Sync::look_up(Lock& lock, const std::vector<UserId>& users) {
    for (std::size_t at = 0; at < users.size(); at += kAtOnce) {
        const std::vector<UserId> some(
            users.begin() + static_cast<std::ptrdiff_t>(at),
            users.begin() + static_cast<std::ptrdiff_t>(std::min(users.size(), at + kAtOnce)));
        v1::LookupRequest request;
        for (const auto& user : some) request.add_users(raw(user.view()));
        request.set_held_revision(core_.directory->head().revision);
        lock.unlock();
        const auto answer = network_.lookup(request);
        lock.lock();
        if (!answer) return fail(answer.error().code, answer.error().detail);
        if (auto ok = take(*answer, some); !ok) return ok;
    }
    return {};
}

Result<void> Sync::bring_up(Lock& lock, const std::vector<UserId>& users) {
    const auto now = core_.now();
    std::vector<UserId> due;
    for (const auto& user : users) {
        const auto* held = core_.directory->find(user);
        const bool fresh = held != nullptr && now < held->fetched + kDay / 2 && utc_day(held->fetched) == utc_day(now);
        if (!fresh || core_.stale.contains(user)) due.push_back(user);
    }
    if (due.empty() && core_.directory->head_fresh(now)) return {};
    if (due.empty()) due.push_back(core_.own().user);
    const auto looked = look_up(lock, due);
    if (looked) return {};
    if (!passing(looked.error())) return looked;
    // Without network: what is held must be proven, of a head of today, and not known to have moved.
    const bool serves =
        core_.directory->head_fresh(core_.now()) && std::all_of(users.begin(), users.end(), [&](const UserId& user) {
            return core_.directory->find(user) != nullptr && !core_.stale.contains(user);
        });
    return serves ? Result<void>{} : looked;
}

Result<UserId> Sync::by_address(Lock& lock, const std::string& address) {
    const auto hash = core_.directory->address_hash(address);
    if (hash.is_zero()) return fail(Errc::bad_address);
    v1::LookupRequest request;
    request.add_address_hashes(raw(hash.view()));
    request.set_held_revision(core_.directory->head().revision);
    lock.unlock();
    const auto answer = network_.lookup(request);
    lock.lock();
    if (!answer) return fail(answer.error().code, answer.error().detail);
    if (auto ok = take_head(answer->head()); !ok) return pass(ok);
    if (answer->entries_size() != 1) return fail(Errc::malformed, "not the entry asked for");
    const auto entry = core_.directory->take_address(answer->entries(0), hash, core_.now());
    if (!entry && entry.error().code == Errc::not_found) return fail(Errc::not_found);
    if (!entry) {
        const auto told = alarmed(entry.error(), kNotBorneOut);
        return fail(told.error().code, told.error().detail);
    }
    const auto user = (*entry)->entry.user;
    if (auto ok = core_.transact([&](Transaction& tx) { return core_.put_entry(tx, **entry); }); !ok) return pass(ok);
    return user;
}

Result<void> Sync::run(Lock& lock) {
    if (auto ok = look_up(lock, {core_.own().user}); !ok) return ok;
    if (auto ok = judge_own_entry(); !ok) return ok;
    return keys_.run(lock);
}

Result<void> Sync::judge_own_entry() {
    const auto* held = core_.directory->find(core_.own().user);
    if (held == nullptr)
        return alarmed({Errc::proof_invalid, "own entry"}, "the directory does not show this device's own entry");
    const auto verdict = directory::check_own_entry(held->entry, core_.own(), core_.known_own_devices);
    if (verdict.revoked != nullptr) {
        auto ok = note_own_revocation(core_);
        return ok ? fail(Errc::device_revoked) : std::move(ok);
    }
    if (verdict.missing)
        return alarmed({Errc::proof_invalid, "own entry"}, "the directory shows another certificate for this device");
    return {};
}

// Asked for on top of what bring_up() brought: not every message opens a chain.
void Sync::fetch_one_time(Lock& lock, const std::vector<const DeviceCert*>& certs) {
    if (core_.clock.boot() < next_one_time_) return;
    v1::LookupRequest request;
    request.set_held_revision(core_.directory->head().revision);
    std::set<UserId> asked;
    std::map<DeviceId, UserId> devices;
    for (const auto* cert : certs) {
        asked.insert(cert->user);
        devices[cert->device] = cert->user;
        request.add_one_time_for(raw(cert->device.view()));
    }
    const std::vector<UserId> users(asked.begin(), asked.end());
    for (const auto& user : users) request.add_users(raw(user.view()));
    lock.unlock();
    const auto answer = network_.lookup(request);
    lock.lock();
    // What did not answer now would not answer the next message either.
    if (!answer) next_one_time_ = core_.clock.boot() + kMinute;
    if (!answer || !take(*answer, users)) return;
    for (const auto& entry : answer->entries())
        for (const auto& info : entry.devices()) {
            const auto key = SealKey::parse(as_bytes(info.one_time_key()));
            const auto owner = key ? devices.find(key->device) : devices.end();
            const auto* held = owner != devices.end() ? core_.directory->find(owner->second) : nullptr;
            const auto* cert = held != nullptr ? held->entry.cert(key->device) : nullptr;
            if (cert == nullptr) continue;
            (void)core_.one_time.put(*key, key->device, cert->identity, held->devices.at(key->device).batch_floor,
                                     core_.now());
        }
}

bool Sync::fetch_wanted(Lock& lock) {
    bool came = false;
    if (core_.wanted_newest_head || !core_.wanted_users.empty()) {
        core_.wanted_newest_head = false;
        auto users = std::vector<UserId>(core_.wanted_users.begin(), core_.wanted_users.end());
        if (users.empty()) users.push_back(core_.own().user);
        came = look_up(lock, users).has_value();
    }
    const auto heads = core_.wanted_heads;
    for (const auto revision : heads) {
        const auto under = core_.directory->head().revision;
        if (revision > under) continue;
        lock.unlock();
        const auto answer = network_.old_head(revision, under);
        lock.lock();
        if (!answer) continue;
        core_.wanted_heads.erase(revision);
        const auto taken = core_.directory->take_old_head(*answer, revision);
        if (!taken && core_.directory->forked()) (void)forked(taken.error(), answer->head());
        else if (!taken) (void)alarmed(taken.error(), "an older directory head does not fit the newest");
        came = came || taken;
    }
    return came;
}

}  // namespace nimes::agent::engine
