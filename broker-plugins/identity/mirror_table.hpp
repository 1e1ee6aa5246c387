// The plugin's copy of the directory: device → key, state, dates. One hash look-up answers who may enter.
//
// Fed with signed parts only (nimes/mirror.hpp opens them). A delta that does not fit is not applied: wants_full() then
// stays true until a full copy came. Broker thread only. Errors: none; a part that cannot be used changes nothing.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "nimes/mirror.hpp"

namespace nimes::plugin {

class MirrorTable {
  public:
    enum class Outcome : std::uint8_t {
        applied,   // the table is now at part.to
        partial,   // one part of a full copy; others are missing
        unfit,     // not applied: a full copy is wanted
        outdated,  // older than what is held
    };
    struct Applied {
        Outcome outcome = Outcome::outdated;
        std::vector<DeviceId> shut;  // were admitted until now, and are no longer
    };

    Applied apply(const MirrorPart& part);

    [[nodiscard]] const MirrorItem* find(const DeviceId& device) const;
    [[nodiscard]] bool loaded() const { return loaded_; }
    [[nodiscard]] bool wants_full() const { return !loaded_ || gap_; }
    [[nodiscard]] std::uint64_t revision() const { return revision_; }
    [[nodiscard]] Millis issued() const { return issued_; }  // of the newest part applied
    [[nodiscard]] std::size_t size() const { return items_.size(); }

  private:
    using Items = std::unordered_map<DeviceId, MirrorItem>;
    Applied apply_delta(const MirrorPart& part);
    Applied apply_full(const MirrorPart& part);

    Items items_;
    std::uint64_t revision_ = 0;
    Millis issued_ = 0;
    bool loaded_ = false;
    bool gap_ = false;

    struct Assembly {  // a full copy of which not all parts came yet
        Millis issued = 0;
        std::uint64_t to = 0;
        std::uint16_t parts = 0;
        std::map<std::uint16_t, std::vector<MirrorItem>> got;
    };
    Assembly assembly_;
};

}  // namespace nimes::plugin
