#include "engine/duties.hpp"

#include <algorithm>

#include "engine/put_back.hpp"
#include "engine/ready.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::Meaning;
using conversation::Receipt;

constexpr std::size_t kAtOnce = 200;
constexpr Millis kAskEvery = 10 * kSecond;
constexpr Millis kCatchUpSpread = 30 * kSecond;

bool passing(Errc code) { return row(code).retry; }

Result<void> update(Core& core, const std::vector<MessageRow>& rows) {
    return core.transact([&](Transaction& tx) -> Result<void> {
        for (const auto& r : rows)
            if (auto put = put_message(tx, r.message, r.expiry_day); !put) return pass(put);
        return {};
    });
}

Result<std::vector<MessageRow>> due(Core& core, Due what) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    return messages_due(*tx, what, kAtOnce);
}

}  // namespace

ConversationId act_place(const conversation::ConversationState& state, const UserId& acting, const UserId& author) {
    const auto* member = state.member(acting);
    return member != nullptr && member->role == MemberRole::reader ? pair_id(acting, author) : state.id;
}

Result<ConversationId> pair_with(Core& core, const UserId& other) {
    const auto pair = conversation::pair_conversation(core.own().user, other);
    if (core.conversations.contains(pair.id)) return pair.id;
    auto stored = core.transact([&](Transaction& tx) { return core.put_conversation(tx, pair); });
    if (!stored) return pass(stored);
    return pair.id;
}

Result<bool> Duties::run(Lock& lock, bool online) {
    if (auto ok = vanish(); !ok) return pass(ok);
    if (auto ok = removals_.run(lock, online); !ok) return pass(ok);
    if (!online || core_.shut_out) return false;
    if (auto ok = judge_newer_epochs(); !ok) return pass(ok);
    catch_up(lock);
    auto said = receipts(lock);
    if (!said) return said;
    auto reported = reports(lock);
    if (!reported) return reported;
    bool asked = false;
    if (core_.clock.boot() >= next_ask_) {
        next_ask_ = core_.clock.boot() + kAskEvery;
        auto grew = recovery_.ask();
        if (!grew) return grew;
        asked = *grew;
        if (auto ok = monitor_.run(lock); !ok) return pass(ok);
    }
    return *said || *reported || asked;
}

std::optional<ConversationId> Duties::place_for(const StoredMessage& message) {
    const auto at = core_.conversations.find(message.conversation);
    if (at == core_.conversations.end()) return std::nullopt;
    const auto place = act_place(at->second, core_.own().user, message.user);
    if (place == message.conversation) return place;
    const auto pair = pair_with(core_, message.user);
    return pair ? std::optional(*pair) : std::nullopt;
}

// Answers false when it has to wait for the network or for what the directory must say first.
Result<bool> Duties::say(Lock& lock, const ConversationId& conversation, Meaning meaning) {
    const auto at = core_.conversations.find(conversation);
    if (at == core_.conversations.end()) return true;
    if (!ready_to_seal(lock, core_, sync_, compose_, conversation)) return false;
    const auto done = compose_.message(conversation, core_.random.id<MessageId>(), std::move(meaning));
    if (done) return true;
    if (done.error().code == Errc::storage || done.error().code == Errc::disk_full)
        return fail(done.error().code, done.error().detail);
    return !passing(done.error().code);
}

Result<bool> Duties::receipts(Lock& lock) {
    auto rows = due(core_, Due::receipt);
    if (!rows) return pass(rows);
    std::map<std::pair<ConversationId, bool>, std::vector<MessageRow>> groups;
    for (auto& r : *rows)
        if (const auto place = place_for(r.message))
            groups[{*place, r.message.receipt == ReceiptDue::read_due}].push_back(std::move(r));
    bool grew = false;
    for (auto& [where, list] : groups) {
        const auto boot = core_.clock.boot();
        if (boot < next_receipt_[where.first]) continue;
        Receipt receipt{where.second, {}};
        for (auto& r : list) {
            receipt.items.push_back({r.message.device, r.message.id, r.message.digest});
            r.message.receipt = where.second ? ReceiptDue::read_said : ReceiptDue::delivered_said;
        }
        next_receipt_[where.first] = boot + kReceiptPause;
        auto said = say(lock, where.first, std::move(receipt));
        if (!said) return said;
        if (!*said) continue;
        grew = true;
        if (auto ok = update(core_, list); !ok) return pass(ok);
    }
    return grew;
}

