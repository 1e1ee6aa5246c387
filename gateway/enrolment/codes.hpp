// One-time codes and the tries they have left, in the store: a restart forgets neither.
//
// An address that nobody may enrol under gets a record as well, with a code that nobody knows: wrong codes are counted
// and answered alike for everybody. Records name an address by a keyed hash and hold a code by another; without the key
// they say nothing. Every try is on disk before it is answered, so parallel guesses share the tries.
// Threads: any. Errors: Errc::code_wrong, code_exhausted, rate_limited (issue), storage.
#pragma once

#include "enrolment/limits.hpp"
#include "nimes/crypto.hpp"
#include "nimes/service_address.hpp"
#include "store/store.hpp"

namespace nimes::gateway::enrolment {

using TicketId = Id<struct TicketTag, 16>;

struct CodeRules {
    Millis life = 30 * kMinute;
    std::uint32_t tries = 5;
    Rate per_address{5, 10 * kMinute};  // codes
};

// The key of the hashes: from a secret of the organisation that is not in the store.
Key code_key(const SigningKey& ea);

class Codes {
  public:
    Codes(store::Store& store, const Clock& clock, RandomSource& random, Key key, CodeRules rules)
        : store_(store), clock_(clock), random_(random), key_(std::move(key)), rules_(rules) {}

    // Eight digits; the address's former code is void. With `decoy`, all the same but that nobody can know the code.
    Result<std::string> issue(const ServiceAddress& address, bool decoy);

    // What the right code leads to, remembered so that a lost answer can be asked for again with the same key.
    struct Grant {
        TicketId ticket;
        bool repeated = false;  // this code and key were here before: the ticket is the one of then
    };
    // One try. The right code is used up by the first identity key that comes with it, and then leads to `fresh`.
    Result<Grant> redeem(const ServiceAddress& address, std::string_view code, const PublicKey& identity,
                         const TicketId& fresh);

    // Removes records that are over.
    Result<void> sweep();

  private:
    struct Record;
    [[nodiscard]] store::Partition partition(const ServiceAddress& address) const;
    [[nodiscard]] Digest code_hash(const ServiceAddress& address, std::string_view code, const Digest& salt) const;
    std::string new_code();

    store::Store& store_;
    const Clock& clock_;
    RandomSource& random_;
    const Key key_;
    const CodeRules rules_;
};

}  // namespace nimes::gateway::enrolment
