// One-time codes: eight digits, mailed to a service address, typed back within half an hour and five tries.
//
// Stored as a keyed hash, with tries and end, one for each address; so a copy of the store tells no code, and a restart
// gives no new tries. Layout: LAYOUT.md. Threads: any (one lock). Errors: Errc::code_wrong (also where none was asked
// for, or its time is over), code_exhausted (not for the outside: it says that there is a code), storage.
#pragma once

#include <mutex>

#include "enrolment/ports.hpp"
#include "nimes/crypto.hpp"
#include "store/store.hpp"

namespace nimes::gateway::enrolment {

class Codes {
  public:
    // `pepper` keys the hashes; it lies apart from the store.
    Codes(store::Store& store, Key pepper, RandomSource& random, const Policy& policy)
        : store_(store), pepper_(std::move(pepper)), random_(random), policy_(policy) {}

    // Replaces an earlier code of this address.
    Result<std::string> issue(const ServiceAddress& address, Millis now);
    // The same work, lock and write for an address that gets none: what runs beside it must not feel a difference.
    Result<void> pretend(const ServiceAddress& address);
    // Right: the code is used up by this identity key, which may repeat its request (a lost answer) until the code
    // ends.
    Result<void> redeem(const ServiceAddress& address, std::string_view typed, const PublicKey& identity, Millis now);
    Result<void> expire(Millis now);

  private:
    Result<std::string> put_new(const std::string& key, const ServiceAddress& address, Millis ends);
    Digest hash_of(const ServiceAddress& address, std::string_view code) const;

    store::Store& store_;
    const Key pepper_;
    RandomSource& random_;
    const Policy& policy_;
    std::mutex mutex_;
};

// The eight digits of what a person typed: spaces and hyphens do not count. "" when it is no code.
std::string digits_of(std::string_view typed);

}  // namespace nimes::gateway::enrolment
