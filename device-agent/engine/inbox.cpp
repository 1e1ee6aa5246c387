#include "engine/inbox.hpp"

#include "engine/put_back.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr std::uint64_t kMaxHeld = 1'000;
constexpr std::size_t kMaxHeldBytes = 16 << 20;

}  // namespace

Result<void> Inbox::deliver(const v1::Deliver& deliver) {
    for (const auto& envelope : deliver.envelopes()) {
        const auto lane = static_cast<std::uint8_t>(envelope.lane());
        if (envelope.payload_case() == v1::Envelope::kSignal) {
            if (auto ok = core_.transact([&](Transaction& tx) { return open_.signal(tx, envelope); }); !ok) return ok;
            continue;
        }
        if (lane < 1 || lane > 3) continue;
        const auto turn = turn_of(envelope, core_.marks[lane]);
        if (turn == Turn::gap) gaps_.found(lane, core_.marks[lane]);
        if (turn != Turn::next) continue;
        if (auto ok = store(envelope); !ok) return ok;
    }
    core_.changed.notify_all();
    return {};
}

Result<void> Inbox::store(const v1::Envelope& envelope) {
    const auto lane = static_cast<std::uint8_t>(envelope.lane());
    auto done = core_.transact([&](Transaction& tx) -> Result<void> {
        put_back_if_lost(tx, core_.failures);
        if (auto ok = open_.note_arrival(tx, envelope); !ok) return ok;
        auto outcome = open_.envelope(tx, envelope);
        if (!outcome) return pass(outcome);
        if (*outcome == Outcome::held)
            if (auto ok = hold(tx, envelope); !ok) return ok;
        if (auto ok = core_.put_failures(tx); !ok) return ok;
        return put_mark(tx, lane, envelope.sequence());
    });
    if (done) core_.marks[lane] = envelope.sequence();
    return done;
}

Result<void> Inbox::put_mark(Transaction& tx, std::uint8_t lane, std::uint64_t sequence) {
    auto marks = core_.marks;
    marks[lane] = sequence;
    Writer out;
    for (const auto& [number, mark] : marks) out.u8(number).u64(mark);
    auto put = tx.put(Table::settings, setting_key(setting::kMarks), out.view());
    if (!put) return pass(put);
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
