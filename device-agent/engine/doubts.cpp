#include "engine/doubts.hpp"

#include "engine/put_back.hpp"
#include "engine/view.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::ConversationState;

constexpr std::size_t kLargest = 256 << 10;  // bytes of one that outlives the process; a larger one is fetched again

bool administers(const ConversationState& state, const UserId& user) {
    const auto* member = state.member(user);
    return member != nullptr && member->role == MemberRole::administrator;
}

bool follows(const ConversationState& doubted, const ConversationState& held) {
    const auto* there = doubted.at(held.epoch);
    return !held.forked && doubted.epoch > held.epoch && there != nullptr && there->state == held.now().state;
}

Result<void> store(Core& core, Transaction& tx) {
    Writer out;
    for (const auto& [id, doubt] : core.doubted) {
        const auto state = doubt.state.encode();
        if (state.size() > kLargest) continue;
        out.u64(doubt.told).u32(static_cast<std::uint32_t>(state.size())).bytes(state);
    }
    auto put = tx.put(Table::settings, setting_key(setting::kDoubted), out.view());
    if (!put) return pass(put);
    return {};
}

std::string words(const Core& core, const ConversationState& doubted) {
    const auto title = title_of(core, doubted);
    const auto id = to_hex(doubted.id.view());
    return (title.empty() ? "a group" : title) +
           " was changed by a device that was revoked since, and nobody vouches for the changes: what is said under "
           "them "
           "is not shown here, and nothing is sent there; " +
           (may_confirm(core, doubted) ? "look at them: nimes-agent group show " + id
                                       : "one of its administrators looks at them, and confirms them") +
           " (" + id + ")";
}

}  // namespace

bool may_confirm(const Core& core, const ConversationState& doubted) {
    const auto held = core.conversations.find(doubted.id);
    return administers(doubted, core.own().user) &&
           (held == core.conversations.end() || administers(held->second, core.own().user));
}

Result<void> note_doubt(Core& core, Transaction& tx, const ConversationState& doubted) {
    const auto held = core.conversations.find(doubted.id);
    const bool known = held != core.conversations.end();
    const bool ours =
        doubted.member(core.own().user) != nullptr || (known && held->second.member(core.own().user) != nullptr);
    const auto before = core.doubted.find(doubted.id);
    const bool fresh = before == core.doubted.end();
    if (!ours || (known && !follows(doubted, held->second)) || (fresh && core.doubted.size() >= kMostDoubted))
        return {};
    if (!fresh && before->second.state.now().state == doubted.now().state) return {};
    const auto now = core.clock.now();
    const bool tell = fresh || now >= before->second.told + kDay;
    put_back_if_lost(tx, core.doubted, doubted.id);
    core.doubted[doubted.id] = {doubted, tell ? now : before->second.told};
    if (auto ok = store(core, tx); !ok || !tell) return ok;
    return core.raise_alarm(tx, words(core, doubted));
}

Result<void> drop_doubt(Core& core, Transaction& tx, const ConversationState& state) {
    const auto doubt = core.doubted.find(state.id);
    if (doubt == core.doubted.end() || follows(doubt->second.state, state)) return {};
    put_back_if_lost(tx, core.doubted, state.id);
    core.doubted.erase(doubt);
    return store(core, tx);
}

Result<void> load_doubts(Core& core, Transaction& tx) {
    auto row = tx.get(Table::settings, setting_key(setting::kDoubted));
    if (!row) return pass(row);
    if (!*row) return {};
    for (Reader in((*row)->value); in.left() > 0;) {
        Doubt doubt;
        doubt.told = in.u64();
        auto state = ConversationState::parse(in.take(in.u32()));
        if (!state) return pass(state);
        doubt.state = std::move(*state);
        const auto id = doubt.state.id;
        core.doubted[id] = std::move(doubt);
    }
    return {};
}

}  // namespace nimes::agent::engine
