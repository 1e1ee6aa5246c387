// A person's history, from the old device to the new one (FORMATS.md 2.9): what is offered, what was offered, and how
// far taking it has come.
//
// The old device: choose() says what goes, in records that are ready for the bundle. The new device: offered() files an
// offer that came through the mailbox; import() takes records in batches of one transaction each, and a crash repeats
// at most one. Sealing, transfer and the person's word are the Agent's (history_agent.cpp). Call with the core's lock
// held. Errors are the store's; what may not be imported is left out and counted.
#pragma once

#include <set>

#include "conversation/history_offer.hpp"
#include "engine/acts.hpp"
#include "nimes/v1/transport.pb.h"
#include "sealing/grant_opener.hpp"

namespace nimes::agent::engine {

// Of Table::history: an offer that was judged, and what became of it.
struct HistoryItem {
    enum class Stage : std::uint8_t { offered = 1, fetched = 2, done = 3 } stage = Stage::offered;
    std::uint32_t taken = 0;     // records of messages that were dealt with
    std::uint32_t imported = 0;  // of these: now here
    HistoryOffer offer;

    [[nodiscard]] Bytes encode() const;
    static Result<HistoryItem> parse(ByteView bytes);
};

struct ChosenHistory {
    Bytes bundle;  // wiped by who made use of it
    std::uint32_t conversations = 0;
    std::uint32_t messages = 0;
    bool cut = false;  // older ones did not fit
};

class History {
  public:
    explicit History(Core& core) : core_(core), acts_(core) {}

    // The own entry as it is held, and this device's part.
    [[nodiscard]] conversation::HistoryFacts facts() const;

    // Everything this person may read here, sent since `from`: not what is deleted, withheld, vanished, to be seen
    // once, on its way, or beyond the retention.
    Result<ChosenHistory> choose(const conversation::HistoryHead& head);

    // An offer came. Held while the own entry is being looked up.
    Result<sealing::Outcome> offered(container::Transaction& tx, const HistoryOffer& offer);
    // Of that device, the newest that is not done; Errc::not_found.
    Result<HistoryItem> find(const DeviceId& old_device);
    Result<void> put(container::Transaction& tx, const HistoryItem& item);
    // Media of offers that are not done: no row of Table::media names them.
    static Result<std::set<BlobId>> bundles(container::Transaction& tx);

    // Its titles and pairs are known from now on; who and what is missing is wanted.
    Result<void> take_conversations(const std::vector<conversation::HistoryConversation>& conversations);
    void want_names(const std::set<UserId>& users);
    // One transaction; item.taken and item.imported move on with it.
    Result<void> import(HistoryItem& item, std::vector<conversation::HistoryMessage>& batch);

  private:
    struct Chosen;
    void consider(const StoredMessage& message, const conversation::HistoryHead& head, Chosen& chosen);
    [[nodiscard]] bool was_member(const ConversationId& id, std::uint64_t epoch, const UserId& user) const;
    [[nodiscard]] bool alive(const conversation::HistoryMessage& message, const conversation::Meaning& meaning) const;
    Result<bool> import_one(container::Transaction& tx, const DeviceId& from, conversation::HistoryMessage& message);
    Result<bool> acts_on_imported(container::Transaction& tx, const DeviceId& from, const StoredMessage& message,
                                  const conversation::Meaning& meaning);

    Core& core_;
    Acts acts_;
};

// Titles of groups that only a history told of.
Result<void> load_history_titles(Core& core, container::Transaction& tx);

}  // namespace nimes::agent::engine
