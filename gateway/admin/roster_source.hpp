// Where a roster comes from: rows, pulled one by one. The import knows nothing else of it; a CSV file (csv.hpp) is one
// such source, a directory service would be another.
//
// One thread. Errors of next(): the source is broken or gone, nothing more comes, and nothing is imported; the detail
// says where it broke. What is wrong with one row alone stands in its `fault`, so that all wrong ones can be named.
// Neither ever repeats what a row says.
#pragma once

#include <optional>
#include <string>

#include "nimes/error.hpp"

namespace nimes::gateway::admin {

struct RosterRow {
    std::string where;  // "line 4", "entry 17": for people who mend it
    std::string address, name, rank, unit;
    std::string fault;  // not empty: the row could not be read, and why
};

class RosterSource {
  public:
    virtual ~RosterSource() = default;
    // Which roster this was, for the audit: "csv sha256 5d41…".
    [[nodiscard]] virtual std::string name() const = 0;
    // nullopt: that was all.
    virtual Result<std::optional<RosterRow>> next() = 0;
};

}  // namespace nimes::gateway::admin
