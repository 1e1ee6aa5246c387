#include "mailbox/answers.hpp"

#include <algorithm>
#include <utility>

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

enum class WireType : std::uint8_t { varint = 0, bytes = 2 };  // protobuf's encoding
constexpr std::size_t kHead = 8;                               // at least a tag and a length

// The few bytes between messages that are serialised already.
void put_varint(Bytes& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
    out.push_back(static_cast<std::uint8_t>(value));
}
std::size_t varint_size(std::uint64_t value) {
    std::size_t out = 1;
    while ((value >>= 7) > 0) ++out;
    return out;
}
void put_tag(Bytes& out, int field, WireType type) {
    put_varint(out, static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type));
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
    welcome.set_policy(std::string(as_text(facts.policy)));
    for (const auto& gap : facts.gaps) {
        auto& out = *welcome.add_gaps();
        out.set_after_ms(gap.after);
        out.set_until_ms(gap.until);
    }
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

Bytes encode_greet() {
    v1::Down down;
    (void)down.mutable_greet();
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

Bytes encode_shared(const BodyRef& ref, const Body& body) {
    Entry entry;
    entry.lane = static_cast<Lane>(0);  // proto3 leaves zeros out
    entry.body = ref;
    const auto envelope = envelope_of(entry, body);
    Bytes out(envelope.ByteSizeLong());
    (void)envelope.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

std::size_t DeliverPacket::add(const Entry& entry, const Body& body, std::uint64_t after, std::size_t most) {
    Entry own = entry;
    own.lane = static_cast<Lane>(0);
    own.sequence = 0;
    const auto envelope = envelope_of(own, body);
    Bytes shared(envelope.ByteSizeLong());
    (void)envelope.SerializeToArray(shared.data(), static_cast<int>(shared.size()));
    return add({entry.lane, entry.sequence, after}, shared, most);
}

std::size_t DeliverPacket::add(const Place& place, ByteView shared, std::size_t most) {
    const auto [lane, sequence, after] = place;
    const bool leap = after + 1 != sequence;
    const auto size = 1 + 1 + 1 + varint_size(sequence) + (leap ? 1 + varint_size(after) : 0) + shared.size();
    const auto whole = 1 + varint_size(size) + size;
    if (!envelopes_.empty() && envelopes_.size() + whole > std::min(most, kRoom)) return 0;
    put_tag(envelopes_, v1::Deliver::kEnvelopesFieldNumber, WireType::bytes);
    put_varint(envelopes_, size);
    put_tag(envelopes_, v1::Envelope::kLaneFieldNumber, WireType::varint);
    put_varint(envelopes_, static_cast<std::uint64_t>(lane));
    put_tag(envelopes_, v1::Envelope::kSequenceFieldNumber, WireType::varint);
    put_varint(envelopes_, sequence);
    if (leap) {
        put_tag(envelopes_, v1::Envelope::kAfterFieldNumber, WireType::varint);
        put_varint(envelopes_, after);
    }
    envelopes_.insert(envelopes_.end(), shared.begin(), shared.end());
    return whole;
}

Bytes DeliverPacket::take() {
    Bytes out;
    out.reserve(envelopes_.size() + kHead);
    put_tag(out, v1::Down::kDeliverFieldNumber, WireType::bytes);
    put_varint(out, envelopes_.size());
    out.insert(out.end(), envelopes_.begin(), envelopes_.end());
    envelopes_.clear();
    return out;
}

bool BundlePacket::add(ByteView down) {
    if (count_ == 0) packets_.assign(kHead, 0);
    if (count_ > 0 && packets_.size() + down.size() + kHead > kRoom) return false;
    put_tag(packets_, v1::Bundle::kPacketsFieldNumber, WireType::bytes);
    put_varint(packets_, down.size());
    if (count_++ == 0) first_ = packets_.size();
    packets_.insert(packets_.end(), down.begin(), down.end());
    return true;
}

// One packet needs no bundle around it.
ByteView BundlePacket::take() {
    if (std::exchange(count_, 0) == 1) return ByteView(packets_).subspan(first_);
    Bytes head;
    put_tag(head, v1::Down::kBundleFieldNumber, WireType::bytes);
    put_varint(head, packets_.size() - kHead);
    const auto at = kHead - head.size();
    std::copy(head.begin(), head.end(), packets_.begin() + static_cast<std::ptrdiff_t>(at));
    return ByteView(packets_).subspan(at);
}

}  // namespace nimes::gateway::mailbox
