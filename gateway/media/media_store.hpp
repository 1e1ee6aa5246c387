// Photo, step 5, store: sealed media as blocks of 256 KiB, each medium with a head that says how far it is (LAYOUT.md).
// (Before: tus.cpp. Next: downloads.cpp.)
//
// An offset that was given out is on disk and is never taken back. One writer at a time: who comes later takes over,
// and what the earlier one still has is refused (Writer's fencing number). Media that no message names end a day after
// they were created; linked ones with their message. Threads: all functions from any thread; a Writer from one at a
// time. Ownership: store and clock must outlive it. Errors: Errc::not_found (nobody's, or somebody else's upload: no
// difference), exists, quota, disk_full, upload_offset, upload_locked, upload_length, storage.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "store/store.hpp"

namespace nimes::gateway::media {

inline constexpr std::size_t kBlock = 256 * 1024;
inline constexpr std::size_t kFlush = 4 * kBlock;  // one sync for so much
// What a medium counts for at least: its records cost as well, and many small ones must come to an end.
inline constexpr std::uint64_t kLeastCharge = 64 * 1024;

struct Limits {
    std::uint64_t max_bytes = 512ull << 20;   // of one medium
    std::uint64_t device_bytes = 2ull << 30;  // of one device's living media
    Millis unlinked_life = kDay;
};

struct MediumHead {
    DeviceId owner;
    std::uint64_t length = 0;
    std::uint64_t offset = 0;
    Millis created = 0;
    Millis expires = 0;
    [[nodiscard]] bool finished() const { return offset == length; }
    [[nodiscard]] Bytes encode() const;
    static Result<MediumHead> parse(ByteView bytes);
};

class MediaStore {
    struct Slot;

  public:
    static Result<std::unique_ptr<MediaStore>> open(store::Store& store, const Clock& clock, Limits limits);
    ~MediaStore();

    // Idempotent for the same device and length.
    Result<MediumHead> create(const BlobId& blob, const DeviceId& owner, std::uint64_t length);
    Result<void> remove(const BlobId& blob, const DeviceId& owner);
    // Whoever knows the id, once it is finished.
    Result<MediumHead> find(const BlobId& blob);
    // At most one block; shorter only at the medium's end.
    Result<Bytes> read(const BlobId& blob, std::uint64_t block);
    Result<void> link(const BlobId& blob, const DeviceId& owner, Millis expires);
    // Ended media go; how many.
    Result<std::size_t> expire();

    class Writer {
      public:
        [[nodiscard]] std::uint64_t offset() const { return head_.offset + buffer_.size() - partial_; }
        [[nodiscard]] const MediumHead& head() const { return head_; }
        // Takes bytes; what is full goes to disk. Errc::upload_length beyond the medium's end.
        Result<void> append(ByteView bytes);
        // Everything taken is on disk; answers the new offset.
        Result<std::uint64_t> flush();

      private:
        friend class MediaStore;
        Writer(MediaStore& media, const BlobId& blob, std::shared_ptr<Slot> slot, std::uint64_t fence, MediumHead head,
               std::shared_ptr<void> lease)
            : media_(media),
              blob_(blob),
              slot_(std::move(slot)),
              fence_(fence),
              head_(head),
              lease_(std::move(lease)) {}
        MediaStore& media_;
        BlobId blob_;
        std::shared_ptr<Slot> slot_;
        std::uint64_t fence_;
        MediumHead head_;              // as on disk
        Bytes buffer_;                 // from the last block's beginning on
        std::size_t partial_ = 0;      // of it on disk already
        std::shared_ptr<void> lease_;  // ends with the writer: who takes over waits for it
    };
    // Takes the upload over: the earlier writer is hung up. `hang_up` ends the new one's connection, in its turn.
    Result<Writer> write(const BlobId& blob, const DeviceId& owner, std::function<void()> hang_up);
    // Where the upload stands, once nobody writes to it any more.
    Result<MediumHead> take_over(const BlobId& blob, const DeviceId& owner);

  private:
    MediaStore(store::Store& store, const Clock& clock, Limits limits)
        : store_(store), clock_(clock), limits_(limits) {}
    Result<void> count();
    Result<MediumHead> stored_head(const BlobId& blob);  // expired or not
    Result<MediumHead> head_of(const BlobId& blob);
    Result<MediumHead> own_head(const BlobId& blob, const DeviceId& owner);
    std::shared_ptr<Slot> slot_of(const BlobId& blob);
    Result<void> erase(const BlobId& blob, const MediumHead& head, Slot& slot);

    store::Store& store_;
    const Clock& clock_;
    const Limits limits_;
    std::mutex mutex_;
    std::unordered_map<BlobId, std::weak_ptr<Slot>> slots_;
    std::unordered_map<DeviceId, std::uint64_t> used_;
};

}  // namespace nimes::gateway::media
