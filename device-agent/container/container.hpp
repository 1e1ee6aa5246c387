// The handset's sealed store: one SQLite file whose rows say nothing, opened by a passphrase (FORMATS.md, "Container";
// file layout in LAYOUT.md beside this file).
//
// States. SHUT: nothing in memory. DOOR: the identity key is in the locked arena, so the agent can connect; no record
// opens. OPEN: records open. unlock() leads to OPEN, lock() from OPEN to DOOR, shut() to SHUT.
// A Transaction is the only way to read or write records: all of it is on disk, synced, when commit() answers, or none
// of it ever was. Chain state and the message it belongs to go into one Transaction.
// Ownership: the container holds the HomeLock, so one process at most has it; keystore, clock and random source must
// outlive it. A Transaction must die before its container; there is one at a time.
// Threads: one owner thread, except identity(), which any thread may call.
// Errors: Errc::passphrase_wrong, passphrase_wait (delays grow from the third wrong try), locked (not in the state for
// this), not_enrolled (no such container, or no identity yet), already_enrolled, undecryptable (a record that was
// moved, rolled back or damaged), disk_full, storage.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "container/home_lock.hpp"
#include "container/keystore.hpp"
#include "container/passphrase_cost.hpp"
#include "container/transaction.hpp"
#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

class Arena;

enum class State : std::uint8_t { shut, door, open };

// What a container borrows.
struct Surroundings {
    Keystore& keystore;
    const Clock& clock;
    RandomSource& random;
};

// What connecting needs, and nothing else: readable in state DOOR.
struct DoorContent {
    static constexpr std::size_t kMaxInfo = 128 * 1024;
    Secret<32> identity_seed;  // IK
    Bytes info;                // the engine's own form: user, device, provisioning file
};

class Container {
  public:
    // True when a container was created in that home, whatever its state.
    static bool exists(const std::filesystem::path& home);
    // Makes a container and leaves it OPEN. Errc::already_enrolled when there is one.
    static Result<std::unique_ptr<Container>> create(HomeLock home, ByteView passphrase, const PassphraseCost& cost,
                                                     Surroundings surroundings);
    // SHUT. Errc::not_enrolled when there is none.
    static Result<std::unique_ptr<Container>> open(HomeLock home, Surroundings surroundings);
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    // Takes Argon2's time. On the first unlock of a UTC day the keys' outer layers are replaced and chain state is
    // sealed anew (LAYOUT.md, "Slots"). Errc::passphrase_wrong, passphrase_wait; Errc::locked while a Transaction
    // lives.
    Result<void> unlock(ByteView passphrase);
    // Whether this is the passphrase of the last unlock(): no Argon2, but wrong ones count like those of unlock().
    // For a second client of an owner that is open. Errc::passphrase_wrong, passphrase_wait, locked.
    Result<void> check_passphrase(ByteView passphrase);
    // OPEN → DOOR: every key but the identity is zeroed. An open Transaction is rolled back and answers Errc::locked.
    void lock();
    // → SHUT: every key is zeroed.
    void shut();
    [[nodiscard]] State state() const;
    // Wrong passphrases in a row, and how long the next try must wait.
    [[nodiscard]] std::uint32_t wrong_tries() const;
    [[nodiscard]] Millis wait_before_try() const;

    // Needs OPEN. Replaces what the door held; durable when it returns.
    Result<void> set_door(const DoorContent& content);
    // Needs DOOR or OPEN; Errc::not_enrolled before set_door(). identity() is for any thread.
    [[nodiscard]] Result<SigningKeyPair> identity() const;
    [[nodiscard]] Result<Bytes> door_info() const;

    // Needs OPEN. Errc::busy while another Transaction lives.
    Result<Transaction> begin();
    // Erases rows whose expiry day has begun, and the keys of days that hold nothing any more; works in DOOR too.
    // How many rows went. `now` is the agent's time for erasing.
    Result<std::size_t> expire(Millis now);

    [[nodiscard]] const std::filesystem::path& home() const;
    [[nodiscard]] const Arena& arena() const;

  private:
    friend class Transaction;
    struct Impl;
    explicit Container(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::agent::container
