#include "engine/outbox.hpp"

#include <algorithm>
#include <array>

#include "engine/message_rows.hpp"
#include "engine/packets.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr Millis kRepeat = 10 * kSecond;
constexpr std::size_t kRefusedKept = 1'000;
constexpr Millis kLongestPause = 15 * kMinute;
constexpr Millis kInTurn = kSecond / 2;
constexpr Millis kRefusedAgain = kMinute;
const ConversationId kEverything{};

// Whose fault is it? A conversation's recipients', or everybody's.
bool of_conversation(Errc code) {
    switch (code) {
        case Errc::mailbox_full:
        case Errc::device_stale:
        case Errc::quota:
        case Errc::held:
            return true;
        default:
            return false;
    }
}

// Is it refused for what the gateway does not know (yet)?
bool builds_on_something(Errc code) {
    return code == Errc::conversation_unknown || code == Errc::not_a_member || code == Errc::recipient_unknown;
}

}  // namespace

Result<void> Outbox::load() {
    auto tx = core_.box->begin();
    if (!tx) return pass(tx);
    const auto from = items_.empty() ? 0 : items_.rbegin()->first + 1;
    auto rows = tx->scan(Table::outbox, from);
    if (!rows) return pass(rows);
    for (const auto& row : *rows) {
        auto item = OutboxItem::parse(row.value);
        if (!item) return pass(item);
        const bool nothing_to_upload = item->upload.is_zero();
        const bool signal = is_signal(item->up);
        items_.emplace(row.id, Waiting{std::move(*item), 0, nothing_to_upload, signal});
    }
    return {};
}

void Outbox::connected() {
    for (auto& [row, waiting] : items_) waiting.sent = 0;
    pauses_.erase(kEverything);  // of a connection that is over
    flush();
}

const Outbox::Pause* Outbox::pause_of(const ConversationId& conversation) const {
    for (const auto& key : {kEverything, conversation})
        if (const auto at = pauses_.find(key); at != pauses_.end()) return &at->second;
    return nullptr;
}

bool Outbox::paused(const ConversationId& conversation, Millis now) const {
    return std::ranges::any_of(std::array{kEverything, conversation}, [&](const auto& key) {
        const auto at = pauses_.find(key);
        return at != pauses_.end() && now < at->second.until;
    });
}

bool Outbox::flush() {
    const auto now = core_.clock.boot();
    bool sent = false;
    std::map<ConversationId, MessageId> before;
    for (auto& [row, waiting] : items_) {
        const auto& item = waiting.item;
        if (!waiting.uploaded || paused(item.conversation, now)) continue;
        if (waiting.sent == 0) {
            const auto at = before.find(item.conversation);
            // Offline, or its queue is full: the next tick goes on.
            if (!session_.publish(at == before.end() ? item.up : submit_after(item.up, at->second))) break;
            waiting.sent = now;
            waiting.behind = at != before.end();
            sent = true;
        }
        if (!waiting.signal && !waiting.refused_since) before[item.conversation] = item.id;
    }
    return sent;
}

bool Outbox::tick() {
    const auto now = core_.clock.boot();
    // If one is overdue, all behind it go again too: a grant must not come after its messages.
    const auto overdue = std::find_if(items_.begin(), items_.end(), [&](const auto& item) {
        return item.second.sent != 0 && now >= item.second.sent + kRepeat;
    });
    for (auto at = overdue; at != items_.end(); ++at) at->second.sent = 0;
    return flush();
}

void Outbox::uploaded(const BlobId& blob) {
    for (auto& [row, waiting] : items_)
        if (waiting.item.upload == blob) waiting.uploaded = true;
    flush();
}

std::vector<OutboxItem> Outbox::uploads_due() const {
    std::vector<OutboxItem> out;
    for (const auto& [row, waiting] : items_)
        if (!waiting.uploaded) out.push_back(waiting.item);
    return out;
}

std::optional<ConversationId> Outbox::conversation_of(const MessageId& id) const {
    for (const auto& [row, waiting] : items_)
        if (waiting.item.id == id) return waiting.item.conversation;
    return std::nullopt;
}

std::optional<ConvEvent> Outbox::event_of(const MessageId& id) const {
    for (const auto& [row, waiting] : items_)
        if (waiting.item.id == id && !waiting.item.is_message) return event_in(waiting.item.up);
    return std::nullopt;
}

Outbox::Items::iterator Outbox::find(const MessageId& id) {
    return std::find_if(items_.begin(), items_.end(), [&](const auto& i) { return i.second.item.id == id; });
}

Result<void> Outbox::remove(const MessageId& id, MessageState state, Millis received) {
    const auto at = find(id);
    if (at == items_.end()) return {};
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        const auto& item = at->second.item;
        if (auto gone = tx.erase(Table::outbox, at->first); !gone) return pass(gone);
        if (state == MessageState::sent && !at->second.signal)
            if (auto ok = remembered_.keep(tx, item, std::min(received, core_.now() + kDay)); !ok) return ok;
        if (!item.is_message) return {};
        auto row = find_message(tx, core_.own().device, id);
        if (!row) return pass(row);
        const auto before = item.again ? MessageState::sent : MessageState::sending;
        if (!*row || (*row)->message.state != before) return {};  // recalled meanwhile
        (*row)->message.state = state;
        auto put = put_message(tx, (*row)->message, (*row)->expiry_day);
        if (!put) return pass(put);
        return {};
    });
    if (done) items_.erase(at);
    core_.changed.notify_all();
    return done;
}

Result<void> Outbox::accepted(const MessageId& id, Millis received) {
    pauses_.erase(kEverything);
    if (const auto conversation = conversation_of(id)) pauses_.erase(*conversation);
    return remove(id, MessageState::sent, received);
}

