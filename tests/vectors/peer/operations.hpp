// What the vector peer can be asked: each operation takes a request and answers {…} or {"refused": ERR_…}.
// All call the product's own functions. Threads: pure but for libsodium's randomness. Errors: as in json.hpp.
#pragma once

#include <map>
#include <string>

#include "json.hpp"

namespace nimes::test::peer {

using Operation = Json (*)(const Json&);
using Operations = std::map<std::string, Operation>;

Operations sealing_operations();    // grants, messages, blobs, sealed control
Operations judging_operations();    // the receiver's rules for grants
Operations record_operations();     // forms and signatures of records, entries, identifiers
Operations directory_operations();  // logs, maps, heads
Operations roster_operations();     // conversation events applied

}  // namespace nimes::test::peer
