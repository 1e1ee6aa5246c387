#include "app/custody.hpp"

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

}  // namespace nimes::gateway::app
