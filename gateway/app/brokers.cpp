#include "app/brokers.hpp"

#include <algorithm>

#include "app/options.hpp"

namespace nimes::gateway::app {

std::vector<std::string> names_of(const std::vector<Config::Broker>& brokers) {
    std::vector<std::string> out;
    for (const auto& broker : brokers) out.push_back(broker.name);
    return out;
}

Brokers::Brokers(const Needs& n, const std::vector<Config::Broker>& brokers) {
    for (const auto& broker : brokers) {
        auto& feed = feeds_.emplace_back(n.mirror, n.secrets.directory.secret, n.secrets.org, broker.name, n.clock);
        auto& edge =
            edges_.emplace_back(Edge::Needs{edges_.size(), broker.name, feed, n.mirror, n.obedience, presences_,
                                            n.mailroom, n.revocations, n.metrics, n.log, n.clock, n.waker});
        links_.emplace_back(link_options(broker), n.secrets.gateway, edge, n.clock, n.random);
    }
}

Result<void> Brokers::start() {
    for (std::size_t i = 0; i < edges_.size(); ++i) edges_[i].start(links_[i]);
    for (auto& link : links_)
        if (auto ok = link.start(); !ok) return ok;
    return {};
}

void Brokers::stop() {
    // A link that ends for the stop's sake says nothing of its broker: nobody listens any more.
    for (auto& edge : edges_) edge.stop();
    for (auto& link : links_) link.stop();
}

void Brokers::mirror_moved() {
    for (auto& edge : edges_) edge.mirror_moved();
}

Result<void> Brokers::linked() const {
    if (std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link.linked(); })) return {};
    return fail(Errc::unavailable, "not linked");
}

void Brokers::send(const DeviceId& device, ByteView down) {
    for (auto& link : links_) link.send(device, down);
}

void Brokers::flush() {
    for (auto& link : links_) link.flush();
}

}  // namespace nimes::gateway::app
