// What the worlds of a run saw together, in one process or several.
#pragma once

#include <iosfwd>

#include "schedule.hpp"

namespace nimes::model {

struct Tally {
    std::uint64_t schedules = 0, steps = 0, longest = 0, opened = 0, repaired = 0, lost = 0;
    Harms harms;

    void add(const World& world);
    void add(const Tally& other);
    void print(std::ostream& out) const;
    // Kinds of harm that were never done: schedules became too short, or too few of a kind, for what they are to show.
    [[nodiscard]] std::vector<std::string> never() const;

    // From a process to the one that started it.
    [[nodiscard]] std::string encode() const;
    static std::optional<Tally> parse(const std::string& text);
};

}  // namespace nimes::model
