// Orders on disk: what was ordered, each confirmed step with its time, and what is owed (LAYOUT.md).
//
// begin() and end() are synced. mark() is not: what the power takes of it is done once more, which no step minds; a
// process that is killed loses nothing. Threads: any. Ownership: the store must outlive it.
// Errors: Errc::storage.
#pragma once

#include <span>

#include "revocation/order.hpp"
#include "store/store.hpp"

namespace nimes::gateway::revocation {

class Journal {
  public:
    explicit Journal(store::Store& store) : store_(store) {}

    Result<std::uint64_t> next_id();
    // Stores the order with `row`, the audit's, and marks what it supersedes; all or nothing of the order.
    struct Superseded {
        std::uint64_t order;
        Target target;
    };
    Result<void> begin(const Order& order, std::span<const Superseded> superseded, const store::Batch& row);
    Result<void> mark(std::uint64_t order, std::span<const Target> targets);
    // Devices that turned out to be an order's while it was carried out, beside what it supersedes.
    Result<void> add(const Order& order, std::span<const Target> targets, std::span<const Superseded> superseded);
    // What is owed, and the steps that found it.
    Result<void> list(const Order& order, std::span<const Target> targets);
    // Complete; open no more once nothing is owed either.
    Result<void> end(const Order& order);

    Result<std::optional<Order>> find(std::uint64_t id);
    Result<std::vector<Order>> open();
    // Newest first, from `before` down.
    Result<std::vector<Order>> newest(std::uint64_t before, std::size_t limit);
    struct Newest {
        std::uint64_t order;
        Kind kind;
    };
    Result<std::optional<Newest>> newest_of(const DeviceId& device);

  private:
    Result<Order> whole(std::uint64_t id, ByteView head);
    store::Store& store_;
};

}  // namespace nimes::gateway::revocation
