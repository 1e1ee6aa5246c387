#include "engine/records.hpp"

namespace nimes::agent::engine {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kDoorFormat = 2;  // 1 had no policy

void put_bytes(Writer& out, ByteView bytes) { out.u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes); }
Bytes read_bytes(Reader& in) { return to_bytes(in.take(in.u32())); }

}  // namespace

Bytes DoorInfo::encode() const {
    Writer out;
    out.u8(kDoorFormat);
    put_bytes(out, provisioning);
    put_bytes(out, as_bytes(address));
    put_bytes(out, cert ? cert->encode() : Bytes{});
    out.bytes(ticket);
    put_bytes(out, body);
    put_bytes(out, policy);
    return std::move(out).take();
}

Result<DoorInfo> DoorInfo::parse(ByteView bytes) {
    Reader in(bytes);
    DoorInfo out;
    const auto format = in.u8();
    if (format != kFormat && format != kDoorFormat) return fail(Errc::malformed, "what the door holds");
    out.provisioning = read_bytes(in);
    out.address = std::string(as_text(read_bytes(in)));
    const auto cert = read_bytes(in);
    out.ticket = in.array<16>();
    out.body = read_bytes(in);
    if (format == kDoorFormat) out.policy = read_bytes(in);
    if (!in.done()) return fail(Errc::malformed, "what the door holds");
    if (cert.empty()) return out;
    auto parsed = DeviceCert::parse(cert);
    if (!parsed) return fail(Errc::malformed, "the stored certificate");
    out.cert = std::move(*parsed);
    return out;
}

std::string_view name(MessageState state) {
    switch (state) {
        case MessageState::opened:
            return "opened";
        case MessageState::unreadable:
            return "unreadable";
        case MessageState::withheld:
            return "withheld";
        case MessageState::sending:
            return "sending";
        case MessageState::sent:
            return "sent";
        case MessageState::refused:
            return "refused";
        case MessageState::deleted:
            return "deleted";
        case MessageState::vanished:
            return "vanished";
        case MessageState::awaited:
            return "awaited";
    }
    return "unknown";
}

Bytes StoredMessage::key(const DeviceId& device, const MessageId& id) {
    return std::move(Writer().id(device).id(id)).take();
}
Bytes StoredMessage::key() const { return key(device, id); }

Bytes StoredMessage::encode() const {
    Writer out;
    out.u8(kFormat).id(conversation).id(user).id(device).id(id).u64(sent).u64(received).u64(conv_epoch);
    out.u8(static_cast<std::uint8_t>(state)).u8(kind).id(chain).u32(index).bytes(digest);
    out.u8(resent ? 1 : 0).bytes(missing_before);
    out.u8(static_cast<std::uint8_t>(receipt))
        .u32(expires_after_s)
        .u64(shown)
        .id(report_to)
        .id(attested_by)
        .bytes(body);
    return std::move(out).take();
}

Result<StoredMessage> StoredMessage::parse(ByteView bytes) {
    Reader in(bytes);
    StoredMessage out;
    in.expect_u8(kFormat);
    out.conversation = in.id<ConversationId>();
    out.user = in.id<UserId>();
    out.device = in.id<DeviceId>();
    out.id = in.id<MessageId>();
    out.sent = in.u64();
    out.received = in.u64();
    out.conv_epoch = in.u64();
    out.state = static_cast<MessageState>(in.u8());
    out.kind = in.u8();
    out.chain = in.id<ChainId>();
    out.index = in.u32();
    out.digest = in.array<16>();
    out.resent = in.u8() != 0;
    out.missing_before = in.array<16>();
    out.receipt = static_cast<ReceiptDue>(in.u8());
    out.expires_after_s = in.u32();
    out.shown = in.u64();
    out.report_to = in.id<UserId>();
    out.attested_by = in.id<DeviceId>();
    if (in.failed()) return fail(Errc::malformed, "a stored message");
    out.body = to_bytes(in.take(in.left()));
    return out;
}

// Of an outbox item.
constexpr std::uint8_t kMessage = 1, kAgain = 2;

Bytes OutboxItem::encode() const {
    const auto flags = static_cast<std::uint8_t>((is_message ? kMessage : 0) | (again ? kAgain : 0));
    return std::move(Writer().u8(kFormat).id(id).id(conversation).u8(flags).id(upload).bytes(up)).take();
}

Result<OutboxItem> OutboxItem::parse(ByteView bytes) {
    Reader in(bytes);
    OutboxItem out;
    in.expect_u8(kFormat);
    out.id = in.id<MessageId>();
    out.conversation = in.id<ConversationId>();
    const auto flags = in.u8();
    out.is_message = (flags & kMessage) != 0;
    out.again = (flags & kAgain) != 0;
    out.upload = in.id<BlobId>();
    if (in.failed()) return fail(Errc::malformed, "a stored outbox item");
    out.up = to_bytes(in.take(in.left()));
    return out;
}

Bytes StoredAct::target(const conversation::MessageRef& target) {
    return std::move(Writer().id(target.device).id(target.message)).take();
}
Bytes StoredAct::key(const conversation::MessageRef& target, const conversation::Act& act) {
    return std::move(Writer().id(target.device).id(target.message).bytes(conversation::slot_of(act))).take();
}

Result<Bytes> StoredAct::encode() const {
    const auto body = conversation::encode(act.meaning);
    if (!body) return fail(body.error().code);
    Writer out;
    out.u8(kFormat).id(act.conversation).id(act.user).id(act.device).id(act.id).u64(act.sent).u8(body->kind);
    out.bytes(body->bytes);
    return std::move(out).take();
}

Result<StoredAct> StoredAct::parse(ByteView bytes) {
    Reader in(bytes);
    StoredAct out;
    in.expect_u8(kFormat);
    out.act.conversation = in.id<ConversationId>();
    out.act.user = in.id<UserId>();
    out.act.device = in.id<DeviceId>();
    out.act.id = in.id<MessageId>();
    out.act.sent = in.u64();
    const auto kind = in.u8();
    if (in.failed()) return fail(Errc::malformed, "a stored act");
    auto meaning = conversation::decode(kind, in.take(in.left()));
    if (!meaning) return fail(Errc::malformed, "a stored act");
    out.act.meaning = std::move(*meaning);
    return out;
}

Bytes MediumItem::encode() const {
    Writer out;
    out.u8(kFormat).id(conversation).bytes(key.view()).u64(plain_length).u64(padded_length).id(digest);
    return std::move(out).take();
}

Result<MediumItem> MediumItem::parse(ByteView bytes) {
    Reader in(bytes);
    MediumItem out;
    in.expect_u8(kFormat);
    out.conversation = in.id<ConversationId>();
    out.key = Key(in.take(Key::size));
    out.plain_length = in.u64();
    out.padded_length = in.u64();
    out.digest = in.id<Digest>();
    if (!in.done()) return fail(Errc::malformed, "a stored medium");
    return out;
}

}  // namespace nimes::agent::engine
