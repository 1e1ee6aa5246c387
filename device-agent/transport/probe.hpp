// How far a connection to one of our servers gets: its name, TCP, TLS under the provisioning's authority. Nothing is
// said to the server. For who wants to know why nothing comes.
//
// Blocks for at most the timeout, and the resolver's own time. Threads: any. Errors: none, they are the answer.
#pragma once

#include <string>

#include "nimes/time.hpp"

namespace nimes::agent::transport {

enum class Reached : std::uint8_t {
    nothing,  // the name cannot be resolved
    name,     // nobody answers there
    tcp,      // somebody answers, and not with the certificate of this host and authority
    tls,
};

// url: https://host:port or mqtts://host:port.
Reached probe(const std::string& url, const std::string& ca_pem, Millis timeout);

}  // namespace nimes::agent::transport
