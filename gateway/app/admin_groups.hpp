// The administration's view of groups: rosters from the mailbox's store, people and keys from the directory,
// appointments through the mailroom, in their turn with what members sign.
//
// Threads: any. References must outlive it. Errors: as admin/ports.hpp says.
#pragma once

#include "admin/ports.hpp"
#include "directory/directory.hpp"
#include "mailbox/conversations.hpp"
#include "mailbox/mailroom.hpp"

namespace nimes::gateway::app {

class AdminGroups final : public admin::Groups {
  public:
    AdminGroups(store::Store& store, const directory::Directory& directory, mailbox::Mailroom& mailroom,
                const Clock& clock)
        : store_(store), directory_(directory), mailroom_(mailroom), clock_(clock) {}
    Result<admin::GroupLine> group(const ConversationId& id) override;
    Result<std::vector<admin::GroupLine>> orphaned() override;
    Result<void> appoint(const ConversationId& id, const ServiceAddress& member) override;

  private:
    [[nodiscard]] Result<mailbox::Group> find(const ConversationId& id) const;
    [[nodiscard]] bool has_device(const UserId& user) const;
    [[nodiscard]] bool orphaned(const mailbox::Group& group) const;
    [[nodiscard]] admin::GroupLine line(const ConversationId& id, const mailbox::Group& group) const;

    store::Store& store_;
    const directory::Directory& directory_;
    mailbox::Mailroom& mailroom_;
    const Clock& clock_;
};

}  // namespace nimes::gateway::app
