// An order to shut people and devices out, or to let them in again, and how far each of them came. Values; pure.
//
// Suspending can be undone, revoking not; reinstating is an order of its own. Which steps an order has follows from its
// kind. A step counts once the part that does it has confirmed it, and is never done again after that.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "nimes/device_record.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::revocation {

enum class Kind : std::uint8_t { suspend = 1, revoke = 2, reinstate = 3 };
// In the order in which they are begun; those of the broker are confirmed while the others go on. Stored by number.
enum class Step : std::uint8_t {
    recorded,             // in the directory, on disk; a revocation in a signed head
    tokens_refused,       // the gateway takes no token of the device any more
    broker_told,          // the change is on its way to every broker
    broker_obeyed,        // every broker that is there holds it, and has cut the connection
    requests_cut,         // HTTPS requests that ran
    mailbox_destroyed,    // with what waits in it, and the wake-up address
    seal_keys_destroyed,  // nobody is given a key of the device any more
    share_withheld,       // of the device's store key; suspended
    share_deleted,        // the same; revoked
    wipe_ordered,         // lost or stolen
    chains_listed,        // conversations whose members still send under a chain that the device holds
};
inline constexpr std::size_t kSteps = 11;

std::string_view name(Kind kind);
std::string_view name(Step step);
std::string_view name(RevokeReason reason);
std::optional<Kind> kind_of(std::string_view name);
std::optional<RevokeReason> reason_of(std::string_view name);

// A device, or a person: shut out, they enrol nothing new.
struct Subject {
    enum class Kind : std::uint8_t { person = 'p', device = 'd' } kind = Kind::device;
    ByteArray<16> id{};
    auto operator<=>(const Subject&) const = default;

    static Subject of(const DeviceId& device) { return {Kind::device, device.bytes}; }
    static Subject of(const UserId& user) { return {Kind::person, user.bytes}; }
    [[nodiscard]] bool is_device() const { return kind == Kind::device; }
    [[nodiscard]] DeviceId device() const { return DeviceId{id}; }
    [[nodiscard]] UserId user() const { return UserId{id}; }
};

struct Target {
    Subject subject;
    std::array<Millis, kSteps> done{};  // 0: not yet
    std::uint64_t mirror_revision = 0;  // the broker obeyed once it holds this
    Millis superseded = 0;              // when a later order took its place: nothing more is done for this one

    [[nodiscard]] bool has(Step step) const { return done[static_cast<std::size_t>(step)] != 0; }
    [[nodiscard]] Bytes encode() const;
    static Result<Target> parse(ByteView bytes);
};

// In targets that ascend by subject; nullptr: not there.
Target* target_in(std::vector<Target>& targets, const Subject& subject);

// A chain that somebody still sends under, though a device holds it that is out.
struct Owed {
    ConversationId conversation;
    DeviceId sender;
    ChainId chain;
    auto operator<=>(const Owed&) const = default;
};

struct Order {
    std::uint64_t id = 0;
    Kind kind = Kind::suspend;
    std::optional<RevokeReason> reason;  // of a revocation
    bool wipe = false;
    std::string scope;  // "device", "user", "unit Celle", "list", "roster"
    std::string who, why;
    Millis ordered = 0;
    Millis ended = 0;             // every step of every target done, or superseded
    std::vector<Target> targets;  // ascending by subject
    std::vector<Owed> owed;
    Millis renewed = 0;  // nothing is owed any more

    // Is this step part of the order, for this target?
    [[nodiscard]] bool wants(const Target& target, Step step) const;
    [[nodiscard]] bool finished(const Target& target) const;
    [[nodiscard]] bool complete() const;
    // Without targets, owed and what changes later.
    [[nodiscard]] Bytes encode_head() const;
    static Result<Order> parse_head(std::uint64_t id, ByteView bytes);
};

}  // namespace nimes::gateway::revocation
