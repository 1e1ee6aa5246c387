#include "nimes/conversation_event.hpp"

#include <algorithm>

#include "nimes/label.hpp"
#include "nimes/merkle.hpp"

namespace nimes {
namespace {

constexpr std::size_t kConversationAt = 8;

Result<RosterItem> read_item(Reader& in) {
    RosterItem item;
    item.user = in.id<UserId>();
    const auto role = in.u8();
    const auto op = in.u8();
    item.role = static_cast<MemberRole>(role);
    item.op = static_cast<RosterOp>(op);
    if (in.failed() || role < 1 || role > 3 || op < 1 || op > 3)
        return fail(Errc::malformed, "unknown role or operation");
    return item;
}

// The organisation appoints one administrator, and does nothing else.
bool appoints(const ConvEvent& e) {
    return e.kind == EventKind::change && e.items.size() == 1 && e.items[0].op == RosterOp::set_role &&
           e.items[0].role == MemberRole::administrator;
}

Result<void> check_kind(const ConvEvent& e) {
    if (e.by_organisation() && !appoints(e))
        return fail(Errc::malformed, "the organisation appoints one administrator, and nothing else");
    const auto adds = [&] {
        return std::all_of(e.items.begin(), e.items.end(), [](const auto& i) { return i.op == RosterOp::add; });
    };
    switch (e.kind) {
        case EventKind::create:
            if (e.epoch != 1 || e.items.empty() || !adds())
                return fail(Errc::malformed, "a create is epoch 1 and adds");
            return {};
        case EventKind::restate:
            if (e.epoch < 2 || e.items.empty() || !adds())
                return fail(Errc::malformed, "a restate adds the whole roster");
            return {};
        case EventKind::change:
            if (e.epoch < 2 || e.items.empty()) return fail(Errc::malformed, "a change changes something");
            return {};
        case EventKind::close:
            if (e.epoch < 2 || !e.items.empty()) return fail(Errc::malformed, "a close carries no items");
            return {};
    }
    return fail(Errc::malformed, "unknown kind of event");
}

}  // namespace

Result<ConvEvent> ConvEvent::parse(ByteView bytes) {
    if (bytes.size() < kFixed) return fail(Errc::malformed, "an event has at least 242 bytes");
    Reader in(bytes);
    ConvEvent e;
    in.expect("NMcs");
    in.expect_u8(1);
    in.expect_u8(1);
    e.kind = static_cast<EventKind>(in.u8());
    in.expect_u8(0);
    e.conversation = in.id<ConversationId>();
    e.epoch = in.u64();
    e.prev_hash = in.id<Digest>();
    e.actor_user = in.id<UserId>();
    e.actor_device = in.id<DeviceId>();
    e.ts = in.u64();
    e.dir_revision = in.u64();
    e.dir_head = in.id<Digest>();
    const std::size_t n = in.u16();
    if (in.failed() || bytes.size() != kFixed + n * kItem)
        return fail(Errc::malformed, "the length does not fit the items");
    e.items.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        auto item = read_item(in);
        if (!item) return pass(item);
        if (!e.items.empty() && !(e.items.back().user < item->user)) return fail(Errc::malformed, "items out of order");
        e.items.push_back(*item);
    }
    e.roster_root = in.id<Digest>();
    e.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not an event of version 1");
    if (auto ok = check_kind(e); !ok) return pass(ok);
    return e;
}

Bytes ConvEvent::body() const {
    Writer out;
    out.text("NMcs").u8(1).u8(1).u8(static_cast<std::uint8_t>(kind)).u8(0).id(conversation).u64(epoch).id(prev_hash);
    out.id(actor_user).id(actor_device).u64(ts).u64(dir_revision).id(dir_head);
    out.u16(static_cast<std::uint16_t>(items.size()));
    for (const auto& i : items)
        out.id(i.user).u8(static_cast<std::uint8_t>(i.role)).u8(static_cast<std::uint8_t>(i.op));
    out.id(roster_root);
    return std::move(out).take();
}

Bytes ConvEvent::encode() const {
    Writer out;
    out.bytes(body()).id(signature);
    return std::move(out).take();
}

Digest ConvEvent::state() const { return hash(label::kConversationState, {body()}); }

ConversationId ConvEvent::id_of_create() const {
    auto signed_part = body();
    std::fill_n(signed_part.begin() + kConversationAt, ConversationId::size, std::uint8_t{0});
    return ConversationId::from(hash(label::kConversationId, {signed_part}).view().first(ConversationId::size));
}

Signature sign_event(const SigningKey& identity, ByteView body) {
    return sign(identity, label::kConversationEvent, {body});
}
bool verify_event(const ConvEvent& event, const PublicKey& identity) {
    return verify(identity, event.signature, label::kConversationEvent, {event.body()});
}

Digest roster_root(const Roster& roster) {
    std::vector<Digest> leaves;
    leaves.reserve(roster.size());
    for (const auto& m : roster) {
        Writer leaf;
        leaf.bytes(label16(label::kRoster)).id(m.user).u8(static_cast<std::uint8_t>(m.role));
        leaves.push_back(merkle_leaf(leaf.view()));
    }
    return merkle_root(leaves);
}

ConversationId pair_id(const UserId& a, const UserId& b) {
    return ConversationId::from(hash(label::kPairId, {std::min(a, b).view(), std::max(a, b).view()}).view().first(16));
}
Digest pair_state(const UserId& a, const UserId& b) {
    return hash(label::kPairState, {std::min(a, b).view(), std::max(a, b).view()});
}

}  // namespace nimes
