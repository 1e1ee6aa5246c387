#include "edge.hpp"

#include "nimes/batch.hpp"

#include <stdexcept>
#include <utility>

namespace nimes::test {
namespace {

gateway::broker::LinkOptions options(const Broker& broker, unsigned number, std::size_t queue_bytes) {
    gateway::broker::LinkOptions out;
    out.url = broker.url();
    out.ca = broker.ca();
    out.number = number;
    out.queue_bytes = queue_bytes;
    out.first_wait = 50;
    out.longest_wait = kSecond;
    return out;
}

}  // namespace

void Roster::set(const Device& device, MirrorState state) {
    ++revision_;
    const auto now = SystemClock().now();
    rows_[device.id] = {{device.id, device.key.public_key, state, now - kDay, now + kDay}, revision_};
}

std::vector<MirrorItem> Roster::all() const {
    std::vector<MirrorItem> out;
    for (const auto& [id, row] : rows_) out.push_back(row.item);
    return out;
}

std::optional<std::vector<MirrorItem>> Roster::since(std::uint64_t revision) const {
    if (revision == 0 || revision > revision_) return std::nullopt;
    std::vector<MirrorItem> out;
    for (const auto& [id, row] : rows_)
        if (row.changed > revision) out.push_back(row.item);
    return out;
}

Edge::Edge(const Keys& keys, const Broker& broker, unsigned number, std::size_t queue_bytes)
    : feed(roster, keys.directory.secret, org_id(Broker::kOrganisation), Broker::kName, clock),
      link(options(broker, number, queue_bytes), keys.gateway, *this, clock, random) {}

bool Edge::until(const std::function<bool()>& condition) {
    return soon([&] {
        const std::lock_guard lock(mutex_);
        std::vector<Bytes> parts;
        const auto queue = [&](std::vector<Bytes> more) {
            for (auto& part : more) parts.push_back(std::move(part));
        };
        if (std::exchange(links_, 0) > 0) feed.linked();
        for (const auto& state : std::exchange(states_, {})) queue(feed.on_state(state));
        queue(feed.changed());
        queue(feed.tick());
        for (auto& part : parts) link.control(std::move(part));
        return condition();
    });
}

bool Edge::obeyed() const {
    return heard.state && !heard.state->wants_full && heard.state->mirror_revision == roster.revision();
}

bool Edge::set(const Device& device, MirrorState state) {
    roster.set(device, state);
    return until([this] { return obeyed(); });
}

void Edge::linked() {
    const std::lock_guard lock(mutex_);
    ++heard.linked;
    ++links_;
    states_.clear();
    heard.state.reset();
}
void Edge::unlinked() {
    const std::lock_guard lock(mutex_);
    ++heard.unlinked;
}
void Edge::batch(Bytes up) {
    const auto parsed = UpBatch::parse(up);
    if (!parsed) throw std::runtime_error("a batch that is none");
    {
        const std::lock_guard lock(mutex_);
        heard.batches.push_back(parsed->number);
        heard.dropped_at_edge = parsed->dropped;
        for (const auto& packet : parsed->packets) heard.packets.emplace_back(packet.device, to_bytes(packet.bytes));
    }
    if (deaf) return;
    link.done(parsed->number);
    link.flush();
}
void Edge::packet(const DeviceId& device, Bytes up) {
    const std::lock_guard lock(mutex_);
    heard.packets.emplace_back(device, std::move(up));
}
void Edge::presence(const Presence& presence) {
    const std::lock_guard lock(mutex_);
    heard.presences.push_back(presence);
}
void Edge::edge_state(const EdgeState& state) {
    const std::lock_guard lock(mutex_);
    heard.state = state;
    states_.push_back(state);
}
void Edge::figure(std::string_view topic, double value) {
    const std::lock_guard lock(mutex_);
    heard.figures[std::string(topic)] = value;
}

World::World() {
    broker.start();
    if (!gateway.link.start() || !gateway.until([this] { return gateway.link.linked(); }))
        throw std::runtime_error("the gateway does not link: " + broker.log());
}

std::unique_ptr<MqttClient> World::client() const { return std::make_unique<MqttClient>(broker.port(), broker.ca()); }

std::unique_ptr<MqttClient> World::connected(const Device& who) const {
    auto out = client();
    if (out->connect(who.hello(broker.url())) != 0) throw std::runtime_error("a good device is refused");
    if (out->subscribe(topic::down(who.id)) > 1) throw std::runtime_error("a good subscription is refused");
    return out;
}

}  // namespace nimes::test
