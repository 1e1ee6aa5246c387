// Receiving a grant: opened first (R1 to R3), then judged by what the receiver knows (R4 to R8) (FORMATS.md 2.6).
//
// Nothing here changes state: the engine stores what accept() answers, in one transaction, or nothing.
// Pure; thread safe. Errors of open_grant: Errc::dropped with the rule's name in its detail.
#pragma once

#include <functional>
#include <optional>

#include "nimes/conversation_event.hpp"
#include "nimes/device_record.hpp"
#include "sealing/chain.hpp"

namespace nimes::agent::sealing {

// The private half of a key id; nullptr when there is none.
using SealKeyFinder = std::function<const struct OwnSealKey*(std::uint32_t key_id)>;

struct OpenedGrant {
    GrantHeader header;
    ChainBody body;
    Signature signature;
    Digest body_hash;
};
Result<OpenedGrant> open_grant(ByteView wire524, const SealKeyFinder& find);

enum class Outcome : std::uint8_t { opened, held, withheld, dropped };

struct Verdict {
    Outcome outcome = Outcome::dropped;
    std::string_view rule;        // "R4", … of what is not opened
    std::string_view alarm = {};  // an event the user must see
};

// What the receiver knows; nullopt or nullptr: nothing yet, so the grant is held.
struct GrantFacts {
    UserId own_user;
    Millis retention = 7 * kDay;

    const DeviceCert* sender = nullptr;  // of body.device, in the proven entry of body.user
    const DeviceRevoke* sender_revoke = nullptr;
    bool sender_entry_known = false;  // a proven entry that lacks the device: dropped

    std::optional<Digest> state_at_epoch;  // of body.conv_epoch
    const Roster* roster_at_epoch = nullptr;
    const Roster* roster_now = nullptr;
    bool closed_at_epoch = false;

    enum class Head : std::uint8_t { unknown, verified, failed } head = Head::unknown;
    Millis head_ts = 0;

    std::uint32_t highest_chain_no = 0;    // accepted from this device here
    const ReceivingChain* held = nullptr;  // with this chain_id
};
Verdict judge_grant(const OpenedGrant& grant, const GrantFacts& facts, Millis now);

// The chain as it stands after an accepted grant; fast-forwards one that is held.
ReceivingChain accept_grant(const OpenedGrant& grant, const GrantFacts& facts, bool withhold);

}  // namespace nimes::agent::sealing
