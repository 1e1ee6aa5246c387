// What is shown of a stored message: names resolved, content in types. Call with the core's lock held.
#pragma once

#include "engine/removals.hpp"

namespace nimes::agent::engine {

struct Shown {
    std::uint64_t sequence = 0;
    StoredMessage message;
    conversation::Meaning meaning;  // Unknown for what was not opened
    std::string sender;             // name, or "" when no entry proves one
    int level = 0;  // of verification (FORMATS.md 2.3): 0 unknown, 1 entry proven, 2 address checked, 3 scanned
    bool new_device = false;              // the sender's other device was scanned, this one came later
    std::string title;                    // of a group; of two: the other's name
    conversation::Face face;              // what others made of it
    std::map<UserId, std::string> names;  // of everybody in the face
    std::vector<std::uint64_t> about;     // of an act: the messages it names, as far as they are here
    std::optional<RecallCount> recall;    // what came of it, on a device of who recalled it
    bool own = false;
    Millis shown = 0;
};

struct Alarm {
    std::uint64_t sequence = 0;
    Millis raised = 0;
    std::string text;
    std::optional<DeviceId> device;  // while it is open: the person confirms or revokes this one
};

// Withheld ones are never shown.
Result<std::vector<Shown>> messages_after(Core& core, std::uint64_t sequence, std::size_t limit);
Result<std::vector<Alarm>> alarms_after(Core& core, std::uint64_t sequence);
// Those that stay until the person answers.
Result<std::vector<Alarm>> open_alarms(Core& core);
// One by its number; Errc::not_found also for a withheld one.
Result<Shown> message_shown(Core& core, std::uint64_t sequence);
std::string name_of(const Core& core, const UserId& user);
std::string title_of(const Core& core, const conversation::ConversationState& state);

}  // namespace nimes::agent::engine
