#include "app/custody.hpp"

#include <array>

#include "app/options.hpp"
#include "shares/shares.hpp"

namespace nimes::gateway::app {

Result<void> need_share_key(const Config& config, directory::OrgSecrets& secrets, store::Store& store) {
    if (secrets.share_key) return {};
    auto sealed = shares::Shares::sealed(store);
    if (!sealed) return pass(sealed);
    if (*sealed && !secrets.retired_share_key)
        return fail(Errc::bad_config, (config.keys / "shares.key").string() +
                                          " is missing, and the handsets' shares are sealed under it: put it back");
    SystemRandom random;
    auto made = directory::create_share_key(config.keys, random);
    if (!made) return pass(made);
    secrets.share_key = std::move(*made);
    return {};
}

// Who changed the configuration is not known here; that it says something else is an act in any case.
Result<bool> tell_policy(directory::PolicyBook& book, const Config& config, audit::Log& audit, store::Store& store) {
    const directory::PolicyWish wish{told_policy(config), told_pilot(config)};
    return book.tell(wish, [&](const store::Batch& record, const v1::SignedPolicy& policy) {
        return audit.write({"gateway", "policy", told_json(policy), {}}, [&](const store::Batch& row) {
            return store.commit(std::array{row, record}, store::Sync::yes);
        });
    });
}

}  // namespace nimes::gateway::app
