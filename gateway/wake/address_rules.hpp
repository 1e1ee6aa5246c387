// Where a wake-up may go: https to public addresses, unless the configuration says otherwise. A handset names the
// endpoint, so without this it could make the gateway post into the network that the gateway stands in.
//
// The URL is judged when it is registered; the address when a connection to it is about to be made, by what will really
// be connected to: a name that means another machine the second time (DNS rebinding) gains nothing.
// Pure; thread safe. Errors: Errc::malformed, too_large, forbidden.
#pragma once

#include <sys/socket.h>

#include <string>

#include "nimes/error.hpp"

namespace nimes::gateway::wake {

struct Rules {
    bool allow_http = false;     // without TLS
    bool allow_private = false;  // loopback, link-local, private networks, and whatever is no public unicast address
};

inline constexpr std::size_t kLongestUrl = 1'024;

// scheme://host[:port]/… of printable ASCII; no user, no fragment.
Result<void> check_url(const std::string& url, const Rules& rules);
// IPv4 or IPv6; every other family is refused.
bool may_connect(const sockaddr* address, const Rules& rules);

}  // namespace nimes::gateway::wake
