// Who is in a conversation, as this device knows it: signed events applied one after the other (FORMATS.md 2.5).
//
// apply() is the only way that a roster changes. What it cannot judge yet is held, what is wrong is dropped, and two
// valid successors of one epoch are a fork: both branches are kept and grow, neither wins, and an administrator of both
// ends it. Pure. Threads: values. Errors: Errc::malformed by parse, which accepts exactly what encode() writes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "nimes/appointment.hpp"

namespace nimes::agent::conversation {

struct EpochState {
    Digest state;
    Roster roster;
    bool closed = false;
    bool only_additions = true;  // beside the epoch before
    Digest mended;               // of an epoch that ended a fork: the fork's hash
};

struct ConversationState {
    static constexpr std::size_t kEpochsKept = 64;

    ConversationId id;
    std::vector<UserId> pair;  // both users of a conversation of two; empty: a group
    std::uint64_t epoch = 0;
    std::map<std::uint64_t, EpochState> epochs;  // the newest 64
    std::map<std::uint64_t, EpochState> other;   // of a fork: the branch seen second, from the disputed epoch on
    bool forked = false;                         // other is not empty
    std::set<Digest> settled;                    // states of branches that a mended fork left behind

    [[nodiscard]] bool is_pair() const { return !pair.empty(); }
    [[nodiscard]] const EpochState* at(std::uint64_t wanted) const;
    [[nodiscard]] const EpochState& now() const { return epochs.at(epoch); }
    [[nodiscard]] const Member* member(const UserId& user) const;
    // To whom grants may go: the roster of now; in a fork who is in both, with the lower role.
    [[nodiscard]] Roster agreed() const;
    // What ends the fork stands on: epoch and prev_hash of that restate.
    [[nodiscard]] std::uint64_t mending_epoch() const;
    [[nodiscard]] Digest fork_hash() const;
    // Was somebody removed, or a role changed, after that epoch?
    [[nodiscard]] bool more_than_additions_since(std::uint64_t since) const;

    [[nodiscard]] Bytes encode() const;
    static Result<ConversationState> parse(ByteView bytes);
};

ConversationState pair_conversation(const UserId& a, const UserId& b);

// What is known of the device that signed an event, or of what an appointment is judged by.
struct ActorFacts {
    bool entry_known = false;
    const DeviceCert* cert = nullptr;  // in the actor's proven entry
    const DeviceRevoke* revoke = nullptr;
    enum class Head : std::uint8_t { unknown, verified, failed } head = Head::unknown;  // (dir_revision, dir_head)
    // Of an appointment: the pinned keys, that head's time, and the proven entry of a user under the head that it names
    // or a newer one; nullptr: not here yet.
    const OrgKeys* keys = nullptr;
    Millis head_ts = 0;
    std::function<const DirectoryEntry*(const UserId&)> entry_of{};
};

enum class Applied : std::uint8_t { applied, repeated, held, dropped, forked };

// `state` is nullopt for a conversation not known yet: only its creation begins it, since only that proves the id.
Applied apply(std::optional<ConversationState>& state, const ConvEvent& event, const ActorFacts& actor);

// Several events, each on the one before. Here an event of a device that was revoked since counts too, once a later one
// stands on it, of an unrevoked device of one who was an administrator before it, or an appointment that the roster
// before it allows as well: neither a thief nor whom he would appoint can write one of those. Not in a fork.
struct Step {
    ConvEvent event;
    ActorFacts actor;
};
struct Taken {
    std::size_t count = 0;
    // What all of them come to, where the last ones are right but for nobody who vouches for them: an administrator
    // may.
    std::optional<ConversationState> doubted;
};
Taken apply_all(std::optional<ConversationState>& state, std::span<const Step> steps);

}  // namespace nimes::agent::conversation
