// A conversation's rosters as the container keeps them: one encoding of each value, and no other is read back.
#include <algorithm>

#include "conversation/roster_state.hpp"

namespace nimes::agent::conversation {
namespace {

constexpr std::uint8_t kFormat = 2;

using Epochs = std::map<std::uint64_t, EpochState>;

void put(Writer& out, const Epochs& epochs) {
    out.u32(static_cast<std::uint32_t>(epochs.size()));
    for (const auto& [number, e] : epochs) {
        out.u64(number).id(e.state).u8(e.closed ? 1 : 0).u8(e.only_additions ? 1 : 0).id(e.mended);
        out.u32(static_cast<std::uint32_t>(e.roster.size()));
        for (const auto& m : e.roster) out.id(m.user).u8(static_cast<std::uint8_t>(m.role));
    }
}

Epochs read_epochs(Reader& in) {
    Epochs out;
    for (auto n = in.u32(); n > 0 && !in.failed(); --n) {
        auto& e = out[in.u64()];
        e.state = in.id<Digest>();
        e.closed = in.u8() != 0;
        e.only_additions = in.u8() != 0;
        e.mended = in.id<Digest>();
        for (auto m = in.u32(); m > 0 && !in.failed(); --m) {
            const auto user = in.id<UserId>();
            e.roster.push_back({user, static_cast<MemberRole>(in.u8())});
        }
    }
    return out;
}

bool sound(const Roster& roster) {
    const auto falls = [](const Member& a, const Member& b) { return !(a.user < b.user); };
    return std::adjacent_find(roster.begin(), roster.end(), falls) == roster.end() &&
           std::all_of(roster.begin(), roster.end(), [](const Member& m) {
               return m.role >= MemberRole::reader && m.role <= MemberRole::administrator;
           });
}

bool sound(const Epochs& epochs) {
    return epochs.size() <= ConversationState::kEpochsKept &&
           std::all_of(epochs.begin(), epochs.end(), [](const auto& e) { return sound(e.second.roster); });
}

}  // namespace

Bytes ConversationState::encode() const {
    Writer out;
    out.u8(kFormat).id(id).u8(static_cast<std::uint8_t>(pair.size()));
    for (const auto& user : pair) out.id(user);
    out.u64(epoch);
    put(out, epochs);
    put(out, other);
    out.u32(static_cast<std::uint32_t>(settled.size()));
    for (const auto& state : settled) out.id(state);
    return std::move(out).take();
}

Result<ConversationState> ConversationState::parse(ByteView bytes) {
    Reader in(bytes);
    ConversationState out;
    in.expect_u8(kFormat);
    out.id = in.id<ConversationId>();
    for (auto n = in.u8(); n > 0 && !in.failed(); --n) out.pair.push_back(in.id<UserId>());
    out.epoch = in.u64();
    out.epochs = read_epochs(in);
    out.other = read_epochs(in);
    for (auto n = in.u32(); n > 0 && !in.failed(); --n) out.settled.insert(in.id<Digest>());
    out.forked = !out.other.empty();
    if (!in.done() || out.epochs.empty() || out.epochs.rbegin()->first != out.epoch || !sound(out.epochs) ||
        !sound(out.other) || out.encode() != to_bytes(bytes))
        return fail(Errc::malformed, "a stored conversation");
    return out;
}

}  // namespace nimes::agent::conversation
