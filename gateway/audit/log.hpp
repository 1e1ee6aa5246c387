// The audit: who did what to whom, when and why, one entry an act, each bound to the one before by its hash
// (FORMATS.md 3.7). Entries are added and never changed; the store has no way here to erase one.
//
// write() joins an entry with the act itself: the act is handed the entry's batch and commits it before its own in one
// commit(), so that neither is on disk without the other (RocksDB), or at least no act without its entry (any store).
// What cannot be done in one commit is written before it is begun, and once more if it failed.
// Threads: any; acts come one after the other. Ownership: store and clock must outlive it. Errors: Errc::storage (also
// when the stored end is not what its own head says), storage_conflict, and whatever the act answers.
#pragma once

#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "store/store.hpp"

namespace nimes::gateway::audit {

struct Act {
    std::string who;   // "uid 998 login 1001", "device abc…", "gateway"
    std::string what;  // "revoke", "unit create", …
    nlohmann::ordered_json whom = nlohmann::ordered_json::object();
    std::string why;  // in the words of who did it; may be empty
};

// Of the newest entry. An export is worth what an earlier head, kept elsewhere, says of it.
struct Head {
    std::uint64_t seq = 0;  // 0: no entry yet, and a hash of zeros
    Digest hash;
    bool operator==(const Head&) const = default;
};

// Hash of an entry: SHA-256 of its line, without the line's end.
Digest hash_of(std::string_view line);
std::string line_of(const Act& act, const Head& before, Millis now);
// The last line of an export.
std::string head_line(const Head& head, Millis now);

class Log {
  public:
    static Result<std::unique_ptr<Log>> open(store::Store& store, const Clock& clock);

    // `act` takes the entry's batch, commits it first with its own in one commit(), and answers a Result. An act that
    // finds that nothing is to be done commits nothing, and leaves no entry.
    template <class Do>
    auto write(const Act& act, const Do& commit) -> std::invoke_result_t<Do, const store::Batch&> {
        const std::lock_guard lock(mutex_);
        auto done = commit(next(act));
        if (auto ok = settle(); !ok && done) return pass(ok);
        return done;
    }
    // An entry alone, on disk when this returns.
    Result<void> write(const Act& act);

    [[nodiscard]] Head head() const;
    // Lines from entry `from` on, byte for byte, at most `limit`.
    Result<std::vector<std::string>> read(std::uint64_t from, std::size_t limit) const;

  private:
    Log(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
    [[nodiscard]] store::Batch next(const Act& act);
    Result<void> settle();

    store::Store& store_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    Head head_;
    Head wanted_;  // once the entry that next() made is there
};

}  // namespace nimes::gateway::audit
