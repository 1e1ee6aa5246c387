// Message, step 5, commit: everything that waits is planned, stored with ONE sync, and only then accepted. (Before:
// expand.cpp. Next: delivery.cpp.)
//
// Media named by a message are linked first: a message is accepted only when its readers can fetch what it names.
// Order of the batches: conversation events and grants' memory, bodies, entries, dedupe records. A crash between any
// two leaves what the sender's repeat completes: the body is written again, an entry that is there is found by its
// message, the dedupe record comes last. Used from the mailroom's thread only.
#pragma once

#include <set>

#include "mailbox/conversations.hpp"
#include "mailbox/expand.hpp"
#include "mailbox/mailboxes.hpp"

namespace nimes::gateway::mailbox {

struct Waiting {
    DeviceId sender;
    Submit submit;
};

// The answer to one submission, and whose mailboxes grew.
struct Outcome {
    DeviceId sender;
    MessageId id;
    Result<void> accepted;
    Millis received = 0;
    bool repeated = false;
    std::vector<Target> missing;      // active devices that no grant of this chain reached
    std::vector<DeviceId> delivered;  // mailboxes with something new
};

class Committer {
  public:
    Committer(store::Store& store, const People& people, MediaLinks& media, const Options& options)
        : store_(store),
          people_(people),
          media_(media),
          options_(options),
          conversations_(store),
          mailboxes_(store, options) {}

    // Outcomes in the order given. When the store fails, all that was planned is refused with its error and nothing of
    // it counts: the senders repeat.
    std::vector<Outcome> commit(std::span<const Waiting> waiting, Millis now);

    [[nodiscard]] Mailboxes& mailboxes() { return mailboxes_; }
    [[nodiscard]] Conversations& conversations() { return conversations_; }
    // When the newest submission of the device was accepted, of those that the dedupe records know; 0: none.
    static Result<Millis> newest_accepted(store::Store& store, const DeviceId& device);
    // Dedupe records whose time has passed go. `partition_name` is that of a mailbox.
    Result<void> expire_dedupe(const std::string& partition_name, Millis now);

  private:
    struct Plan;
    void plan(Plan& plan, const Waiting& waiting, Outcome& outcome, Millis now);
    Result<void> plan_new(Plan& plan, const Waiting& waiting, const UserId& user, Outcome& outcome, Millis now);
    Result<void> plan_entries(Plan& plan, const Waiting& waiting, const Expansion& to, const BodyRef& ref,
                              Outcome& outcome, Millis now);
    Result<bool> is_repeat(const Waiting& waiting, Outcome& outcome);
    // Errc::held while what the sender sent before it is missing: accepted now, it would have overtaken it for good.
    Result<void> in_turn(const Plan& plan, const Waiting& waiting);

    store::Store& store_;
    const People& people_;
    MediaLinks& media_;
    const Options& options_;
    Conversations conversations_;
    Mailboxes mailboxes_;
};

}  // namespace nimes::gateway::mailbox
