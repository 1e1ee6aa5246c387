// What the engine tells, as the JSON of VERBS.md. Pure; thread safe.
#pragma once

#include "cli/service.hpp"
#include "engine/agent.hpp"

namespace nimes::agent::cli {

// A message, an act, an alarm: a line of inbox and watch.
Json event_json(const engine::Shown& shown);
Json recall_json(const engine::RecallCount& count);
Json sent_json(const engine::SentMessage& sent);
Json person_json(const directory::PersonInfo& person);
// Adds level and new_devices; a person of whom nothing is held is of level 0.
void trust_json(Json& into, const directory::PersonTrust& trust);
Json device_json(const engine::PersonDevice& device);
Json alarm_json(const engine::Alarm& alarm);
Json group_json(const engine::GroupDetails& group);

// Whom else it could have been, so that the person can say it better.
template <class T>
Result<T> with_candidates(Result<T> result, const engine::Candidates& candidates, const Emit& emit) {
    if (!result)
        for (const auto& person : candidates) emit({{"candidate", person_json(person)}});
    return result;
}

}  // namespace nimes::agent::cli
