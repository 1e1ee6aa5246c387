// The directory as a thin client holds it: one head, the heads before it, and the entries it has looked up, each proven
// (FORMATS.md 2.11).
//
// Nothing the gateway says is believed: a head follows from the one held or is a fork, an entry is in the map of the
// head held or is refused, and a revocation seen once is never unseen. State changes only by the functions below; what
// is to be stored is asked for with encode_*. Threads: one at a time. Times are the agent's time for admitting. Errors:
// Errc::directory_fork (keep the answer as evidence, raise the alarm), proof_invalid (the same, for an entry),
// head_stale, malformed, signature_invalid, not_found (proven absent).
#pragma once

#include <map>
#include <optional>
#include <unordered_map>

#include "nimes/entry.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/v1/directory.pb.h"

namespace nimes::agent::directory {

struct PersonInfo {
    UserId user;
    std::string name, rank, unit, address;
    std::uint64_t seq = 0;  // rises with each record that EA signs for the user
};

struct DeviceKeys {
    std::uint32_t dev_no = 0;
    std::vector<SealKey> keys;
    std::uint32_t batch_floor = 0;  // highest batch seen
    Millis first_seen = 0;
};

struct HeldEntry {
    DirectoryEntry entry;
    std::optional<PersonInfo> person;
    std::map<DeviceId, DeviceKeys> devices;
    std::uint64_t revision = 0;  // of the head it was proven under
    Millis fetched = 0;
    Millis known_since = 0;  // when the user was looked up first

    // The seal key of today, of a record that is fresh and of the newest batch; nullptr: the device is stale.
    [[nodiscard]] const SealKey* seal_key(const DeviceId& device, Millis now) const;
    [[nodiscard]] Bytes encode() const;
};

struct KnownHead {
    Digest hash;
    Millis ts = 0;
};

struct HeadStep {
    bool moved = false;
    std::vector<UserId> changed;
    bool too_many = false;
};

class HeldDirectory {
  public:
    HeldDirectory(OrgKeys keys, ByteView address_secret32, const DirectoryHead& start);

    [[nodiscard]] const OrgKeys& keys() const { return keys_; }
    [[nodiscard]] const DirectoryHead& head() const { return head_; }
    [[nodiscard]] bool head_fresh(Millis now) const { return now < head_.ts + kDay; }
    [[nodiscard]] std::optional<KnownHead> known(std::uint64_t revision) const;
    // A head that a grant or event names: verified, failed, or not known yet.
    enum class Named : std::uint8_t { unknown, verified, failed };
    [[nodiscard]] Named judge_named(std::uint64_t revision, const Digest& hash) const;
    // The same for a record made at `created`: a head more than 24 h 10 min older than its record fails (rule R6).
    [[nodiscard]] Named judge_named(std::uint64_t revision, const Digest& hash, Millis created) const;
    // Two signed heads of one revision were seen: no newer head is taken until a provisioning file decides.
    [[nodiscard]] bool forked() const { return forked_; }

    Result<HeadStep> take_head(const v1::HeadAnswer& answer, Millis local_now);
    Result<void> take_old_head(const v1::OldHeadAnswer& answer, std::uint64_t revision);
    // An entry asked for by user, under the head held. Errc::not_found when it is proven absent.
    Result<const HeldEntry*> take_user(const v1::Entry& entry, const UserId& asked, Millis now);
    Result<const HeldEntry*> take_address(const v1::Entry& entry, const Digest& asked, Millis now);
    // An entry as the map of an older, verified head had it; nothing is kept of it. Errc::not_found: proven absent
    // there.
    [[nodiscard]] Result<DirectoryEntry> entry_under(const v1::LookupAnswer& answer, const UserId& asked,
                                                     std::uint64_t revision) const;
    [[nodiscard]] const HeldEntry* find(const UserId& user) const;
    [[nodiscard]] const std::unordered_map<UserId, HeldEntry>& entries() const { return entries_; }

    [[nodiscard]] Bytes encode_head() const { return head_.encode(); }
    // From the container: proven once, kept sealed since. Heads in any order; the newest stays.
    Result<void> restore_head(ByteView head160);
    void restore_known(std::uint64_t revision, const KnownHead& known) { known_[revision] = known; }
    Result<void> restore_entry(ByteView bytes);

    void restore_fork() { forked_ = true; }

    [[nodiscard]] Digest address_hash(const std::string& normalised) const;

  private:
    [[nodiscard]] Result<DirectoryEntry> proven(const v1::Entry& in, const UserId& user,
                                                const DirectoryHead& head) const;
    [[nodiscard]] Result<DirectoryEntry> judge(const v1::Entry& in, const UserId& user, Millis now) const;
    const HeldEntry* accept(DirectoryEntry entry, const v1::Entry& in, Millis now);
    void take_devices(HeldEntry& into, const v1::Entry& from, Millis now) const;
    void take_person(HeldEntry& into, const v1::Entry& from) const;
    void remember(const DirectoryHead& head);
    [[nodiscard]] bool contradicts(const DirectoryHead& head) const;

    const OrgKeys keys_;
    const Key address_secret_;
    DirectoryHead head_;
    bool forked_ = false;
    std::map<std::uint64_t, KnownHead> known_;
    std::unordered_map<UserId, HeldEntry> entries_;
};

// A person record counts only for the address that the entry carries; where every device is revoked, it carries none.
std::optional<PersonInfo> open_person_for(const DirectoryEntry& entry, ByteView record, const OrgKeys& keys,
                                          const HeldDirectory& directory);

}  // namespace nimes::agent::directory
