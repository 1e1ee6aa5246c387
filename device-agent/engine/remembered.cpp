#include "engine/remembered.hpp"

#include <algorithm>

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr std::uint64_t kPruneEvery = 256;

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

// Answers come again and late: the gateway's time tells the order.
Result<std::vector<OutboxItem>> Remembered::take_lost(Transaction& tx, const std::vector<Gap>& gaps) {
    if (gaps.empty() || gaps.back().until <= looked_until_) return std::vector<OutboxItem>{};
    auto rows = tx.scan(Table::accepted);
    if (!rows) return pass(rows);
    std::vector<std::pair<Millis, OutboxItem>> found;
    for (const auto& row : *rows) {
        Reader in(row.value);
        const auto received = in.u64();
        if (std::ranges::none_of(gaps, [&](const Gap& g) { return g.after < received && received < g.until; }))
            continue;
        auto item = OutboxItem::parse(in.take(in.left()));
        if (!item) return pass(item);
        if (auto gone = tx.erase(Table::accepted, row.id); !gone) return pass(gone);
        found.emplace_back(received, std::move(*item));
    }
    std::ranges::stable_sort(found, {}, &std::pair<Millis, OutboxItem>::first);
    std::vector<OutboxItem> out;
    for (auto& [received, item] : found) out.push_back(std::move(item));
    return out;
}

void Remembered::looked_at(const std::vector<Gap>& gaps) {
    if (!gaps.empty()) looked_until_ = std::max(looked_until_, gaps.back().until);
}

}  // namespace nimes::agent::engine
