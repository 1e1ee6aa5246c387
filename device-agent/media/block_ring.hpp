// Blocks of a medium that go round between the thread of the cipher and one beside it. Private to sealed_pipe.cpp and
// plain_pipe.cpp.
//
// Threads: one that fills, one that empties. Memory: four blocks of two chunks. No errors: who stops says over(), and
// nobody waits any more.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "nimes/blob.hpp"

namespace nimes::agent::media {

inline constexpr std::uint64_t kAlone = 8;  // chunks; a thread costs more than it saves
inline constexpr std::size_t kBlocks = 4;
inline constexpr std::size_t kBlockBytes = 2 * (kBlobChunk + kBlobTag);

inline bool helped(const BlobShape& shape) {
    return shape.chunks() > kAlone && std::thread::hardware_concurrency() > 1;
}

struct Block {
    Bytes bytes = Bytes(kBlockBytes);
    std::size_t used = 0;
    [[nodiscard]] ByteView view() const { return ByteView(bytes).first(used); }
};

// Blocks go round between one who fills and one who empties them; their numbers are all that both share.
class Ring {
  public:
    Block& filling() { return blocks_[filled_by_me_ % kBlocks]; }
    Block& emptying() { return blocks_[emptied_by_me_ % kBlocks]; }

    // By who fills: the block is full.
    void give() {
        const std::lock_guard lock(mutex_);
        ++filled_by_me_;
        ++filled_;
        changed_.notify_all();
    }
    // By who fills: waits for an empty one. False: it is over.
    bool wait_room() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return over_ || filled_ - emptied_ < kBlocks; });
        return !over_;
    }
    // By who empties: waits for a full one. False: none comes any more.
    bool wait_full() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return over_ || last_ || emptied_ < filled_; });
        return !over_ && emptied_ < filled_;
    }
    void take_back() {
        const std::lock_guard lock(mutex_);
        ++emptied_by_me_;
        ++emptied_;
        changed_.notify_all();
    }
    void wait_empty() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return emptied_ == filled_; });
    }
    // Nothing more is filled; what is full is still emptied.
    void last() { set(last_); }
    // Both stop where they are.
    void over() { set(over_); }

    // When nobody else is there any more.
    template <class F>
    void each(F&& one) {
        for (auto& block : blocks_) one(block);
    }

  private:
    void set(bool& what) {
        const std::lock_guard lock(mutex_);
        what = true;
        changed_.notify_all();
    }

    std::array<Block, kBlocks> blocks_;
    std::uint64_t filled_by_me_ = 0, emptied_by_me_ = 0;  // each side's own count, without the lock
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t filled_ = 0, emptied_ = 0;
    bool last_ = false, over_ = false;
};

}  // namespace nimes::agent::media
