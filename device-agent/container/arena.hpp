// The one piece of memory where hot keys live: locked against swapping, left out of core dumps, zeroed in a child after
// fork and when a key dies. sodium_malloc is not used: it ignores a failed lock and takes three pages a key.
//
// Arena hands out HotKeys of 32 bytes. Ownership: a HotKey must die before its Arena. Errors: Errc::internal when
// the kernel refuses the lock (RLIMIT_MEMLOCK) or all slots are taken: a key is never placed anywhere else instead.
// Threads: take() and the death of HotKeys may come from any thread; one HotKey is used by one thread at a time.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes::agent::container {

class HotKey;

class Arena {
  public:
    static constexpr std::size_t kSlots = 512;  // 16 KiB: a day key for each of 400 days, and room
    static constexpr std::size_t kSlotBytes = 32;

    static Result<std::unique_ptr<Arena>> create();
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // A slot of zeros.
    Result<HotKey> take();
    // A slot that holds `bytes`, which must be 32.
    Result<HotKey> take(ByteView bytes);
    // True when no byte of the arena is set: what shutting promises, for tests to hold.
    [[nodiscard]] bool is_zero() const;

  private:
    friend class HotKey;
    explicit Arena(std::uint8_t* memory);
    void give_back(std::uint8_t* slot);

    std::uint8_t* memory_;
    mutable std::mutex mutex_;
    std::vector<std::uint8_t*> free_;
};

// 32 secret bytes in the arena. Moves, does not copy; zeroed when it dies.
class HotKey {
  public:
    HotKey() = default;
    HotKey(HotKey&& other) noexcept;
    HotKey& operator=(HotKey&& other) noexcept;
    ~HotKey() { reset(); }

    void reset();
    [[nodiscard]] bool empty() const { return bytes_ == nullptr; }
    // Empty views of an empty key.
    [[nodiscard]] ByteView view() const { return {bytes_, empty() ? 0 : Arena::kSlotBytes}; }
    [[nodiscard]] std::span<std::uint8_t> edit() { return {bytes_, empty() ? 0 : Arena::kSlotBytes}; }

  private:
    friend class Arena;
    HotKey(Arena* arena, std::uint8_t* bytes) : arena_(arena), bytes_(bytes) {}
    Arena* arena_ = nullptr;
    std::uint8_t* bytes_ = nullptr;
};

// No core dumps and no debugger of the same user: RLIMIT_CORE 0 and PR_SET_DUMPABLE 0. For main(), before any key is
// made. Errc::internal when the kernel refuses.
Result<void> harden_process();

}  // namespace nimes::agent::container
