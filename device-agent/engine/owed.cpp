#include "engine/owed.hpp"

#include <algorithm>

#include "engine/chains.hpp"
#include "engine/view.hpp"

namespace nimes::agent::engine {

sealing::SinceOpened since_opened(const Core& core, const conversation::ConversationState& state,
                                  const sealing::SendingChain& chain) {
    std::set<DeviceId> active;
    for (const auto& m : state.now().roster)
        if (const auto* entry = core.directory->find(m.user); entry != nullptr)
            for (const auto* cert : entry->entry.active_devices(core.now())) active.insert(cert->device);
    sealing::SinceOpened since;
    since.user_removed = !state.is_pair() && state.more_than_additions_since(chain.conv_epoch);
    since.granted_device_gone =
        !std::includes(active.begin(), active.end(), chain.granted.begin(), chain.granted.end());
    since.clone_alarm = core.seal_book.clone_alarm != 0 && chain.created <= core.seal_book.clone_alarm;
    since.forked = state.forked;
    if (const auto peer = core.peer_chain_opened.find(state.id); peer != core.peer_chain_opened.end())
        since.peer_chain_opened = peer->second;
    return since;
}

Result<std::vector<OwedChain>> owed_chains(const Core& core) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    std::vector<OwedChain> out;
    for (const auto& [id, state] : core.conversations) {
        const auto* member = state.member(core.own().user);
        if (member == nullptr || member->role == MemberRole::reader || state.now().closed) continue;
        auto chain = find_sending(*tx, id);
        if (!chain) return pass(chain);
        if (!*chain) continue;
        const auto since = since_opened(core, state, **chain);
        if (!since.must_shut_out()) continue;
        const auto reason = sealing::must_rotate(**chain, since, state.is_pair(), core.now());
        out.push_back({id, title_of(core, state), std::string(reason)});
    }
    return out;
}

}  // namespace nimes::agent::engine
