// What a broker's plugin is told of the directory, and when: deltas as things change, everything when it asks for it,
// a heartbeat each minute (FORMATS.md 3.4).
//
// A state machine without I/O: events go in, signed mirror parts to send come out, in order. One for each broker.
// Threads: one at a time. Ownership: source, key and clock must outlive it.
#pragma once

#include <optional>

#include "nimes/mirror.hpp"

namespace nimes::gateway::broker {

class MirrorSource {
  public:
    virtual ~MirrorSource() = default;
    // Never 0. May move on between two calls.
    [[nodiscard]] virtual std::uint64_t revision() const = 0;
    // Ascending by device.
    [[nodiscard]] virtual std::vector<MirrorItem> all() const = 0;
    // What changed since, ascending too; nullopt: cannot say (too long ago, or never been there), send everything.
    [[nodiscard]] virtual std::optional<std::vector<MirrorItem>> since(std::uint64_t revision) const = 0;
};

class MirrorFeed {
  public:
    MirrorFeed(const MirrorSource& source, const SigningKey& directory_key, const OrgId& org, std::string broker,
               const Clock& clock)
        : source_(source), key_(directory_key), org_(org), broker_(std::move(broker)), clock_(clock) {}

    // The link came up: what the broker holds is not known until it says so.
    void linked();
    // The directory changed.
    [[nodiscard]] std::vector<Bytes> changed();
    // The broker said what it holds.
    [[nodiscard]] std::vector<Bytes> on_state(const EdgeState& state);
    [[nodiscard]] std::vector<Bytes> tick();
    // The newest revision that was sent; 0 before anything was.
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

  private:
    [[nodiscard]] Millis stamp();
    [[nodiscard]] std::vector<Bytes> everything();
    [[nodiscard]] std::vector<Bytes> delta_from(std::uint64_t revision);

    const MirrorSource& source_;
    const SigningKey& key_;
    const OrgId org_;
    const std::string broker_;
    const Clock& clock_;
    std::uint64_t sent_ = 0;
    Millis sent_at_ = 0;      // boot clock
    Millis issued_ = 0;       // of the newest part
    bool full_sent_ = false;  // it was a full copy
};

}  // namespace nimes::gateway::broker
