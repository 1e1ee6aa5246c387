#include "directory/level.hpp"

#include <algorithm>

namespace nimes::agent::directory {
namespace {

bool is_scanned(const DirectoryEntry& entry, const DeviceId& device, const ScannedDevices& scanned) {
    const auto at = scanned.find(device);
    return at != scanned.end() && at->second.user == entry.user;
}

// A handset that was replaced had vouched for the next one honestly; of one that was lost or stolen nobody knows who
// did.
bool voucher_counts(const DirectoryEntry& entry, const DeviceCert& cert, const ScannedDevices& scanned) {
    if (cert.admission != Admission::vouched || !is_scanned(entry, cert.voucher, scanned)) return false;
    const auto* revoke = entry.revoke(cert.voucher);
    return revoke == nullptr || revoke->reason == RevokeReason::replaced;
}

}  // namespace

Bytes Scanned::encode() const {
    Writer out;
    out.id(user).u64(at);
    for (const auto& device : beside) out.id(device);
    return std::move(out).take();
}

Result<Scanned> Scanned::parse(ByteView bytes) {
    Reader in(bytes);
    Scanned out;
    out.user = in.id<UserId>();
    out.at = in.u64();
    while (in.left() > 0) out.beside.insert(in.id<DeviceId>());
    if (!in.done()) return fail(Errc::malformed, "a scanned device");
    return out;
}

DeviceTrust trust_of(const HeldEntry& held, const DeviceId& device, const ScannedDevices& scanned) {
    const auto* cert = held.entry.cert(device);
    if (cert == nullptr) return {};
    if (is_scanned(held.entry, device, scanned) || voucher_counts(held.entry, *cert, scanned)) return {3, false};
    bool any = false, seen = false;
    for (const auto& [other, scan] : scanned) {
        if (scan.user != held.entry.user) continue;
        any = true;
        seen = seen || scan.beside.contains(device);
    }
    return {held.person ? 2 : 1, any && !seen};
}

PersonTrust trust_of(const HeldEntry& held, const ScannedDevices& scanned, Millis now) {
    const int most = 3, base = held.person ? 2 : 1;
    const auto active = held.entry.active_devices(now);
    PersonTrust out{active.empty() ? base : most, 0};
    for (const auto* cert : active) {
        const auto trust = trust_of(held, cert->device, scanned);
        out.level = std::min(out.level, trust.level);
        out.new_devices += trust.is_new ? 1 : 0;
    }
    return out;
}

}  // namespace nimes::agent::directory
