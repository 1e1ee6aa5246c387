#include "store/rocksdb_store.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "store/rocksdb_engine.hpp"
#include "store/rocksdb_key.hpp"

namespace nimes::gateway::store {
namespace {

constexpr std::size_t kStripes = 64;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kOneByOne = 256;  // keys of a range that are erased each by itself

rocksdb::Slice slice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
Bytes bytes_of(const rocksdb::Slice& s) { return to_bytes(as_bytes({s.data(), s.size()})); }
auto closed() { return fail(Errc::storage, "the store could not be opened again after its disk failed"); }
auto full() { return fail(Errc::disk_full, "the disk has reached its floor"); }
bool puts_something(const Batch& batch) {
    return std::any_of(batch.writes.begin(), batch.writes.end(),
                       [](const auto& w) { return w.kind == Batch::Write::Kind::put; });
}
bool is_conditional(const Batch& batch) { return !batch.expectations.empty() || batch.opening; }

// A batch that must not grow while it is filled: large values would be copied again each time.
std::size_t room_for(std::span<const Batch> batches) {
    std::size_t out = 64;
    for (const auto& b : batches)
        for (const auto& w : b.writes) out += w.bytes().size() + w.key.size() + w.until.size() + 2 * kMaxName;
    return out;
}

class RocksStore final : public Store {
  public:
    explicit RocksStore(std::unique_ptr<RocksEngine> engine) : engine_(std::move(engine)) {}

    using Store::commit;
    [[nodiscard]] std::uint64_t opening() const override { return engine_->openings(); }
    Result<void> commit(std::span<const Batch> batches, Sync sync) override;
    Result<std::optional<Bytes>> get(const Partition& partition, std::string_view key) override;
    Result<std::optional<std::size_t>> read(const Partition& partition, std::string_view key, std::size_t offset,
                                            std::span<std::uint8_t> into) override;
    void reclaim(Family family, std::string_view from, std::string_view until) override;
    Result<std::vector<Record>> scan(const Partition& partition, std::string_view from, std::string_view until,
                                     std::size_t limit) override;
    Result<std::optional<Record>> last(const Partition& partition, std::string_view from,
                                       std::string_view until) override;
    Result<std::vector<std::string>> partitions(Family family, std::string_view from, std::size_t limit) override;
    Result<void> drop(const Partition& partition) override;
    Result<void> check() override;

  private:
    struct Bounds {
        std::string from, until;
        rocksdb::Slice upper;
        rocksdb::ReadOptions read;
    };
    // The iterator keeps pointing at the bounds: they must not move while it lives.
    void bound(Bounds& b, const Partition& p, std::string_view from, std::string_view until) const {
        const auto prefix = partition_prefix(p.name);
        b.from = prefix + std::string(from);
        b.until = until.empty() ? partition_end(p.name) : prefix + std::string(until);
        b.upper = b.until;
        b.read.iterate_upper_bound = &b.upper;
    }
    std::vector<std::unique_lock<std::mutex>> lock(std::span<const Batch> batches);
    static Result<void> expected(const RocksEngine::Use& db, const Batch& batch);
    static void append(const RocksEngine::Use& db, rocksdb::WriteBatch& out, const Batch& batch, bool first);
    static void erase_range(const RocksEngine::Use& db, rocksdb::WriteBatch& out, Family family,
                            const std::string& from, const std::string& until);
    Result<void> write(const RocksEngine::Use& db, rocksdb::WriteBatch& batch, Sync sync);
    Result<void> ready(bool to_put);
    template <class Erase>
    Result<void> erasing(const Erase& erase);
    Result<void> commit_now(std::span<const Batch> batches, Sync sync);
    Result<void> drop_now(const Partition& partition);

