// What must hold, whatever the server does (FORMATS.md 4): kept beside the model from what people did, never from what
// the engine says of itself.
//
// Threads: one. A rule that is broken throws Broken, with the rule's number and what was seen.
#pragma once

#include <set>

#include "handset.hpp"

namespace nimes::model {

struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Said {
    ConversationId conversation;
    UserId user;
    std::string text;
    std::set<UserId> audience;     // the roster that the sender had applied
    std::set<DeviceId> shut_out;   // whose revocation the sender had seen
    std::set<DeviceId> reachable;  // active then
    Millis when = 0;
};

class Oracle {
  public:
    void said(Handset& sender, const ConversationId& to, const MessageId& id, const std::string& text,
              const std::set<DeviceId>& active);
    // The server took something from this device for good: what it misses may stay missing.
    void robbed(const DeviceId& device) { robbed_.insert(device); }
    void removed(const ConversationId& group, const UserId& user) { removed_.insert({group, user}); }
    void revoked(const DeviceId& device) { revoked_.insert(device); }
    [[nodiscard]] bool is_revoked(const DeviceId& device) const { return revoked_.contains(device); }

    // Somebody of the organisation; nobody else may ever stand in a roster.
    void knows(const UserId& user) { users_.insert(user); }

    // Rules 1, 2, 3, 4, 7, 12, 14, at what this device shows since the last look.
    void look(Handset& at);
    // What an honest server accepted has been opened by all it was for. Those still missing at devices that were not
    // robbed; `repaired` counts robbed devices that got it all the same.
    [[nodiscard]] std::vector<std::string> missing(Server& server, std::vector<std::unique_ptr<Handset>>& all);
    void next_schedule();

    std::uint64_t opened = 0, repaired = 0, lost_to_robbery = 0;

  private:
    std::map<std::pair<DeviceId, MessageId>, Said> said_;
    std::vector<std::pair<DeviceId, MessageId>> current_;  // of this schedule
    std::map<DeviceId, std::uint64_t> looked_;             // row
    std::map<DeviceId, std::set<std::pair<DeviceId, MessageId>>> shown_;
    std::map<DeviceId, std::uint64_t> heads_;
    std::set<UserId> users_;
    std::set<DeviceId> robbed_, revoked_;
    std::set<std::pair<ConversationId, UserId>> removed_;
};

}  // namespace nimes::model
