// What is remembered of networks' patience, by network: a row of the settings (transport/keepalive.hpp says what it
// means). A network's name stays with the operating system; here lies eight bytes of its hash, and at most 32 of them.
//
// Call with the core's lock held. Errors: the store's; Errc::malformed by parse.
#pragma once

#include "engine/core.hpp"
#include "transport/keepalive.hpp"

namespace nimes::agent::engine {

using Paths = std::map<std::string, transport::Keepalive::Path>;

// A name as the transport is told it: 16 hex digits; "" stays "".
std::string network_key(const Key& secret, std::string_view name);
Result<Paths> load_paths(Core& core);
Result<void> put_path(Core& core, const std::string& network, const transport::Keepalive::Path& path);

}  // namespace nimes::agent::engine
