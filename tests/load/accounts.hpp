// Devices that stand in a gateway's directory, with everything a load client needs to be them.
//
// The file holds private keys of devices made for a test: it is written with mode 0600. Values; one thread each.
// Errors: Errc::storage, malformed.
#pragma once

#include <filesystem>
#include <vector>

#include "sealing/seal_keys.hpp"

namespace nimes::load {

struct Account {
    UserId user;
    DeviceId device;
    std::uint32_t dev_no = 0;  // the gateway's number, for wraps
    SigningKeyPair identity;
    agent::sealing::OwnSealKey seal_key;  // of the day the file was made
};

Result<void> write_accounts(const std::filesystem::path& file, const std::vector<Account>& accounts);
Result<std::vector<Account>> read_accounts(const std::filesystem::path& file);

}  // namespace nimes::load
