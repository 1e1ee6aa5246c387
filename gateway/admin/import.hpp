// A roster compared with who is known, and what becomes of the difference. A roster is whole: who does not stand on it
// any more has left, and is suspended with all devices. Nothing of it is final, and nobody is reinstated by standing on
// it again. Owners are never suspended by it, and changed by an owner's import alone; the answer names them. Of who has
// rights in some units alone, the roster is the whole of those: other people neither leave by it nor may stand on it,
// and who administers more than those is kept as owners are.
//
// Because a cut-off or a wrong file looks like a great leaving, one that would suspend more than 20 people, or more
// than 2 % of those who stand, wants their exact number said. Threads: any; imports run one after the other. Ownership:
// as routes.hpp. Errors: Errc::bad_roster_line, too_large, not_found (no organisation yet), usage (that number),
// storage: what was done before it stays, and the same import again goes on from there.
#pragma once

#include <functional>
#include <mutex>

#include "admin/routes.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kMaySuspend = 20;
inline constexpr std::size_t kMaySuspendPercent = 2;

struct OwnersOf {
    std::function<bool(const std::string& address)> is_one;
    bool may_change = false;  // an owner imports: their names, ranks and units follow the roster
};
struct ImportPlan {
    struct Changed {
        PersonFields now;
        PersonLine before;
    };
    std::vector<PersonFields> added;
    std::vector<Changed> changed;
    std::size_t unchanged = 0;
    std::vector<PersonLine> leaving;
    std::vector<PersonLine> kept;  // owners, and who reaches further: it would suspend or change them
    std::vector<PersonLine>
        shut_out;              // on the roster, and suspended or revoked as people: somebody must reinstate them
    std::size_t standing = 0;  // people who are not shut out now
    [[nodiscard]] bool wants_number() const;
};
// Pure.
ImportPlan plan_import(const std::vector<PersonFields>& roster, const std::vector<PersonLine>& known,
                       const OwnersOf& owners);

class RosterImport {
  public:
    explicit RosterImport(const Administration& a) : a_(a) {}
    // The body is the roster, in CSV.
    http::Response answer_to(const http::Request& request, const rights::Asker& who);
    // From anywhere; what the request says besides: dry_run, suspend, why.
    http::Response import(RosterSource& source, const http::Request& request, const rights::Asker& who);

  private:
    struct View {
        RosterRules rules;
        std::vector<PersonLine> known;
    };
    [[nodiscard]] View view_of(const rights::Asker& who) const;
    Result<void> apply(const audit::Act& act, const ImportPlan& plan, std::uint64_t& order);
    const Administration a_;
    std::mutex one_at_a_time_;
};

}  // namespace nimes::gateway::admin
