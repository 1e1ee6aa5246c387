#include "mailbox/delivery.hpp"

#include <algorithm>

#include "mailbox/answers.hpp"

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kReadAtOnce = 64;
constexpr Millis kHelloPatience = 3 * kSecond;
std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

void Delivery::hello(const DeviceId& device, const Hello& hello, Millis now) {
    silent_.erase(device);
    if (!people_.sender(device)) return end(device);  // revoked or suspended: its broker cuts it
    auto& session = sessions_[device];
    session = {};
    // Which connection says hello is learned from the broker, later or never: until then no "gone" ends the session but
    // through silence.
    session.head_revision = hello.head_revision;
    session.last_progress = now;
    metrics_.devices_connected.set(static_cast<double>(sessions_.size()));
    for (const auto& mark : hello.held)
        if (!mailboxes_.acknowledge(device, mark)) return end(device);
    welcome(device, session, now);
    pump(device, now);
}

void Delivery::welcome(const DeviceId& device, Session& session, Millis now) {
    WelcomeFacts facts;
    facts.server = now;
    facts.head = people_.head_since(session.head_revision);
    facts.reconnect_spread_ms = options_.reconnect_spread_ms;
    facts.seal_batch = people_.seal_batch(device);
    for (const auto lane : kLanes)
        if (const auto newest = mailboxes_.newest(device, lane)) facts.newest.push_back({lane, *newest});
    const auto accepted = Committer::newest_accepted(store_, device);
    if (!accepted) return end(device);
    facts.accepted = *accepted;
    session.head_revision = facts.head.revision;
    outlet_.send(device, encode_welcome(facts));
}

void Delivery::acknowledge(const DeviceId& device, const Ack& ack, Millis now) {
    const auto at = sessions_.find(device);
    for (const auto& mark : ack.held) {
        if (!mailboxes_.acknowledge(device, mark)) return end(device);
        if (at == sessions_.end()) continue;
        auto& session = at->second;
        std::erase_if(session.under_way, [&](const UnderWay& u) {
            if (u.lane != mark.lane || u.sequence > mark.sequence) return false;
            metrics_.deliveries.add();
            metrics_.message_delivery_seconds.observe(static_cast<double>(now - std::min(now, u.received)) / 1'000.0);
            session.bytes_under_way -= u.bytes;
            return true;
        });
        session.last_progress = now;
        session.resends = 0;
    }
    if (at != sessions_.end()) pump(device, now);
}

void Delivery::connected(const DeviceId& device, std::uint64_t connection, Millis now) {
    if (const auto at = sessions_.find(device); at != sessions_.end())
        at->second.connection = std::max(at->second.connection, connection);
    else silent_[device] = {connection, now};
}

void Delivery::gone(const DeviceId& device, std::uint64_t connection) {
    if (const auto at = silent_.find(device); at != silent_.end() && at->second.connection <= connection)
        silent_.erase(at);
    const auto at = sessions_.find(device);
    if (at != sessions_.end() && at->second.connection != 0 && at->second.connection <= connection) end(device);
}

void Delivery::serve_silent(Millis now) {
    std::vector<std::pair<DeviceId, std::uint64_t>> due;
    for (const auto& [device, silent] : silent_)
        if (now >= silent.since + kHelloPatience) due.emplace_back(device, silent.connection);
    for (const auto& [device, connection] : due) {
        hello(device, {}, now);
        connected(device, connection, now);
        silent_.erase(device);
    }
}

void Delivery::end(const DeviceId& device) {
    silent_.erase(device);
    sessions_.erase(device);
    metrics_.devices_connected.set(static_cast<double>(sessions_.size()));
}

struct Delivery::Packet {
    DeliverPacket deliver;
    bool failed = false;
};

void Delivery::flush(const DeviceId& device, Packet& packet) {
    if (!packet.deliver.empty()) outlet_.send(device, packet.deliver.take());
}

void Delivery::pump(const DeviceId& device, Millis now) {
    const auto at = sessions_.find(device);
    if (at == sessions_.end()) return;
    auto& session = at->second;
    if (session.under_way.empty()) session.last_progress = now;
    Packet packet;
    for (const auto lane : kLanes)
        while (fill(device, session, lane, packet)) {
        }
    flush(device, packet);
    if (packet.failed) end(device);
}

// Adds entries of the lane to packets; true while there may be more and the window is open.
bool Delivery::fill(const DeviceId& device, Session& session, Lane lane, Packet& packet) {
    auto entries = mailboxes_.entries(device, lane, session.next[index(lane)], kReadAtOnce);
    if (!entries) packet.failed = true;
    if (!entries || entries->empty()) return false;
    for (const auto& entry : *entries) {
        if (session.under_way.size() >= options_.window_entries || session.bytes_under_way >= options_.window_bytes)
            return false;
        auto stored = store_.get(entry.body.partition(), entry.body.key());
        if (!stored) packet.failed = true;
        if (!stored) return false;
        session.next[index(lane)] = entry.sequence + 1;
        const auto body = *stored ? Body::parse(**stored) : fail(Errc::not_found);
        if (!body) continue;  // expired with its hour: its entry goes with the next acknowledgement
        auto bytes = packet.deliver.add(entry, *body);
        if (bytes == 0) {
            flush(device, packet);
            bytes = packet.deliver.add(entry, *body);
        }
        session.under_way.push_back({lane, entry.sequence, bytes, body->received});
        session.bytes_under_way += bytes;
    }
    return entries->size() == kReadAtOnce;
}

void Delivery::pass_on(const DeviceId& device, const Bytes& down) {
    const auto at = sessions_.find(device);
    if (at == sessions_.end() || at->second.under_way.size() >= kReadAtOnce) return;
    outlet_.send(device, down);
}

void Delivery::head_moved() {
    for (auto& [device, session] : sessions_) {
        const auto head = people_.head_since(session.head_revision);
        if (head.revision == session.head_revision) continue;
        session.head_revision = head.revision;
        outlet_.send(device, encode_head(head));
    }
}

void Delivery::tick(Millis now) {
    serve_silent(now);
    std::vector<DeviceId> late;
    for (const auto& [device, session] : sessions_)
        if (!session.under_way.empty() && now - session.last_progress >= options_.resend_after) late.push_back(device);
    for (const auto& device : late) {
        auto& session = sessions_.at(device);
        if (++session.resends > options_.resends) {
            end(device);
            continue;
        }
        for (const auto& u : session.under_way)
            session.next[index(u.lane)] = std::min(session.next[index(u.lane)], u.sequence);
        session.under_way.clear();
        session.bytes_under_way = 0;
        pump(device, now);
    }
}

}  // namespace nimes::gateway::mailbox
