// Named administrators: who they are, what role they hold where, and the token that proves it.
//
// A token is 32 random bytes, told once when it is made; kept is its hash alone. It counts while the administrator is
// not taken away and the person behind it, who stands on the roster, is not shut out. So whoever shuts out the person
// takes the administrator's rights with them; and so the last owner whose person stands can be neither taken away nor
// shut out: may_remove() and may_shut_out() answer a lock that is held until the act is on disk, so that two acts at
// once cannot each leave the other one's owner as the last.
// Threads: any; reads are served from memory. Take what these two answer before the audit's turn, never within it.
// Ownership: store, people, clock and random source must outlive it. Errors: Errc::malformed, exists, not_found,
// forbidden (the last owner), storage.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"
#include "rights/roles.hpp"
#include "store/store.hpp"

namespace nimes::gateway::rights {

struct Administrator {
    std::string name;     // letters, digits and . _ -, at most 64
    std::string address;  // of a person of the roster
    Role role = Role::auditor;
    std::vector<std::string> units;  // empty: the whole organisation
    std::string made_by;
    Millis made = 0;
    Millis last_used = 0;  // 0: never; to the minute
};

// The people behind administrators; `app` answers from the directory. Threads: any.
class People {
  public:
    virtual ~People() = default;
    enum class Standing : std::uint8_t { unknown, stands, shut_out };
    virtual Standing standing(const std::string& address) const = 0;
};

class Administrators {
  public:
    static Result<std::unique_ptr<Administrators>> open(store::Store& store, const People& people, const Clock& clock,
                                                        RandomSource& random);

    // Answers the token. `row` is committed with the change, before it: the audit's.
    Result<std::string> add(Administrator administrator, const store::Batch& row);
    using Held = std::unique_lock<std::mutex>;
    // Errc::forbidden: the last owner, of those whose person stands.
    Result<Held> may_remove(const std::string& name);
    Result<Held> may_shut_out(const std::set<std::string>& addresses);
    Result<void> remove(const std::string& name, const store::Batch& row);

    // Whose token it is; nullopt: nobody's, or of a person who is shut out. Notes the use.
    std::optional<Administrator> by_token(std::string_view token);
    [[nodiscard]] std::vector<Administrator> all() const;  // by name
    [[nodiscard]] bool is_owner(const std::string& address) const;
    // Has that person rights where this one has none?
    [[nodiscard]] bool reaches_beyond(const std::string& address, const Asker& who) const;

  private:
    struct Kept {
        Administrator administrator;
        Digest token_hash;
    };
    Administrators(store::Store& store, const People& people, const Clock& clock, RandomSource& random)
        : store_(store), people_(people), clock_(clock), random_(random) {}
    Result<void> load();
    void note_use(Administrator& administrator);
    [[nodiscard]] bool owner_is_left(const std::string& without, const std::set<std::string>& shut_out) const;

    store::Store& store_;
    const People& people_;
    const Clock& clock_;
    RandomSource& random_;
    std::mutex keeping_;        // held by may_…() until the act is done; taken first
    mutable std::mutex mutex_;  // what follows; taken last
    std::map<std::string, Kept> by_name_;
    std::map<Digest, std::string> by_token_;  // hash of the token -> name
};

}  // namespace nimes::gateway::rights
