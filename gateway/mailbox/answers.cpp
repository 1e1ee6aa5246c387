#include "mailbox/answers.hpp"

#include "nimes/topics.hpp"
#include "nimes/v1/transport.pb.h"

namespace nimes::gateway::mailbox {
namespace {

constexpr std::uint32_t kRetryAfterMs = 5'000;
constexpr std::size_t kRoom = topic::kMaxPacket - 2'048;  // MQTT's and protobuf's own bytes

template <class IdType>
std::string raw(const IdType& id) {
    return std::string(as_text(id.view()));
}

Bytes serialise(const v1::Down& down) {
    Bytes out(down.ByteSizeLong());
    (void)down.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

void set_head(v1::HeadNotice& out, const HeadHint& head) {
    out.set_revision(head.revision);
    out.set_too_many(head.too_many);
    for (const auto& user : head.changed) out.add_changed_users(raw(user));
}

void set_payload(v1::Envelope& out, const Entry& entry, const Body& body) {
    std::string payload(as_text(body.payload));
    switch (body.kind) {
        case Payload::grant: {
            auto header = GrantHeader::parse(as_bytes(payload).first(GrantHeader::kBytes));
            if (!header) return;
            header->n_wraps = 1;
            payload.replace(0, GrantHeader::kBytes, as_text(header->encode()));
            out.set_grant(payload.append(as_text(entry.wrap)));
            return;
        }
        case Payload::message:
            return out.set_message(std::move(payload));
        case Payload::event:
            return out.set_event(std::move(payload));
        case Payload::control:
            return out.set_control(std::move(payload));
        case Payload::signal:
            return out.set_signal(std::move(payload));
    }
}

v1::Envelope envelope_of(const Entry& entry, const Body& body) {
    v1::Envelope out;
    out.set_lane(static_cast<v1::Lane>(entry.lane));
    out.set_sequence(entry.sequence);
    out.set_received_ms(body.received);
    out.set_sender_user(raw(body.sender_user));
    out.set_sender_device(raw(entry.body.sender));
    out.set_conversation(raw(body.conversation));
    for (const auto& user : body.pair) out.add_users(raw(user));
    out.set_message_id(raw(entry.body.id));
    set_payload(out, entry, body);
    return out;
}

}  // namespace

Bytes encode_welcome(const WelcomeFacts& facts) {
    v1::Down down;
    auto& welcome = *down.mutable_welcome();
    welcome.set_server_ms(facts.server);
    set_head(*welcome.mutable_head(), facts.head);
    welcome.set_reconnect_spread_ms(facts.reconnect_spread_ms);
    welcome.set_seal_batch_no(facts.seal_batch);
    welcome.set_accepted_ms(facts.accepted);
    for (const auto& mark : facts.newest) {
        auto& out = *welcome.add_newest();
        out.set_lane(static_cast<v1::Lane>(mark.lane));
        out.set_sequence(mark.sequence);
    }
    return serialise(down);
}

Bytes encode_head(const HeadHint& head) {
    v1::Down down;
    set_head(*down.mutable_head(), head);
    return serialise(down);
}

Bytes encode_signal(const DeviceId& sender, const Submit& signal, const UserId& user, Millis received) {
    Entry entry;
    entry.lane = signal.lane;
    entry.body = {0, sender, signal.id};
    v1::Down down;
    *down.mutable_deliver()->add_envelopes() =
        envelope_of(entry, {Payload::signal, received, user, signal.conversation, signal.pair, signal.payload});
    return serialise(down);
}

Bytes encode_outcome(const Outcome& outcome) {
    if (!outcome.accepted) return encode_refused(outcome.id, outcome.accepted.error());
    v1::Down down;
    auto& accepted = *down.mutable_accepted();
    accepted.set_message_id(raw(outcome.id));
    accepted.set_received_ms(outcome.received);
    for (const auto& target : outcome.missing) {
        auto& missing = *accepted.add_missing();
        missing.set_user(raw(target.user));
        missing.set_device(raw(target.device));
    }
    return serialise(down);
}

Bytes encode_refused(const MessageId& id, const Error& error) {
    v1::Down down;
    auto& rejected = *down.mutable_rejected();
    rejected.set_message_id(raw(id));
    rejected.set_code(std::string(error.row().name));
    rejected.set_detail(error.detail);
    rejected.set_retry_after_ms(error.row().retry ? kRetryAfterMs : 0);
    return serialise(down);
}

struct DeliverPacket::Impl {
    v1::Down down;
    std::size_t bytes = 0;
};

DeliverPacket::DeliverPacket() : impl_(std::make_unique<Impl>()) {}
DeliverPacket::~DeliverPacket() = default;

std::size_t DeliverPacket::add(const Entry& entry, const Body& body) {
    auto envelope = envelope_of(entry, body);
    const auto size = envelope.ByteSizeLong() + 8;
    if (impl_->bytes > 0 && impl_->bytes + size > kRoom) return 0;
    impl_->bytes += size;
    *impl_->down.mutable_deliver()->add_envelopes() = std::move(envelope);
    return size;
}

bool DeliverPacket::empty() const { return impl_->bytes == 0; }

Bytes DeliverPacket::take() {
    auto out = serialise(impl_->down);
    impl_->down.Clear();
    impl_->bytes = 0;
    return out;
}

}  // namespace nimes::gateway::mailbox