    std::unique_ptr<RocksEngine> engine_;
    std::mutex stripes_[kStripes];
};

// Expectations are read and written under the partition's stripe, so nobody can come between.
std::vector<std::unique_lock<std::mutex>> RocksStore::lock(std::span<const Batch> batches) {
    std::set<std::size_t> wanted;
    for (const auto& b : batches)
        wanted.insert((std::hash<std::string>{}(b.partition.name) + static_cast<std::size_t>(b.partition.family)) %
                      kStripes);
    std::vector<std::unique_lock<std::mutex>> out;
    for (const auto i : wanted) out.emplace_back(stripes_[i]);  // ascending: no two writers wait for each other
    return out;
}

Result<void> RocksStore::expected(const RocksEngine::Use& db, const Batch& batch) {
    const auto prefix = partition_prefix(batch.partition.name);
    for (const auto& e : batch.expectations) {
        std::string value;
        const auto status = db->Get({}, db.family(batch.partition.family), prefix + e.key, &value);
        if (!status.ok() && !status.IsNotFound()) return failed(status);
        const bool fits = e.value ? status.ok() && to_bytes(as_bytes(value)) == *e.value : status.IsNotFound();
        if (!fits) return fail(Errc::storage_conflict);
    }
    return {};
}

// RocksDB makes its list of a memory table's range tombstones anew at the first read behind each of them: a thousand
// devices that are shut out, or renew their keys, would slow every read. Nobody else writes to the partition meanwhile.
void RocksStore::erase_range(const RocksEngine::Use& db, rocksdb::WriteBatch& out, Family family,
                             const std::string& from, const std::string& until) {
    auto* cf = db.family(family);
    if (family == Family::media_blocks) {  // an iterator would read the blobs
        out.DeleteRange(cf, from, until);
        return;
    }
    const rocksdb::Slice upper = until;
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    std::vector<std::string> keys;
    const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(options, cf));
    for (at->Seek(from); at->Valid() && keys.size() <= kOneByOne; at->Next()) keys.push_back(at->key().ToString());
    if (!at->status().ok() || keys.size() > kOneByOne) out.DeleteRange(cf, from, until);
    else
        for (const auto& key : keys) out.Delete(cf, key);
}

// `first`: nothing that is not written yet is of this partition.
void RocksStore::append(const RocksEngine::Use& db, rocksdb::WriteBatch& out, const Batch& batch, bool first) {
    const auto prefix = partition_prefix(batch.partition.name);
    auto* cf = db.family(batch.partition.family);
    for (const auto& w : batch.writes) {
        if (w.kind == Batch::Write::Kind::put) out.Put(cf, prefix + w.key, slice(w.bytes()));
        if (w.kind == Batch::Write::Kind::erase) out.Delete(cf, prefix + w.key);
        if (w.kind != Batch::Write::Kind::erase_range || w.key >= w.until) continue;
        const bool put_before = std::any_of(batch.writes.data(), &w, [&](const auto& other) {
            return other.kind == Batch::Write::Kind::put && w.key <= other.key && other.key < w.until;
        });
        if (first && !put_before) erase_range(db, out, batch.partition.family, prefix + w.key, prefix + w.until);
        else out.DeleteRange(cf, prefix + w.key, prefix + w.until);
    }
}

Result<void> RocksStore::write(const RocksEngine::Use& db, rocksdb::WriteBatch& batch, Sync sync) {
    if (batch.Count() == 0) return {};
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::yes;
    if (const auto status = engine_->noted(db->Write(options, &batch)); !status.ok()) return failed(status);
    batch.Clear();
    return {};
}

// Room for it on the disk, and nothing broken, or no longer.
Result<void> RocksStore::ready(bool to_put) {
    if (!engine_->room().for_puts() && (to_put || (engine_->broken() && !engine_->room().for_opening()))) return full();
    return engine_->mend();
}

// Once more if it was this write that found the disk full: the reserve is gone now, and there is room.
template <class Erase>
Result<void> RocksStore::erasing(const Erase& erase) {
    auto done = erase();
    if (!done && done.error().code == Errc::disk_full && engine_->room().for_opening()) done = erase();
    return done;
}

Result<void> RocksStore::commit(std::span<const Batch> batches, Sync sync) {
    for (const auto& b : batches)
        if (b.partition.name.size() > kMaxName) return fail(Errc::internal, "a partition's name has at most 64 bytes");
    const bool puts = std::any_of(batches.begin(), batches.end(), puts_something);
    const auto once = [&]() -> Result<void> {
        if (auto ok = ready(puts); !ok) return ok;
        return commit_now(batches, sync);
    };
    return puts || std::any_of(batches.begin(), batches.end(), is_conditional) ? once() : erasing(once);
}

Result<void> RocksStore::commit_now(std::span<const Batch> batches, Sync sync) {
    const auto locks = lock(batches);
    const auto db = engine_->use();
    if (!db) return closed();
    for (const auto& b : batches)
        if (b.opening && *b.opening != engine_->openings())
            return fail(Errc::storage, "the store was opened anew since: what was not synced may be gone");
    rocksdb::WriteBatch out(room_for(batches));
    std::set<Partition> pending;
    for (const auto& b : batches) {
        if (!b.expectations.empty()) {
            if (pending.contains(b.partition)) {  // it must see what this very call wrote before
                if (auto ok = write(db, out, sync); !ok) return ok;
                pending.clear();
            }
            if (auto ok = expected(db, b); !ok) {
                if (auto before = write(db, out, sync); !before) return before;
                return ok;
            }
        }
        append(db, out, b, pending.insert(b.partition).second);
    }
    return write(db, out, sync);
}

Result<std::optional<Bytes>> RocksStore::get(const Partition& partition, std::string_view key) {
    const auto db = engine_->use();
    if (!db) return closed();
    rocksdb::PinnableSlice value;
    const auto status =
        db->Get({}, db.family(partition.family), partition_prefix(partition.name) + std::string(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return failed(status);
    return bytes_of(value);
}

Result<std::optional<std::size_t>> RocksStore::read(const Partition& partition, std::string_view key,
                                                    std::size_t offset, std::span<std::uint8_t> into) {
    const auto db = engine_->use();
    if (!db) return closed();
    rocksdb::PinnableSlice value;
    const auto status =
        db->Get({}, db.family(partition.family), partition_prefix(partition.name) + std::string(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return failed(status);
    return copy_part(as_bytes({value.data(), value.size()}), offset, into);
}

void RocksStore::reclaim(Family family, std::string_view from, std::string_view until) {
    if (const auto db = engine_->use()) db.reclaim(family, partition_prefix(from), partition_prefix(until));
}

Result<std::vector<Record>> RocksStore::scan(const Partition& partition, std::string_view from, std::string_view until,
                                             std::size_t limit) {
    std::vector<Record> out;
    Bounds b;
    bound(b, partition, from, until);
    if (b.until <= b.from) return out;
    const auto prefix = partition_prefix(partition.name).size();
    const auto db = engine_->use();
    if (!db) return closed();
    const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(b.read, db.family(partition.family)));
    for (at->Seek(b.from); at->Valid() && out.size() < limit; at->Next())
        out.push_back({at->key().ToString().substr(prefix), bytes_of(at->value())});
    if (!at->status().ok()) return failed(at->status());
    return out;
}

Result<std::optional<Record>> RocksStore::last(const Partition& partition, std::string_view from,
                                               std::string_view until) {
    Bounds b;
    bound(b, partition, from, until);
    if (b.until <= b.from) return std::nullopt;
    const auto db = engine_->use();
    if (!db) return closed();
    const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(b.read, db.family(partition.family)));
    at->SeekToLast();
    if (!at->status().ok()) return failed(at->status());
    if (!at->Valid() || at->key().compare(b.from) < 0) return std::nullopt;
    return Record{at->key().ToString().substr(partition_prefix(partition.name).size()), bytes_of(at->value())};
}

Result<std::vector<std::string>> RocksStore::partitions(Family f, std::string_view from, std::size_t limit) {
    std::vector<std::string> out;
    const auto db = engine_->use();
    if (!db) return closed();
    const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator({}, db.family(f)));
    at->Seek(partition_prefix(from));
    while (at->Valid() && out.size() < limit) {
        const auto key = at->key();
        out.push_back(partition_name({key.data(), key.size()}));
        at->Seek(partition_end(out.back()));
    }
    if (!at->status().ok()) return failed(at->status());
    return out;
}

Result<void> RocksStore::drop(const Partition& partition) {
    return erasing([&]() -> Result<void> {
        if (auto ok = ready(false); !ok) return ok;
        return drop_now(partition);
    });
}

Result<void> RocksStore::drop_now(const Partition& partition) {
    Batch all(partition);
    const auto locks = lock(std::span(&all, 1));
    const auto db = engine_->use();
    if (!db) return closed();
    const auto from = partition_prefix(partition.name);
    const auto until = partition_end(partition.name);
    rocksdb::WriteBatch out;
    erase_range(db, out, partition.family, from, until);
    return write(db, out, Sync::no);
}

Result<void> RocksStore::check() {
    if (!engine_->room().for_puts()) {
        (void)ready(false);
        return full();
    }
    if (auto ok = engine_->mend(); !ok) return ok;
    const auto db = engine_->use();
    if (!db) return closed();
    rocksdb::WriteOptions options;
    options.sync = true;
    const auto status = engine_->noted(db->Put(options, "check", "ok"));
    if (!status.ok()) return failed(status);
    return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb(const std::filesystem::path& folder, const RocksOptions& options) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Errc::storage, "cannot make the folder: " + error.message());
    auto engine = RocksEngine::open(folder, options);
    if (!engine) return pass(engine);
    return std::unique_ptr<Store>(std::make_unique<RocksStore>(std::move(*engine)));
}

}  // namespace nimes::gateway::store
