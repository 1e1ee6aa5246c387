#include "shares/wipes.hpp"

namespace nimes::gateway::shares {
namespace {

constexpr const char* kOrder = "o";      // WipeOrder
constexpr const char* kDelivered = "d";  // u64 ms, the first time
constexpr const char* kReceipt = "r";    // u64 ms ‖ WipeReceipt

store::Partition of(const DeviceId& device) {
    return {store::Family::directory, "share" + std::string(as_text(device.view()))};
}

Bytes time_of(Millis at) { return std::move(Writer().u64(at)).take(); }

}  // namespace

Result<std::optional<WipeOrder>> WipeOrders::stored(const DeviceId& device) {
    auto value = store_.get(of(device), kOrder);
    if (!value) return pass(value);
    if (!*value) return std::optional<WipeOrder>();
    auto order = WipeOrder::parse(**value);
    if (!order) return fail(Errc::storage, "a stored wipe order");
    return std::optional(*order);
}

Result<std::optional<store::Batch>> WipeOrders::made(const DeviceId& device) {
    const auto known = devices_.find(device);
    if (!known) return fail(Errc::device_unknown);
    auto there = stored(device);
    if (!there) return pass(there);
    const auto now = clock_.now();
    if (*there && now < (*there)->expires) return std::optional<store::Batch>();
    WipeOrder order;
    order.user = known->user;
    order.device = device;
    order.id = random_.id<WipeOrderId>();
    order.issued = now;
    order.expires = now + WipeOrder::kLongest;
    signer_.sign(order);
    store::Batch batch(of(device));
    batch.put(kOrder, order.encode()).erase(kDelivered).erase(kReceipt);
    return std::optional(std::move(batch));
}

Result<void> WipeOrders::order(std::span<const DeviceId> devices) {
    std::vector<store::Batch> batches;
    for (const auto& device : devices) {
        auto batch = made(device);
        if (!batch) return pass(batch);
        if (*batch) batches.push_back(std::move(**batch));
    }
    if (batches.empty()) return {};
    return store_.commit(batches, store::Sync::yes);
}

Result<std::optional<WipeOrder>> WipeOrders::deliver(const DeviceId& device) {
    auto order = stored(device);
    if (!order) return order;
    const auto now = clock_.now();
    // It asks before the revocation came to this step: it is answered as if it had.
    if (const auto known = devices_.find(device); !*order && known && known->to_be_wiped) {
        if (auto made = this->order(device); !made) return pass(made);
        order = stored(device);
        if (!order) return order;
    }
    if (!*order || now >= (*order)->expires) return std::optional<WipeOrder>();
    auto receipt = store_.get(of(device), kReceipt);
    if (!receipt) return pass(receipt);
    if (*receipt) return std::optional<WipeOrder>();
    auto before = store_.get(of(device), kDelivered);
    if (!before) return pass(before);
    if (*before) return order;
    store::Batch batch(of(device));
    batch.put(kDelivered, time_of(now));
    if (auto done = store_.commit(batch, store::Sync::yes); !done) return pass(done);
    return order;
}

Result<void> WipeOrders::receive(const WipeReceipt& receipt) {
    const auto known = devices_.find(receipt.device);
    if (!known) return fail(Errc::device_unknown);
    if (!receipt.verify(known->identity)) return fail(Errc::signature_invalid, "a wipe receipt");
    auto order = stored(receipt.device);
    if (!order) return pass(order);
    if (!*order || (*order)->id != receipt.order || receipt.user != known->user)
        return fail(Errc::not_found, "no such wipe order");
    auto before = store_.get(of(receipt.device), kReceipt);
    if (!before) return pass(before);
    if (*before) return {};
    store::Batch batch(of(receipt.device));
    batch.put(kReceipt, std::move(Writer().u64(clock_.now()).bytes(receipt.encode())).take());
    return store_.commit(batch, store::Sync::yes);
}

Result<WipeFacts> WipeOrders::facts(const DeviceId& device) {
    WipeFacts out;
    auto order = stored(device);
    if (!order) return pass(order);
    if (!*order) return out;
    out.ordered = (*order)->issued;
    out.expires = (*order)->expires;
    auto delivered = store_.get(of(device), kDelivered);
    if (!delivered) return pass(delivered);
    if (*delivered) out.delivered = Reader(**delivered).u64();
    auto receipt = store_.get(of(device), kReceipt);
    if (!receipt) return pass(receipt);
    if (!*receipt) return out;
    Reader in(**receipt);
    out.receipted = in.u64();
    if (const auto said = WipeReceipt::parse(in.take(in.left()))) out.result = said->result;
    return out;
}

}  // namespace nimes::gateway::shares
