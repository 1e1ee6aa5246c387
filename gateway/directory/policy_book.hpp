// The organisation's policy as handsets are told it: signed by the administrator key, stored, anew whenever it says
// something else than before (FORMATS.md 2.2, 3.2).
//
// Serials rise, also over a store that was put back to an older copy: each is at least the time at which it was signed,
// and a handset that holds a later one than the store's has it signed once more, at most once an hour. In the store:
// family `directory`, partition "policy", `p` = the signed record. Threads: any. Ownership: store, secrets and clock
// must outlive it. Errors: Errc::bad_config (too long: handsets would not take it), storage.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "directory/org_keys.hpp"
#include "nimes/time.hpp"
#include "nimes/v1/provisioning.pb.h"
#include "store/store.hpp"

namespace nimes::gateway::directory {

struct PolicyWish {
    v1::Policy policy;
    v1::Pilot pilot;
};

class PolicyBook {
  public:
    PolicyBook(store::Store& store, const OrgSecrets& secrets, const Clock& clock)
        : store_(store), secrets_(secrets), clock_(clock) {}

    // What handsets shall be told from now on. If it is not what they were told last, it is signed and handed to
    // `commit`, its record in a batch: the audit's entry goes with it. Answers whether it was.
    using Commit = std::function<Result<void>(const store::Batch& record, const v1::SignedPolicy& policy)>;
    Result<bool> tell(const PolicyWish& wish, const Commit& commit);
    // The signed record, for who holds this serial; empty: it is the newest.
    [[nodiscard]] Bytes newer_than(std::uint64_t serial);
    [[nodiscard]] v1::SignedPolicy now() const;

  private:
    [[nodiscard]] Bytes sign(const v1::SignedPolicy& policy) const;
    // As handsets read it, by the key of now; nullopt: they would not take it.
    [[nodiscard]] std::optional<v1::SignedPolicy> read(ByteView record) const;
    [[nodiscard]] std::uint64_t serial_after(std::uint64_t held) const;

    store::Store& store_;
    const OrgSecrets& secrets_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    v1::SignedPolicy policy_;
    Bytes record_;
    Millis next_catch_up_ = 0;
};

}  // namespace nimes::gateway::directory
