// The handset's sealed store: one SQLite file whose rows say nothing, opened by a passphrase (FORMATS.md, "Container";
// file layout in LAYOUT.md beside this file).
//
// States. SHUT: nothing in memory. DOOR: the identity key is in the locked arena, so the agent can connect and put
// aside what arrives; no record opens. OPEN: records open. unlock() leads to DOOR and, with a lease of the gateway's
// share (or in a container that has none yet), on to OPEN; otherwise open_with() does. lock() leads from OPEN to DOOR,
// shut() and the end of the lease to SHUT. Ten wrong passphrases in a row, and wipe(), end the home. A Transaction is
// the only way to read or write records: all of it is on disk, synced, when commit() answers, or none of it ever was.
// Chain state and the message it belongs to go into one Transaction. Ownership: the container holds the HomeLock, so
// one process at most has it; keystore, clock and random source must outlive it. A Transaction must die before its
// container; there is one at a time. Threads: one owner thread, except identity(), which any thread may call. Errors:
// Errc::passphrase_wrong, passphrase_wait (delays grow from the third wrong try), proof_invalid (a share), locked (not
// in the state for this), not_enrolled (no such container, or no identity yet), already_enrolled, undecryptable (a
// record that was moved, rolled back or damaged), disk_full, storage.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "container/home_lock.hpp"
#include "container/keystore.hpp"
#include "container/lease.hpp"
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

// What arrived while no record could be opened: as it came, readable by whoever has the file.
struct Arrival {
    std::uint8_t lane = 0;
    std::uint64_t sequence = 0;
    Bytes envelope;
};

class Container {
  public:
    // True when a container was created in that home, whatever its state.
    static bool exists(const std::filesystem::path& home);
    // Makes a container and leaves it OPEN. Errc::already_enrolled when there is one.
    static Result<std::unique_ptr<Container>> create(HomeLock home, ByteView passphrase, const PassphraseCost& cost,
                                                     Surroundings surroundings);
    // SHUT. Errc::not_enrolled when there is none; a wipe that was interrupted is finished first.
    static Result<std::unique_ptr<Container>> open(HomeLock home, Surroundings surroundings);
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    // Takes Argon2's time; leads to OPEN or, when waits_for_share(), to DOOR. On the first opening of a UTC day the
    // keys' outer layers are replaced and chain state is sealed anew (LAYOUT.md, "Slots"). Errc::passphrase_wrong,
    // passphrase_wait; Errc::not_enrolled: it was the tenth wrong one in a row, counted before the try, and the home is
    // gone.
    Result<void> unlock(ByteView passphrase);
    // Whether this is the passphrase of the last unlock(): no Argon2, but wrong ones count like those of unlock().
    // For a second client of an owner that is open. Errc::passphrase_wrong, passphrase_wait, not_enrolled, locked.
    Result<void> check_passphrase(ByteView passphrase);

    // The passphrase was right, and the share number() is wanted.
    [[nodiscard]] bool waits_for_share() const;
    // Of the share that this container needs; 0: none, it was made without.
    [[nodiscard]] std::uint32_t share_number() const;
    // DOOR → OPEN, and the lease begins. Errc::proof_invalid: not the share that the commitment names; nothing changed.
    Result<void> open_with(const Share& share, const LeaseTerms& terms);
    // OPEN and without a share, with a door: from now on it needs this one, and the lease begins. The gateway has it
    // already. Errc::locked when it was not unlocked by this process or has a share; disk_full puts it off.
    Result<void> adopt_share(const Share& share, const LeaseTerms& terms);
    // Whether that is the share that this container was opened with.
    [[nodiscard]] bool is_leased(const Share& share) const;
    // The gateway still gives the share.
    Result<void> renew_lease(const LeaseTerms& terms);
    // A lease that runs lasts no longer than these allow; it is not renewed.
    Result<void> limit_lease(const LeaseTerms& terms);
    // It is withheld, or gone: the lease goes, from the keystore too, and OPEN becomes DOOR.
    Result<void> end_lease();
    // Looks at the clocks, as often as somebody likes: true when the lease is over; then it is gone and the state SHUT.
    bool lease_over();
    [[nodiscard]] std::optional<Millis> lease_left() const;
    // Makes the home unreadable, for good, then removes its files (wipe.hpp); what is left is the identity key in
    // memory, for the receipt, until shut(). False: files remain. A power cut on the way: the next start finds no home.
    [[nodiscard]] bool wipe();
    // OPEN → DOOR: every key but the identity is zeroed, and a passphrase that waits for the share is forgotten. An
    // open Transaction is rolled back and answers Errc::locked.
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
    // Needs DOOR or OPEN. One commit, synced: then they may be acknowledged. What is there already stays as it is.
    Result<void> put_arrivals(std::span<const Arrival> arrivals, std::uint32_t expiry_day);
    // The oldest of each lane first.
    Result<std::vector<Arrival>> arrivals(std::size_t limit);
    // The newest sequence of each lane.
    Result<std::map<std::uint8_t, std::uint64_t>> arrival_marks();
    // Those of the lane up to this one; one commit, synced.
    Result<void> erase_arrivals(std::uint8_t lane, std::uint64_t sequence);

    // Erases rows whose expiry day has begun, and the keys of days that hold nothing any more; works in DOOR too.
    // How many rows went. `now` is the agent's time for erasing.
    Result<std::size_t> expire(Millis now);

    [[nodiscard]] const std::filesystem::path& home() const;
    [[nodiscard]] const Arena& arena() const;

  private:
    friend class Transaction;
    // Too many wrong passphrases in a row.
    tl::unexpected<Error> give_up();
    struct Impl;
    explicit Container(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::agent::container
