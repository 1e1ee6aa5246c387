// What must hold, whatever the server does (FORMATS.md 4): kept beside the model from what people did and from what was
// truly made, never from what the engine says of itself. What people see is judged in oracle.cpp, what handsets hold
// and send in oracle_state.cpp.
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
    explicit Oracle(Server& server) : server_(server) {}

    void said(Handset& sender, const ConversationId& to, const MessageId& id, const std::string& text,
              const std::set<DeviceId>& active);
    // The server took something from this device for good: what it misses may stay missing.
    void robbed(const DeviceId& device) { robbed_.insert(device); }
    void removed(const ConversationId& group, const UserId& user) { removed_.insert({group, user}); }
    void revoked(const DeviceId& device) { revoked_.insert(device); }
    [[nodiscard]] bool is_revoked(const DeviceId& device) const { return revoked_.contains(device); }

    // A change of a roster that a handset sent: what it comes to by the rules of FORMATS.md 2.5, or nothing, when it is
    // none of an administrator. Kept by conv_state.
    void changed(const ConvEvent& event);

    // Somebody of the organisation; nobody else may ever stand in a roster.
    void knows(const UserId& user) { users_.insert(user); }
    // The person at this device was shown proof of a lie and must be told.
    void expect_alarm(Handset& at, const std::string& text) { alarms_.push_back({&at, text, newest_alarm(at)}); }
    void judge_alarms();

    // Rules 1, 3, 4, 7, 12, 14, 16, at what this device shows and holds since the last look.
    void look(Handset& at);
    // Rules 10, 11, 12 and 15, at what it keeps of this schedule's conversations.
    void audit(Handset& at);
    // Which epochs it stands at: what it seals from now on may leave it when it has come further.
    void before(Handset& at);
    // Rule 2, and 2.4's "refuses older ones", at a grant that this device sends.
    void granted(Handset& sender, const GrantUpload& grant);
    // What an honest server accepted has been opened by all it was for. Those still missing at devices that were not
    // robbed; `repaired` counts robbed devices that got it all the same.
    [[nodiscard]] std::vector<std::string> missing(std::vector<std::unique_ptr<Handset>>& all);
    void next_schedule(std::vector<ConversationId> places);
    // This schedule's group as the device knows it.
    [[nodiscard]] const agent::conversation::ConversationState* group_at(Handset& at) const;

    std::uint64_t opened = 0, repaired = 0, lost_to_robbery = 0;

  private:
    struct Expected {
        Handset* at = nullptr;
        std::string text;
        std::uint64_t after = 0;
    };
    std::uint64_t newest_alarm(Handset& at);
    void judge_directory(Handset& at);
    void judge_rosters(const agent::conversation::ConversationState& group);
    void judge_chains(Handset& at, const ConversationId& place, const DeviceId& of);
    void note_sealed(Handset& at);
    [[nodiscard]] std::uint64_t sealed_since(Handset& at, const GrantUpload& grant, std::uint64_t now) const;
    const gateway::directory::DeviceFacts* device_of(std::uint32_t dev_no);
    std::vector<std::pair<UserId, DeviceId>> meant_by(const agent::engine::Core& core, std::uint32_t dev_no);
    std::string judge_wrap(Handset& sender, const std::pair<UserId, DeviceId>& to, std::uint32_t key_id, bool waited);

    Server& server_;
    std::map<std::pair<DeviceId, MessageId>, Said> said_;
    std::vector<std::pair<DeviceId, MessageId>> current_;  // of this schedule
    std::vector<ConversationId> places_;                   // of this schedule
    std::map<DeviceId, std::uint64_t> looked_;             // row
    std::map<DeviceId, std::set<std::pair<DeviceId, MessageId>>> shown_;
    std::map<DeviceId, std::uint64_t> heads_;
    std::map<DeviceId, std::map<ConversationId, std::uint64_t>> epochs_;  // before the present step
    std::map<Digest, std::uint64_t> sealed_;  // grants that wait in an outbox: not sealed before this epoch
    std::map<DeviceId, std::set<DeviceId>> seen_revoked_;
    std::map<std::pair<DeviceId, ChainId>, std::uint32_t> indexes_;
    std::map<Digest, Roster> rosters_;                                     // by conv_state, as they must be
    std::map<std::pair<DeviceId, DeviceId>, std::uint32_t> newest_batch_;  // that the one used of the other
    std::map<std::uint32_t, gateway::directory::DeviceFacts> numbers_;
    std::vector<Expected> alarms_;
    std::set<UserId> users_;
    std::set<DeviceId> robbed_, revoked_;
    std::set<std::pair<ConversationId, UserId>> removed_;
};

}  // namespace nimes::model
