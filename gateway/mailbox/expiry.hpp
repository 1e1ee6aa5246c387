// Message, step 9, expire.
//
// What nobody fetched in time goes: bodies by the hour, entries and dedupe records by the mailbox.
//
// A step does a little, so that messages never wait long for it. Used from the mailroom's thread only.
#pragma once

#include "mailbox/commit.hpp"

namespace nimes::gateway::mailbox {

class Expiry {
  public:
    Expiry(store::Store& store, Committer& committer, const Options& options)
        : store_(store), committer_(committer), options_(options) {}

    // Bodies of at most 8 hours and 100 mailboxes; goes on where the last step ended. Answers how many entries went.
    Result<std::size_t> step(Millis now);

  private:
    Result<void> drop_bodies(Millis now);

    store::Store& store_;
    Committer& committer_;
    const Options& options_;
    std::string next_;
};

}  // namespace nimes::gateway::mailbox
