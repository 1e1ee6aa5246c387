// The plugin's options, as plugin_opt_* lines of mosquitto.conf give them (README.md lists them).
//
// parse_options() refuses what it does not know: a mistyped line must not quietly mean less protection.
// Errors: Errc::bad_config with the option's name. Pure; thread safe.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "nimes/token.hpp"

namespace nimes::plugin {

struct Options {
    std::string broker;  // this edge's name in mirror and presence
    OrgId org;
    PublicKey directory_key;          // signs the mirror
    PublicKey gateway_key;            // the one client that may do more
    std::vector<Audience> audiences;  // the URLs that devices and the gateway dial
    std::filesystem::path snapshot;   // written aside and renamed
    Millis snapshot_max_age = 24 * kHour;
    std::uint32_t rate_per_second = 20;  // packets a device may publish, on average
    std::uint32_t rate_burst = 200;
    std::uint32_t relay_mib = 64;  // of packets held while the gateway is away or slow
};

using OptionPairs = std::vector<std::pair<std::string, std::string>>;
Result<Options> parse_options(const OptionPairs& pairs);

}  // namespace nimes::plugin
