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

    // Bodies of at most 8 hours, 100 mailboxes, and of one of them a page of dedupe records; goes on where the last
    // step ended. Answers how many entries went. What it erased is committed with the next messages, or by the next
    // step.
    Result<std::size_t> step(Millis now);

  private:
    Result<void> drop_bodies(Millis now);
    Result<void> expire_dedupe(Millis now);

    store::Store& store_;
    Committer& committer_;
    const Options& options_;
    std::string next_;         // mailbox
    std::string dedupe_box_;   // the mailbox whose dedupe records are looked through,
    std::string dedupe_from_;  // and where
};

}  // namespace nimes::gateway::mailbox
