#include "engine/outbox.hpp"

#include <algorithm>

#include "engine/message_rows.hpp"
#include "engine/packets.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr Millis kRepeat = 10 * kSecond;
constexpr std::size_t kRefusedKept = 1'000;
constexpr Millis kRefusedAgain = kMinute;
constexpr Millis kInTurn = kSecond / 2;

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
        items_.emplace(row.id, Waiting{std::move(*item), 0, nothing_to_upload, {}, signal});
    }
    return {};
}

void Outbox::connected() {
    for (auto& [row, waiting] : items_) waiting.sent = 0;
    flush();
}

void Outbox::flush() {
    const auto now = core_.clock.boot();
    if (now < pause_until_) return;
    const Waiting* before = nullptr;
    for (auto& [row, waiting] : items_) {
        if (!waiting.uploaded) continue;
        if (waiting.sent == 0) {
            // Offline, or its queue is full: the next tick goes on.
            if (!session_.publish(before ? submit_after(waiting.item.up, before->item.id) : waiting.item.up)) return;
            waiting.sent = now;
        }
        if (!waiting.signal && !waiting.refused_since) before = &waiting;
    }
}

void Outbox::tick() {
    const auto now = core_.clock.boot();
    // If one is overdue, all behind it go again too: a grant must not come after its messages.
    const auto overdue = std::find_if(items_.begin(), items_.end(), [&](const auto& item) {
        return item.second.sent != 0 && now >= item.second.sent + kRepeat;
    });
    for (auto at = overdue; at != items_.end(); ++at) at->second.sent = 0;
    flush();
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

Result<void> Outbox::known_to_gateway(Millis newest_accepted) {
    bool back = false;
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        auto newest = remembered_.newest(tx);
        if (!newest) return pass(newest);
        if (*newest <= newest_accepted) return {};
        auto lost = remembered_.take_from(tx, newest_accepted);  // that millisecond may have been more than one commit
        auto waiting = tx.scan(Table::outbox);
        if (!lost) return pass(lost);
        if (!waiting) return pass(waiting);
        for (const auto& row : *waiting)
            if (auto gone = tx.erase(Table::outbox, row.id); !gone) return pass(gone);
        for (auto& item : *lost) {
            item.again = true;
            if (auto put = tx.append(Table::outbox, item.encode()); !put) return pass(put);
        }
        for (const auto& row : *waiting)
            if (auto put = tx.append(Table::outbox, row.value); !put) return pass(put);
        back = true;
        return {};
    });
    if (!done || !back) return done;
    items_.clear();
    if (auto ok = load(); !ok) return ok;
    flush();
    return {};
}

Result<void> Outbox::remove(const MessageId& id, MessageState state, Millis received) {
    const auto at = std::find_if(items_.begin(), items_.end(), [&](const auto& i) { return i.second.item.id == id; });
    if (at == items_.end()) return {};
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        const auto& item = at->second.item;
        if (auto gone = tx.erase(Table::outbox, at->first); !gone) return pass(gone);
        if (state == MessageState::sent && !at->second.signal)
            if (auto ok = remembered_.keep(tx, item, received); !ok) return ok;
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

Result<void> Outbox::accepted(const MessageId& id, Millis received) { return remove(id, MessageState::sent, received); }

// True while what the gateway lost and now refuses is to be tried further.
bool Outbox::tried_again(const MessageId& id) {
    const auto at = std::find_if(items_.begin(), items_.end(), [&](const auto& i) { return i.second.item.id == id; });
    if (at == items_.end() || !at->second.item.again) return false;
    const auto now = core_.clock.boot();
    auto& waiting = at->second;
    if (!waiting.refused_since) waiting.refused_since = now;
    if (now >= *waiting.refused_since + kHour) return false;
    waiting.sent = now + kRefusedAgain - kRepeat;
    return true;
}

Result<void> Outbox::rejected(const MessageId& id, const Error& error, Millis retry_after) {
    if (error.code == Errc::held) {  // one before it got lost on the way: from there on, in order
        pause_until_ = core_.clock.boot() + kInTurn;
        for (auto& [row, waiting] : items_)
            if (!waiting.refused_since) waiting.sent = 0;
        return {};
    }
    if (retry_after == 0 || error.code == Errc::epoch_conflict)
        if (tried_again(id)) return {};
    // An event that lost its epoch to another is made anew on top of that one, by who wanted it: never repeated.
    const bool outrun = error.code == Errc::epoch_conflict;
    if (outrun)
        if (const auto conversation = conversation_of(id)) core_.wanted_events.insert(*conversation);
    if (retry_after != 0 && !outrun) {
        pause_until_ = core_.clock.boot() + retry_after;
        for (auto& [row, waiting] : items_) waiting.sent = 0;
        return {};
    }
    if (refused_.size() >= kRefusedKept) refused_.clear();
    refused_[id] = error;
    return remove(id, MessageState::refused);
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
        if (core_.changed.wait_until(lock, until) == std::cv_status::timeout)
            return fail(Errc::timed_out, "it is in the outbox and goes out with the next connection");
    }
}

}  // namespace nimes::agent::engine
