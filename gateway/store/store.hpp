// The one storage interface of the gateway: partitions that each hold an ordered map of keys.
//
// A partition is a user, a mailbox, an upload, a conversation, an audit day: whatever must change together. A Batch is
// atomic INSIDE ITS ONE PARTITION and nothing more is promised, though one implementation may do better; what is never
// assumed need not be unlearned when the store becomes a cluster. commit() takes batches in order: when it returns
// without an error all of them are applied and (with Sync::yes) on disk; after a crash inside it a prefix may be.
// Reads see whole batches. A batch whose expectation fails is not applied, nor are those after it:
// Errc::storage_conflict.
//
// Threads: every call may come from any thread. Ownership: results are copies. Errors: Errc::storage when the disk or
// the engine failed, Errc::disk_full below the floor; nothing is half applied inside a partition.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"

namespace nimes::gateway::store {

// By life time: each becomes a column family (RocksDB) or a pool (RADOS).
enum class Family : std::uint8_t {
    directory,
    mailbox,
    bodies,
    conversation,
    enrolment,
    media_index,
    media_blocks,
    audit
};

struct Partition {
    Family family;
    std::string name;  // at most 64 bytes, any octets
    auto operator<=>(const Partition&) const = default;
};

struct Record {
    std::string key;
    Bytes value;
};

class Batch {
  public:
    explicit Batch(Partition where) : partition(std::move(where)) {}

    Batch& put(std::string key, ByteView value);
    // Without a copy: `value` must stay as it is until commit() has returned.
    Batch& put_borrowed(std::string key, ByteView value);
    Batch& erase(std::string key);
    // Erases every key k with from <= k < until.
    Batch& erase_range(std::string from, std::string until);
    // Refused with Errc::storage when the store has been opened anew since Store::opening() said this: what was written
    // without a sync before may be gone.
    Batch& only_in(std::uint64_t opening);
    // Compare-and-set: the batch is applied only if `key` holds exactly `value` (nullopt: is absent).
    Batch& expect(std::string key, std::optional<Bytes> value);

    struct Write {
        enum class Kind : std::uint8_t { put, erase, erase_range } kind;
        std::string key;
        std::string until;
        Bytes value;
        ByteView borrowed;
        [[nodiscard]] ByteView bytes() const { return borrowed.data() != nullptr ? borrowed : ByteView(value); }
    };
    struct Expectation {
        std::string key;
        std::optional<Bytes> value;
    };

    Partition partition;
    std::vector<Write> writes;
    std::vector<Expectation> expectations;
    std::optional<std::uint64_t> opening;
};

enum class Sync : bool { no, yes };

class Store {
  public:
    virtual ~Store() = default;

    // Which opening of the engine this is: another number after its disk failed (Batch::only_in).
    [[nodiscard]] virtual std::uint64_t opening() const { return 0; }
    virtual Result<void> commit(std::span<const Batch> batches, Sync sync) = 0;
    Result<void> commit(const Batch& batch, Sync sync) { return commit(std::span(&batch, 1), sync); }

    // nullopt: no such key.
    virtual Result<std::optional<Bytes>> get(const Partition& partition, std::string_view key) = 0;
    // Copies a value's bytes from `offset` on into `into`: how many; nullopt: no such key. No more of a large value is
    // held meanwhile than the engine must read at once.
    virtual Result<std::optional<std::size_t>> read(const Partition& partition, std::string_view key,
                                                    std::size_t offset, std::span<std::uint8_t> into);
    // Records with from <= key < until (empty until: to the end), ascending, at most limit. One snapshot.
    virtual Result<std::vector<Record>> scan(const Partition& partition, std::string_view from, std::string_view until,
                                             std::size_t limit) = 0;
    // The last record with from <= key < until.
    virtual Result<std::optional<Record>> last(const Partition& partition, std::string_view from,
                                               std::string_view until) = 0;
    // Names of the partitions of a family that hold at least one key, ascending, starting at `from`.
    virtual Result<std::vector<std::string>> partitions(Family family, std::string_view from, std::size_t limit) = 0;
    // Everything of a partition goes. Idempotent.
    virtual Result<void> drop(const Partition& partition) = 0;
    // The disk shall get back what was erased in the partitions with from <= name < until: soon, on a thread of the
    // engine's; nothing is lost without it but space.
    virtual void reclaim(Family, std::string_view /*from*/, std::string_view /*until*/) {}
    // Can it write now? For /readyz.
    virtual Result<void> check() = 0;
};

// As many bytes of `value` behind `offset` as there are and fit.
std::size_t copy_part(ByteView value, std::size_t offset, std::span<std::uint8_t> into);

// Big-endian, so that numbers sort as keys.
std::string key_u64(std::uint64_t value);
std::optional<std::uint64_t> u64_of(std::string_view key8);

}  // namespace nimes::gateway::store
