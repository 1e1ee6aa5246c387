#include "admin/import.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "admin/csv.hpp"
#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;
using rights::Asker;

Json as_json(const char* what, const PersonLine& p) {
    return {{"what", what}, {"address", p.address}, {"name", p.name}, {"rank", p.rank}, {"unit", p.unit}};
}
Json as_json(const char* what, const PersonFields& p) {
    return as_json(what, PersonLine{p.address.text(), p.name, p.rank, p.unit, false});
}

Json changes_of(const ImportPlan& plan) {
    auto out = Json::array();
    for (const auto& p : plan.added) out.push_back(as_json("add", p));
    for (const auto& c : plan.changed) {
        auto line = as_json("change", c.now);
        line["before"] = {{"name", c.before.name}, {"rank", c.before.rank}, {"unit", c.before.unit}};
        out.push_back(std::move(line));
    }
    for (const auto& p : plan.leaving) out.push_back(as_json("suspend", p));
    for (const auto& p : plan.kept) out.push_back(as_json("keep", p));
    for (const auto& p : plan.shut_out) out.push_back(as_json("shut_out", p));
    return out;
}

std::vector<std::string> addresses_of(const std::vector<PersonLine>& people) {
    std::vector<std::string> out;
    for (const auto& p : people) out.push_back(p.address);
    return out;
}

// Who says how many shall be suspended has seen them.
Result<void> check_number(const ImportPlan& plan, const std::string* said) {
    const auto n = plan.leaving.size();
    std::size_t number = 0;
    if (said != nullptr) {
        const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), number);
        if (error != std::errc() || end != said->data() + said->size()) return fail(Errc::usage, "suspend is a number");
        if (number == n) return {};
        return fail(Errc::usage,
                    std::to_string(n) + " people would be suspended, not " + *said + ": nothing was changed");
    }
    if (!plan.wants_number()) return {};
    return fail(Errc::usage,
                std::to_string(n) + " of " + std::to_string(plan.standing) +
                    " people are not on this roster and would be suspended; nothing was changed. Look at them "
                    "with --dry-run; if that is right, say --suspend " +
                    std::to_string(n));
}

}  // namespace

bool ImportPlan::wants_number() const {
    return leaving.size() > kMaySuspend || leaving.size() * 100 > standing * kMaySuspendPercent;
}

ImportPlan plan_import(const std::vector<PersonFields>& roster, const std::vector<PersonLine>& known,
                       const OwnersOf& owners) {
    ImportPlan out;
    std::map<std::string, const PersonLine*> by_address;
    std::set<std::string> on_roster;
    for (const auto& p : known) by_address[p.address] = &p;
    for (const auto& p : roster) {
        on_roster.insert(p.address.text());
        const auto at = by_address.find(p.address.text());
        if (at == by_address.end()) {
            out.added.push_back(p);
            continue;
        }
        const auto& before = *at->second;
        const bool same = before.name == p.name && before.rank == p.rank && before.unit == p.unit;
        if (same) ++out.unchanged;
        else if (!owners.may_change && owners.is_one(before.address)) out.kept.push_back(before);
        else out.changed.push_back({p, before});
        if (before.shut_out) out.shut_out.push_back(before);
    }
    for (const auto& [address, p] : by_address) {
        if (p->shut_out) continue;
        ++out.standing;
        if (on_roster.contains(address)) continue;
        (owners.is_one(address) ? out.kept : out.leaving).push_back(*p);
    }
    return out;
}

// Who has units alone compares those, and can neither take people of others in nor find them missing.
RosterImport::View RosterImport::view_of(const Asker& who) const {
    View out{a_.organisation.rules(), a_.registry.people()};
    if (who.whole()) return out;
    std::erase_if(out.rules.units, [&](const std::string& unit) { return !who.covers(unit); });
    for (const auto& p : out.known)
        if (!who.covers(p.unit)) out.rules.elsewhere.insert(p.address);
    std::erase_if(out.known, [&](const PersonLine& p) { return !who.covers(p.unit); });
    return out;
}

Response RosterImport::answer_to(const Request& request, const Asker& who) {
    CsvRoster source(as_text(request.body));
    return import(source, request, who);
}

Response RosterImport::import(RosterSource& source, const Request& request, const Asker& who) {
    if (!a_.organisation.exists()) return http::problem(Errc::not_found, "create the organisation first");
    const std::lock_guard lock(one_at_a_time_);
    const auto view = view_of(who);
    const auto people = read_roster(source, view.rules);
    if (!people) return http::problem(people.error());
    const auto plan =
        plan_import(*people, view.known,
                    {[&](const std::string& address) {
                         return a_.administrators.is_owner(address) || a_.administrators.reaches_beyond(address, who);
                     },
                     who.role == rights::Role::owner});
    const bool dry = request.query_value("dry_run") != nullptr;
    Json out{{"people", people->size()},
             {"dry_run", dry},
             {"added", plan.added.size()},
             {"changed", plan.changed.size()},
             {"unchanged", plan.unchanged},
             {"suspended", plan.leaving.size()},
             {"kept", addresses_of(plan.kept)},
             {"shut_out", plan.shut_out.size()},
             {"of", plan.standing},
             {"wants_number", plan.wants_number()}};
    if (dry) {
        out["changes"] = changes_of(plan);
        return answer(out);
    }
    if (auto ok = check_number(plan, request.query_value("suspend")); !ok) return http::problem(ok.error());
    std::uint64_t order = 0;
    const auto act = act_of(request, who, "roster import",
                            {{"roster", source.name()},
                             {"added", plan.added.size()},
                             {"changed", plan.changed.size()},
                             {"unchanged", plan.unchanged},
                             {"suspended", plan.leaving.size()},
                             {"kept", addresses_of(plan.kept)}});
    if (auto ok = apply(act, plan, order); !ok) return http::problem(ok.error());
    if (order != 0) out["order"] = order;
    return answer(out);
}

// People first: a name that is wrong for a moment harms nobody.
Result<void> RosterImport::apply(const audit::Act& act, const ImportPlan& plan, std::uint64_t& order) {
    const auto roster = act.whom.at("roster").get<std::string>();
    if (auto ok = a_.audit.write(act); !ok) return ok;
    auto put = plan.added;
    for (const auto& c : plan.changed) put.push_back(c.now);
    for (const auto& p : put) {
        const audit::Act one{
            act.who,
            "person put",
            {{"address", p.address.text()}, {"name", p.name}, {"rank", p.rank}, {"unit", p.unit}, {"roster", roster}},
            act.why};
        const auto store = [&](const store::Batch& row) { return a_.registry.put_person(p, row); };
        if (auto ok = a_.audit.write(one, store); !ok) return pass(ok);
    }
    if (plan.leaving.empty()) return {};
    const auto why = "not on the roster " + roster + (act.why.empty() ? "" : ": " + act.why);
    auto given = a_.suspensions.suspend(addresses_of(plan.leaving), act.who, why);
    if (!given) return pass(given);
    order = *given;
    return {};
}

}  // namespace nimes::gateway::admin