Result<bool> Duties::reports(Lock& lock) {
    auto rows = due(core_, Due::report);
    if (!rows) return pass(rows);
    bool grew = false;
    for (auto& r : *rows) {
        auto pair = pair_with(core_, r.message.report_to);
        if (!pair) return pass(pair);
        const auto state = r.message.shown != 0 ? conversation::Recalled::opened : conversation::Recalled::erased;
        auto said = say(lock, *pair, conversation::RecallReport{{r.message.device, r.message.id}, state});
        if (!said) return said;
        if (!*said) continue;
        grew = true;
        r.message.report_to = {};
        std::vector<MessageRow> one;
        one.push_back(std::move(r));
        if (auto ok = update(core_, one); !ok) return pass(ok);
    }
    return grew;
}

Result<void> Duties::vanish() {
    auto rows = due(core_, Due::vanish);
    if (!rows) return pass(rows);
    // The smaller of both times: a head from the future must not erase early (FORMATS.md 2.1).
    const auto now = std::min(core_.clock.now(), core_.now());
    std::erase_if(*rows, [&](const MessageRow& r) {
        return now < r.message.shown + Millis{r.message.expires_after_s} * kSecond;
    });
    if (rows->empty()) return {};
    return core_.transact([&](Transaction& tx) -> Result<void> {
        put_back_if_lost(tx, core_.erased_media);
        for (auto& r : *rows) {
            const auto meaning = conversation::decode(r.message.kind, r.message.body);
            const auto* medium = meaning ? std::get_if<conversation::Media>(&*meaning) : nullptr;
            if (medium != nullptr) {
                if (auto gone = tx.erase(Table::media, to_bytes(medium->ref.blob.view())); !gone) return pass(gone);
                core_.erased_media.insert(medium->ref.blob);
            }
            r.message.state = MessageState::vanished;
            sodium_memzero(r.message.body.data(), r.message.body.size());
            r.message.body.clear();
            if (auto put = put_message(tx, r.message, r.expiry_day); !put) return pass(put);
        }
        return {};
    });
}

// Entries that moved are looked up before the next message, and without one within half a minute: so that who waits
// for nothing still hears that a device was revoked. Not all at once, for a head goes to everybody.
void Duties::catch_up(Lock& lock) {
    std::vector<UserId> moved;
    for (const auto& [id, state] : core_.conversations)
        for (const auto& m : state.now().roster)
            if (core_.stale.contains(m.user)) moved.push_back(m.user);
    if (moved.empty()) {
        next_catch_up_ = 0;
        return;
    }
    const auto boot = core_.clock.boot();
    if (next_catch_up_ == 0) {
        ByteArray<2> some{};
        core_.random.fill(some);
        next_catch_up_ = boot + kCatchUpSpread * Millis{some[0]} / 256;
    }
    if (boot < next_catch_up_) return;
    next_catch_up_ = boot + kCatchUpSpread;
    std::sort(moved.begin(), moved.end());
    moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
    (void)sync_.bring_up(lock, moved);
}

// Somebody knows of a change that the gateway does not bring: withheld, or invented (FORMATS.md 2.7).
Result<void> Duties::judge_newer_epochs() {
    for (auto& [id, newer] : core_.newer_epochs) {
        if (newer.alarmed || core_.now() < newer.since + kDay) continue;
        const auto at = core_.conversations.find(id);
        if (at == core_.conversations.end()) continue;
        auto done = core_.transact([&](Transaction& tx) -> Result<void> {
            put_back_if_lost(tx, core_.newer_epochs, id);
            newer.alarmed = true;
            auto ok = core_.raise_alarm(
                tx,
                "a member of a group names a newer roster, which the gateway has not brought for a day: "
                "nothing is sent there until it comes");
            if (!ok) return ok;
            return core_.put_conversation(tx, at->second);
        });
        if (!done) return done;
    }
    return {};
}

}  // namespace nimes::agent::engine
