// The verbs of groups.
#include "cli/arguments.hpp"
#include "cli/engine_service.hpp"
#include "cli/event_json.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

Json line_json(const engine::GroupLine& g) {
    Json out{{"conversation", to_hex(g.id.view())}, {"title", g.title}, {"members", g.members}, {"closed", g.closed}};
    if (!g.owed.empty()) out["owed"] = g.owed;
    return out;
}

Result<Json> answer(Result<engine::GroupLine> line) {
    if (!line) return pass(line);
    return line_json(*line);
}

std::optional<MemberRole> role_of(const std::string& name) {
    if (name.empty() || name == "poster") return MemberRole::poster;
    if (name == "reader") return MemberRole::reader;
    if (name == "administrator") return MemberRole::administrator;
    return std::nullopt;
}

std::optional<RosterOp> op_of(const std::string& verb) {
    if (verb == "group.add") return RosterOp::add;
    if (verb == "group.remove") return RosterOp::remove;
    if (verb == "group.role") return RosterOp::set_role;
    return std::nullopt;
}

}  // namespace

std::optional<Result<Json>> EngineService::group_verb(const Request& r, const Emit& emit) {
    if (!r.verb.starts_with("group.")) return std::nullopt;
    const auto& a = r.arguments;
    const auto group = text(a, "group");
    const auto wait = number(a, "wait_ms", kDefaultWait);
    const auto role = role_of(text(a, "role"));
    if (!role) return fail(Errc::usage, "a role is reader, poster or administrator");
    engine::Candidates candidates;
    if (r.verb == "group.create")
        return answer(with_candidates(agent_->create_group(text(a, "title"), texts(a, "with"), *role, wait, candidates),
                                      candidates, emit));
    if (const auto op = op_of(r.verb))
        return answer(with_candidates(agent_->change_group(group, *op, texts(a, "who"), *role, wait, candidates),
                                      candidates, emit));
    if (r.verb == "group.leave") return answer(agent_->leave_group(group, wait));
    if (r.verb == "group.close") return answer(agent_->close_group(group, wait));
    if (r.verb == "group.mend") return answer(agent_->mend_group(group, wait));
    if (r.verb == "group.confirm") {
        const auto seen = id_from_hex<Digest>(text(a, "seen"));
        if (!seen && !text(a, "seen").empty())
            return fail(Errc::usage, "what nimes-agent group show prints to confirm");
        return answer(agent_->confirm_group(group, seen ? std::optional(*seen) : std::nullopt, wait));
    }
    if (r.verb == "group.set") {
        engine::GroupWish wish;
        if (a.contains("title")) wish.title = text(a, "title");
        if (a.contains("expires_s"))
            wish.expires_after_s =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(number(a, "expires_s", 0), 0xffffffff));
        const auto id = id_from_hex<MessageId>(r.id);
        if (!id) return fail(Errc::usage, "a request's id has 32 hex digits");
        auto sent = agent_->set_group(group, wish, *id, wait);
        if (!sent) return pass(sent);
        return sent_json(*sent);
    }
    if (r.verb == "group.show") {
        const auto shown = agent_->group(group);
        if (!shown) return fail(shown.error().code, shown.error().detail);
        return group_json(*shown);
    }
    if (r.verb != "group.list") return std::nullopt;
    const auto groups = agent_->groups();
    for (const auto& g : groups) emit(line_json(g));
    return Json{{"count", groups.size()}};
}

}  // namespace nimes::agent::cli
