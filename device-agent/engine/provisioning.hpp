// The provisioning file as a handset uses it: whom it trusts before it knows anybody (FORMATS.md 2.2, 3.2).
//
// The first one is trusted as installed, but must be sealed by an administrator key that it names itself: a file that
// was cut or mixed up is refused. Pure; thread safe. Errors: Errc::malformed, signature_invalid.
#pragma once

#include <string>
#include <vector>

#include "engine/policy.hpp"
#include "nimes/entry.hpp"

namespace nimes::agent::engine {

struct Provisioning {
    Bytes file;  // as it came
    std::string organisation;
    std::uint32_t version = 0;
    OrgKeys keys;
    std::vector<std::string> brokers;
    std::string gateway;
    std::string ca_pem;
    DirectoryHead head;
    Key address_secret;

    Policy policy;  // its own, until a signed one comes

    static Result<Provisioning> parse(ByteView file);
};

}  // namespace nimes::agent::engine
