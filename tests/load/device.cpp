#include "device.hpp"

#include <algorithm>

#include "nimes/label.hpp"
#include "sealing/grant_opener.hpp"
#include "sealing/message_opener.hpp"
#include "sealing/message_sealer.hpp"

namespace nimes::load {
namespace {

using agent::engine::Submission;
using namespace agent::sealing;

Result<MessageId> id_in(const std::string& bytes) {
    if (bytes.size() != MessageId::size) return fail(Errc::malformed, "a message id");
    return MessageId::from(as_bytes(bytes));
}

}  // namespace

Device::Device(std::uint32_t number, const Account& account, const DeviceOptions& options, Ledger& ledger, Port& port,
               RandomSource& random)
    : number_(number), account_(account), options_(options), ledger_(ledger), port_(port), random_(random) {}

void Device::send(ByteView up) {
    ++ledger_.counts.up_packets;
    port_.send(up);
}

void Device::connected(Micros now) {
    online_ = true;
    welcomed_ = false;
    send(agent::engine::hello_packet(marks_, 0));
    for (auto& waiting : outbox_) resend(waiting, now);
}

void Device::resend(Waiting& waiting, Micros now) {
    waiting.sent = now;
    ++ledger_.counts.resent;
    ledger_.counts.most_resends = std::max(ledger_.counts.most_resends, ++waiting.resends);
    send(waiting.packet);
}

void Device::submit(MessageId id, Bytes packet, Micros now) {
    if (online_) send(packet);
    outbox_.push_back({id, std::move(packet), now});
}

void Device::tick(Micros now) {
    if (!online_) return;
    for (auto& waiting : outbox_) {
        if (now - waiting.sent >= options_.resend_after) resend(waiting, now);
    }
}

Result<void> Device::grant(Conversation& to, Millis wall, Micros now) {
    ChainStart start;
    start.conversation = to.state.id;
    start.device = account_.device;
    start.devices = to.wraps.size() + 1;
    start.last_chain_no = to.chain.chain_no;
    to.chain = open_chain(start, wall, random_);
    GrantBinding binding;
    binding.user = account_.user;
    binding.device = account_.device;
    if (to.state.is_pair()) binding.conv_state = pair_state(to.state.pair.front(), to.state.pair.back());
    auto parts = seal_grant(to.chain, binding, account_.identity.secret, to.wraps, random_);
    if (!parts) return pass(parts);
    for (const auto& part : *parts) {
        const auto id = ledger_.next(number_, Kind::grant, nullptr, now);
        submit(id, agent::engine::submit_packet(id, to.state, Submission::grant, part, {}), now);
    }
    return {};
}

void Device::create_group(const ConvEvent& event, const Conversation& to, Micros now) {
    const auto id = ledger_.next(number_, Kind::event, nullptr, now);
    submit(id, agent::engine::submit_packet(id, to.state, Submission::event, event.encode(), {}), now);
}

Bytes Device::message_for(Conversation& to, const MessageId& id, Millis wall) {
    if (options_.sealed) {
        Content content;
        content.kind = static_cast<std::uint8_t>(ContentKind::text);
        content.sent = wall;
        content.id = id;
        content.body.resize(std::min<std::size_t>(options_.record_bytes - 168, 72), 7);
        if (auto wire = seal_message(to.chain, account_.user, account_.device, content, random_)) return *wire;
    }
    // A record that the gateway takes for a message: it reads the header alone.
    Bytes out = MessageHeader{to.chain.id, to.chain.index, {}}.encode();
    const auto header = out.size();
    out.resize(std::max(options_.record_bytes, header + kMessageOverhead));
    random_.fill(std::span(out).subspan(header));
    return out;
}

void Device::say(Conversation& to, Millis wall, Micros now) {
    if (options_.sealed && to.chain.index >= to.chain.max_index) (void)grant(to, wall, now);
    const auto id = ledger_.next(number_, Kind::message, &to.receivers, now);
    const auto payload = message_for(to, id, wall);
    submit(id, agent::engine::submit_packet(id, to.state, Submission::message, payload, {}), now);
}

void Device::packet(ByteView bytes, Micros now) {
    ++ledger_.counts.down_packets;
    v1::Down down;
    if (!down.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        ++ledger_.counts.malformed;
        return;
    }
    if (!down.has_bundle()) return heard(down, now);
    for (const auto& one : down.bundle().packets()) heard(one, now);
}

void Device::heard(const v1::Down& down, Micros now) {
    switch (down.kind_case()) {
        case v1::Down::kWelcome:
            welcomed_ = true;
            return port_.spread(down.welcome().reconnect_spread_ms());
        case v1::Down::kAccepted:
            return answered(down.accepted().message_id(), true, now);
        case v1::Down::kRejected:
            if (const auto id = id_in(down.rejected().message_id())) ledger_.rejected(*id, down.rejected().code());
            return answered(down.rejected().message_id(), false, now);
        case v1::Down::kDeliver:
            return deliver(down.deliver(), now);
        case v1::Down::kGreet:
            return send(agent::engine::hello_packet(marks_, 0));
        case v1::Down::kHead:
        case v1::Down::kBundle:
        case v1::Down::KIND_NOT_SET:
            return;
    }
}

void Device::answered(const std::string& bytes, bool accepted, Micros now) {
    const auto id = id_in(bytes);
    if (!id) {
        ++ledger_.counts.malformed;
        return;
    }
    const auto at = std::find_if(outbox_.begin(), outbox_.end(), [&](const Waiting& w) { return w.id == *id; });
    if (at == outbox_.end()) return;  // the answer to a repeat
    outbox_.erase(at);
    if (accepted) ledger_.accepted(*id, now);
}

void Device::deliver(const v1::Deliver& deliver, Micros now) {
    for (const auto& envelope : deliver.envelopes()) {
        auto& mark = marks_[static_cast<std::uint8_t>(envelope.lane())];
        const auto turn = agent::engine::turn_of(envelope, mark);
        if (turn == agent::engine::Turn::held) ++ledger_.counts.sent_again;
        if (turn == agent::engine::Turn::gap) {
            ++ledger_.counts.gaps;
            gaps_.found(static_cast<std::uint8_t>(envelope.lane()), mark);
        }
        if (turn != agent::engine::Turn::next) continue;
        mark = envelope.sequence();
        open(envelope, now);
    }
    if (online_) send(agent::engine::ack_packet(marks_, gaps_.take()));
}

void Device::open(const v1::Envelope& envelope, Micros now) {
    if (options_.sealed && !opens(envelope)) ++ledger_.counts.undecryptable;
    if (const auto id = id_in(envelope.message_id())) ledger_.delivered(number_, *id, now);
    else ++ledger_.counts.malformed;
}

// The sealing of a grant and of messages is checked; what needs the directory (FORMATS.md 2.6, R4 to R8) is not.
bool Device::opens(const v1::Envelope& envelope) {
    if (envelope.has_grant()) {
        const auto opened = open_grant(as_bytes(envelope.grant()), [this](std::uint32_t key_id) {
            return key_id == account_.seal_key.record.key_id ? &account_.seal_key : nullptr;
        });
        if (!opened) return false;
        chains_[opened->header.chain] = accept_grant(*opened, GrantFacts{}, false);
        return true;
    }
    if (!envelope.has_message()) return true;
    const auto wire = WireMessage::parse(as_bytes(envelope.message()));
    if (!wire) return false;
    const auto chain = chains_.find(wire->header.chain);
    if (chain == chains_.end()) return false;
    auto opened = open_message(chain->second, as_bytes(envelope.message()));
    if (!opened || !opened->content) return false;
    chain->second = std::move(opened->chain);
    return true;
}

}  // namespace nimes::load
