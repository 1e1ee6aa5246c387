#include "mailbox/delivery.hpp"

#include <algorithm>
#include <map>

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kReadAtOnce = 64;
constexpr Millis kHelloPatience = 3 * kSecond;
constexpr Millis kAskAgain = 15 * kSecond;
constexpr int kAsks = 5;
std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

void Delivery::hello(const DeviceId& device, const Hello& hello, Millis now) {
    const auto silent = silent_.extract(device);
    if (!people_.sender(device)) return end(device);  // revoked or suspended: its broker cuts it
    auto& session = sessions_[device];
    const auto connection = std::max(session.connection, silent ? silent.mapped().connection : 0);
    session = {};
    session.connection = connection;
    session.head_revision = hello.head_revision;
    session.last_progress = now;
    count_sessions();
    for (const auto& mark : hello.held) {
        if (!mailboxes_.acknowledge(device, mark)) return end(device);
        session.held[index(mark.lane)] = session.last[index(mark.lane)] = mark.sequence;
    }
    welcome(device, session, hello.policy_serial, now);
    pump(device, now);
}

void Delivery::count_sessions() {
    metrics_.devices_connected.set(static_cast<double>(sessions_.size()));
    const auto wanted = sessions_.size() * options_.spread_ms_each;
    spread_ms_ = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(wanted, options_.reconnect_spread_ms, std::size_t{10 * kMinute}));
}

void Delivery::welcome(const DeviceId& device, Session& session, std::uint64_t policy_serial, Millis now) {
    WelcomeFacts facts;
    facts.server = now;
    facts.head = people_.head_since(session.head_revision);
    facts.reconnect_spread_ms = spread_ms_;
    facts.seal_batch = people_.seal_batch(device);
    for (const auto lane : kLanes)
        if (const auto newest = mailboxes_.newest(device, lane)) facts.newest.push_back({lane, *newest});
    facts.gaps = committer_.gaps();
    facts.policy = people_.policy_since(policy_serial);
    session.head_revision = facts.head.revision;
    outlet_.send(device, encode_welcome(facts));
}

void Delivery::acknowledge(const DeviceId& device, const Ack& ack, Millis now) {
    const auto at = sessions_.find(device);
    for (const auto& mark : ack.held) {
        if (!mailboxes_.acknowledge(device, mark)) return end(device);
        if (at == sessions_.end()) continue;
        settle(at->second, mark, now);
    }
    if (at == sessions_.end()) return;
    if (ack.gap) {
        take_back(at->second);
        at->second.pace.lost();
    }
    if (at->second.under_way.empty()) at->second.under_way.shrink_to_fit();  // idle devices are many
    pump(device, now);
}

