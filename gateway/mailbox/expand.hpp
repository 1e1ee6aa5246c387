// Message, step 4, ingest, second half: from a conversation to the devices that shall have it. (Before: ingest.cpp.
// Next: commit.cpp.)
//
// Used from the mailroom's thread only. Errors: Errc::not_a_member, conversation_unknown, recipient_unknown.
#pragma once

#include "mailbox/conversations.hpp"
#include "mailbox/ingest.hpp"

namespace nimes::gateway::mailbox {

struct Recipient {
    DeviceId device;
    Bytes wrap;  // of a grant
};

struct Expansion {
    std::vector<Recipient> recipients;
    std::vector<Target> missing;  // of a message: active devices that hold no grant of its chain
};

// Everyone of the conversation but the sending device. A grant goes to the devices it has a wrap for; a submission for
// one device to that one, if it is of the conversation.
Result<Expansion> expand(const Submit& submit, const DeviceId& sender, const UserId& user, const People& people,
                         Conversations& conversations);
// An event goes to everyone of the roster before and after it.
Result<Expansion> expand_event(const std::vector<UserId>& affected, const DeviceId& sender, const People& people);

}  // namespace nimes::gateway::mailbox
