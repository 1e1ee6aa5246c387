// What a step changes in the core's memory goes back when its transaction does: memory that is ahead of the disk would
// take what comes again for a repeat, and a restart would not know it.
//
// Call before each change, with the core's lock held until the transaction has ended. The first call for an object
// keeps a copy of it; of a map's values, each that is there is an object, which keeps its address until it is erased.
#pragma once

#include <optional>
#include <typeindex>
#include <utility>

#include "container/transaction.hpp"

namespace nimes::agent::engine {

template <class T>
void put_back_if_lost(container::Transaction& tx, T& value) {
    if (!tx.first_change_of(&value, typeid(T))) return;
    tx.if_lost([&value, before = value]() mutable { value = std::move(before); });
}

template <class Map>
void put_back_if_lost(container::Transaction& tx, Map& map, const typename Map::key_type& key) {
    using Value = typename Map::mapped_type;
    std::optional<Value> before;
    if (const auto at = map.find(key); at != map.end()) {
        if (!tx.first_change_of(&at->second, typeid(Value))) return;
        before = at->second;
    }
    tx.if_lost([&map, key, before = std::move(before)]() mutable {
        if (before) map.insert_or_assign(key, std::move(*before));
        else map.erase(key);
    });
}

}  // namespace nimes::agent::engine
