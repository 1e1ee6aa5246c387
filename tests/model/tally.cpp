#include "tally.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

namespace nimes::model {

void Tally::add(const World& world) {
    steps += world.steps;
    longest = std::max<std::uint64_t>(longest, world.longest);
    opened += world.oracle.opened;
    repaired += world.oracle.repaired;
    lost += world.oracle.lost_to_robbery;
    for (const auto& [name, count] : world.harms()) harms[name] += count;
}

void Tally::add(const Tally& other) {
    schedules += other.schedules;
    steps += other.steps;
    longest = std::max(longest, other.longest);
    opened += other.opened;
    repaired += other.repaired;
    lost += other.lost;
    for (const auto& [name, count] : other.harms) harms[name] += count;
}

void Tally::print(std::ostream& out) const {
    out << schedules << " schedules held, of " << steps / std::max<std::uint64_t>(schedules, 1)
        << " steps on average and " << longest << " at most; " << opened
        << " messages opened, each once; of those that a server took away " << repaired << " came all the same, "
        << lost << " never\nthe server";
    const char* comma = " ";
    for (const auto* name : kHarms) {
        const auto at = harms.find(name);
        out << comma << name << ' ' << (at == harms.end() ? 0 : at->second);
        comma = ", ";
    }
    out << std::endl;
}

std::vector<std::string> Tally::never() const {
    std::vector<std::string> out;
    std::copy_if(kHarms.begin(), kHarms.end(), std::back_inserter(out),
                 [this](const char* name) { return !harms.contains(name); });
    return out;
}

// Numbers in the order of their declaration, then a line for each harm: count, name.
std::string Tally::encode() const {
    std::ostringstream out;
    for (const auto n : {schedules, steps, longest, opened, repaired, lost}) out << n << ' ';
    for (const auto& [name, count] : harms) out << '\n' << count << ' ' << name;
    return out.str();
}

std::optional<Tally> Tally::parse(const std::string& text) {
    std::istringstream in(text);
    Tally out;
    for (auto* n : {&out.schedules, &out.steps, &out.longest, &out.opened, &out.repaired, &out.lost})
        if (!(in >> *n)) return std::nullopt;
    for (std::uint64_t count = 0; in >> count;) {
        std::string name;
        std::getline(in >> std::ws, name);
        out.harms[name] = count;
    }
    return out;
}

}  // namespace nimes::model
