#include "admin/roster.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace nimes::gateway::admin {
namespace {

constexpr std::size_t kMistakesShown = 1'000;

struct Columns {
    std::size_t address = 0, name = 0, unit = 0;
    std::optional<std::size_t> rank;
    std::size_t count = 0;
};

std::string lower(std::string text) {
    for (auto& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

Result<Columns> read_header(const CsvRecord& header) {
    std::map<std::string, std::size_t> at;
    for (std::size_t i = 0; i < header.fields.size(); ++i)
        if (!at.emplace(lower(header.fields[i]), i).second)
            return fail(Errc::bad_roster_line, "line 1: a column is named twice");
    for (const auto* needed : {"address", "name", "unit"})
        if (!at.contains(needed)) return fail(Errc::bad_roster_line, std::string("line 1: no column ") + needed);
    Columns out{at["address"], at["name"], at["unit"], {}, header.fields.size()};
    if (const auto rank = at.find("rank"); rank != at.end()) out.rank = rank->second;
    return out;
}

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

Result<PersonFields> read_person(const CsvRecord& record, const Columns& columns, const RosterRules& rules) {
    const auto wrong = [](const char* what) { return fail(Errc::bad_roster_line, what); };
    if (record.fields.size() != columns.count) return wrong("not as many fields as the header");
    auto address = ServiceAddress::parse(record.fields[columns.address]);
    if (!address) return wrong("the address is not one service address");
    if (!one_of(rules.domains, address->domain())) return wrong("the address is of a foreign domain");
    PersonFields out{std::move(*address), record.fields[columns.name], {}, record.fields[columns.unit]};
    if (columns.rank) out.rank = record.fields[*columns.rank];
    if (!sound(out.name)) return wrong("the name is empty, too long, or no clean UTF-8");
    if (!out.rank.empty() && !sound(out.rank)) return wrong("the rank is too long, or no clean UTF-8");
    if (!one_of(rules.units, out.unit)) return wrong("the unit is unknown: create it first");
    return out;
}

}  // namespace

Result<std::vector<PersonFields>> parse_roster(std::string_view csv, const RosterRules& rules) {
    if (csv.size() > kMaxRosterBytes) return fail(Errc::too_large, "a roster has at most 16 MiB");
    const auto records = parse_csv(csv);
    if (!records) return fail(records.error().code, records.error().detail);
    if (records->empty()) return fail(Errc::bad_roster_line, "line 1: no header");
    const auto columns = read_header(records->front());
    if (!columns) return fail(columns.error().code, columns.error().detail);

    std::vector<PersonFields> out;
    std::set<std::string> seen;
    std::string mistakes;
    std::size_t count = 0;
    const auto note = [&](std::size_t line, const std::string& what) {
        if (++count <= kMistakesShown) mistakes += "line " + std::to_string(line) + ": " + what + "\n";
    };
    for (auto record = records->begin() + 1; record != records->end(); ++record) {
        auto person = read_person(*record, *columns, rules);
        if (!person) {
            note(record->line, person.error().detail);
        } else if (!seen.insert(person->address.text()).second) {
            note(record->line, "the address stands twice");
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
