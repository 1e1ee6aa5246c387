// Message, step 3, authorise: topic, size and rate. (Before: the agent's outbox. Next: the gateway's ingest.)
//
// What an admitted connection may publish and read (asyncapi.yaml): nothing else exists for it. Pure; thread safe.
#pragma once

#include <string_view>

#include "identity/admission.hpp"

namespace nimes::plugin {

enum class Act : std::uint8_t { read, write, subscribe, unsubscribe };

struct Ask {
    Act act;
    std::string_view topic;  // of a subscription: the raw filter, with $share/… and wildcards
    std::size_t payload = 0;
    bool retain = false;
    int qos = 0;
};

[[nodiscard]] bool allowed(const Who& who, const Ask& ask, std::string_view broker);

}  // namespace nimes::plugin
