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
// Brings a container of an earlier version to this one's tables (LAYOUT.md, "Versions"). Errc::unknown_version for a
// later one.
Result<void> upgrade(Database& db);

class Vault {
  public:
    Vault(Arena& arena, Surroundings surroundings) : arena_(arena), around_(surroundings), ring_(arena) {}

    // Tables, slots and first keys, committed.
    Result<void> create(Database& db, ByteView passphrase, const PassphraseCost& cost);
    // Opens the door. A container without a share is open then; any other waits for open_with(). Errc::passphrase_wrong
    // when the door (without a share: the commitment) is another's.
    Result<void> enter(Database& db, Meta& meta, ByteView passphrase, std::uint32_t today);
    // After enter(). Errc::proof_invalid when the commitment differs. Here and there, on another day than the last
    // change of slots: new keystore half, new S, new state key, and `meta` brought up to date; a full disk only puts
    // that off.
    Result<void> open_with(Database& db, Meta& meta, const Share& share, std::uint32_t today);
    // Open and without a share: changes the slots to one that needs it.
    Result<void> adopt(Database& db, Meta& meta, const Share& share, std::uint32_t today);
    // Of the live secret slot.
    [[nodiscard]] static Result<std::uint32_t> share_number(Database& db, const Meta& meta);
    // The passphrase was right, and the share is still to come.
    [[nodiscard]] bool waits_for_share() const { return waits_; }
    // Keeps the door key; clears all else.
    void lock();
    void shut();

    Result<void> seal_door(Database& db, const Meta& meta, const DoorContent& content);
    // nullopt when set_door was never called.
    Result<std::optional<DoorContent>> open_door(Database& db, const Meta& meta);

    [[nodiscard]] KeyRing& ring() { return ring_; }

  private:
    // wrong: what a commitment that differs means.
    Result<void> open_secret_slot(Database& db, const Meta& meta, const HotKey& root, Errc wrong);
    Result<void> change_if_due(Database& db, Meta& meta, const Share& share, std::uint32_t today);
    Result<void> change_slots(Database& db, Meta& meta, const Share& share, std::uint32_t today);
    Result<HotKey> write_secret_slot(Database& db, std::uint32_t slot, const HotKey& root, std::uint32_t share);
    Result<void> write_door_slot(Database& db, std::uint32_t slot, const HotKey& door, const DoorContent& content);
    Result<void> write_new_slots(Database& db, Meta& meta, const DoorKeys& keys, std::uint32_t share,
                                 KeyRing::Renewal& renewal);

    Arena& arena_;
    Surroundings around_;
    KeyRing ring_;
    HotKey door_;
    HotKey stretched_;  // A, while a share may still have to be mixed in
    bool waits_ = false;
};

}  // namespace nimes::agent::container
