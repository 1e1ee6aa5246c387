#include "engine/history.hpp"

#include "engine/put_back.hpp"
namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::HistoryConversation;
using conversation::HistoryFacts;
using sealing::Outcome;

constexpr std::uint8_t kOffer = 1, kTitle = 2;  // kinds of rows
constexpr std::size_t kOffersKept = 8;
constexpr std::size_t kUsersWanted = 2'000;
constexpr std::size_t kRostersWanted = 500;

Bytes offer_key(const HistoryOffer& offer) { return std::move(Writer().u8(kOffer).id(offer.blob)).take(); }
Bytes title_key(const ConversationId& id) { return std::move(Writer().u8(kTitle).id(id)).take(); }

std::vector<HistoryItem> items_of(const std::vector<container::Row>& rows) {
    std::vector<HistoryItem> out;
    for (const auto& row : rows) {
        if (row.key.empty() || row.key.front() != kOffer) continue;
        if (auto item = HistoryItem::parse(row.value)) out.push_back(std::move(*item));
    }
    return out;
}

}  // namespace

Bytes HistoryItem::encode() const {
    Writer out;
    auto record = offer.encode();
    out.u8(1).u8(static_cast<std::uint8_t>(stage)).u32(taken).u32(imported).bytes(record);
    sodium_memzero(record.data(), record.size());
    return std::move(out).take();
}

Result<HistoryItem> HistoryItem::parse(ByteView bytes) {
    Reader in(bytes);
    HistoryItem out;
    in.expect_u8(1);
    out.stage = static_cast<Stage>(in.u8());
    out.taken = in.u32();
    out.imported = in.u32();
    auto offer = HistoryOffer::parse(in.take(HistoryOffer::kBytes));
    if (!offer || !in.done()) return fail(Errc::malformed, "a stored offer of a history");
    out.offer = std::move(*offer);
    return out;
}

HistoryFacts History::facts() const {
    const auto* held = core_.directory->find(core_.own().user);
    return {core_.own(), held == nullptr ? nullptr : &held->entry, core_.rules().history_allowed, core_.now()};
}

Result<void> History::put(Transaction& tx, const HistoryItem& item) {
    auto bytes = item.encode();
    const auto day = core_.expiry_day(core_.now(), core_.now());
    auto put = tx.put(Table::history, offer_key(item.offer), bytes, {day, {}});
    sodium_memzero(bytes.data(), bytes.size());
    if (!put) return pass(put);
    return {};
}

Result<Outcome> History::offered(Transaction& tx, const HistoryOffer& offer) {
    if (core_.stale.contains(core_.own().user) || core_.directory->find(core_.own().user) == nullptr) {
        core_.wanted_users.insert(core_.own().user);
        return Outcome::held;
    }
    if (!conversation::judge_history_offer(offer, facts())) {
        core_.failures.refused++;
        return Outcome::dropped;
    }
    auto there = tx.get(Table::history, offer_key(offer));
    if (!there) return pass(there);
    if (*there) return Outcome::dropped;  // a repeat of one that is being taken, or was
    auto rows = tx.scan(Table::history);
    if (!rows) return pass(rows);
    if (items_of(*rows).size() >= kOffersKept) {
        core_.failures.refused++;
        return Outcome::dropped;
    }
    HistoryItem item;
    auto record = offer.encode();
    item.offer = std::move(*HistoryOffer::parse(record));
    sodium_memzero(record.data(), record.size());
    if (auto ok = put(tx, item); !ok) return pass(ok);
    core_.changed.notify_all();
    return Outcome::opened;
}

Result<std::set<BlobId>> History::bundles(Transaction& tx) {
    auto rows = tx.scan(Table::history);
    if (!rows) return pass(rows);
    std::set<BlobId> out;
    for (const auto& item : items_of(*rows))
        if (item.stage != HistoryItem::Stage::done) out.insert(item.offer.blob);
    return out;
}

Result<HistoryItem> History::find(const DeviceId& old_device) {
    auto tx = core_.box->begin();
    if (!tx) return pass(tx);
    auto rows = tx->scan(Table::history);
    if (!rows) return pass(rows);
    std::optional<HistoryItem> best;
    for (auto& item : items_of(*rows)) {
        if (item.offer.old_device != old_device || item.stage == HistoryItem::Stage::done) continue;
        if (!best || item.offer.issued > best->offer.issued) best = std::move(item);
    }
    if (!best) return fail(Errc::not_found, "that device has offered no history");
    return std::move(*best);
}

Result<void> History::take_conversations(const std::vector<HistoryConversation>& conversations) {
    return core_.transact([&](Transaction& tx) -> Result<void> {
        for (const auto& c : conversations) {
            const auto at = core_.conversations.find(c.id);
            if (!c.pair.empty()) {
                for (const auto& user : c.pair)
                    if (core_.directory->find(user) == nullptr && core_.wanted_users.size() < kUsersWanted)
                        core_.wanted_users.insert(user);
                if (at != core_.conversations.end()) continue;
                put_back_if_lost(tx, core_.infos, c.id);
                core_.infos[c.id].expires_after_s = c.expires_after_s;
                const auto pair = conversation::pair_conversation(c.pair[0], c.pair[1]);
                if (auto ok = core_.put_conversation(tx, pair); !ok) return ok;
                continue;
            }
            put_back_if_lost(tx, core_.infos, c.id);
            auto& info = core_.infos[c.id];
            if (info.title.empty() && info.expires_after_s == 0) {  // what a member said here counts more
                info.title = c.title;
                info.expires_after_s = c.expires_after_s;
            }
            if (at != core_.conversations.end()) {
                if (auto ok = core_.put_conversation(tx, at->second); !ok) return ok;
                continue;
            }
            if (core_.wanted_events.size() < kRostersWanted) core_.wanted_events.insert(c.id);
            const auto day = core_.expiry_day(core_.now(), core_.now());
            auto row = tx.put(Table::history, title_key(c.id),
                              std::move(Writer().id(c.id).u32(c.expires_after_s).text(c.title)).take(), {day, {}});
            if (!row) return pass(row);
        }
        return {};
    });
}

void History::want_names(const std::set<UserId>& users) {
    for (const auto& user : users)
        if (core_.directory->find(user) == nullptr && core_.wanted_users.size() < kUsersWanted)
            core_.wanted_users.insert(user);
}

Result<void> load_history_titles(Core& core, Transaction& tx) {
    auto rows = tx.scan(Table::history);
    if (!rows) return pass(rows);
    for (const auto& row : *rows) {
        if (row.key.empty() || row.key.front() != kTitle) continue;
        Reader in(row.value);
        const auto id = in.id<ConversationId>();
        const auto expires_after_s = in.u32();
        if (core.conversations.contains(id)) continue;
        core.infos[id].expires_after_s = expires_after_s;
        core.infos[id].title = std::string(as_text(in.take(in.left())));
    }
    return {};
}

}  // namespace nimes::agent::engine
