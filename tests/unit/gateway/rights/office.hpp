// Administrators over a store in memory, with a roll that says who stands.
#pragma once

#include <catch2/catch.hpp>

#include "rights/administrators.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::rights {

struct HandClock final : Clock {
    Millis time = 1'780'000'000'000;
    Millis now() const override { return time; }
    Millis boot() const override { return time; }
};

struct Roll final : People {
    std::map<std::string, Standing> people;
    Standing standing(const std::string& address) const override {
        const auto at = people.find(address);
        return at == people.end() ? Standing::unknown : at->second;
    }
};

struct Office {
    store::MemoryStore store;
    HandClock clock;
    SystemRandom random;
    Roll roll;
    std::unique_ptr<Administrators> all;

    Office() {
        for (const auto* name : {"anna", "bernd", "clara"}) roll.people[address(name)] = People::Standing::stands;
        restart();
    }
    void restart() { all = Administrators::open(store, roll, clock, random).value(); }
    static std::string address(const std::string& name) { return name + "@polizei.example"; }
    static store::Batch row() { return store::Batch({store::Family::audit, "x"}); }
    Result<std::string> add(const std::string& name, Role role, std::vector<std::string> units = {}) {
        return all->add({name, address(name), role, std::move(units), "test", 0, 0}, row());
    }
};

}  // namespace nimes::gateway::rights
