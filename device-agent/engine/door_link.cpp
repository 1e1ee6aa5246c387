#include "engine/door_link.hpp"

#include <algorithm>

#include "engine/packets.hpp"

namespace nimes::agent::engine {
namespace {

constexpr std::size_t kAtOnce = 64;

}  // namespace

DoorLink::DoorLink(Core& core, const SessionMaker& make)
    : core_(core), marks_(core.marks), session_(make([this](transport::MqttEvent e) { push(std::move(e)); })) {
    if (const auto kept = core.box->arrival_marks())
        for (const auto& [lane, sequence] : *kept) marks_[lane] = std::max(marks_[lane], sequence);
}

void DoorLink::push(transport::MqttEvent event) {
    {
        const std::lock_guard lock(queue_mutex_);
        if (queue_.size() >= kMaxQueue) return;  // not acknowledged: the gateway sends it again
        queue_.push_back(std::move(event));
    }
    core_.changed.notify_all();
}

bool DoorLink::handle() {
    std::deque<transport::MqttEvent> events;
    {
        const std::lock_guard lock(queue_mutex_);
        events.swap(queue_);
    }
    bool refused = false;
    for (const auto& event : events) {
        if (const auto* end = std::get_if<transport::Disconnected>(&event))
            refused = refused || end->cause == transport::DisconnectCause::refused ||
                      end->cause == transport::DisconnectCause::closed;
        if (std::holds_alternative<transport::Connected>(event)) say_hello();
        const auto* packet = std::get_if<transport::Packet>(&event);
        v1::Down down;
        if (packet == nullptr || !down.ParseFromArray(packet->bytes.data(), static_cast<int>(packet->bytes.size())))
            continue;
        on_down(down);
        for (const auto& one : down.bundle().packets()) on_down(one);
    }
    return refused;
}

void DoorLink::say_hello() {
    const auto& p = *core_.provisioning;
    (void)session_->publish(hello_packet(marks_, p.head.revision, p.policy.serial));
}

void DoorLink::on_down(const v1::Down& down) {
    if (down.has_welcome()) {
        session_->spread_next_connect(std::min<Millis>(down.welcome().reconnect_spread_ms(), 10 * kMinute));
        if (!down.welcome().policy().empty()) (void)core_.take_policy(as_bytes(down.welcome().policy()));
    }
    if (down.has_greet()) say_hello();
    if (down.has_deliver()) on_deliver(down.deliver());
}

void DoorLink::on_deliver(const v1::Deliver& deliver) {
    std::vector<container::Arrival> arrivals;
    auto marks = marks_;
    for (const auto& envelope : deliver.envelopes()) {
        const auto lane = static_cast<std::uint8_t>(envelope.lane());
        if (envelope.payload_case() == v1::Envelope::kSignal || lane < 1 || lane > 3) continue;
        const auto turn = turn_of(envelope, marks[lane]);
        if (turn == Turn::gap) gaps_.found(lane, marks[lane]);
        if (turn != Turn::next) continue;
        marks[lane] = envelope.sequence();
        Bytes bytes(envelope.ByteSizeLong());
        (void)envelope.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
        arrivals.push_back({lane, envelope.sequence(), std::move(bytes)});
    }
    const auto now = core_.clock.now();
    if (!arrivals.empty() && !core_.box->put_arrivals(arrivals, core_.expiry_day(now, now))) return;
    marks_ = std::move(marks);
    (void)session_->publish(ack_packet(marks_, gaps_.take()), transport::Expect::nothing);
}

Result<void> take_arrivals(Core& core, const std::function<Result<void>(const v1::Deliver&)>& deliver) {
    for (;;) {
        auto some = core.box->arrivals(kAtOnce);
        if (!some) return pass(some);
        if (some->empty()) return {};
        std::map<std::uint8_t, std::uint64_t> taken;
        v1::Deliver packet;
        for (const auto& arrival : *some) {
            const auto& bytes = arrival.envelope;
            auto& envelope = *packet.add_envelopes();
            // The door judged its turn; what was before it may have expired.
            if (envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) envelope.set_after(0);
            else packet.mutable_envelopes()->RemoveLast();
            taken[arrival.lane] = arrival.sequence;
        }
        if (auto done = deliver(packet); !done) return done;
        for (const auto& [lane, sequence] : taken)
            if (auto gone = core.box->erase_arrivals(lane, sequence); !gone) return gone;
    }
}

}  // namespace nimes::agent::engine
