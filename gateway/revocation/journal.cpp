#include "revocation/journal.hpp"

#include <algorithm>

namespace nimes::gateway::revocation {
namespace {

using store::Batch;
using store::key_u64;
constexpr std::size_t kScan = 1'000;

const store::Partition& partition() {
    static const store::Partition where{store::Family::directory, "revocations"};
    return where;
}

std::string head_key(std::uint64_t id) { return "o" + key_u64(id); }
std::string open_key(std::uint64_t id) { return "p" + key_u64(id); }
std::string end_key(std::uint64_t id) { return "e" + key_u64(id); }
std::string owed_key(std::uint64_t id) { return "w" + key_u64(id); }
std::string target_key(std::uint64_t id, const Subject& subject) {
    return "t" + key_u64(id) + static_cast<char>(subject.kind) + std::string(as_text(subject.id));
}
std::string newest_key(const DeviceId& device) { return "l" + std::string(as_text(device.view())); }

void put_targets(Batch& batch, const Order& order, std::span<const Target> targets) {
    Writer newest;
    newest.u64(order.id).u8(static_cast<std::uint8_t>(order.kind));
    for (const auto& target : targets) {
        batch.put(target_key(order.id, target.subject), target.encode());
        if (target.subject.is_device()) batch.put(newest_key(target.subject.device()), newest.view());
    }
}

Bytes encode(const std::vector<Owed>& owed) {
    Writer out;
    for (const auto& o : owed) out.id(o.conversation).id(o.sender).id(o.chain);
    return std::move(out).take();
}

}  // namespace

Result<std::uint64_t> Journal::next_id() {
    auto last = store_.last(partition(), "o", "p");
    if (!last) return pass(last);
    if (!*last) return std::uint64_t{1};
    return store::u64_of(std::string_view((*last)->key).substr(1)).value_or(0) + 1;
}

Result<void> Journal::begin(const Order& order, std::span<const Superseded> superseded, const Batch& row) {
    Batch batch(partition());
    batch.expect(head_key(order.id), std::nullopt);
    batch.put(head_key(order.id), order.encode_head()).put(open_key(order.id), {});
    put_targets(batch, order, order.targets);
    for (const auto& old : superseded) batch.put(target_key(old.order, old.target.subject), old.target.encode());
    const std::array both{row, batch};
    return store_.commit(both, store::Sync::yes);
}

Result<void> Journal::mark(std::uint64_t order, std::span<const Target> targets) {
    Batch batch(partition());
    for (const auto& target : targets) batch.put(target_key(order, target.subject), target.encode());
    return store_.commit(batch, store::Sync::no);
}

Result<void> Journal::add(const Order& order, std::span<const Target> targets, std::span<const Superseded> superseded) {
    Batch batch(partition());
    put_targets(batch, order, targets);
    for (const auto& old : superseded) batch.put(target_key(old.order, old.target.subject), old.target.encode());
    return store_.commit(batch, store::Sync::yes);
}

Result<void> Journal::list(const Order& order, std::span<const Target> targets) {
    Batch batch(partition());
    for (const auto& target : targets) batch.put(target_key(order.id, target.subject), target.encode());
    if (order.owed.empty()) batch.erase(owed_key(order.id));
    else batch.put(owed_key(order.id), encode(order.owed));
    return store_.commit(batch, store::Sync::no);
}

Result<void> Journal::end(const Order& order) {
    Batch batch(partition());
    batch.put(end_key(order.id), std::move(Writer().u64(order.ended).u64(order.renewed)).take());
    if (order.owed.empty()) batch.erase(open_key(order.id)).erase(owed_key(order.id));
    else batch.put(owed_key(order.id), encode(order.owed));
    return store_.commit(batch, store::Sync::yes);
}

Result<Order> Journal::whole(std::uint64_t id, ByteView head) {
    auto order = Order::parse_head(id, head);
    if (!order) return order;
    for (std::string from = "t" + key_u64(id);;) {
        auto rows = store_.scan(partition(), from, "t" + key_u64(id + 1), kScan);
        if (!rows) return pass(rows);
        for (const auto& row : *rows) {
            auto target = Target::parse(row.value);
            if (!target) return pass(target);
            order->targets.push_back(*target);
        }
        if (rows->size() < kScan) break;
        from = rows->back().key + '\0';
    }
    auto ended = store_.get(partition(), end_key(id));
    if (!ended) return pass(ended);
    if (*ended) {
        Reader in(**ended);
        order->ended = in.u64();
        order->renewed = in.u64();
    }
    auto owed = store_.get(partition(), owed_key(id));
    if (!owed) return pass(owed);
    if (!*owed) return order;
    for (Reader in(**owed); in.left() > 0 && !in.failed();) {
        const auto conversation = in.id<ConversationId>();
        const auto sender = in.id<DeviceId>();
        order->owed.push_back({conversation, sender, in.id<ChainId>()});
    }
    return order;
}

Result<std::optional<Order>> Journal::find(std::uint64_t id) {
    auto head = store_.get(partition(), head_key(id));
    if (!head) return pass(head);
    if (!*head) return std::optional<Order>();
    auto order = whole(id, **head);
    if (!order) return pass(order);
    return std::optional(std::move(*order));
}

Result<std::vector<Order>> Journal::open() {
    std::vector<Order> out;
    for (std::string from = "p";;) {
        auto rows = store_.scan(partition(), from, "q", kScan);
        if (!rows) return pass(rows);
        for (const auto& row : *rows) {
            auto order = find(store::u64_of(std::string_view(row.key).substr(1)).value_or(0));
            if (!order) return pass(order);
            if (*order) out.push_back(std::move(**order));
        }
        if (rows->size() < kScan) return out;
        from = rows->back().key + '\0';
    }
}

Result<std::vector<Order>> Journal::newest(std::uint64_t before, std::size_t limit) {
    std::vector<Order> out;
    for (auto until = head_key(before); out.size() < limit;) {
        auto row = store_.last(partition(), "o", until);
        if (!row) return pass(row);
        if (!*row) break;
        until = (*row)->key;
        auto order = whole(store::u64_of(std::string_view(until).substr(1)).value_or(0), (*row)->value);
        if (!order) return pass(order);
        out.push_back(std::move(*order));
    }
    return out;
}

Result<std::optional<Journal::Newest>> Journal::newest_of(const DeviceId& device) {
    auto row = store_.get(partition(), newest_key(device));
    if (!row) return pass(row);
    if (!*row) return std::optional<Newest>();
    Reader in(**row);
    const auto order = in.u64();
    const auto kind = in.u8();
    if (!in.done() || kind < 1 || kind > 3) return fail(Errc::storage, "a stored number of a revocation");
    return std::optional(Newest{order, static_cast<Kind>(kind)});
}

}  // namespace nimes::gateway::revocation
