#include "records.hpp"

#include <algorithm>

#include "nimes/control.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/device_record.hpp"
#include "nimes/directory_head.hpp"
#include "nimes/encoding.hpp"
#include "nimes/grant.hpp"
#include "nimes/message.hpp"
#include "nimes/mirror.hpp"
#include "nimes/opaque.hpp"
#include "nimes/prefix_map.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/token.hpp"

namespace nimes::test {
namespace {

using model::Chance;

// Fills every id and digest that it is given, in order.
template <class... Ids>
void fill(Chance& chance, Ids&... ids) {
    (chance.fill(ids.bytes), ...);
}
std::uint32_t number(Chance& chance) { return static_cast<std::uint32_t>(chance.below(1'000'000)); }
Bytes some(Chance& chance, std::size_t n) {
    Bytes out(n);
    chance.fill(out);
    return out;
}

template <class Record>
RecordKind plain(std::string name, Record (*make)(Chance&)) {
    return {std::move(name), [make](Chance& chance) { return make(chance).encode(); },
            [](ByteView in) -> std::optional<Bytes> {
                if (auto r = Record::parse(in)) return r->encode();
                return std::nullopt;
            }};
}

DeviceCert cert(Chance& chance) {
    DeviceCert c;
    c.role = static_cast<DeviceRole>(1 + chance.below(2));
    c.admission = static_cast<Admission>(chance.below(3));
    c.seq = 1 + number(chance);
    c.not_before = number(chance);
    c.not_after = c.not_before + kDay;
    fill(chance, c.user, c.device, c.identity, c.attest_hash, c.self_signature, c.ea_key, c.ea_signature);
    if (c.admission != Admission::first) fill(chance, c.voucher, c.voucher_signature);
    return c;
}
DeviceRevoke revoke(Chance& chance) {
    DeviceRevoke r;
    r.reason = static_cast<RevokeReason>(1 + chance.below(4));
    r.seq = 1 + number(chance);
    r.effective = number(chance);
    fill(chance, r.user, r.device, r.actor, r.signature);
    return r;
}
SealKey seal_key(Chance& chance) {
    SealKey k;
    k.kind = static_cast<SealKeyKind>(1 + chance.below(2));
    k.batch_no = number(chance);
    k.key_id = number(chance);
    k.not_before = static_cast<Millis>(chance.below(20'000)) * kDay;
    k.not_after = k.not_before + kDay;
    fill(chance, k.device, k.key, k.signature);
    return k;
}
DirectoryHead head(Chance& chance) {
    DirectoryHead h;
    h.revision = 1 + number(chance);
    h.ts = number(chance);
    h.n_leaves = number(chance);
    fill(chance, h.map_root, h.log_root, h.signature);
    return h;
}
ConvEvent event(Chance& chance) {
    ConvEvent e;
    e.kind = static_cast<EventKind>(1 + chance.below(4));
    e.epoch = e.kind == EventKind::create ? 1 : 2 + number(chance);
    e.ts = number(chance);
    e.dir_revision = number(chance);
    fill(chance, e.conversation, e.prev_hash, e.actor_user, e.actor_device, e.dir_head, e.roster_root, e.signature);
    for (auto n = e.kind == EventKind::close ? 0 : 1 + chance.below(5); n > 0; --n) {
        RosterItem item;
        fill(chance, item.user);
        item.role = static_cast<MemberRole>(1 + chance.below(3));
        item.op = e.kind == EventKind::change ? static_cast<RosterOp>(1 + chance.below(3)) : RosterOp::add;
        e.items.push_back(item);
    }
    std::sort(e.items.begin(), e.items.end(), [](const auto& a, const auto& b) { return a.user < b.user; });
    return e;
}
GrantHeader grant_header(Chance& chance) {
    GrantHeader h;
    h.resend = chance.below(2) != 0;
    h.n_wraps = 1;
    fill(chance, h.conversation, h.device, h.chain, h.dk_commit);
    return h;
}
ChainBody chain_body(Chance& chance) {
    ChainBody b;
    b.resend = chance.below(2) != 0;
    b.conv_epoch = number(chance);
    b.chain_no = number(chance);
    b.first_index = static_cast<std::uint32_t>(chance.below(100));
    b.max_index = b.first_index + static_cast<std::uint32_t>(chance.below(100));
    b.created = number(chance);
    b.expires = b.created + kDay;
    b.dir_revision = number(chance);
    b.prev_chain_count = number(chance);
    chance.fill(b.chain_key.edit());
    fill(chance, b.conversation, b.conv_state, b.user, b.device, b.dir_head, b.chain_sig, b.prev_chain_digest);
    return b;
}
MessageHeader message_header(Chance& chance) {
    MessageHeader h;
    h.index = static_cast<std::uint32_t>(chance.below(1'000));
    chance.fill(h.guard);
    fill(chance, h.chain);
    return h;
}
KeyRequest key_request(Chance& chance) {
    KeyRequest r;
    r.kind = static_cast<RequestKind>(1 + chance.below(2));
    r.have_index = number(chance);
    r.ts = number(chance);
    r.dir_revision = number(chance);
    chance.fill(r.nonce);
    fill(chance, r.owner, r.requester, r.conversation, r.chain, r.dir_head, r.signature);
    return r;
}
HistoryOffer history_offer(Chance& chance) {
    HistoryOffer o;
    chance.fill(o.key.edit());
    o.plain_length = number(chance);
    o.padded_length = number(chance);
    o.from = number(chance);
    o.issued = number(chance);
    o.expires = o.issued + static_cast<Millis>(chance.below(kHour + 1));
    fill(chance, o.user, o.old_device, o.new_device, o.new_cert, o.blob, o.blob_digest, o.signature);
    return o;
}
Presence presence(Chance& chance) {
    Presence p;
    p.kind = static_cast<Presence::Kind>(1 + chance.below(2));
    p.connection = number(chance);
    p.at = number(chance);
    fill(chance, p.device);
    return p;
}
EdgeState edge_state(Chance& chance) {
    EdgeState s;
    s.started = number(chance);
    s.mirror_revision = number(chance);
    s.wants_full = chance.below(2) != 0;
    s.tick_gap_max = number(chance);
    return s;
}
ProvisioningFile provisioning(Chance& chance) {
    ProvisioningFile f;
    f.bytes = some(chance, 1 + chance.below(50));
    for (auto n = 1 + chance.below(3); n > 0; --n) {
        const auto key = signing_key_from_seed(some(chance, 32));
        f.add_seal(key.secret, key.public_key, org_id("some"));
    }
    return f;
}

RecordKind content() {
    return {"content",
            [](Chance& chance) {
                Content c;
                c.kind = static_cast<std::uint8_t>(1 + chance.below(20));
                c.resent = chance.below(2) != 0;
                c.sent = number(chance);
                c.conv_epoch = number(chance);
                fill(chance, c.id);
                chance.fill(c.prev_own);
                c.body = some(chance, chance.below(300));
                return c.encode().value();
            },
            [](ByteView in) -> std::optional<Bytes> {
                if (const auto c = Content::parse(in)) return c->encode().value();
                return std::nullopt;
            }};
}
RecordKind grant() {
    return {"grant",
            [](Chance& chance) {
                std::vector<Wrap> wraps(1 + chance.below(4));
                for (auto& w : wraps) {
                    w.dev_no = number(chance);
                    w.key_id = number(chance);
                    chance.fill(w.sealed);
                }
                auto header = grant_header(chance);
                header.n_wraps = static_cast<std::uint32_t>(wraps.size());
                return encode_grant(header, some(chance, kGrantCiphertext), wraps);
            },
            [](ByteView in) -> std::optional<Bytes> {
                if (const auto g = GrantUpload::parse(in)) return encode_grant(g->header, g->ciphertext, g->wraps);
                return std::nullopt;
            }};
}
RecordKind wire_message() {
    return {"message",
            [](Chance& chance) {
                const auto ciphertext = some(chance, 128 + 16);
                return std::move(Writer()
                                     .bytes(message_header(chance).encode())
                                     .bytes(ciphertext)
                                     .bytes(some(chance, Signature::size)))
                    .take();
            },
            [](ByteView in) -> std::optional<Bytes> {
                const auto w = WireMessage::parse(in);
                if (!w) return std::nullopt;
                return std::move(Writer().bytes(w->header.encode()).bytes(w->ciphertext).id(w->signature)).take();
            }};
}
RecordKind sealed_control() {
    const auto write = [](const SealedControl& c) {
        Writer out;
        out.u8(static_cast<std::uint8_t>(c.type)).u8(1).u8(1).u8(0).id(c.receiver).u32(c.key_id).bytes(c.sealed);
        return std::move(out).take();
    };
    return {"sealed control",
            [write](Chance& chance) {
                SealedControl c;
                const bool request = chance.below(2) != 0;
                const auto sealed =
                    some(chance, (request ? KeyRequest::kBytes : HistoryOffer::kBytes) + crypto_box_SEALBYTES);
                c.type = request ? ControlType::key_request : ControlType::history_offer;
                c.key_id = number(chance);
                c.sealed = sealed;
                fill(chance, c.receiver);
                return write(c);
            },
            [write](ByteView in) -> std::optional<Bytes> {
                if (const auto c = SealedControl::parse(in)) return write(*c);
                return std::nullopt;
            }};
}
// As the text that travels.
RecordKind token() {
    return {"token",
            [](Chance& chance) {
                const auto key = signing_key_from_seed(some(chance, 32));
                DeviceId device;
                fill(chance, device);
                const auto text = mint_token(key.secret, device, audience_of("https://a.example:443").value(),
                                             number(chance), chance);
                return to_bytes(as_bytes(text));
            },
            [](ByteView in) -> std::optional<Bytes> {
                const auto t = Token::parse(as_text(in));
                if (!t) return std::nullopt;
                Writer out;
                out.text("NMtk").u8(1).u8(1).u8(0).u8(0).id(t->device).id(t->audience).u64(t->issued);
                out.bytes(t->nonce).id(t->signature);
                return to_bytes(as_bytes(to_base64url(out.view())));
            }};
}
MapPath some_path(Chance& chance) {
    MapPath path;
    path.siblings.resize(chance.below(20));
    for (auto& s : path.siblings) fill(chance, s);
    return path;
}
RecordKind path() {
    return {"path", [](Chance& chance) { return encode_path(some_path(chance)); },
            [](ByteView in) -> std::optional<Bytes> {
                if (const auto p = parse_path(in)) return encode_path(*p);
                return std::nullopt;
            }};
}
RecordKind absence() {
    return {"absence",
            [](Chance& chance) {
                auto path = some_path(chance);
                UserId user;
                Digest digest;
                fill(chance, user, digest);
                const auto end = chance.below(3);
                if (end == 1) path.other = user_leaf(user, std::vector<Digest>(1 + chance.below(4), digest));
                if (end == 2) path.other = address_leaf(digest, user);
                return encode_absence(path);
            },
            [](ByteView in) -> std::optional<Bytes> {
                if (const auto p = parse_absence(in)) return encode_absence(*p);
                return std::nullopt;
            }};
}

}  // namespace

std::vector<RecordKind> record_kinds() {
    return {plain("certificate", cert),
            plain("revocation", revoke),
            plain("seal key", seal_key),
            plain("directory head", head),
            plain("event", event),
            plain("grant header", grant_header),
            plain("chain body", chain_body),
            plain("message header", message_header),
            plain("key request", key_request),
            plain("history offer", history_offer),
            plain("presence", presence),
            plain("edge state", edge_state),
            plain("provisioning", provisioning),
            content(),
            grant(),
            wire_message(),
            sealed_control(),
            token(),
            path(),
            absence()};
}

}  // namespace nimes::test
