#include "directory/provisioning.hpp"

#include "nimes/opaque.hpp"

namespace nimes::gateway::directory {

Bytes make_provisioning(const OrgSecrets& secrets, const ProvisioningInput& input) {
    const auto text = [](ByteView bytes) { return std::string(as_text(bytes)); };
    v1::Provisioning out;
    out.set_organisation(secrets.organisation);
    out.set_version(input.version);
    out.set_ea_key(text(secrets.ea.public_key.view()));
    out.set_directory_key(text(secrets.directory.public_key.view()));
    out.add_administrator_keys(text(secrets.administrator.public_key.view()));
    *out.mutable_policy() = input.policy;
    for (const auto& broker : input.brokers) out.add_brokers(broker);
    out.set_gateway(input.gateway);
    out.set_ca_pem(input.ca_pem);
    out.set_directory_head(text(input.head.encode()));
    out.set_address_secret(text(secrets.address_secret.view()));

    ProvisioningFile file;
    file.bytes = to_bytes(as_bytes(out.SerializeAsString()));
    file.add_seal(secrets.administrator.secret, secrets.administrator.public_key, secrets.org);
    return file.encode();
}

}  // namespace nimes::gateway::directory
