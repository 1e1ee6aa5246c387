// Path of a photo, step 5, and the bottom of all others: partitions as ranges of keys in RocksDB.
// Before: media/media_store.cpp cuts blocks. After: media/download.cpp reads them back.
#include "store/rocksdb_store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "store/layout.hpp"
#include "store/rocksdb_settings.hpp"

namespace nimes::gateway::store {
namespace {

using Kind = Batch::Write::Kind;

// Ranges of up to this many keys are erased key by key: each range tombstone slows every read beside it.
constexpr std::size_t kPointErases = 100;

Bytes bytes_of(const rocksdb::Slice& slice) { return to_bytes(as_bytes(std::string_view(slice.data(), slice.size()))); }
rocksdb::Slice slice_of(ByteView bytes) { return {as_text(bytes).data(), bytes.size()}; }

}  // namespace

struct RocksDbStore::Impl {
    static constexpr std::size_t kLocks = 1'024;

    std::filesystem::path folder;
    RocksDbOptions options;
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    // A commit that expects something holds its partitions' locks alone, others share them.
    std::array<std::shared_mutex, kLocks> locks;

    ~Impl() {
        for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
        if (db) db->Close();
    }

    rocksdb::ColumnFamilyHandle* column(Family family) const { return handles[static_cast<std::size_t>(family) + 1]; }

    static std::size_t stripe(const Partition& partition) {
        return (std::hash<std::string>()(partition.name) + static_cast<std::size_t>(partition.family)) % kLocks;
    }

    Result<std::optional<Bytes>> get(const Partition& partition, std::string_view key) const {
        rocksdb::PinnableSlice value;
        const auto status = db->Get({}, column(partition.family), layout::key(partition.name, key), &value);
        if (status.IsNotFound()) return std::optional<Bytes>();
        if (!status.ok()) return tl::unexpected(error_of(status));
        return std::optional(bytes_of(value));
    }

    std::unique_ptr<rocksdb::Iterator> iterate(Family family, const rocksdb::Slice& from,
                                               const rocksdb::Slice& until) const {
        rocksdb::ReadOptions read;  // an iterator is a snapshot
        read.iterate_lower_bound = &from;
        read.iterate_upper_bound = &until;
        return std::unique_ptr<rocksdb::Iterator>(db->NewIterator(read, column(family)));
    }

    // Calls each(key inside the partition, value) for a range until it says stop; ascending.
    template <class Each>
    Result<void> walk(const Partition& partition, std::string_view from, std::string_view until, Each each) const {
        const auto begin = layout::key(partition.name, from);
        const auto end = layout::end(partition.name, until);
        if (begin >= end) return {};
        const rocksdb::Slice lower(begin);
        const rocksdb::Slice upper(end);
        const auto at = iterate(partition.family, lower, upper);
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            auto key = at->key();
            key.remove_prefix(1 + partition.name.size());
            if (!each(key, at->value())) return {};
        }
        if (!at->status().ok()) return tl::unexpected(error_of(at->status()));
        return {};
    }

    bool disk_is_full() const { return free_bytes() < options.min_free_bytes; }
    std::uint64_t free_bytes() const {
        if (options.free_bytes) return options.free_bytes();
        std::error_code error;
        const auto space = std::filesystem::space(folder, error);
        return error ? 0 : space.available;
    }

    Result<void> write(rocksdb::WriteBatch& batch, Sync sync) const {
        if (batch.Count() == 0) return {};
        rocksdb::WriteOptions how;
        how.sync = sync == Sync::yes;
        const auto status = db->Write(how, &batch);
        if (!status.ok()) return tl::unexpected(error_of(status));
        return {};
    }

    Result<void> erase_range(rocksdb::WriteBatch& out, const Partition& partition, std::string_view from,
                             std::string_view until, bool partition_touched) const;
};