void Delivery::settle(Session& session, const Mark& mark, Millis now) {
    auto& held = session.held[index(mark.lane)];
    held = std::max(held, mark.sequence);
    std::size_t bytes = 0;
    Millis sent = 0;
    std::erase_if(session.under_way, [&](const UnderWay& u) {
        if (u.lane != mark.lane || u.sequence > mark.sequence) return false;
        metrics_.deliveries.add();
        metrics_.message_delivery_seconds.observe(static_cast<double>(now - std::min(now, u.received)) / 1'000.0);
        bytes += u.bytes;
        sent = std::max(sent, u.sent);
        return true;
    });
    session.bytes_under_way -= bytes;
    if (bytes > 0) session.pace.acknowledged(bytes, now - std::min(now, sent), options_.window_bytes);
    session.last_progress = now;
    session.resends = 0;
}

void Delivery::heard(const DeviceId& device, Millis now) {
    if (!sessions_.contains(device)) silent_.try_emplace(device, Silent{0, now, 0});
}

void Delivery::connected(const DeviceId& device, std::uint64_t connection, Millis now) {
    if (const auto at = sessions_.find(device); at != sessions_.end())
        at->second.connection = std::max(at->second.connection, connection);
    else silent_[device] = {connection, now + kHelloPatience, 0};
}

void Delivery::gone(const DeviceId& device, std::uint64_t connection) {
    if (const auto at = silent_.find(device); at != silent_.end() && at->second.connection <= connection)
        silent_.erase(at);
    const auto at = sessions_.find(device);
    if (at != sessions_.end() && at->second.connection != 0 && at->second.connection <= connection) leave(device);
}

void Delivery::leave(const DeviceId& device) {
    const auto at = sessions_.find(device);
    if (at != sessions_.end() && !at->second.under_way.empty()) left_.push_back(device);
    end(device);
}

// Nothing is sent to who did not say what it holds: numbers that it takes for old would be acknowledged unread.
void Delivery::ask_silent(Millis now) {
    for (auto at = silent_.begin(); at != silent_.end();) {
        auto& [device, silent] = *at;
        const bool due = now >= silent.next_ask;
        if (due && (silent.asked++ >= kAsks || !people_.sender(device))) {
            at = silent_.erase(at);
            continue;
        }
        if (due) {
            silent.next_ask = now + kAskAgain;
            outlet_.send(device, encode_greet());
        }
        ++at;
    }
}

void Delivery::end(const DeviceId& device) {
    silent_.erase(device);
    gathered_.erase(device);
    sessions_.erase(device);
    count_sessions();
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
    flush(device);
    auto& session = at->second;
    if (session.under_way.empty()) session.last_progress = now;
    Packet packet;
    for (const auto lane : kLanes)
        while (fill(device, session, lane, packet, now)) {
        }
    flush(device, packet);
    if (packet.failed) end(device);
}

void Delivery::flush(const DeviceId& device) {
    const auto at = gathered_.find(device);
    if (at == gathered_.end()) return;
    outlet_.send(device, at->second.take());
    gathered_.erase(at);
}

void Delivery::flush() {
    for (auto& [device, packet] : gathered_) outlet_.send(device, packet.take());
    gathered_.clear();
}

bool Delivery::open(const Session& session) const {
    return session.under_way.size() < options_.window_entries &&
           session.bytes_under_way < std::min(options_.window_bytes, session.pace.window());
}

void Delivery::note_sent(Session& session, const Place& place, Millis received, std::size_t bytes, Millis now) {
    session.last[index(place.lane)] = place.sequence;
    session.next[index(place.lane)] = place.sequence + 1;
    session.under_way.push_back({place.sequence, received, now, static_cast<std::uint32_t>(bytes), place.lane});
    session.bytes_under_way += bytes;
}

// To who is here and has everything before it; the others get it from the store, when their window opens.
void Delivery::offer(const Outcome& outcome, Millis now) {
    if (!outcome.body) return;
    const auto& body = *outcome.body;
    if (body.kind == Payload::grant) {  // each device has its own
        for (const auto& device : outcome.delivered) pump(device, now);
        return;
    }
    const auto shared = encode_shared({0, outcome.sender, outcome.id}, body);
    for (std::size_t i = 0; i < outcome.delivered.size(); ++i) {
        const auto& device = outcome.delivered[i];
        const auto at = sessions_.find(device);
        if (at == sessions_.end()) continue;
        auto& session = at->second;
        const auto lane = index(outcome.lane);
        if (!Mailboxes::follows(session.next[lane], outcome.sequences[i]) || !open(session)) continue;
        if (session.under_way.empty()) session.last_progress = now;
        const Place place{outcome.lane, outcome.sequences[i], session.last[lane]};
        auto& packet = gathered_[device];
        auto bytes = packet.add(place, shared, session.pace.packet());
        if (bytes == 0) {
            outlet_.send(device, packet.take());
            bytes = packet.add(place, shared, session.pace.packet());
        }
        note_sent(session, place, body.received, bytes, now);
    }
}

// Adds entries of the lane to packets; true while there may be more and the window is open.
bool Delivery::fill(const DeviceId& device, Session& session, Lane lane, Packet& packet, Millis now) {
    if (!open(session)) return false;
    auto entries = mailboxes_.entries(device, lane, session.next[index(lane)], kReadAtOnce);
    if (!entries) packet.failed = true;
    if (!entries) return false;
    if (entries->empty()) {  // all the numbers before the next one are behind us
        const auto newest = mailboxes_.next(device, lane);
        if (newest) session.next[index(lane)] = *newest;
        return false;
    }
    for (const auto& entry : *entries) {
        if (!open(session)) return false;
        auto stored = store_.get(entry.body.partition(), entry.body.key());
        if (!stored) packet.failed = true;
        if (!stored) return false;
        session.next[index(lane)] = entry.sequence + 1;
        const auto body = *stored ? Body::parse(**stored) : fail(Errc::not_found);
        if (!body) continue;  // expired with its hour: its entry goes with the next acknowledgement
        const auto after = session.last[index(lane)];
        auto bytes = packet.deliver.add(entry, *body, after, session.pace.packet());
        if (bytes == 0) {
            flush(device, packet);
            bytes = packet.deliver.add(entry, *body, after, session.pace.packet());
        }
        note_sent(session, {lane, entry.sequence, after}, body->received, bytes, now);
    }
    return entries->size() == kReadAtOnce;
}

void Delivery::pass_on(const DeviceId& device, const Bytes& down) {
    const auto at = sessions_.find(device);
    if (at == sessions_.end() || at->second.under_way.size() >= kReadAtOnce) return;
    outlet_.send(device, down);
}

void Delivery::head_moved() {
    // By the revision that is held, most hold the same: a thousand names are written once, not for everybody.
    std::map<std::uint64_t, std::pair<std::uint64_t, Bytes>> notices;
    for (auto& [device, session] : sessions_) {
        auto at = notices.find(session.head_revision);
        if (at == notices.end()) {
            const auto head = people_.head_since(session.head_revision);
            at = notices.emplace(session.head_revision, std::pair(head.revision, encode_head(head))).first;
        }
        const auto& [revision, notice] = at->second;
        if (revision == session.head_revision) continue;
        session.head_revision = revision;
        outlet_.send(device, notice);
    }
}

void Delivery::take_back(Session& session) {
    for (const auto& u : session.under_way) {
        session.next[index(u.lane)] = std::min(session.next[index(u.lane)], u.sequence);
        session.last[index(u.lane)] = session.held[index(u.lane)];
    }
    session.under_way.clear();
    session.bytes_under_way = 0;
}

void Delivery::linked(Millis now) {
    std::vector<DeviceId> waiting;
    for (auto& [device, session] : sessions_) {
        if (session.under_way.empty()) continue;
        take_back(session);
        waiting.push_back(device);
    }
    for (const auto& device : waiting) pump(device, now);
}

void Delivery::tick(Millis now) {
    ask_silent(now);
    std::vector<DeviceId> late;
    for (const auto& [device, session] : sessions_)
        if (!session.under_way.empty() && now - session.last_progress >= options_.resend_after) late.push_back(device);
    for (const auto& device : late) {
        auto& session = sessions_.at(device);
        if (++session.resends > options_.resends) {
            leave(device);
            continue;
        }
        session.pace.lost();
        take_back(session);
        pump(device, now);
    }
}

}  // namespace nimes::gateway::mailbox
