// Photo, step 4, receive: the bytes of one upload on their way to disk, under the fencing number that makes this writer
// the newest one. (Before: tus.cpp. Next: media_store.hpp.)
//
// Bytes go into room(), took() counts them, work() stores what is full, behind the caller's back if it can
// (write_behind.hpp): then the next call waits, and says what became of it. Blocks are written without waiting for the
// disk; one sync then covers them and the offset that counts them: so an offset that head() shows is on disk, with
// every byte below it. Once another request has taken over, or a block could not be stored, everything here is refused.
// Threads: one at a time; took() and room() never block, the others do. Ownership: what Needs names must outlive it.
// Errors: Errc::upload_locked (taken over, or gone), upload_length, disk_full, storage.
#pragma once

#include <memory>

#include "media/quotas.hpp"
#include "media/records.hpp"
#include "media/write_behind.hpp"

namespace nimes::gateway::media {

inline constexpr std::size_t kPublish = 16 * kBlock;   // an offset for so much, or
inline constexpr Millis kPublishAfter = 10 * kSecond;  // after so long: what a crash takes from a slow phone
inline constexpr std::size_t kLeastRoom = 16 * 1024;   // bytes: a phone that only waits shall cost little

class UploadWriter {
  public:
    struct Needs {
        store::Store& store;
        const Clock& clock;
        Quotas& quotas;
        WriteBehind& behind;
        std::uint64_t
            opening;  // of the store, from before `head` was read: unsynced blocks of an earlier one may be gone
    };
    // `lease` ends with the writer: who takes over waits for it.
    UploadWriter(const Needs& needs, const BlobId& blob, std::shared_ptr<Slot> slot, std::uint64_t fence,
                 MediumHead head, std::shared_ptr<void> lease);
    ~UploadWriter();
    UploadWriter(UploadWriter&&) = default;
    UploadWriter& operator=(UploadWriter&&) = delete;

    // As on disk; offset() counts what was taken, too.
    [[nodiscard]] const MediumHead& head() const { return head_; }
    [[nodiscard]] std::uint64_t offset() const { return base_ + filled_; }

    // The length of a medium that was created without one; the same again is fine.
    Result<void> declare(std::uint64_t length);
    // Nothing is published before flush(): for bytes that must be verified first. Without flush() they are as if they
    // had never come.
    void hold_back() { held_back_ = true; }

    // At least one byte, at most a block.
    std::span<std::uint8_t> room();
    // n bytes of room() are there. True: work() must be called before the next room().
    [[nodiscard]] bool took(std::size_t n);
    Result<void> work();
    // Everything taken is on disk and published; answers the new offset.
    Result<std::uint64_t> flush();

    // room(), took() and work() in one.
    Result<void> append(ByteView bytes);

  private:
    // Bytes from one offset on, within one block; `publish`: they count from then on.
    struct Piece {
        std::uint64_t base = 0;
        std::size_t filled = 0;
        bool publish = false;
    };
    Result<void> put(bool publish);
    Result<void> settle();
    Result<void> taken(Result<MediumHead> done);
    static Result<MediumHead> store(const Needs& needs, const BlobId& blob, Slot& slot, std::uint64_t fence,
                                    MediumHead head, const Piece& piece, ByteView bytes);
    [[nodiscard]] bool publish_due() const;

    Needs needs_;
    BlobId blob_;
    std::shared_ptr<Slot> slot_;
    std::uint64_t fence_;
    MediumHead head_;
    std::uint64_t base_;      // the offset of buffer_[0]
    std::size_t filled_ = 0;  // bytes of buffer_
    Bytes buffer_;
    std::uint64_t publishing_;  // the offset that the last put(true) brings to disk
    Millis published_;          // when that was, by the clock that never steps back
    bool held_back_ = false;
    std::future<Result<MediumHead>> behind_;  // valid while a block is on its way
    std::optional<Error> broken_;
    std::shared_ptr<void> lease_;
};

}  // namespace nimes::gateway::media
