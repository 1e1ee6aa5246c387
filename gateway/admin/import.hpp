// A roster compared with who is known, and what becomes of the difference. A roster is whole: who does not stand on it
// any more has left, and is suspended with all devices. Nothing of it is final, and nobody is reinstated by standing on
// it again.
//
// Because a cut-off or a wrong file looks like a great leaving, one that would suspend more than 20 people, or more
// than 2 % of those who stand, wants their exact number said. Threads: any; imports run one after the other. Ownership:
// as routes.hpp. Errors: Errc::bad_roster_line, too_large, not_found (no organisation yet), usage (that number),
// storage: what was done before it stays, and the same import again goes on from there.
#pragma once

#include <mutex>

#include "admin/routes.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kMaySuspend = 20;
inline constexpr std::size_t kMaySuspendPercent = 2;

struct ImportPlan {
    struct Changed {
        PersonFields now;
        PersonLine before;
    };
    std::vector<PersonFields> added;
    std::vector<Changed> changed;
    std::size_t unchanged = 0;
    std::vector<PersonLine> leaving;
    std::vector<PersonLine>
        shut_out;              // on the roster, and suspended or revoked as people: somebody must reinstate them
    std::size_t standing = 0;  // people who are not shut out now
    [[nodiscard]] bool wants_number() const;
};
// Pure.
ImportPlan plan_import(const std::vector<PersonFields>& roster, const std::vector<PersonLine>& known);

class RosterImport {
  public:
    explicit RosterImport(const Administration& a) : a_(a) {}
    http::Response answer_to(const http::Request& request);

  private:
    Result<void> apply(const http::Request& request, const ImportPlan& plan, std::uint64_t& order);
    const Administration a_;
    std::mutex one_at_a_time_;
};

}  // namespace nimes::gateway::admin
