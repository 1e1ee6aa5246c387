#include "admin/import.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "admin/route_parts.hpp"
#include "http/problem.hpp"
#include "nimes/crypto.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;

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
    for (const auto& p : plan.shut_out) out.push_back(as_json("shut_out", p));
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

audit::Act of_import(const Request& request, const std::string& file, const PersonFields& person) {
    return act_of(request, "person put",
                  {{"address", person.address.text()},
                   {"name", person.name},
                   {"rank", person.rank},
                   {"unit", person.unit},
                   {"roster", file}});
}

}  // namespace

bool ImportPlan::wants_number() const {
    return leaving.size() > kMaySuspend || leaving.size() * 100 > standing * kMaySuspendPercent;
}

ImportPlan plan_import(const std::vector<PersonFields>& roster, const std::vector<PersonLine>& known) {
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
        else out.changed.push_back({p, before});
        if (before.shut_out) out.shut_out.push_back(before);
    }
    for (const auto& [address, p] : by_address) {
        if (p->shut_out) continue;
        ++out.standing;
        if (!on_roster.contains(address)) out.leaving.push_back(*p);
    }
    return out;
}

Response RosterImport::answer_to(const Request& request) {
    if (!a_.organisation.exists()) return http::problem(Errc::not_found, "create the organisation first");
    const auto people = parse_roster(as_text(request.body), a_.organisation.rules());
    if (!people) return http::problem(people.error());
    const std::lock_guard lock(one_at_a_time_);
    const auto plan = plan_import(*people, a_.registry.people());
    const bool dry = request.query_value("dry_run") != nullptr;
    Json out{{"people", people->size()},           {"dry_run", dry},
             {"added", plan.added.size()},         {"changed", plan.changed.size()},
             {"unchanged", plan.unchanged},        {"suspended", plan.leaving.size()},
             {"shut_out", plan.shut_out.size()},   {"of", plan.standing},
             {"wants_number", plan.wants_number()}};
    if (dry) {
        out["changes"] = changes_of(plan);
        return answer(out);
    }
    if (auto ok = check_number(plan, request.query_value("suspend")); !ok) return http::problem(ok.error());
    std::uint64_t order = 0;
    if (auto ok = apply(request, plan, order); !ok) return http::problem(ok.error());
    if (order != 0) out["order"] = order;
    return answer(out);
}

// People first: a name that is wrong for a moment harms nobody.
Result<void> RosterImport::apply(const Request& request, const ImportPlan& plan, std::uint64_t& order) {
    const auto file = to_hex(sha256({request.body}).view());
    const auto act = act_of(request, "roster import",
                            {{"sha256", file},
                             {"added", plan.added.size()},
                             {"changed", plan.changed.size()},
                             {"unchanged", plan.unchanged},
                             {"suspended", plan.leaving.size()}});
    if (auto ok = a_.audit.write(act); !ok) return ok;
    auto put = plan.added;
    for (const auto& c : plan.changed) put.push_back(c.now);
    for (const auto& person : put) {
        const auto store = [&](const store::Batch& row) { return a_.registry.put_person(person, row); };
        if (auto ok = a_.audit.write(of_import(request, file, person), store); !ok) return pass(ok);
    }
    if (plan.leaving.empty()) return {};
    std::vector<std::string> addresses;
    for (const auto& p : plan.leaving) addresses.push_back(p.address);
    const auto why = "not on the roster " + file.substr(0, 16) + (act.why.empty() ? "" : ": " + act.why);
    auto given = a_.suspensions.suspend(addresses, act.who, why);
    if (!given) return pass(given);
    order = *given;
    return {};
}

}  // namespace nimes::gateway::admin
