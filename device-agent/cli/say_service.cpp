// The verbs that say something: send, reply, react, edit, delete, poll, vote, position, typing.
#include <cmath>

#include "cli/arguments.hpp"
#include "cli/engine_service.hpp"
#include "cli/event_json.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

using conversation::Meaning;
using engine::Shown;

conversation::Lifetime lifetime_of(const Json& a) {
    return {static_cast<std::uint32_t>(std::min<std::uint64_t>(number(a, "expires_s", 0), 0xffffffff)),
            flag(a, "view_once")};
}

conversation::MessageRef ref_of(const Shown& m) { return {m.message.device, m.message.id}; }

// Degrees as a person writes them; out of range stays so, for the content's rules to refuse.
std::int32_t e7(const Json& a, const char* name) {
    const auto at = a.find(name);
    if (at == a.end() || !at->is_number()) return std::numeric_limits<std::int32_t>::max();
    const auto degrees = at->get<double>();
    if (!(std::abs(degrees) <= 200)) return std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(std::lround(degrees * 1e7));
}

Result<Meaning> poll_of(const Json& a) {
    conversation::Poll out{text(a, "question"), texts(a, "options"), number(a, "ends_ms", 0)};
    return Meaning(std::move(out));
}

Result<Meaning> position_of(const Json& a) {
    conversation::Position out;
    out.latitude_e7 = e7(a, "latitude");
    out.longitude_e7 = e7(a, "longitude");
    out.accuracy_m = static_cast<std::uint32_t>(std::min<std::uint64_t>(number(a, "accuracy_m", 0), 100'000));
    out.label = text(a, "label");
    return Meaning(std::move(out));
}

Result<Meaning> vote_on(const Json& a, const Shown& m) {
    const auto* poll = std::get_if<conversation::Poll>(&m.meaning);
    if (poll == nullptr) return fail(Errc::usage, "that message is no poll");
    conversation::Vote out{ref_of(m), {}};
    for (const auto& choice : a.value("choices", Json::array())) {
        const auto n = choice.is_number_unsigned() ? choice.get<std::uint64_t>() : 0;
        if (n < 1 || n > poll->options.size()) return fail(Errc::usage, "the poll has no option of that number");
        out.choices.push_back(static_cast<std::uint32_t>(n - 1));
    }
    std::sort(out.choices.begin(), out.choices.end());
    return Meaning(std::move(out));
}

Result<Meaning> edit_of(const Json& a, const Shown& m) {
    const bool editable =
        std::holds_alternative<conversation::Text>(m.meaning) || std::holds_alternative<conversation::Media>(m.meaning);
    if (!m.own || !editable) return fail(Errc::forbidden, "only one's own texts and captions are edited");
    return Meaning(conversation::Edit{m.message.id, text(a, "text"), m.face.edits + 1});
}

// What a verb says about a message; nullopt for verbs that say nothing about one.
std::optional<engine::AboutMessage> about(const Request& r) {
    const auto& a = r.arguments;
    if (r.verb == "reply")
        return [&a](const Shown& m) -> Result<Meaning> {
            return Meaning(conversation::Text{text(a, "text"), ref_of(m), {}, lifetime_of(a)});
        };
    if (r.verb == "react")
        return [&a](const Shown& m) -> Result<Meaning> {
            return Meaning(conversation::Reaction{ref_of(m), text(a, "emoji"), flag(a, "withdraw")});
        };
    if (r.verb == "edit") return [&a](const Shown& m) { return edit_of(a, m); };
    if (r.verb == "delete")
        return [&a](const Shown& m) -> Result<Meaning> {
            return Meaning(conversation::Delete{ref_of(m), flag(a, "recall")});
        };
    if (r.verb == "vote") return [&a](const Shown& m) { return vote_on(a, m); };
    return std::nullopt;
}

media::Progress progress_to(const Emit& emit) {
    return [&emit](std::uint64_t done, std::uint64_t total) {
        emit({{"progress", {{"done", done}, {"total", total}}}});
    };
}

}  // namespace

std::optional<Result<Json>> EngineService::say_verb(const Request& r, const Emit& emit, const std::stop_token& stop) {
    const auto& a = r.arguments;
    const auto id = id_from_hex<MessageId>(r.id);
    if (!id) return fail(Errc::usage, "a request's id has 32 hex digits");
    const auto wait = number(a, "wait_ms", kDefaultWait);
    if (const auto make = about(r)) {
        auto sent = agent_->say_about(number(a, "sequence", 0), *make, *id, wait);
        if (!sent) return pass(sent);
        auto out = sent_json(*sent);
        if (r.verb != "delete" || !sent->accepted) return out;
        const auto became = agent_->wait_recalled(number(a, "sequence", 0), wait, stop);
        if (!became) return fail(became.error().code, became.error().detail);
        if (became->count) out["recall"] = recall_json(*became->count);
        out["on_server"] = became->on_server;
        return out;
    }
    if (r.verb == "send" && a.contains("file")) return send_file(a, *id, emit, stop);
    Result<Meaning> meaning = fail(Errc::usage);
    if (r.verb == "send") meaning = Meaning(conversation::Text{text(a, "text"), {}, {}, lifetime_of(a)});
    else if (r.verb == "poll") meaning = poll_of(a);
    else if (r.verb == "position") meaning = position_of(a);
    else if (r.verb != "typing") return std::nullopt;
    engine::Candidates candidates;
    if (r.verb == "typing") {
        auto done = with_candidates(agent_->typing(text(a, "to"), candidates), candidates, emit);
        if (!done) return pass(done);
        return Json::object();
    }
    auto sent =
        with_candidates(agent_->say(text(a, "to"), std::move(*meaning), *id, wait, candidates), candidates, emit);
    if (!sent) return pass(sent);
    return sent_json(*sent);
}

Result<Json> EngineService::send_file(const Json& a, const MessageId& id, const Emit& emit,
                                      const std::stop_token& stop) {
    engine::MediaWish wish;
    wish.caption = text(a, "caption");
    wish.duration_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(number(a, "duration_ms", 0), 86'400'000));
    wish.media_type = text(a, "media_type");
    wish.lifetime = lifetime_of(a);
    wish.group_picture = flag(a, "group_picture");
    wish.as_it_is = flag(a, "as_it_is");
    const auto variant = text(a, "variant");
    if (variant == "original") wish.variant = engine::Variant::original;
    else if (variant == "small") wish.variant = engine::Variant::small;
    else if (!variant.empty()) return fail(Errc::usage, "a variant is original or small");
    engine::Candidates candidates;
    auto sent =
        with_candidates(agent_->send_photo(text(a, "to"), text(a, "file"), std::move(wish), id,
                                           number(a, "wait_ms", kDefaultWait), progress_to(emit), stop, candidates),
                        candidates, emit);
    if (!sent) return pass(sent);
    auto out = sent_json(sent->message);
    out["media"] = {{"id", to_hex(sent->blob.view())},
                    {"sha256", to_hex(sent->sha256.view())},
                    {"bytes", sent->bytes},
                    {"stripped", sent->stripped},
                    {"variant", sent->variant == engine::Variant::small ? "small" : "original"},
                    {"original_bytes", sent->original_bytes}};
    if (sent->rate) out["media"]["rate"] = *sent->rate;
    if (sent->video_without_frame) out["media"]["frame"] = false;
    return out;
}

}  // namespace nimes::agent::cli
