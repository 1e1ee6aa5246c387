// What agents are answered: entries with proofs, heads with proofs, people. Private to this room; lock held.
#pragma once

#include "directory/state.hpp"

namespace nimes::gateway::directory {

Result<v1::LookupAnswer> answer_lookup(const State& state, store::Store& store, const v1::LookupRequest& request,
                                       Millis now);
Result<v1::HeadAnswer> answer_head(const State& state, std::uint64_t held);
Result<v1::OldHeadAnswer> answer_old_head(const State& state, std::uint64_t revision, std::uint64_t under);
v1::People answer_people(const State& state, std::string_view name, std::string_view unit);
Changes collect_changes(const State& state, std::uint64_t since);

}  // namespace nimes::gateway::directory
