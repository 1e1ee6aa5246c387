// Whether this handset's container is open, locked or gone, and why: the rules of FORMATS.md 2.13, "States".
//
// Each contact with the gateway renews the lease of the share; a device that is suspended, revoked, or whose share is
// missing locks at once; one that is not used for a while, too; a lease that is over shuts. The keeper changes the
// container alone; what else the engine holds is put down by whoever calls it, when the container's state has changed.
// Functions want the core's lock; contact() and unlock() let go of it while the network answers. Errors: of Custody,
// and what stands in the way of opening.
#pragma once

#include "engine/core.hpp"
#include "engine/farewell.hpp"

namespace nimes::agent::engine {

// Why the container is not open.
enum class Why : std::uint8_t {
    none,
    awaits_share,   // the passphrase was right, and the gateway has not answered yet
    share_missing,  // the gateway has none
    share_wrong,    // the gateway gave another one
    suspended,
    revoked,
    lease_over,
    idle,
    asked,
    wiped,
};
std::string_view name(Why why);
// What a verb is refused with.
Error refusal(Why why);

class Keeper {
  public:
    // `token` mints one for the gateway, for a farewell.
    Keeper(Core& core, Custody& custody, std::function<Result<std::string>()> token)
        : core_(core), custody_(custody), token_(std::move(token)) {}

    // Opens with the passphrase and, if it is needed and can be had, the share; where that is open already, it is only
    // checked. Success: the passphrase is right.
    Result<void> unlock(Lock& lock, ByteView passphrase, const std::stop_token& stop);
    // The container was unlocked a moment ago: the share comes next.
    Result<void> entered(Lock& lock, const std::stop_token& stop);
    // Asks for the share, and obeys the answer.
    Result<void> contact(Lock& lock, const std::stop_token& stop);
    // OPEN → DOOR.
    void close(Why why);
    // Looks at the clocks, and at what the link heard; asks the gateway when that is due.
    struct Around {
        std::optional<Millis> idle_since;  // boot clock; nullopt while something is done for the person
        bool online = false;               // the network is wanted
        bool refused = false;              // by the broker, behind the door
    };
    void tick(Lock& lock, const Around& around, const std::stop_token& stop);

    [[nodiscard]] Why why() const { return why_; }

  private:
    Result<void> take(Lock& lock, const container::Share& share, const std::stop_token& stop);
    Result<void> renew(const container::Share& share);
    Result<void> adopt(Lock& lock, std::uint32_t number, const std::stop_token& stop);
    Result<void> take_refusal(Lock& lock, const Error& error, const std::stop_token& stop);
    Result<void> say_farewell(Lock& lock, const std::stop_token& stop);
    void wipe(const std::optional<WipeOrder>& order);
    void withhold(Why why);
    [[nodiscard]] const container::LeaseTerms& terms() const { return core_.provisioning->policy.lease; }

    Core& core_;
    Custody& custody_;
    std::function<Result<std::string>()> token_;
    std::mutex contacting_;  // one at a time; taken without the core's lock
    Why why_ = Why::none;
    Millis next_contact_ = 0;             // boot clock
    std::uint64_t contacted_serial_ = 0;  // of the policy that its terms were of
};

}  // namespace nimes::agent::engine
