// Groups, as far as the administration has to do with them: those that nobody of theirs can change any more.
#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;

Json as_json(const GroupLine& group) {
    auto members = Json::array();
    for (const auto& m : group.members)
        members.push_back({{"address", m.address}, {"name", m.name}, {"role", m.role}, {"has_device", m.has_device}});
    return {{"group", to_hex(group.id.view())},
            {"epoch", group.epoch},
            {"closed", group.closed},
            {"orphaned", group.orphaned},
            {"members", std::move(members)}};
}

Response orphaned(const Administration& a) {
    const auto groups = a.groups.orphaned();
    if (!groups) return http::problem(groups.error());
    auto out = Json::array();
    for (const auto& group : *groups) out.push_back(as_json(group));
    return answer(out);
}

Response show(const Administration& a, const Request& request) {
    const auto id = id_from_hex<ConversationId>(request.param("id"));
    if (!id) return http::problem(Errc::malformed, "a group's id has 32 hex digits");
    const auto group = a.groups.group(*id);
    if (!group) return http::problem(group.error());
    return answer(as_json(*group));
}

Response appoint(const Administration& a, const Request& request, const rights::Asker& who) {
    const auto id = id_from_hex<ConversationId>(request.param("id"));
    if (!id) return http::problem(Errc::malformed, "a group's id has 32 hex digits");
    const auto text = field(request, "address");
    if (!text) return http::problem(text.error());
    const auto address = ServiceAddress::parse(*text);
    if (!address) return http::problem(address.error());
    const auto act =
        act_of(request, who, "group appoint", {{"group", to_hex(id->view())}, {"address", address->text()}});
    if (auto ok = noted(a, act, [&] { return a.groups.appoint(*id, *address); }); !ok) return http::problem(ok.error());
    const auto group = a.groups.group(*id);
    if (!group) return http::problem(group.error());
    return answer(as_json(*group));
}

}  // namespace

void add_group_routes(rights::Door& door, const Administration& a) {
    using http::Method;
    using rights::Action;
    using rights::Asker;
    door.whole(Method::get, "/v1/admin/groups/orphaned", Action::steward_groups,
               [a](Request&, const Asker&) { return orphaned(a); })
        .whole(Method::get, "/v1/admin/groups/{id}", Action::steward_groups,
               [a](Request& r, const Asker&) { return show(a, r); })
        .whole(
            Method::post, "/v1/admin/groups/{id}/administrator", Action::steward_groups,
            [a](Request& r, const Asker& who) { return appoint(a, r, who); }, kSmallBody);
}

}  // namespace nimes::gateway::admin
