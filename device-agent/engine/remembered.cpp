#include "engine/remembered.hpp"

#include <algorithm>

namespace nimes::agent::engine {
namespace {

using container::Order;
using container::Table;
using container::Transaction;

constexpr std::uint64_t kPruneEvery = 256;
constexpr std::size_t kPage = 100;
constexpr std::size_t kTimeBytes = 8;

Millis received_of(const container::Row& row) { return Reader(row.value).u64(); }

}  // namespace

Result<void> Remembered::keep(Transaction& tx, const OutboxItem& item, Millis received) {
    auto put = tx.append(Table::accepted, std::move(Writer().u64(received).bytes(item.encode())).take(),
                         {container::expiry_day_of(received + kDay), {}});
    if (!put) return pass(put);
    if (++kept_ % kPruneEvery != 0) return {};
    auto count = tx.count(Table::accepted);
    if (!count) return pass(count);
    if (*count <= kMost) return {};
    auto oldest = tx.scan(Table::accepted, 0, static_cast<std::size_t>(*count - kMost));
    if (!oldest) return pass(oldest);
    for (const auto& row : *oldest)
        if (auto gone = tx.erase(Table::accepted, row.id); !gone) return pass(gone);
    return {};
}

Result<Millis> Remembered::newest(Transaction& tx) {
    auto rows = tx.scan(Table::accepted, 0, 1, Order::newest_first);
    if (!rows) return pass(rows);
    return rows->empty() ? 0 : received_of(rows->front());
}

Result<std::vector<OutboxItem>> Remembered::take_from(Transaction& tx, Millis since) {
    std::vector<OutboxItem> out;
    for (;;) {
        auto rows = tx.scan(Table::accepted, 0, kPage, Order::newest_first);
        if (!rows) return pass(rows);
        bool older = rows->size() < kPage;
        for (const auto& row : *rows) {
            older = received_of(row) < since;
            if (older) break;
            auto item = OutboxItem::parse(ByteView(row.value).subspan(std::min(kTimeBytes, row.value.size())));
            if (!item) return pass(item);
            if (auto gone = tx.erase(Table::accepted, row.id); !gone) return pass(gone);
            out.push_back(std::move(*item));
        }
        if (older || rows->size() < kPage) break;
    }
    std::reverse(out.begin(), out.end());
    return out;
}

}  // namespace nimes::agent::engine
