#include "admin/roster.hpp"

#include <algorithm>
#include <set>

namespace nimes::gateway::admin {
namespace {

constexpr std::size_t kMistakesShown = 1'000;

// UTF-8 without control characters, no surrounding space, of a length that a screen can show.
bool sound(const std::string& text) {
    if (text.empty() || text.size() > kMaxField || text.front() == ' ' || text.back() == ' ') return false;
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7f) return false;
        const std::size_t follow = c < 0x80                ? 0
                                   : c >= 0xc2 && c < 0xe0 ? 1
                                   : c >= 0xe0 && c < 0xf0 ? 2
                                   : c >= 0xf0 && c < 0xf5 ? 3
                                                           : 9;
        if (follow == 9 || i + follow >= text.size()) return false;
        for (std::size_t k = 1; k <= follow; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
        i += follow + 1;
    }
    return true;
}

bool one_of(const std::vector<std::string>& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

Result<PersonFields> read_person(RosterRow&& row, const RosterRules& rules) {
    const auto wrong = [](std::string what) { return fail(Errc::bad_roster_line, std::move(what)); };
    if (!row.fault.empty()) return wrong(row.fault);
    auto address = ServiceAddress::parse(row.address);
    if (!address) return wrong("the address is not one service address");
    if (!one_of(rules.domains, address->domain())) return wrong("the address is of a foreign domain");
    if (rules.elsewhere.contains(address->text())) return wrong("the person is in another unit: not yours to move");
    PersonFields out{std::move(*address), std::move(row.name), std::move(row.rank), std::move(row.unit)};
    if (!sound(out.name)) return wrong("the name is empty, too long, or no clean UTF-8");
    if (!out.rank.empty() && !sound(out.rank)) return wrong("the rank is too long, or no clean UTF-8");
    if (!one_of(rules.units, out.unit)) return wrong("the unit is unknown, or not yours: create it first");
    return out;
}

}  // namespace

Result<std::vector<PersonFields>> read_roster(RosterSource& source, const RosterRules& rules) {
    std::vector<PersonFields> out;
    std::set<std::string> seen;
    std::string mistakes;
    std::size_t count = 0;
    const auto note = [&](const std::string& where, const std::string& what) {
        if (++count <= kMistakesShown) mistakes += where + ": " + what + "\n";
    };
    for (;;) {
        auto row = source.next();
        if (!row) return pass(row);
        if (!*row) break;
        const auto where = (*row)->where;
        auto person = read_person(std::move(**row), rules);
        if (!person) {
            note(where, person.error().detail);
        } else if (!seen.insert(person->address.text()).second) {
            note(where, "the address stands twice");
        } else {
            out.push_back(std::move(*person));
        }
    }
    if (count > kMistakesShown) mistakes += "and " + std::to_string(count - kMistakesShown) + " more\n";
    if (count == 0) return out;
    mistakes.pop_back();
    return fail(Errc::bad_roster_line, mistakes);
}

}  // namespace nimes::gateway::admin
