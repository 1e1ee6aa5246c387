// The signed events of a group, read by who came late: a joiner, or a device that was away for longer than a mailbox
// keeps.
//
// Only members of now are answered: who was removed has been told by the removal itself. What the events are worth is
// judged by the asking device. Threads: any. Errors: Errc::conversation_unknown (also to those who are no members: a
// stranger learns nothing), storage.
#pragma once

#include "mailbox/conversations.hpp"

namespace nimes::gateway::mailbox {

struct EventPage {
    std::vector<Bytes> events;
    std::uint64_t newest = 0;
};

class EventLog {
  public:
    explicit EventLog(store::Store& store) : store_(store) {}
    static constexpr std::size_t kPageBytes = 512 * 1024;
    static constexpr std::size_t kPageEvents = 256;

    Result<EventPage> page(const ConversationId& id, const UserId& asking, std::uint64_t from);

  private:
    store::Store& store_;
};

}  // namespace nimes::gateway::mailbox
