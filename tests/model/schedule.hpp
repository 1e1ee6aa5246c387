// One world of people and handsets, and random schedules in it.
#pragma once

#include <ostream>

#include "hostile.hpp"

namespace nimes::model {

class World {
  public:
    // `folder` is the caller's to remove.
    World(std::uint64_t seed, std::filesystem::path folder);
    // Throws Broken.
    void run_schedule();

    Oracle oracle;
    std::ostream* trace = nullptr;  // each step in words
    Hostile& hostile() { return hostile_; }
    Server& server() { return server_; }

  private:
    void add_handset(int person, Admission admission);
    void tell(const Handset& who, const std::string& what);
    std::set<DeviceId> active();
    Handset& someone();
    void step();
    void say();
    void change_roster();
    void revoke();
    void invent();
    void judge_alarms();
    void deliver(Handset& to, std::size_t most);
    void let_time_pass();
    void truce();

    ModelClock clock_;
    Chance chance_;
    std::filesystem::path folder_;
    Server server_;
    Hostile hostile_;
    std::vector<std::unique_ptr<Handset>> all_;
    std::vector<ConversationId> places_;
    std::map<ConversationId, std::vector<UserId>> pairs_;
    std::vector<DeviceCert> invented_;  // by a server that has the keys of the organisation
    std::uint64_t texts_ = 0;
    int homes_ = 0;
};

}  // namespace nimes::model
