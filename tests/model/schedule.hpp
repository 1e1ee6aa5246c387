// One world of people with 3 to 8 handsets, and random schedules in it.
#pragma once

#include <ostream>

#include "hostile.hpp"

namespace nimes::model {

class World {
    ModelClock clock_;
    Chance chance_;
    std::filesystem::path folder_;
    Server server_;

  public:
    // `folder` is the caller's to remove.
    World(std::uint64_t seed, std::filesystem::path folder);
    // Throws Broken.
    void run_schedule();
    // The last of a world: afterwards one of its handsets trusts no directory any more.
    void fork_directory();

    Oracle oracle;
    std::size_t steps = 0, longest = 0;
    std::ostream* trace = nullptr;  // each step in words
    [[nodiscard]] const Harms& harms() const { return hostile_.done; }

  private:
    void add_handset(int person, Admission admission);
    void tell(const Handset& who, const std::string& what);
    std::set<DeviceId> active();
    Handset& someone();
    void step();
    void say();
    void change_roster();
    void revoke();
    void judge_alarms();
    void deliver(Handset& to, std::size_t most);
    void let_time_pass();
    void truce();
    void confirm_changes();
    void come_late();
    void fork_roster();
    void judge_fork(Handset& witness, const char* when);
    void ask_for_somebody();

    Hostile hostile_;
    std::vector<std::unique_ptr<Handset>> all_;
    std::vector<ConversationId> places_;
    std::map<ConversationId, std::vector<UserId>> pairs_;
    std::uint64_t texts_ = 0;
    std::size_t people_ = 0;
    int homes_ = 0;
};

}  // namespace nimes::model
