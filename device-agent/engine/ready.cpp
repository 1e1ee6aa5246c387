#include "engine/ready.hpp"

namespace nimes::agent::engine {

Result<void> ready_to_seal(Lock& lock, Core& core, Sync& sync, const Compose& compose, const ConversationId& id) {
    std::vector<UserId> users;
    if (const auto at = core.conversations.find(id); at != core.conversations.end())
        for (const auto& m : at->second.now().roster) users.push_back(m.user);
    if (auto ok = sync.bring_up(lock, users); !ok) return ok;
    if (const auto wanted = compose.one_time_wanted(id); wanted && !wanted->empty()) sync.fetch_one_time(lock, *wanted);
    return {};
}

}  // namespace nimes::agent::engine
