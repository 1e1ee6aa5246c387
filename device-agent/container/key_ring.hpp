// The keys under which records lie, in the arena while the container is open and sealed in its table `keys`:
// one for each expiry day (day 0: what has no expiry), the state key for chains, skipped keys and private seal keys,
// and the index key for blinded columns.
//
// A record that expires lies under the key of its expiry day, so erasing that one key ends all of them, whatever the
// flash kept. Threads: the container's owner. Ownership: the arena outlives it. All functions that write do so inside
// the caller's database transaction; what was added is forgotten by rolled_back(). Errors: Errc::undecryptable,
// internal (arena full), storage.
#pragma once

#include <map>
#include <vector>

#include "container/arena.hpp"
#include "container/database.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

// Versions of rows and ids of new rows: one rising number for the whole container, so that neither ever comes again.
struct Counter {
    std::uint64_t value = 0;
    std::uint64_t next() { return ++value; }
};

class KeyRing {
  public:
    // In the column key_day of rows that lie under the state key.
    static constexpr std::uint32_t kStateDay = 0xffffffff;

    explicit KeyRing(Arena& arena) : arena_(arena) {}

    // The first keys of a new container.
    Result<void> create(Database& db, HotKey wrapping, Counter& counter, RandomSource& random);
    Result<void> load(Database& db, HotKey wrapping);
    void clear();

    [[nodiscard]] ByteView state() const { return state_.view(); }
    [[nodiscard]] ByteView index() const { return index_.view(); }
    // Errc::undecryptable when that day has no key (any more).
    Result<ByteView> day(std::uint32_t day) const;
    // Makes the key when the day has none.
    Result<ByteView> day_for_writing(Database& db, std::uint32_t day, Counter& counter, RandomSource& random);
    void committed() { added_.clear(); }
    void rolled_back();

    // Seals all keys anew under another wrapping key, replaces the state key and seals all its rows anew. What is in
    // memory changes only by adopt(), after the commit.
    struct Renewal {
        HotKey wrapping;
        HotKey state;
    };
    Result<Renewal> renew(Database& db, HotKey wrapping, Counter& counter, RandomSource& random);
    void adopt(Renewal renewal);

    // Erases the keys of days up to `today` under which no row lies; needs no open ring.
    static Result<void> erase_empty_days(Database& db, std::uint32_t today);
    // Lets go of keys in memory that erase_empty_days() took from the database.
    Result<void> drop_erased(Database& db);

  private:
    Result<void> write(Database& db, std::uint32_t kind, std::uint32_t day, const HotKey& key, ByteView under,
                       Counter& counter, RandomSource& random);
    Result<HotKey> read(Database& db, std::uint32_t kind, std::uint32_t day, ByteView under);
    Result<HotKey> random_key(RandomSource& random);
    Result<void> reseal_state_rows(Database& db, const HotKey& fresh, Counter& counter, RandomSource& random);

    Arena& arena_;
    HotKey wrapping_;
    HotKey state_;
    HotKey index_;
    std::map<std::uint32_t, HotKey> days_;
    std::vector<std::uint32_t> added_;
};

}  // namespace nimes::agent::container
