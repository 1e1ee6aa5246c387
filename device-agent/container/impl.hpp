// What a Container is made of; private to the container room.
#pragma once

#include <mutex>

#include "container/record_store.hpp"
#include "container/vault.hpp"

namespace nimes::agent::container {

struct Container::Impl {
    Impl(HomeLock lock, std::unique_ptr<Arena> keys, std::unique_ptr<Database> file, Meta read, Surroundings around)
        : home(std::move(lock)),
          surroundings(around),
          arena(std::move(keys)),
          db(std::move(file)),
          meta(read),
          vault(*arena, around),
          store{*db, vault.ring(), around.random, read.counter, read.counter} {}

    HomeLock home;
    Surroundings surroundings;
    std::unique_ptr<Arena> arena;
    std::unique_ptr<Database> db;
    Meta meta;
    Vault vault;
    Transaction::Store store;

    mutable std::mutex door_mutex;  // guards the next three
    State state = State::shut;
    HotKey identity_seed;
    std::optional<Bytes> door_info;

    std::optional<Lease> lease;
    Millis lease_stored = 0;  // how much of it was used when the keystore heard of it
    bool lease_kept = false;  // the keystore holds it
    bool gone = false;        // wiped: no database any more

    HotKey check_key;  // of check_passphrase(): a random key, and the hash of the right one under it
    HotKey check_hash;

    [[nodiscard]] std::uint32_t today() const { return static_cast<std::uint32_t>(surroundings.clock.now() / kDay); }
    Result<void> remember_passphrase(ByteView passphrase);
    Result<void> enter(ByteView passphrase);
    // After vault's change of slots, or none: the half that opens nothing goes, the door's content comes.
    Result<void> settle();
    Result<void> load_door();
    // Finds a lease that an earlier process left, if it still runs.
    void take_kept_lease();
    Result<void> begin_lease(const Share& share, const LeaseTerms& terms);
    Result<void> keep_lease(bool survives_restart);
    // From memory and the keystore; SHUT or DOOR are the caller's.
    Result<void> drop_lease();
    void set_state(State next) {
        const std::lock_guard lock(door_mutex);
        state = next;
    }
    [[nodiscard]] State current() const {
        const std::lock_guard lock(door_mutex);
        return state;
    }
    void clear(State next);
};

}  // namespace nimes::agent::container
