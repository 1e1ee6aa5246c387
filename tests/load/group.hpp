// The first event of a group with everyone of these accounts in it; the first one is its administrator, the others
// read. Pure but for `random`.
#pragma once

#include "accounts.hpp"
#include "nimes/conversation_event.hpp"

namespace nimes::load {

ConvEvent group_of(const std::vector<const Account*>& members, Millis now, RandomSource& random);

}  // namespace nimes::load
