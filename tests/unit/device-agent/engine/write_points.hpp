// Cuts a process off in the middle of writing. Every change of a file or a name below one folder is a write point:
// creating, writing, cutting, syncing, renaming, removing, by whatever library, SQLite included. The process ends at
// the chosen one as if killed: no destructor, no exit handler.
//
//   kill    before the point; what was written stays, synced or not
//   torn    a write gets half of its bytes on the disk, then as kill
//   power   before the point, and all that was not synced is lost, names too: what a power cut may leave
//   full    the process goes on, and from the point on the disk has no room: writing and creating fail with ENOSPC
//
// The functions of the C library are interposed by the test program, so the product has no hook. While a folder is
// watched nothing is really synced: that is only written down. One thread; for child processes of a test.
#pragma once

#include <cstdint>
#include <filesystem>

namespace nimes::test {

enum class Cut : std::uint8_t { kill, torn, power, full };

inline constexpr int kCutExit = 77;  // what a process that was cut off answers
inline constexpr std::uint64_t kNever = ~0ULL;

// From now on; `shadow` is a folder on the same file system, outside `root`, for names that may have to come back.
void watch(const std::filesystem::path& root, const std::filesystem::path& shadow, std::uint64_t cut_at, Cut how);
// A point of the caller's own, beside those of files: something just left this process, or is about to.
void write_point();
// How many points were passed since.
std::uint64_t unwatch();

}  // namespace nimes::test
