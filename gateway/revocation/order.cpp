#include "revocation/order.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nimes::gateway::revocation {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kKinds[] = {"", "suspend", "revoke", "reinstate"};
constexpr std::string_view kReasons[] = {"", "replaced", "lost", "stolen", "left"};
constexpr std::string_view kStepNames[kSteps] = {
    "recorded",      "tokens_refused",    "broker_told",         "broker_obeyed",
    "requests_cut",  "mailbox_destroyed", "seal_keys_destroyed", "share_withheld",
    "share_deleted", "wipe_ordered",      "chains_listed"};
constexpr std::uint8_t kVersion = 1;

template <class Enum, std::size_t N>
std::optional<Enum> among(const std::string_view (&names)[N], std::string_view name) {
    const auto* at = std::find(names + 1, names + N, name);
    if (at == names + N) return std::nullopt;
    return static_cast<Enum>(at - names);
}

}  // namespace

std::string_view name(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view name(Step step) { return kStepNames[static_cast<std::size_t>(step)]; }
std::string_view name(RevokeReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }
std::optional<Kind> kind_of(std::string_view text) { return among<Kind>(kKinds, text); }
std::optional<RevokeReason> reason_of(std::string_view text) { return among<RevokeReason>(kReasons, text); }

Bytes Target::encode() const {
    Writer out;
    out.u8(kVersion).u8(static_cast<std::uint8_t>(subject.kind)).bytes(subject.id);
    out.u64(mirror_revision).u64(superseded).u8(kSteps);
    for (const auto at : done) out.u64(at);
    return std::move(out).take();
}

// A later version may know more steps: none of them was an order's of before.
Result<Target> Target::parse(ByteView bytes) {
    Reader in(bytes);
    Target out;
    in.expect_u8(kVersion);
    out.subject.kind = in.u8() == 'p' ? Subject::Kind::person : Subject::Kind::device;
    out.subject.id = in.array<16>();
    out.mirror_revision = in.u64();
    out.superseded = in.u64();
    const auto n = in.u8();
    for (std::size_t i = 0; i < n && i < kSteps; ++i) out.done[i] = in.u64();
    if (!in.done()) return fail(Errc::storage, "a stored step of a revocation");
    return out;
}

Target* target_in(std::vector<Target>& targets, const Subject& subject) {
    const auto at = std::lower_bound(targets.begin(), targets.end(), subject,
                                     [](const Target& t, const Subject& s) { return t.subject < s; });
    return at == targets.end() || at->subject != subject ? nullptr : &*at;
}

bool Order::wants(const Target& target, Step step) const {
    if (step == Step::recorded) return true;
    if (!target.subject.is_device()) return false;
    switch (step) {
        case Step::broker_told:
        case Step::broker_obeyed:
            return true;
        case Step::tokens_refused:
        case Step::requests_cut:
            return kind != Kind::reinstate;
        case Step::share_withheld:
            return kind == Kind::suspend;
        case Step::wipe_ordered:
            return kind == Kind::revoke && wipe;
        default:
            return kind == Kind::revoke;
    }
}

bool Order::finished(const Target& target) const {
    if (target.superseded != 0) return true;
    for (std::size_t i = 0; i < kSteps; ++i)
        if (wants(target, static_cast<Step>(i)) && target.done[i] == 0) return false;
    return true;
}

bool Order::complete() const {
    return std::all_of(targets.begin(), targets.end(), [this](const Target& t) { return finished(t); });
}

Bytes Order::encode_head() const {
    const Json out{{"kind", static_cast<int>(kind)},
                   {"reason", reason ? static_cast<int>(*reason) : 0},
                   {"wipe", wipe},
                   {"scope", scope},
                   {"who", who},
                   {"why", why},
                   {"ordered_ms", ordered}};
    return to_bytes(as_bytes(out.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

Result<Order> Order::parse_head(std::uint64_t number, ByteView bytes) {
    const auto in = Json::parse(as_text(bytes), nullptr, false);
    const auto damaged = [] { return fail(Errc::storage, "a stored order of a revocation"); };
    if (!in.is_object()) return damaged();
    const auto kind = in.value("kind", 0);
    const auto reason = in.value("reason", 0);
    if (kind < 1 || kind > 3 || reason < 0 || reason > 4) return damaged();
    Order out;
    out.id = number;
    out.kind = static_cast<Kind>(kind);
    if (reason != 0) out.reason = static_cast<RevokeReason>(reason);
    out.wipe = in.value("wipe", false);
    out.scope = in.value("scope", "");
    out.who = in.value("who", "");
    out.why = in.value("why", "");
    out.ordered = in.value("ordered_ms", Millis{0});
    return out;
}

}  // namespace nimes::gateway::revocation
