#include "store/room.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace nimes::gateway::store {
namespace {

constexpr std::uint64_t kStatBlock = 512;  // of st_blocks, whatever the file system's are

// All of it is there, not only its length: a copy may be sparse.
bool is_whole(const std::filesystem::path& file, std::uint64_t bytes) {
    struct stat seen {};
    return ::stat(file.c_str(), &seen) == 0 && static_cast<std::uint64_t>(seen.st_size) == bytes &&
           static_cast<std::uint64_t>(seen.st_blocks) * kStatBlock >= bytes;
}

}  // namespace

Room::Room(const std::filesystem::path& folder, std::uint64_t floor_bytes, std::uint64_t reserve_bytes)
    : folder_(folder), file_(folder / "reserve"), floor_(floor_bytes), reserve_(reserve_bytes) {
    held_ = reserve_ > 0 && is_whole(file_, reserve_);
}

void Room::opened() {
    const std::lock_guard lock(mutex_);
    if (reserve_ == 0) ::unlink(file_.c_str());
}

std::uint64_t Room::free() const {
    struct statvfs disk {};
    if (::statvfs(folder_.c_str(), &disk) != 0) return std::numeric_limits<std::uint64_t>::max() / 2;
    return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

bool Room::for_puts() {
    const std::lock_guard lock(mutex_);
    const auto now = free();
    if (now + (held_ ? reserve_ : 0) < floor_) return false;
    if (reserve_ == 0 || held_) return true;
    // Twice: with no more than the reserve itself the next write would be where the last one was.
    return now >= 2 * reserve_ && take();
}

bool Room::for_opening() const {
    const std::lock_guard lock(mutex_);
    return free() >= (reserve_ > 0 ? reserve_ / 2 : floor_);
}

void Room::ran_out() {
    const std::lock_guard lock(mutex_);
    ::unlink(file_.c_str());
    held_ = false;
}

// With mutex_ held.
bool Room::take() {
    const int file = ::open(file_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return false;
    const auto length = static_cast<off_t>(reserve_);
    const bool held = ::ftruncate(file, length) == 0 && ::fallocate(file, 0, 0, length) == 0;
    const bool never = !held && errno == EOPNOTSUPP;
    ::close(file);
    if (!held) ::unlink(file_.c_str());
    if (never) reserve_ = 0;
    held_ = held;
    return held || never;
}

}  // namespace nimes::gateway::store
