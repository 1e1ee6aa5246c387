// Acts on earlier messages (reaction, edit, delete, vote, receipt, recall report), and what they make of them
// (FORMATS.md 2.7, "Acts").
//
// Who may act is judged by the authenticated sender, never by a name in the body. Acts may come before what they act
// on, in any order and more than once: supersedes() keeps one act for each target, kind and actor, and fold() answers
// the same whatever the order was. Pure. Threads: values. No errors: an act that may not be is no part of the face.
#pragma once

#include <map>
#include <set>

#include "conversation/content.hpp"
#include "nimes/conversation_event.hpp"

namespace nimes::agent::conversation {

struct Act {
    ConversationId conversation;
    UserId user;  // authenticated, like device
    DeviceId device;
    MessageId id;
    Millis sent = 0;
    Meaning meaning;
};

// What an act is about; empty for a content that is no act.
std::vector<MessageRef> targets_of(const DeviceId& sender, const Meaning& meaning);
// The part of an act that concerns one target: of a receipt its one item, of others all.
Meaning about(const Meaning& meaning, const MessageRef& target);
// Acts of one actor on one target share a slot; who the actor is depends on the kind: a user votes and reacts once,
// each device has receipts, edits and reports of its own.
Bytes slot_of(const Act& act);
// Both of one slot: does the newcomer take it?
bool supersedes(const Act& newcomer, const Act& held);

// The message acted upon.
struct Subject {
    ConversationId conversation;
    UserId user;
    DeviceId device;
    MessageId id;
    const Meaning& meaning;
};

struct ReceiptFace {
    UserId user;
    bool read = false;
    Millis when = 0;
    ByteArray<16> digest{};
};

// A message as it is to be shown.
struct Face {
    bool deleted = false;
    std::set<UserId> report_to;  // of a recall: who wants to know what became of it
    std::optional<std::string> text;
    std::uint32_t edits = 0;
    std::map<UserId, std::string> reactions;
    std::map<UserId, std::vector<std::uint32_t>> votes;
    std::map<DeviceId, ReceiptFace> receipts;
    std::map<DeviceId, Recalled> recalled;
};
// roster: of the subject's conversation now; of two people both as posters.
Face fold(const Subject& subject, const std::vector<Act>& acts, const Roster& roster);

}  // namespace nimes::agent::conversation