void Outbox::put_off(const MessageId& id, const Error& error, Millis retry_after) {
    const auto conversation = of_conversation(error.code) ? conversation_of(id) : std::nullopt;
    const auto key = conversation.value_or(kEverything);
    const auto now = core_.clock.boot();
    auto& pause = pauses_[key];
    if (pause.tries == 0) pause.since = now;
    // Several refusals of one round count once.
    if (now >= pause.until) {
        pause.until = now + std::min(kLongestPause, retry_after << std::min(pause.tries, 10U));
        ++pause.tries;
    }
    pause.error = error;
    for (auto& [row, waiting] : items_)
        if (key == kEverything || waiting.item.conversation == key) waiting.sent = 0;
    core_.changed.notify_all();
}

std::vector<Outbox::Stuck> Outbox::stuck() const {
    std::vector<Stuck> out;
    for (const auto& [key, pause] : pauses_) {
        Stuck one{key == kEverything ? std::nullopt : std::optional(key), pause.error, 0, pause.since, pause.until};
        for (const auto& [row, waiting] : items_)
            if (key == kEverything || waiting.item.conversation == key) ++one.items;
        if (one.items > 0) out.push_back(std::move(one));
    }
    return out;
}

Result<void> Outbox::lost_by_gateway(const std::vector<Gap>& gaps) {
    bool back = false;
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        auto lost = remembered_.take_lost(tx, gaps);
        if (!lost) return pass(lost);
        if (lost->empty()) return {};
        auto waiting = tx.scan(Table::outbox);
        if (!waiting) return pass(waiting);
        for (auto& item : *lost) {
            item.again = true;
            if (auto put = tx.append(Table::outbox, item.encode()); !put) return pass(put);
        }
        for (const auto& row : *waiting) {  // in their order, behind it
            if (auto gone = tx.erase(Table::outbox, row.id); !gone) return pass(gone);
            if (auto put = tx.append(Table::outbox, row.value); !put) return pass(put);
        }
        back = true;
        return {};
    });
    if (!done) return done;
    remembered_.looked_at(gaps);
    if (!back) return {};
    restored_until_ = core_.clock.boot() + kHour;
    items_.clear();
    if (auto ok = load(); !ok) return ok;
    flush();
    return {};
}

// True while what the gateway refuses is to be tried further, since it lost that, or what that builds on.
bool Outbox::tried_again(const MessageId& id, Errc refusal) {
    const auto at = find(id);
    const auto now = core_.clock.boot();
    if (at == items_.end()) return false;
    if (!at->second.item.again && (now >= restored_until_ || !builds_on_something(refusal))) return false;
    auto& waiting = at->second;
    if (!waiting.refused_since) waiting.refused_since = now;
    if (now >= *waiting.refused_since + kHour) return false;
    waiting.sent = now + kRefusedAgain - kRepeat;
    return true;
}

// What it was sent behind has ended meanwhile: said once more without that, it need not wait.
bool Outbox::goes_first_now(const MessageId& id) {
    const auto at = find(id);
    if (at == items_.end() || !at->second.behind) return false;
    const bool first = std::none_of(items_.begin(), at, [&](const auto& item) {
        const auto& before = item.second;
        return before.item.conversation == at->second.item.conversation && !before.signal && !before.refused_since;
    });
    if (!first) return false;
    at->second.sent = 0;
    flush();
    return true;
}

Result<void> Outbox::rejected(const MessageId& id, const Error& error, Millis retry_after) {
    if (retry_after == 0 || error.code == Errc::epoch_conflict)
        if (tried_again(id, error.code)) return {};
    // An event that lost its epoch to another is made anew on top of that one, by who wanted it: never repeated.
    const bool outrun = error.code == Errc::epoch_conflict;
    if (outrun)
        if (const auto conversation = conversation_of(id)) core_.wanted_events.insert(*conversation);
    if (error.code == Errc::held && goes_first_now(id)) return {};
    if (retry_after != 0 && !outrun) {
        if (find(id) == items_.end()) return {};  // answered already
        // One before it got lost on the way, and need not wait long: from there on, in order.
        put_off(id, error, error.code == Errc::held ? kInTurn : retry_after);
        return {};
    }
    if (refused_.size() >= kRefusedKept) refused_.clear();
    refused_[id] = error;
    const auto conversation = conversation_of(id);
    auto removed = remove(id, MessageState::refused);
    // What waits for its turn behind this one has it now.
    const auto pause = conversation ? pauses_.find(*conversation) : pauses_.end();
    if (pause == pauses_.end() || pause->second.error.code != Errc::held) return removed;
    pauses_.erase(pause);
    flush();
    return removed;
}

Result<void> Outbox::wait(Lock& lock, const MessageId& id, Millis patience) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    for (;;) {
        if (const auto refused = refused_.find(id); refused != refused_.end())
            return fail(refused->second.code, refused->second.detail);
        const bool there =
            std::any_of(items_.begin(), items_.end(), [&](const auto& i) { return i.second.item.id == id; });
        if (!there) return {};
        if (core_.shut_out) return fail(*core_.shut_out);
        if (core_.changed.wait_until(lock, until) != std::cv_status::timeout) continue;
        const auto conversation = conversation_of(id);
        if (const auto* pause = conversation ? pause_of(*conversation) : nullptr; pause != nullptr)
            return fail(pause->error.code, "it is kept in the outbox and tried again");
        return fail(Errc::timed_out, "it is in the outbox and goes out with the next connection");
    }
}

}  // namespace nimes::agent::engine
