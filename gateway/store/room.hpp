// Room on the disk of a store: what is taken in ends at the floor, what erases goes on when nothing is left.
//
// A file of zeros, the reserve, holds room back and counts towards the floor. When a write has met a full disk the
// reserve goes: the store can be opened anew then, and what people and time take out of it has room for its log.
// Nothing is put until the reserve is back. Threads: any. Ownership: the folder belongs to one process. Errors: none; a
// disk that cannot be asked has room, one that cannot hold room back has no reserve.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>

namespace nimes::gateway::store {

class Room {
  public:
    Room(const std::filesystem::path& folder, std::uint64_t floor_bytes, std::uint64_t reserve_bytes);

    // Takes the reserve (back) if the disk has room for it again.
    [[nodiscard]] bool for_puts();
    // Opening a database writes a little, and nothing can be read while that fails.
    [[nodiscard]] bool for_opening() const;
    // A write met a full disk.
    void ran_out();
    // The folder is this process's: the reserve of an earlier configuration goes.
    void opened();

  private:
    [[nodiscard]] std::uint64_t free() const;
    [[nodiscard]] bool take();

    const std::filesystem::path folder_, file_;
    const std::uint64_t floor_;
    mutable std::mutex mutex_;
    std::uint64_t reserve_;  // 0: there is none
    bool held_ = false;
};

}  // namespace nimes::gateway::store
