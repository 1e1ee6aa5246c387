// A revocation's way, step by step, as `revoke --watch` shows it: recorded, broker told, broker obeyed, requests cut,
// mailbox destroyed, share deleted. What becomes of the wipe order depends on the device and is told apart (Wipes).
//
// What counts is stored by the directory before anything else; these marks live in memory, for after a restart every
// step is done anew from the directory (full mirror, purge of mailboxes). Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::admin {

enum class Step : std::uint8_t { recorded, broker_told, broker_obeyed, requests_cut, mailbox_destroyed, share_deleted };
inline constexpr std::size_t kSteps = 6;
std::string_view name(Step step);

struct Progress {
    DeviceId device;
    Millis began = 0;
    std::uint64_t mirror_revision = 0;  // the broker obeyed once it holds this
    Millis done[kSteps] = {};           // 0: not yet
    [[nodiscard]] bool complete() const;
};

class Revocations {
  public:
    void begin(const DeviceId& device, Millis now);
    void told(const DeviceId& device, std::uint64_t mirror_revision, Millis now);
    void done(const DeviceId& device, Step step, Millis now);
    // The broker holds this mirror revision: answers the seconds from begin of each that it obeyed just now.
    std::vector<double> obeyed(std::uint64_t mirror_revision, Millis now);
    [[nodiscard]] bool find(const DeviceId& device, Progress& out) const;
    // Not obeyed by the broker yet.
    [[nodiscard]] std::size_t pending() const;

  private:
    static constexpr std::size_t kKept = 10'000;
    mutable std::mutex mutex_;
    std::map<DeviceId, Progress> all_;
};

}  // namespace nimes::gateway::admin
