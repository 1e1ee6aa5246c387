// The handsets' provisioning file (FORMATS.md 2.2, 3.2), sealed by the administrator key. Pure.
#pragma once

#include "directory/org_keys.hpp"
#include "nimes/directory_head.hpp"
#include "nimes/v1/provisioning.pb.h"

namespace nimes::gateway::directory {

struct ProvisioningInput {
    std::uint32_t version = 1;
    std::vector<std::string> brokers;  // mqtts://host:port
    std::string gateway;               // https://host:port
    std::string ca_pem;
    v1::Policy policy;
    DirectoryHead head;
};

Bytes make_provisioning(const OrgSecrets& secrets, const ProvisioningInput& input);

}  // namespace nimes::gateway::directory
