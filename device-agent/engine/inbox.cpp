#include "engine/inbox.hpp"

#include <algorithm>

#include "engine/put_back.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr std::uint64_t kMaxHeld = 1'000;
constexpr std::size_t kMaxHeldBytes = 16 << 20;
constexpr std::size_t kTogether = 64;  // in one transaction, which costs a sync of the disk

Result<void> put_marks(Transaction& tx, const std::map<std::uint8_t, std::uint64_t>& marks) {
    Writer out;
    for (const auto& [lane, mark] : marks) out.u8(lane).u64(mark);
    auto put = tx.put(Table::settings, setting_key(setting::kMarks), out.view());
    if (!put) return pass(put);
    return {};
}

}  // namespace

Result<void> Inbox::deliver(const v1::Deliver& deliver) {
    std::span all(deliver.envelopes().data(), static_cast<std::size_t>(deliver.envelopes_size()));
    while (!all.empty()) {
        const auto some = all.first(std::min(kTogether, all.size()));
        all = all.subspan(some.size());
        auto done = store(some);
        if (done) continue;
        if (some.size() == 1) return done;
        // It may be one of them that the store cannot take: not those before it.
        for (const auto& one : some)
            if (auto ok = store({&one, 1}); !ok) return ok;
    }
    core_.changed.notify_all();
    return {};
}

Result<void> Inbox::store(std::span<const v1::Envelope* const> envelopes) {
    auto marks = core_.marks;
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        put_back_if_lost(tx, core_.failures);
        put_back_if_lost(tx, gaps_);
        for (const auto* envelope : envelopes)
            if (auto ok = take(tx, *envelope, marks); !ok) return ok;
        if (marks == core_.marks) return {};
        if (auto ok = core_.put_failures(tx); !ok) return ok;
        return put_marks(tx, marks);
    });
    if (done) core_.marks = std::move(marks);
    return done;
}

Result<void> Inbox::take(Transaction& tx, const v1::Envelope& envelope, Marks& marks) {
    if (envelope.payload_case() == v1::Envelope::kSignal) return open_.signal(tx, envelope);
    const auto lane = static_cast<std::uint8_t>(envelope.lane());
    if (lane < 1 || lane > 3) return {};
    const auto turn = turn_of(envelope, marks[lane]);
    if (turn == Turn::gap) gaps_.found(lane, marks[lane]);
    if (turn != Turn::next) return {};
    if (auto ok = open_.note_arrival(tx, envelope); !ok) return ok;
    auto outcome = open_.envelope(tx, envelope);
    if (!outcome) return pass(outcome);
    if (*outcome == Outcome::held)
        if (auto ok = hold(tx, envelope); !ok) return ok;
    marks[lane] = envelope.sequence();
    return {};
}

Result<void> Inbox::hold(Transaction& tx, const v1::Envelope& envelope) {
    auto rows = tx.scan(Table::held);
    if (!rows) return pass(rows);
    std::size_t bytes = 0, of_sender = 0;
    for (const auto& row : *rows) {
        bytes += row.value.size();
        const auto other = HeldItem::parse(row.value);
        if (other && other->envelope.sender_device() == envelope.sender_device()) ++of_sender;
    }
    // One sender's flood must not push out what others sent.
    if (rows->size() >= kMaxHeld || bytes >= kMaxHeldBytes || of_sender >= kMaxHeld / 4) {
        core_.failures.lost++;
        return {};
    }
    auto put = tx.append(Table::held, HeldItem{core_.stamp(), envelope}.encode(),
                         {core_.expiry_day(core_.now(), core_.now()), {}});
    if (!put) return pass(put);
    return {};
}

Result<void> Inbox::retry_held() {
    for (bool moved = true; moved;) {
        moved = false;
        auto tx = core_.box->begin();
        if (!tx) return pass(tx);
        auto rows = tx->scan(Table::held);
        if (!rows) return pass(rows);
        put_back_if_lost(*tx, core_.failures);
        for (const auto& row : *rows) {
            const auto item = HeldItem::parse(row.value);
            auto outcome = item ? open_.envelope(*tx, item->envelope) : Result<Outcome>(Outcome::dropped);
            if (!outcome) return pass(outcome);
            if (*outcome == Outcome::held) continue;
            if (auto gone = tx->erase(Table::held, row.id); !gone) return pass(gone);
            moved = true;
        }
        if (auto ok = core_.put_failures(*tx); !ok) return ok;
        if (auto ok = tx->commit(); !ok) return ok;
    }
    core_.changed.notify_all();
    return {};
}

}  // namespace nimes::agent::engine
