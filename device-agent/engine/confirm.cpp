#include "engine/confirm.hpp"

#include "engine/view.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::ConversationState;

bool administers(const ConversationState& state, const UserId& user) {
    const auto* member = state.member(user);
    return member != nullptr && member->role == MemberRole::administrator;
}

Bytes told_key(const ConversationId& id) { return std::move(Writer().text("doubt").id(id)).take(); }

}  // namespace

Result<void> note_doubt(Core& core, Transaction& tx, const ConversationState& doubted) {
    core.doubted[doubted.id] = doubted;
    auto told = tx.get(Table::settings, told_key(doubted.id));
    if (!told) return pass(told);
    if (*told && Reader((*told)->value).u64() >= doubted.epoch) return {};
    auto put = tx.put(Table::settings, told_key(doubted.id), std::move(Writer().u64(doubted.epoch)).take());
    if (!put) return pass(put);
    const auto title = title_of(core, doubted);
    const auto id = to_hex(doubted.id.view());
    const auto next = administers(doubted, core.own().user)
                          ? "see nimes-agent group show " + id + ", then nimes-agent group confirm " + id
                          : std::string("one of its administrators has to confirm them");
    return core.raise_alarm(tx, (title.empty() ? "a group" : title) +
                                    " was changed by a device that was revoked since, and nobody vouches for the "
                                    "changes: what is said under them is not shown here; " +
                                    next);
}

Result<ConvEvent> confirm(Core& core, const Compose& compose, const ConversationId& group) {
    const auto held = core.conversations.find(group);
    const auto doubt = core.doubted.find(group);
    const bool known = held != core.conversations.end(), doubted = doubt != core.doubted.end();
    if ((!known && !doubted) || (known && held->second.is_pair())) return fail(Errc::conversation_unknown);
    const auto after = doubted ? doubt->second : held->second;
    if ((known && !administers(held->second, core.own().user)) || !administers(after, core.own().user))
        return fail(Errc::forbidden, "only who administers the group before these changes and with them confirms them");
    if (doubted) {
        auto stored = core.transact([&](Transaction& tx) { return core.put_conversation(tx, after); });
        if (!stored) return pass(stored);
    }
    auto maker = compose.maker();
    if (!maker) return pass(maker);
    return conversation::restate_group(*maker, after);
}

}  // namespace nimes::agent::engine
