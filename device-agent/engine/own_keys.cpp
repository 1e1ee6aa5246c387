#include "engine/own_keys.hpp"

#include <algorithm>

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using sealing::OwnSealKey;
using sealing::SealBook;

constexpr const char* kCopied =
    "seal keys were published in this device's name that it did not make: it may have been copied; have it revoked";

Bytes row_key(std::uint32_t key_id) { return std::move(Writer().u32(key_id)).take(); }

void add(v1::SealKeyBatch& batch, const OwnSealKey& key) {
    const auto record = key.record.encode();
    const bool day = key.record.kind == SealKeyKind::day;
    (day ? batch.add_keys() : batch.add_one_time_keys())->assign(as_text(record));
}

Result<void> put_all(Transaction& tx, v1::SealKeyBatch& batch, const std::vector<OwnSealKey>& keys) {
    for (const auto& key : keys) {
        if (auto ok = put_seal_key(tx, key); !ok) return ok;
        add(batch, key);
    }
    return {};
}

// All that are here, by id.
Result<std::vector<OwnSealKey>> all_keys(Transaction& tx) {
    auto rows = tx.scan(Table::seal_keys);
    if (!rows) return pass(rows);
    std::vector<OwnSealKey> out;
    for (const auto& row : *rows) {
        auto key = OwnSealKey::parse(row.value);
        if (!key) return pass(key);
        out.push_back(std::move(*key));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.record.key_id < b.record.key_id; });
    return out;
}

}  // namespace

Result<std::optional<OwnSealKey>> find_seal_key(Transaction& tx, std::uint32_t key_id) {
    auto row = tx.get(Table::seal_keys, row_key(key_id));
    if (!row) return pass(row);
    if (!*row) return std::optional<OwnSealKey>{};
    auto parsed = OwnSealKey::parse((*row)->value);
    if (!parsed) return pass(parsed);
    return std::optional(std::move(*parsed));
}

// No expiry day: when it may go is for the rules to say, not for the clock alone.
Result<void> put_seal_key(Transaction& tx, const OwnSealKey& key) {
    auto secret = key.encode();
    auto put = tx.put(Table::seal_keys, row_key(key.record.key_id), secret);
    sodium_memzero(secret.data(), secret.size());
    if (!put) return pass(put);
    return {};
}

Result<void> erase_seal_key(Transaction& tx, std::uint32_t key_id) {
    auto gone = tx.erase(Table::seal_keys, row_key(key_id));
    if (!gone) return pass(gone);
    return {};
}

Result<std::uint64_t> count_one_time(Transaction& tx) {
    auto keys = all_keys(tx);
    if (!keys) return pass(keys);
    return static_cast<std::uint64_t>(std::count_if(
        keys->begin(), keys->end(), [](const OwnSealKey& key) { return key.record.kind == SealKeyKind::one_time; }));
}

Result<void> OwnKeys::change(const Change& change) {
    auto book = core_.seal_book;
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        if (auto ok = change(tx, book); !ok) return ok;
        return Core::put_seal_book(tx, book);
    });
    if (done) core_.seal_book = std::move(book);
    return done;
}

Result<void> OwnKeys::run(Lock& lock) {
    if (auto ok = judge_shown(); !ok) return ok;
    switch (sealing::publish_due(core_.seal_book, core_.now())) {
        case sealing::Publish::batch:
            return publish(lock);
        case sealing::Publish::again:
            return publish_again(lock);
        case sealing::Publish::nothing:
            break;
    }
    return refill(lock);
}

Result<void> OwnKeys::alarm(Transaction& tx, SealBook& book, std::uint32_t batch_no, std::uint32_t key_id) {
    if (!sealing::note_foreign(book, batch_no, key_id, core_.now())) return {};
    return core_.raise_alarm(tx, kCopied);
}

Result<void> OwnKeys::welcomed(std::uint32_t batch_no) {
    if (sealing::judge_batch_no(core_.seal_book, batch_no) != sealing::Shown::foreign) return {};
    return change([&](Transaction& tx, SealBook& book) { return alarm(tx, book, batch_no, 0); });
}

