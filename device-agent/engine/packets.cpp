#include "engine/packets.hpp"

#include "nimes/v1/transport.pb.h"

namespace nimes::agent::engine {
namespace {

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

Bytes bytes_of(const v1::Up& up) {
    Bytes out(up.ByteSizeLong());
    (void)up.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

template <class Message>
void set_marks(Message& out, const std::map<std::uint8_t, std::uint64_t>& marks) {
    for (const auto& [lane, sequence] : marks) {
        auto& mark = *out.add_held();
        mark.set_lane(static_cast<v1::Lane>(lane));
        mark.set_sequence(sequence);
    }
}

}  // namespace

Bytes submit_packet(const MessageId& id, const conversation::ConversationState& to, Submission kind, ByteView payload,
                    const BlobId& medium) {
    v1::Up up;
    auto& submit = *up.mutable_submit();
    submit.set_message_id(raw(id.view()));
    submit.set_lane(v1::LANE_CHAT);
    submit.set_conversation(raw(to.id.view()));
    for (const auto& user : to.pair) submit.add_users(raw(user.view()));
    if (kind == Submission::grant) submit.set_grant(raw(payload));
    if (kind == Submission::message) submit.set_message(raw(payload));
    if (kind == Submission::signal) submit.set_signal(raw(payload));
    if (kind == Submission::event) submit.set_event(raw(payload));
    if (!medium.is_zero()) submit.add_media(raw(medium.view()));
    return bytes_of(up);
}

Bytes direct_packet(const MessageId& id, const conversation::ConversationState& of, Direct kind, const DeviceId& device,
                    ByteView payload) {
    v1::Up up;
    auto& submit = *up.mutable_submit();
    submit.set_message_id(raw(id.view()));
    submit.set_lane(v1::LANE_CHAT);
    submit.set_conversation(raw(of.id.view()));
    for (const auto& user : of.pair) submit.add_users(raw(user.view()));
    if (kind == Direct::grant) submit.set_grant(raw(payload));
    if (kind == Direct::message) submit.set_message(raw(payload));
    if (kind == Direct::control) submit.set_control(raw(payload));
    submit.set_device(raw(device.view()));
    return bytes_of(up);
}

std::optional<ConvEvent> event_in(ByteView packet) {
    v1::Up up;
    if (!up.ParseFromArray(packet.data(), static_cast<int>(packet.size())) ||
        up.submit().payload_case() != v1::Submit::kEvent)
        return std::nullopt;
    auto event = ConvEvent::parse(as_bytes(up.submit().event()));
    return event ? std::optional(std::move(*event)) : std::nullopt;
}

bool is_signal(ByteView packet) {
    v1::Up up;
    return up.ParseFromArray(packet.data(), static_cast<int>(packet.size())) && up.submit().has_signal();
}

// Serialised messages that follow each other are merged by who parses them: the sealed bytes stay as they are.
Bytes submit_after(ByteView packet, const MessageId& before) {
    v1::Up more;
    more.mutable_submit()->set_after(std::string(as_text(before.view())));
    auto out = to_bytes(packet);
    const auto tail = more.SerializeAsString();
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
}

Bytes hello_packet(const std::map<std::uint8_t, std::uint64_t>& marks, std::uint64_t head_revision,
                   std::uint64_t policy_serial) {
    v1::Up up;
    auto& hello = *up.mutable_hello();
    set_marks(hello, marks);
    hello.set_head_revision(head_revision);
    hello.set_policy_serial(policy_serial);
    return bytes_of(up);
}

Bytes ack_packet(const std::map<std::uint8_t, std::uint64_t>& marks, bool gap) {
    v1::Up up;
    set_marks(*up.mutable_ack(), marks);
    up.mutable_ack()->set_gap(gap);
    return bytes_of(up);
}

}  // namespace nimes::agent::engine
