// The whole directory, checked once: a dump that comes piece by piece must be the map of a head that this device
// verified, and its people are compared with the roster (FORMATS.md 2.11.7).
//
// feed() takes what the network brings; finish() says whether it was the truth. Memory: a hash for each address.
// Threads: one at a time. Errors: Errc::malformed, proof_invalid (the directory lies: raise the alarm).
#pragma once

#include <set>

#include "directory/held_directory.hpp"
#include "nimes/directory_dump.hpp"

namespace nimes::agent::directory {

struct AuditReport {
    std::uint64_t revision = 0;
    Millis ts = 0;
    std::size_t people = 0;                    // with an entry
    std::size_t reachable = 0;                 // with a device that is not revoked
    bool compared = false;                     // with a roster
    std::vector<Digest> strangers;             // addresses of the directory that the roster does not have
    std::vector<std::string> without_devices;  // of the roster, and not in the directory
};

class Audit {
  public:
    // Of the revision whose verified head has this hash.
    explicit Audit(const Digest& head_hash) : head_hash_(head_hash) {}
    Audit(const Audit&) = delete;
    Audit& operator=(const Audit&) = delete;

    Result<void> feed(ByteView bytes) { return reader_.feed(bytes); }
    Result<AuditReport> finish();
    // Normalised addresses, as the organisation has them.
    void compare(AuditReport& report, std::span<const std::string> roster, const HeldDirectory& directory) const;
    // At most this long for a head's count of leaves.
    [[nodiscard]] static std::uint64_t most_bytes(const DirectoryHead& head);

  private:
    Result<void> take(const MapLeaf& leaf);

    const Digest head_hash_;
    std::size_t people_ = 0;
    std::set<Digest> addresses_;
    DumpReader reader_{[this](const MapLeaf& leaf) { return take(leaf); }};
};

// Addresses of a roster file: CSV with a column `address` named in its first line, comma or semicolon. Errc::usage.
Result<std::vector<std::string>> roster_addresses(std::string_view text);

}  // namespace nimes::agent::directory
