// Photo, step 5, store: sealed media as blocks of 256 KiB, each medium with a head that says how far it is (LAYOUT.md).
// (Before: tus.cpp. Next: downloads.cpp.)
//
// An offset that was given out is on disk and is never taken back. One writer at a time: who comes later takes over
// (turns.hpp), and what the earlier one still has then is refused (upload_writer.hpp). Media that no message names end
// a day after they were created; linked ones with their message; parts of a concatenation with the medium that they are
// part of. Threads: all functions from any thread. Ownership: store, clock and random source must outlive it. Errors:
// Errc::not_found (nobody's, or somebody else's upload: no difference), exists, quota, disk_full, forbidden (a
// concatenation or its parts are not written to), upload_length, upload_locked, storage.
#pragma once

#include "media/upload_writer.hpp"

namespace nimes::gateway::media {

// Who asks.
struct Uploader {
    UserId user;
    DeviceId device;
};

class MediaStore {
  public:
    struct Needs {
        store::Store& store;
        const Clock& clock;
    };
    static Result<std::unique_ptr<MediaStore>> open(const Needs& needs, const Limits& limits);
    ~MediaStore();

    struct Plan {
        std::optional<std::uint64_t> length;  // nullopt: told later
        bool partial = false;
    };
    // Idempotent for the same device and plan.
    Result<MediumHead> create(const BlobId& blob, const Uploader& who, const Plan& plan);
    // The parts, in order, become one medium, without a copy; each is used once. Idempotent for the same parts.
    Result<MediumHead> compose(const BlobId& blob, const Uploader& who, const std::vector<BlobId>& parts);
    // By a device of the person who uploaded it: also a finished one, when its message is recalled.
    Result<void> remove(const BlobId& blob, const Uploader& who);

    // Whoever knows the id, once it is finished.
    Result<MediumHead> find(const BlobId& blob);
    // Bytes of a finished medium from `offset` on: how many; at most to the end of a block.
    Result<std::size_t> read(const BlobId& blob, const MediumHead& head, std::uint64_t offset,
                             std::span<std::uint8_t> into);
    Result<void> link(const BlobId& blob, const DeviceId& owner, Millis expires);

    // Ended media go, and the disk gets their space back; how many.
    Result<std::size_t> expire();
    // The same for what was taken back, once it is much. Cheap; to be called often.
    void tidy();

    // A place before an upload. Taking it hangs up who writes to it, and what that one has taken goes to disk first.
    class Place {
      public:
        // write() need not wait.
        [[nodiscard]] bool settled() const { return slot_->turns.settled(ticket_); }
        // Calls `go` once, from any thread, when that is so; at once if it is.
        void when_settled(std::function<void()> go) const { slot_->turns.when_settled(ticket_, std::move(go)); }

      private:
        friend class MediaStore;
        BlobId blob_;
        DeviceId owner_;
        std::shared_ptr<Slot> slot_;
        Turns::Ticket ticket_ = 0;
    };
    Result<Place> approach(const BlobId& blob, const DeviceId& owner);
    // Who still writes is refused from now on. `hang_up` ends this one's connection, in its turn. Errc::upload_locked
    // when somebody has approached since.
    Result<UploadWriter> write(const Place& place, std::function<void()> hang_up);
    // Both at once, without waiting for anybody.
    Result<UploadWriter> write(const BlobId& blob, const DeviceId& owner, std::function<void()> hang_up);
    Result<MediumHead> take_over(const BlobId& blob, const DeviceId& owner);

  private:
    MediaStore(const Needs& needs, const Limits& limits) : needs_(needs), limits_(limits), quotas_(limits) {}

    // media_store.cpp
    Result<void> count();
    Result<MediumHead> stored_head(const BlobId& blob);  // expired or not
    Result<MediumHead> head_of(const BlobId& blob);
    Result<MediumHead> own_head(const BlobId& blob, const DeviceId& owner);
    std::shared_ptr<Slot> slot_of(const BlobId& blob);
    Result<void> make_room(const BlobId& blob, const MediumHead& head);
    // concatenation.cpp
    Result<std::vector<MediumPart>> claim(const BlobId& blob, const DeviceId& owner, const std::vector<BlobId>& parts);
    // expiry.cpp
    Result<std::size_t> sweep(std::uint64_t hour);
    Result<bool> sweep_one(const BlobId& blob, std::uint64_t hour);
    Result<void> erase(const BlobId& blob, const MediumHead& head, Slot& slot);
    Result<void> erase_part(const BlobId& whole, const MediumPart& part);
    void reclaim();

    const Needs needs_;
    const Limits limits_;
    Quotas quotas_;
    WriteBehind behind_;
    std::mutex mutex_;
    std::unordered_map<BlobId, std::weak_ptr<Slot>> slots_;
    // What was erased since the last reclaim(): between which hours of creation, and how much.
    struct Erased {
        std::uint64_t first_hour = 0, last_hour = 0, bytes = 0;
    };
    std::optional<Erased> erased_;
};

}  // namespace nimes::gateway::media