// A copy that publishes under the number of the day shows by its keys, not by the number.
Result<void> OwnKeys::judge_shown() {
    const auto* entry = core_.directory->find(core_.own().user);
    const auto* newest = core_.seal_book.newest();
    if (entry == nullptr) return {};
    const auto at = entry->devices.find(core_.own().device);
    const bool none = at == entry->devices.end() || at->second.keys.empty();
    if (none && (newest == nullptr || newest->published == 0)) return {};
    return change([&](Transaction& tx, SealBook& book) -> Result<void> {
        bool older = none;
        for (const auto& shown : none ? std::vector<SealKey>{} : at->second.keys) {
            auto own = find_seal_key(tx, shown.key_id);
            if (!own) return pass(own);
            const auto judged = sealing::judge_record(book, shown, *own ? &(*own)->record : nullptr);
            if (judged == sealing::Shown::foreign) return alarm(tx, book, shown.batch_no, shown.key_id);
            older = older || judged == sealing::Shown::older;
        }
        if (older && !book.publications.empty()) book.publications.back().published = 0;
        return {};
    });
}

Result<void> OwnKeys::publish(Lock& lock) {
    const auto now = core_.now();
    v1::SealKeyBatch batch;
    auto stored = change([&](Transaction& tx, SealBook& book) -> Result<void> {
        const auto batch_no = sealing::next_batch_no(book, now);
        const auto first = sealing::first_key_id(book, now);
        auto identity = core_.identity();
        if (!identity) return pass(identity);
        const auto days = sealing::make_batch(identity->secret, core_.own().device, first, now, core_.random, batch_no);
        const auto next = first + static_cast<std::uint32_t>(days.size());
        const auto once = sealing::make_one_time_keys(identity->secret, core_.own().device, next, batch_no,
                                                      sealing::kOneTimeKeys, now, core_.random);
        sealing::begin_publication(book, batch_no, first, days.size() + once.size());
        if (auto ok = put_all(tx, batch, days); !ok) return ok;
        return put_all(tx, batch, once);
    });
    if (!stored) return stored;
    return send(lock, batch);
}

Result<void> OwnKeys::publish_again(Lock& lock) {
    v1::SealKeyBatch batch;
    {
        auto tx = core_.box->begin();
        if (!tx) return pass(tx);
        auto keys = all_keys(*tx);
        if (!keys) return pass(keys);
        std::erase_if(
            *keys, [&](const OwnSealKey& key) { return key.record.key_id < core_.seal_book.newest()->first_key_id; });
        for (const auto& key : *keys) add(batch, key);
    }
    if (batch.keys_size() == 0) return publish(lock);
    // More than one upload holds, after a refill: the newest ones, which the gateway has not taken before.
    const auto many = batch.one_time_keys_size() - static_cast<int>(sealing::kOneTimeKeys);
    if (many > 0) batch.mutable_one_time_keys()->DeleteSubrange(0, many);
    return send(lock, batch);
}

Result<void> OwnKeys::refill(Lock& lock) {
    const auto count = core_.one_time_left ? sealing::refill(*core_.one_time_left) : 0;
    if (count == 0) return {};
    const auto now = core_.now();
    v1::SealKeyBatch batch;
    auto stored = change([&](Transaction& tx, SealBook& book) -> Result<void> {
        auto identity = core_.identity();
        if (!identity) return pass(identity);
        const auto first = sealing::first_key_id(book, now);
        book.next_key_id = first + static_cast<std::uint32_t>(count);
        return put_all(tx, batch,
                       sealing::make_one_time_keys(identity->secret, core_.own().device, first, book.newest()->batch_no,
                                                   count, now, core_.random));
    });
    if (!stored) return stored;
    return send(lock, batch);
}

Result<void> OwnKeys::send(Lock& lock, const v1::SealKeyBatch& batch) {
    lock.unlock();
    auto sent = network_.seal_keys(batch);
    lock.lock();
    if (!sent) return sent;
    core_.one_time_left.reset();  // until the gateway says it anew
    core_.one_time_used = 0;
    if (batch.keys_size() == 0) return {};
    return change([&](Transaction&, SealBook& book) -> Result<void> {
        sealing::published(book, core_.now());
        return {};
    });
}

Millis OwnKeys::erasing_now() const {
    return sealing::erasing_time(core_.clock.now(), core_.now(), core_.directory->head().ts);
}

Result<void> OwnKeys::drained(Millis at) {
    if (at <= core_.seal_book.drained) return {};
    return change([&](Transaction&, SealBook& book) -> Result<void> {
        book.drained = at;
        return {};
    });
}

Result<void> OwnKeys::erase_over() {
    return core_.transact([&](Transaction& tx) -> Result<void> {
        auto keys = all_keys(tx);
        if (!keys) return pass(keys);
        for (const auto& key : *keys)
            if (sealing::over(core_.seal_book, key, erasing_now()))
                if (auto ok = erase_seal_key(tx, key.record.key_id); !ok) return ok;
        return {};
    });
}

}  // namespace nimes::agent::engine
