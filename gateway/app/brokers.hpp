// All brokers that this gateway serves: of each the link, what feeds its plugin's mirror, and what follows it.
//
// Packets for a device go to every broker: where it is not, the plugin forgets them. Numbers of batches are each
// broker's own. Threads: start() and stop() from one; the rest from any. Ownership: everything in Needs must outlive
// it. Errors: Errc::bad_config (an address), unavailable.
#pragma once

#include <deque>

#include "app/config.hpp"
#include "app/edge.hpp"
#include "directory/org_keys.hpp"

namespace nimes::gateway::app {

class Brokers final : public mailbox::Outlet {
  public:
    struct Needs {
        const broker::MirrorSource& mirror;
        const directory::OrgSecrets& secrets;
        Obedience& obedience;
        mailbox::Mailroom& mailroom;
        revocation::Runner& revocations;
        const operations::Metrics& metrics;
        operations::Log& log;
        wake::Waker* waker;
        const Clock& clock;
        RandomSource& random;
    };
    Brokers(const Needs& needs, const std::vector<Config::Broker>& brokers);

    Result<void> start();
    void stop();
    void mirror_moved();
    // One that is left serves: the alert on nimes_broker_linked tells of the others.
    [[nodiscard]] Result<void> linked() const;

    void send(const DeviceId& device, ByteView down) override;
    void done(std::size_t broker, std::uint64_t up_batch) override { links_.at(broker).done(up_batch); }
    void flush() override;

  private:
    Presences presences_;
    // One of each for each broker.
    std::deque<broker::MirrorFeed> feeds_;
    std::deque<Edge> edges_;
    std::deque<broker::Link> links_;
};

std::vector<std::string> names_of(const std::vector<Config::Broker>& brokers);

}  // namespace nimes::gateway::app
