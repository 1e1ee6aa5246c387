// The provisioning file as a handset uses it: whom it trusts before it knows anybody (FORMATS.md 2.2, 3.2).
//
// The first one is trusted as installed, but must be sealed by an administrator key that it names itself: a file that
// was cut or mixed up is refused. Pure; thread safe. Errors: Errc::malformed, signature_invalid.
#pragma once

#include <string>
#include <vector>

#include "container/lease.hpp"
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

    Millis retention = 7 * kDay;
    Millis device_hold = 900 * kSecond;
    bool export_allowed = false;
    bool viewer_allowed = false;   // another program may show a medium that it gets through a pipe; export implies it
    bool history_allowed = false;  // from a person's old device to the new one

    container::LeaseTerms lease;
    Millis lock_after = 5 * kMinute;  // without use

    static Result<Provisioning> parse(ByteView file);
};

}  // namespace nimes::agent::engine
