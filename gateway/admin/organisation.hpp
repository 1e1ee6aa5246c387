// The organisation's own data: name, mail domains, units.
//
// One organisation a gateway: everything is keyed by org16 already, a second one is refused with a clear error.
// Stored in one partition of Family::directory, named "organisation": o = {"name","domains"}, u ‖ name = {}.
// Threads: any; reads are served from memory. Errors: Errc::exists, bad_address (domain), malformed, not_found.
#pragma once

#include <memory>
#include <mutex>

#include "admin/roster.hpp"
#include "store/store.hpp"

namespace nimes::gateway::admin {

class Organisation {
  public:
    static Result<std::unique_ptr<Organisation>> open(store::Store& store);

    // `row` is committed with the change, before it: the audit's.
    Result<void> create(const std::string& name, const std::string& domain, const store::Batch& row);
    Result<void> add_unit(const std::string& name, const store::Batch& row);
    [[nodiscard]] bool exists() const;
    [[nodiscard]] std::string name() const;
    // What a roster is checked by, and an address at enrolment.
    [[nodiscard]] RosterRules rules() const;
    [[nodiscard]] bool has_domain(std::string_view domain) const;

  private:
    explicit Organisation(store::Store& store) : store_(store) {}
    Result<void> load();

    store::Store& store_;
    mutable std::mutex mutex_;
    std::string name_;
    RosterRules rules_;
};

}  // namespace nimes::gateway::admin