namespace {

// The locks of a commit's partitions, taken in one order so that two commits never wait for each other.
class Guard {
  public:
    template <class Locks, class Stripe>
    Guard(Locks& locks, std::span<const Batch> batches, Stripe stripe) {
        std::map<std::size_t, bool> wanted;  // stripe -> alone
        for (const auto& batch : batches) wanted[stripe(batch.partition)] |= !batch.expectations.empty();
        for (const auto& [index, alone] : wanted) {
            if (alone) exclusive_.emplace_back(locks[index]);
            else shared_.emplace_back(locks[index]);
        }
    }

  private:
    std::vector<std::unique_lock<std::shared_mutex>> exclusive_;
    std::vector<std::shared_lock<std::shared_mutex>> shared_;
};

// What the batches of this commit that go before will have made of a key; nullopt when they do not touch it.
std::optional<std::optional<Bytes>> planned(const std::vector<const Batch*>& before, std::string_view key) {
    for (auto batch = before.rbegin(); batch != before.rend(); ++batch)
        for (auto write = (*batch)->writes.rbegin(); write != (*batch)->writes.rend(); ++write) {
            if (write->kind == Kind::erase_range) {
                if (write->key <= key && (write->until.empty() || key < write->until)) return std::optional<Bytes>();
            } else if (write->key == key) {
                return write->kind == Kind::put ? std::optional(write->value) : std::nullopt;
            }
        }
    return std::nullopt;
}

}  // namespace

RocksDbStore::RocksDbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbStore::~RocksDbStore() = default;

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open(const std::filesystem::path& folder, RocksDbOptions options) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    auto impl = std::make_unique<Impl>();
    impl->folder = folder;
    impl->options = std::move(options);
    rocksdb::DB* db = nullptr;
    const auto opened =
        rocksdb::DB::Open(database_options(), folder.string(), columns(impl->options), &impl->handles, &db);
    if (!opened.ok()) return tl::unexpected(error_of(opened));
    impl->db.reset(db);

    std::string version;
    const rocksdb::Slice key(layout::kVersionKey.data(), layout::kVersionKey.size());
    const auto got = db->Get({}, key, &version);
    if (got.IsNotFound()) {
        rocksdb::WriteOptions synced;
        synced.sync = true;
        const auto put = db->Put(synced, key, rocksdb::Slice(layout::kVersion.data(), layout::kVersion.size()));
        if (!put.ok()) return tl::unexpected(error_of(put));
    } else if (!got.ok()) {
        return tl::unexpected(error_of(got));
    } else if (version != layout::kVersion) {
        return fail(Errc::unknown_version, "layout of the store");
    }
    return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(impl)));
}

Result<void> RocksDbStore::Impl::erase_range(rocksdb::WriteBatch& out, const Partition& partition,
                                             std::string_view from, std::string_view until,
                                             bool partition_touched) const {
    const auto begin = layout::key(partition.name, from);
    const auto end = layout::end(partition.name, until);
    if (begin >= end) return {};
    std::vector<std::string> keys;
    // Looking at keys would read each block of a medium, and does not see what this commit itself is about to write.
    const bool look = partition.family != Family::media_blocks && !partition_touched;
    if (look) {
        auto walked = walk(partition, from, until, [&](const rocksdb::Slice& key, const rocksdb::Slice&) {
            keys.push_back(layout::key(partition.name, std::string_view(key.data(), key.size())));
            return keys.size() <= kPointErases;
        });
        if (!walked) return walked;
    }
    if (look && keys.size() <= kPointErases) {
        for (const auto& key : keys) out.Delete(column(partition.family), key);
    } else {
        out.DeleteRange(column(partition.family), begin, end);
    }
    return {};
}

