// The directory over HTTPS: look-ups, heads, people, seal keys (openapi.yaml). Bodies are protobuf of directory.proto.
#pragma once

#include "directory/directory.hpp"
#include "http/router.hpp"

namespace nimes::gateway::directory {

// `directory` must outlive the router.
void add_routes(http::Router& router, Directory& directory);

}  // namespace nimes::gateway::directory
