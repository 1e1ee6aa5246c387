// Groups as the gateway knows them: their signed events in order, and the roster that follows from them.
//
// The gateway is never an actor: it checks form, order (compare-and-set on the epoch) and that the actor was allowed to
// by the roster before; what an event is worth is judged by the members (FORMATS.md 2.5). It also remembers which
// devices a chain was granted to, so that it can tell a sender whom it missed; that is a hint, kept for the newest
// chain of each device. Used from the mailroom's thread only. Planned changes are visible at once; when their commit
// fails, forget() goes back to what is stored. Errors: Errc::conversation_unknown, epoch_conflict, not_a_member,
// malformed.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "mailbox/ports.hpp"
#include "nimes/conversation_event.hpp"
#include "store/store.hpp"

namespace nimes::gateway::mailbox {

struct Group {
    std::uint64_t epoch = 0;
    Digest state;
    bool closed = false;
    Roster roster;

    [[nodiscard]] const Member* member(const UserId& user) const;
    [[nodiscard]] Bytes encode() const;
    static Result<Group> parse(ByteView bytes);
};

// The roster after an event, or why it does not follow. Pure.
Result<Group> apply_event(const Group* before, const ConvEvent& event, const UserId& sender);

class Conversations {
  public:
    explicit Conversations(store::Store& store) : store_(store) {}

    // Errc::conversation_unknown when there is none.
    Result<Group> find(const ConversationId& id);
    struct Planned {
        store::Batch batch;
        std::vector<UserId> affected;  // both rosters' users
        std::optional<Group> next;     // none: the event was stored before
    };
    // Changes nothing. What is committed is told by took(): the next event of that commit stands on it.
    Result<Planned> plan(const ConvEvent& event, ByteView bytes, const UserId& sender);
    void took(const ConversationId& id, Planned& planned);

    // Plans that these devices hold the chain now.
    void plan_grant(const ConversationId& id, const DeviceId& sender, const ChainId& chain,
                    const std::vector<DeviceId>& devices, store::Batch& into);
    [[nodiscard]] std::unordered_set<DeviceId> granted(const ConversationId& id, const DeviceId& sender,
                                                       const ChainId& chain);
    // The newest chain of each device in a conversation, as stored, and who was granted it. Any thread.
    struct Granted {
        DeviceId sender;
        ChainId chain;
        std::vector<DeviceId> devices;
    };
    static Result<std::vector<Granted>> newest_chains(store::Store& store, const ConversationId& id);
    static store::Partition partition(const ConversationId& id);
    static std::string event_key(std::uint64_t epoch);

    void forget();

  private:
    store::Store& store_;
    std::unordered_map<ConversationId, Group> cache_;
    struct Chain {
        ChainId chain;
        std::unordered_set<DeviceId> devices;
    };
    Chain& newest_chain(const ConversationId& id, const DeviceId& sender);
    std::unordered_map<std::string, Chain> chains_;  // conv16 ‖ dev16
};

}  // namespace nimes::gateway::mailbox
