// The organisation's keys as the embedded default keeps them: files of mode 0600 in one folder, each with its public
// half in hex beside it (*.pub), to be pinned by plugin options and provisioning files.
//
//   ea.key directory.key administrator.key gateway.key   Ed25519 seeds, 32 bytes     address.secret   32 bytes
//   shares.key   32 bytes, under which the handsets' shares lie in the store (FORMATS.md 3.8)
//   shares-old.key   the one before it, until all is sealed anew
// What it costs to keep them all with the gateway is said in FORMATS.md 2.16. Errors: Errc::exists when a folder holds
// keys already, Errc::forbidden for a file that others may read, Errc::bad_config, storage. Threads: values.
#pragma once

#include <filesystem>
#include <optional>

#include "nimes/entry.hpp"

namespace nimes::gateway::directory {

struct OrgSecrets {
    std::string organisation;
    OrgId org;
    SigningKeyPair ea, directory, administrator, gateway;
    Key address_secret;
    std::optional<Key> share_key, retired_share_key;  // none: made before there was one

    [[nodiscard]] OrgKeys public_keys() const;
};

Result<OrgSecrets> create_org_keys(const std::filesystem::path& folder, const std::string& organisation,
                                   RandomSource& random);
// A new shares.key in a folder that has none.
Result<Key> create_share_key(const std::filesystem::path& folder, RandomSource& random);
Result<OrgSecrets> load_org_keys(const std::filesystem::path& folder, const std::string& organisation);

}  // namespace nimes::gateway::directory
