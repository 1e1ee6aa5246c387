// ConvEvent (242 + 18 n bytes): one signed step of a conversation's roster (FORMATS.md, "Conversation state").
//
// parse() judges form alone; whether an event may be applied is decided by the agent's conversation room.
// Errors: Errc::malformed, unknown_version. Pure; thread safe.
#pragma once

#include <vector>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

enum class MemberRole : std::uint8_t { reader = 1, poster = 2, administrator = 3 };
enum class RosterOp : std::uint8_t { add = 1, remove = 2, set_role = 3 };
enum class EventKind : std::uint8_t { create = 1, change = 2, restate = 3, close = 4 };

struct RosterItem {
    UserId user;
    MemberRole role = MemberRole::poster;
    RosterOp op = RosterOp::add;
    bool operator==(const RosterItem&) const = default;
};

struct Member {
    UserId user;
    MemberRole role = MemberRole::poster;
    auto operator<=>(const Member&) const = default;
};
using Roster = std::vector<Member>;  // ascending by user, one item a user

struct ConvEvent {
    static constexpr std::size_t kFixed = 242;
    static constexpr std::size_t kItem = 18;
    static constexpr std::size_t kMaxItems = 46'000;

    EventKind kind = EventKind::create;
    ConversationId conversation;
    std::uint64_t epoch = 1;
    Digest prev_hash;       // random in a create
    UserId actor_user;      // zero: the organisation, see appointment.hpp
    DeviceId actor_device;  // of the organisation: its administrator key's id
    Millis ts = 0;
    std::uint64_t dir_revision = 0;
    Digest dir_head;
    std::vector<RosterItem> items;  // ascending by user
    Digest roster_root;
    Signature signature;

    bool operator==(const ConvEvent&) const = default;
    static Result<ConvEvent> parse(ByteView bytes);
    [[nodiscard]] bool by_organisation() const { return actor_user.is_zero(); }
    [[nodiscard]] Bytes body() const;  // without the signature
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] Digest state() const;                 // conv_state
    [[nodiscard]] ConversationId id_of_create() const;  // H("NM1/convid", event with conv16 zero)[0:16]
};

Signature sign_event(const SigningKey& identity, ByteView body);
[[nodiscard]] bool verify_event(const ConvEvent& event, const PublicKey& identity);
Digest roster_root(const Roster& roster);

// Two people (or notes to oneself): no events, epoch 0.
ConversationId pair_id(const UserId& a, const UserId& b);
Digest pair_state(const UserId& a, const UserId& b);

}  // namespace nimes
