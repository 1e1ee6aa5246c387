// The slots of a container: from passphrase, keystore half and share to an open KeyRing and the door's content, and the
// change of all of them on the first unlock of a day (LAYOUT.md, "Slots"). Private to the container room.
//
// Threads: the container's owner. Errors as in container.hpp.
#pragma once

#include <optional>

#include "container/container.hpp"
#include "container/door.hpp"
#include "container/key_ring.hpp"

namespace nimes::agent::container {

// The one row of table `meta`.
struct Meta {
    Salt salt{};
    PassphraseCost cost;
    std::uint64_t generation = 0;  // its lowest bit says which slots and which keystore place are live
    std::uint32_t day = 0;         // UTC day of the last change of slots
    Counter counter;

    [[nodiscard]] unsigned place() const { return static_cast<unsigned>(generation & 1); }
    [[nodiscard]] std::uint32_t secret_slot() const { return place(); }
    [[nodiscard]] std::uint32_t door_slot() const { return 2 + place(); }
};

Result<Meta> read_meta(Database& db);

class Vault {
  public:
    Vault(Arena& arena, Surroundings surroundings) : arena_(arena), around_(surroundings), ring_(arena) {}

    // Tables, slots and first keys, committed.
    Result<void> create(Database& db, ByteView passphrase, const PassphraseCost& cost);
    // Errc::passphrase_wrong when the commitment differs. On another day than the last change of slots: new keystore
    // half, new S, new state key, and `meta` brought up to date; a full disk only puts that off.
    Result<void> open(Database& db, Meta& meta, ByteView passphrase, std::uint32_t today);
    // Keeps the door key; clears all else.
    void lock();
    void shut();

    Result<void> seal_door(Database& db, const Meta& meta, const DoorContent& content);
    // nullopt when set_door was never called.
    Result<std::optional<DoorContent>> open_door(Database& db, const Meta& meta);

    [[nodiscard]] KeyRing& ring() { return ring_; }

  private:
    Result<void> open_secret_slot(Database& db, const Meta& meta, const HotKey& root);
    Result<void> change_slots(Database& db, Meta& meta, const HotKey& stretched, std::uint32_t today);
    Result<HotKey> write_secret_slot(Database& db, std::uint32_t slot, const HotKey& root);
    Result<void> write_door_slot(Database& db, std::uint32_t slot, const HotKey& door, const DoorContent& content);
    Result<void> write_new_slots(Database& db, Meta& meta, const DoorKeys& keys, KeyRing::Renewal& renewal);

    Arena& arena_;
    Surroundings around_;
    KeyRing ring_;
    HotKey door_;
};

}  // namespace nimes::agent::container
