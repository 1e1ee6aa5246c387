#include "mailbox/ingest.hpp"

#include <algorithm>

#include "nimes/topics.hpp"
#include "nimes/v1/transport.pb.h"

namespace nimes::gateway::mailbox {
namespace {

constexpr int kMaxMedia = 16;
constexpr int kMaxMarks = 8;
constexpr std::size_t kControlFixed = 4 + DeviceId::size + 4 + 48;  // header, key id, sealed box without content
constexpr std::size_t kMaxControl = 4'096;

template <class IdType>
bool read_id(const std::string& field, IdType& out) {
    out = IdType::from(as_bytes(field));
    return field.size() == IdType::size;
}

std::optional<Lane> lane_of(v1::Lane lane) {
    if (lane < v1::LANE_URGENT || lane > v1::LANE_MEDIA) return std::nullopt;
    return static_cast<Lane>(lane);
}

template <class Marks>
Result<std::vector<Mark>> marks_of(const Marks& in) {
    if (in.size() > kMaxMarks) return fail(Errc::too_large, "too many lane marks");
    std::vector<Mark> out;
    for (const auto& m : in) {
        const auto lane = lane_of(m.lane());
        if (!lane) return fail(Errc::malformed, "unknown lane");
        out.push_back({*lane, m.sequence()});
    }
    return out;
}

// The payload must be what it says, from the device and for the conversation it says.
Result<void> check_payload(const DeviceId& sender, const Submit& s) {
    switch (s.kind) {
        case Payload::grant: {
            const auto grant = GrantUpload::parse(s.payload);
            if (!grant) return fail(grant.error().code, grant.error().detail);
            if (grant->header.device != sender || grant->header.conversation != s.conversation)
                return fail(Errc::malformed, "the grant names another device or conversation");
            return {};
        }
        case Payload::message:
        case Payload::signal: {
            const auto message = WireMessage::parse(s.payload);
            if (!message) return fail(message.error().code, message.error().detail);
            return {};
        }
        case Payload::event: {
            const auto event = ConvEvent::parse(s.payload);
            if (!event) return fail(event.error().code, event.error().detail);
            if (event->actor_device != sender || event->conversation != s.conversation)
                return fail(Errc::malformed, "the event names another device or conversation");
            return {};
        }
        case Payload::control: {
            Reader in(s.payload);
            const auto type = in.u8();
            in.expect_u8(1);
            in.expect_u8(1);
            in.expect_u8(0);
            const auto receiver = in.id<DeviceId>();
            if (s.payload.size() < kControlFixed || s.payload.size() > kMaxControl || in.failed() || type < 3 ||
                type > 4)
                return fail(Errc::malformed, "not a sealed control record");
            if (s.device.is_zero() || receiver != s.device) return fail(Errc::malformed, "for another device");
            return {};
        }
    }
    return fail(Errc::malformed);
}

Result<void> read_payload(const v1::Submit& in, Submit& out) {
    const auto take = [&](Payload kind, const std::string& bytes) {
        out.kind = kind;
        out.payload = to_bytes(as_bytes(bytes));
    };
    switch (in.payload_case()) {
        case v1::Submit::kGrant:
            take(Payload::grant, in.grant());
            return {};
        case v1::Submit::kMessage:
            take(Payload::message, in.message());
            return {};
        case v1::Submit::kEvent:
            take(Payload::event, in.event());
            return {};
        case v1::Submit::kControl:
            take(Payload::control, in.control());
            return {};
        case v1::Submit::kSignal:
            take(Payload::signal, in.signal());
            return {};
        case v1::Submit::PAYLOAD_NOT_SET:
            break;
    }
    return fail(Errc::malformed, "no payload");
}

Result<void> read_recipients(const v1::Submit& in, Submit& out) {
    if (!read_id(in.conversation(), out.conversation)) return fail(Errc::malformed, "a conversation id has 16 bytes");
    if (in.users_size() > 2) return fail(Errc::malformed, "more than two users are a conversation of their own");
    for (const auto& u : in.users()) {
        UserId user;
        if (!read_id(u, user)) return fail(Errc::malformed, "a user id has 16 bytes");
        out.pair.push_back(user);
    }
    if (!out.pair.empty() && pair_id(out.pair.front(), out.pair.back()) != out.conversation)
        return fail(Errc::malformed, "the conversation is not that of these two users");
    if (!in.device().empty() && !read_id(in.device(), out.device))
        return fail(Errc::malformed, "a device id has 16 bytes");
    if (!in.after().empty() && !read_id(in.after(), out.after))
        return fail(Errc::malformed, "a message id has 16 bytes");
    if (in.media_size() > kMaxMedia) return fail(Errc::too_large, "at most 16 media");
    for (const auto& m : in.media()) {
        BlobId blob;
        if (!read_id(m, blob)) return fail(Errc::malformed, "a medium's id has 16 bytes");
        out.media.push_back(blob);
    }
    return {};
}

std::variant<Command, Refused> read_submit(const DeviceId& sender, const v1::Submit& in) {
    Submit out;
    if (!read_id(in.message_id(), out.id)) return Refused{std::nullopt, {Errc::malformed, "a message id has 16 bytes"}};
    const auto lane = lane_of(in.lane());
    if (!lane) return Refused{out.id, {Errc::malformed, "unknown lane"}};
    out.lane = *lane;
    for (const auto& step : {read_recipients(in, out), read_payload(in, out)})
        if (!step) return Refused{out.id, step.error()};
    if (auto ok = check_payload(sender, out); !ok) return Refused{out.id, ok.error()};
    return Command{std::move(out)};
}

}  // namespace

std::variant<Command, Refused> decode_up(const DeviceId& sender, ByteView packet) {
    if (packet.size() > topic::kMaxPacket) return Refused{std::nullopt, {Errc::too_large, "the packet"}};
    v1::Up up;
    if (!up.ParseFromArray(packet.data(), static_cast<int>(packet.size())))
        return Refused{std::nullopt, {Errc::malformed, "not nimes.v1.Up"}};
    switch (up.kind_case()) {
        case v1::Up::kHello: {
            auto marks = marks_of(up.hello().held());
            if (!marks) return Refused{std::nullopt, marks.error()};
            return Command{Hello{std::move(*marks), up.hello().head_revision(), up.hello().policy_serial()}};
        }
        case v1::Up::kAck: {
            auto marks = marks_of(up.ack().held());
            if (!marks) return Refused{std::nullopt, marks.error()};
            return Command{Ack{std::move(*marks), up.ack().gap()}};
        }
        case v1::Up::kSubmit:
            return read_submit(sender, up.submit());
        case v1::Up::KIND_NOT_SET:
            break;
    }
    return Refused{std::nullopt, {Errc::malformed, "an empty packet"}};
}

}  // namespace nimes::gateway::mailbox
