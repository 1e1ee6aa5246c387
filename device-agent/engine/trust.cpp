#include "engine/trust.hpp"

#include <ctime>

#include "directory/own_entry.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using directory::Scanned;

constexpr std::string_view kOwnAlarms = "own-alarms";  // n × (dev16 ‖ u64 row of the alarm)

std::string day_text(Millis at) {
    const auto seconds = static_cast<std::time_t>(at / kSecond);
    std::tm parts{};
    char out[32] = "an unknown day";
    if (gmtime_r(&seconds, &parts) != nullptr) (void)std::strftime(out, sizeof out, "%F %R UTC", &parts);
    return out;
}

std::string alarm_text(const DeviceCert& cert, bool revoked) {
    return "a further device of yours is in the directory: " + to_text(cert.device) + ", platform " +
           std::to_string(cert.platform) + ", valid from " + day_text(cert.not_before) +
           (revoked ? "; it is revoked already: ask your administrator what it was" : "");
}

// Known devices and open alarms as they become: in memory once they are stored.
struct OwnDevices {
    std::set<DeviceId> known;
    std::map<DeviceId, std::uint64_t> open;

    Result<void> put(Transaction& tx) const {
        Writer names, alarms;
        for (const auto& device : known) names.id(device);
        for (const auto& [device, row] : open) alarms.id(device).u64(row);
        if (auto done = tx.put(Table::settings, setting_key(setting::kOwnDevices), names.view()); !done)
            return pass(done);
        auto done = tx.put(Table::settings, setting_key(kOwnAlarms), alarms.view());
        if (!done) return pass(done);
        return {};
    }
};

Result<void> change(Core& core, const std::function<Result<void>(Transaction&, OwnDevices&)>& how) {
    OwnDevices next{core.known_own_devices, core.own_alarms};
    auto stored = core.transact([&](Transaction& tx) -> Result<void> {
        if (auto ok = how(tx, next); !ok) return ok;
        return next.put(tx);
    });
    if (!stored) return stored;
    core.known_own_devices = std::move(next.known);
    core.own_alarms = std::move(next.open);
    core.changed.notify_all();
    return {};
}

}  // namespace

Result<void> load_trust(Core& core, Transaction& tx) {
    auto rows = tx.scan(Table::verified);
    if (!rows) return pass(rows);
    for (const auto& row : *rows) {
        auto scanned = Scanned::parse(row.value);
        if (!scanned || row.key.size() != DeviceId::size) return fail(Errc::malformed, "a scanned device");
        core.scanned.emplace(DeviceId::from(row.key), std::move(*scanned));
    }
    auto alarms = tx.get(Table::settings, setting_key(kOwnAlarms));
    if (!alarms) return pass(alarms);
    if (*alarms)
        for (Reader in((*alarms)->value); in.left() > 0;) {
            const auto device = in.id<DeviceId>();
            core.own_alarms[device] = in.u64();
        }
    return {};
}

directory::DeviceTrust trust_of(const Core& core, const directory::HeldEntry& held, const DeviceId& device) {
    if (held.entry.user != core.own().user) return directory::trust_of(held, device, core.scanned);
    const directory::ScannedDevices self{{core.own().device, {held.entry.user, 0, {}}}};
    return {directory::trust_of(held, device, self).level, core.own_alarms.contains(device)};
}

directory::PersonTrust trust_of(const Core& core, const directory::HeldEntry& held) {
    return directory::trust_of(held, core.scanned, core.now());
}

Result<void> put_scanned(Core& core, const directory::HeldEntry& held, const DeviceId& device) {
    Scanned scanned{held.entry.user, core.clock.now(), {}};
    for (const auto& cert : held.entry.certs) scanned.beside.insert(cert.device);
    auto stored = core.transact([&](Transaction& tx) -> Result<void> {
        auto put = tx.put(Table::verified, device.view(), scanned.encode());
        if (!put) return pass(put);
        return {};
    });
    if (!stored) return stored;
    core.scanned[device] = std::move(scanned);
    return {};
}

Result<void> know_own_device(Core& core, const DeviceId& device) {
    return change(core, [&](Transaction&, OwnDevices& own) -> Result<void> {
        own.known.insert(device);
        own.open.erase(device);
        return {};
    });
}

Result<void> confirm_own_device(Core& core, const DeviceId& device) {
    if (!core.own_alarms.contains(device) && !core.known_own_devices.contains(device))
        return fail(Errc::not_found, "no alarm names this device");
    return know_own_device(core, device);
}

Result<void> judge_own_devices(Core& core, const DirectoryEntry& entry) {
    const auto verdict = directory::check_own_entry(entry, core.own(), core.known_own_devices);
    const auto answered = [&](const DeviceId& device) { return entry.revoke(device) != nullptr; };
    std::vector<const DeviceCert*> moved;
    for (const auto* cert : verdict.unknown)
        if (!core.own_alarms.contains(cert->device) || answered(cert->device)) moved.push_back(cert);
    if (moved.empty()) return {};
    return change(core, [&](Transaction& tx, OwnDevices& own) -> Result<void> {
        for (const auto* cert : moved) {
            const auto* revoke = entry.revoke(cert->device);
            // What was over before this device came is no news to it.
            const bool before = revoke != nullptr && revoke->seq < core.own().seq;
            if (!before && !own.open.contains(cert->device)) {
                auto row = core.append_alarm(tx, alarm_text(*cert, revoke != nullptr));
                if (!row) return pass(row);
                own.open[cert->device] = *row;
            }
            if (revoke == nullptr) continue;
            own.known.insert(cert->device);
            own.open.erase(cert->device);
        }
        return {};
    });
}

Result<void> note_own_revocation(Core& core) {
    core.shut_out = Errc::device_revoked;
    auto ok = core.transact([&](Transaction& tx) -> Result<void> {
        auto put = tx.put(Table::settings, setting_key(setting::kRevoked), Bytes{1});
        if (!put) return pass(put);
        return {};
    });
    core.changed.notify_all();
    return ok;
}

}  // namespace nimes::agent::engine
