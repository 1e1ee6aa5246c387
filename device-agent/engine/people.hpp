// Finding people: by address, by the beginning of name and unit, or a group by its title.
//
// Functions take the core's lock and let go of it while the network answers. Errors: Errc::not_found, ambiguous,
// recipient_unknown (the person has no handset yet), and what Sync says.
#pragma once

#include "engine/sync.hpp"

namespace nimes::agent::engine {

class People {
  public:
    People(Core& core, Network& network, Sync& sync) : core_(core), network_(network), sync_(sync) {}

    // Everyone whom the query may mean, names as EA signed them; at most 50.
    Result<std::vector<directory::PersonInfo>> search(Lock& lock, const std::string& query);
    // The one user; `candidates` says who else it could have been.
    Result<UserId> one(Lock& lock, const std::string& query, std::vector<directory::PersonInfo>& candidates);
    // A conversation's 32 hex digits, a group of exactly this title, or the conversation with the one user.
    Result<ConversationId> conversation(Lock& lock, const std::string& to,
                                        std::vector<directory::PersonInfo>& candidates);

  private:
    Result<std::vector<directory::PersonInfo>> ask(Lock& lock, const std::string& name, const std::string& unit);
    [[nodiscard]] std::vector<directory::PersonInfo> held(const std::string& name, const std::string& unit) const;

    Core& core_;
    Network& network_;
    Sync& sync_;
};

}  // namespace nimes::agent::engine