Result<void> RocksDbStore::commit(std::span<const Batch> batches, Sync sync) {
    bool puts = false;
    for (const auto& batch : batches) {
        if (auto fits = check_limits(batch); !fits) return fits;
        puts |= std::ranges::any_of(batch.writes, [](const auto& write) { return write.kind == Kind::put; });
    }
    if (puts && impl_->disk_is_full()) return fail(Errc::disk_full);

    const Guard guard(impl_->locks, batches, Impl::stripe);
    rocksdb::WriteBatch out;
    std::map<Partition, std::vector<const Batch*>> done;
    for (const auto& batch : batches) {
        auto& before = done[batch.partition];
        for (const auto& expectation : batch.expectations) {
            auto held = planned(before, expectation.key);
            if (!held) {
                auto stored = impl_->get(batch.partition, expectation.key);
                if (!stored) return pass(stored);
                held = std::move(*stored);
            }
            if (*held == expectation.value) continue;
            if (auto written = impl_->write(out, sync); !written) return written;  // the batches before are applied
            return fail(Errc::storage_conflict);
        }
        bool touched = !before.empty();
        auto* const column = impl_->column(batch.partition.family);
        for (const auto& write : batch.writes) {
            const auto key = layout::key(batch.partition.name, write.key);
            if (write.kind == Kind::put) out.Put(column, key, slice_of(write.value));
            else if (write.kind == Kind::erase) out.Delete(column, key);
            else if (auto r = impl_->erase_range(out, batch.partition, write.key, write.until, touched); !r) return r;
            touched = true;
        }
        before.push_back(&batch);
    }
    return impl_->write(out, sync);
}

Result<std::optional<Bytes>> RocksDbStore::get(const Partition& partition, std::string_view key) {
    return impl_->get(partition, key);
}

Result<std::vector<Record>> RocksDbStore::scan(const Partition& partition, std::string_view from,
                                               std::string_view until, std::size_t limit) {
    std::vector<Record> found;
    if (limit == 0) return found;
    auto walked = impl_->walk(partition, from, until, [&](const rocksdb::Slice& key, const rocksdb::Slice& value) {
        found.push_back({key.ToString(), bytes_of(value)});
        return found.size() < limit;
    });
    if (!walked) return pass(walked);
    return found;
}

Result<std::optional<Record>> RocksDbStore::last(const Partition& partition, std::string_view from,
                                                 std::string_view until) {
    const auto begin = layout::key(partition.name, from);
    const auto end = layout::end(partition.name, until);
    if (begin >= end) return std::optional<Record>();
    const rocksdb::Slice lower(begin);
    const rocksdb::Slice upper(end);
    const auto at = impl_->iterate(partition.family, lower, upper);
    at->SeekToLast();
    if (!at->status().ok()) return tl::unexpected(error_of(at->status()));
    if (!at->Valid()) return std::optional<Record>();
    auto key = at->key();
    key.remove_prefix(1 + partition.name.size());
    return std::optional(Record{key.ToString(), bytes_of(at->value())});
}

Result<std::vector<std::string>> RocksDbStore::partitions(Family family, std::string_view from, std::size_t limit) {
    std::vector<std::string> names;
    rocksdb::ReadOptions read;
    const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(read, impl_->column(family)));
    for (at->Seek(layout::prefix(from)); at->Valid() && names.size() < limit;) {
        const auto stored = at->key();
        const auto name = layout::partition_of(std::string_view(stored.data(), stored.size()));
        if (!name) return fail(Errc::storage, "a key is not of this layout");
        names.emplace_back(*name);
        at->Seek(layout::after(layout::prefix(names.back())));
    }
    if (!at->status().ok()) return tl::unexpected(error_of(at->status()));
    return names;
}

Result<void> RocksDbStore::drop(const Partition& partition) {
    rocksdb::WriteBatch out;
    if (auto r = impl_->erase_range(out, partition, {}, {}, false); !r) return r;
    return impl_->write(out, Sync::yes);
}

Result<void> RocksDbStore::check() {
    if (impl_->disk_is_full()) return fail(Errc::disk_full);
    rocksdb::WriteBatch probe;
    probe.Put("check", rocksdb::Slice("00000000"));
    auto written = impl_->write(probe, Sync::no);
    if (!written && impl_->db->Resume().ok()) written = impl_->write(probe, Sync::no);
    return written;
}

std::uint64_t RocksDbStore::free_bytes() const { return impl_->free_bytes(); }

Result<void> RocksDbStore::flush() {
    const auto status = impl_->db->Flush({}, impl_->handles);
    if (!status.ok()) return tl::unexpected(error_of(status));
    return {};
}

}  // namespace nimes::gateway::store
