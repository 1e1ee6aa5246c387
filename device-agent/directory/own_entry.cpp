#include "directory/own_entry.hpp"

namespace nimes::agent::directory {

OwnEntryVerdict check_own_entry(const DirectoryEntry& entry, const DeviceCert& own, const std::set<DeviceId>& known) {
    OwnEntryVerdict out;
    const auto* there = entry.cert(own.device);
    out.missing = there == nullptr || there->encode() != own.encode();
    out.revoked = entry.revoke(own.device);
    for (const auto& cert : entry.certs)
        if (cert.device != own.device && !known.contains(cert.device)) out.unknown.push_back(&cert);
    return out;
}

}  // namespace nimes::agent::directory
