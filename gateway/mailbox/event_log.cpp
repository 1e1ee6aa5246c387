#include "mailbox/event_log.hpp"

namespace nimes::gateway::mailbox {

Result<EventPage> EventLog::page(const ConversationId& id, const UserId& asking, std::uint64_t from) {
    // A reader of its own: the mailroom's memory belongs to the mailroom's thread.
    Conversations conversations(store_);
    const auto group = conversations.find(id);
    if (!group) return fail(group.error().code, group.error().detail);
    if (group->member(asking) == nullptr) return fail(Errc::conversation_unknown);
    auto rows = store_.scan(Conversations::partition(id), Conversations::event_key(from),
                            Conversations::event_key(group->epoch + 1), kPageEvents);
    if (!rows) return pass(rows);
    EventPage out;
    out.newest = group->epoch;
    std::size_t bytes = 0;
    for (auto& row : *rows) {
        bytes += row.value.size();
        if (bytes > kPageBytes && !out.events.empty()) break;
        out.events.push_back(std::move(row.value));
    }
    return out;
}

}  // namespace nimes::gateway::mailbox
