// Message, step 5, commit: everything that waits is planned, stored with ONE sync, and only then accepted. (Before:
// expand.cpp. Next: delivery.cpp.)
//
// Media named by a message are linked first: a message is accepted only when its readers can fetch what it names.
// Order of the batches: conversation events and grants' memory, dedupe records, entries, bodies. A message whose body
// is there is whole. A crash between any two batches leaves a dedupe record without a body: then the sender's repeat
// completes it at its old place, and an entry that is there already is found and kept. What was acknowledged meanwhile
// is erased with the same sync. Used from the mailroom's thread only.
#pragma once

#include <functional>

#include "mailbox/conversations.hpp"
#include "mailbox/expand.hpp"
#include "mailbox/mailboxes.hpp"
#include "mailbox/spans.hpp"

namespace nimes::gateway::mailbox {

struct Waiting {
    DeviceId sender;
    Submit submit;
    // Set for an event of the organisation, which no device sent: who waits for the outcome.
    std::function<void(const Result<void>&)> organisation{};
};

// The answer to one submission, and whose mailboxes grew.
struct Outcome {
    DeviceId sender;
    MessageId id;
    Result<void> accepted;
    Millis received = 0;
    bool repeated = false;
    std::vector<Target> missing;           // active devices that no grant of this chain reached
    std::vector<DeviceId> delivered;       // mailboxes with something new,
    std::vector<std::uint64_t> sequences;  // and its number in each
    Lane lane = Lane::chat;
    std::optional<Body> body;  // when something was delivered
};

class Committer {
  public:
    Committer(store::Store& store, const People& people, MediaLinks& media, const Options& options)
        : store_(store),
          people_(people),
          media_(media),
          options_(options),
          conversations_(store),
          mailboxes_(store, options),
          spans_(store) {}

    // Outcomes in the order given. When the store fails, all that was planned is refused with its error and nothing of
    // it counts: the senders repeat.
    std::vector<Outcome> commit(std::span<const Waiting> waiting, Millis now);

    [[nodiscard]] Mailboxes& mailboxes() { return mailboxes_; }
    [[nodiscard]] Conversations& conversations() { return conversations_; }
    // For welcomes.
    const std::vector<Gap>& gaps();
    // Dedupe records whose time has passed go, of at most `limit` of this mailbox behind `from`. Answers where to go
    // on; empty: the mailbox is done.
    Result<std::string> expire_dedupe(const std::string& partition_name, const std::string& from, std::size_t limit,
                                      Millis now);

  private:
    struct Plan;
    void plan(Plan& plan, const Waiting& waiting, Outcome& outcome, Millis now);
    Result<void> plan_new(Plan& plan, const Waiting& waiting, const UserId& user, bool half, Outcome& outcome);
    Result<void> plan_entries(Plan& plan, const Waiting& waiting, const Expansion& to, bool half, Outcome& outcome);
    enum class Known : std::uint8_t { no, half, whole, expired };
    // `received` is left as it is unless the submission is known.
    Result<Known> known(const DeviceId& sender, const MessageId& id, Millis now, Millis& received);
    Result<void> open_spans();
    // Errc::held while what the sender sent before it is missing: accepted now, it would have overtaken it for good.
    Result<void> in_turn(const Plan& plan, const Waiting& waiting, Millis now);

    store::Store& store_;
    const People& people_;
    MediaLinks& media_;
    const Options& options_;
    Conversations conversations_;
    Mailboxes mailboxes_;
    Spans spans_;
};

}  // namespace nimes::gateway::mailbox
