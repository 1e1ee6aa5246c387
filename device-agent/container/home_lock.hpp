// One process owns a handset's home directory. HomeLock makes the directory (mode 0700) if it is not there, refuses one
// that others may enter, and holds an exclusive flock on HOME/lock as long as it lives; the kernel lets go of it when
// the process dies, however it dies.
//
// Errors: Errc::busy while another process (or another HomeLock of this one) holds it, Errc::storage when the directory
// is unusable, Errc::forbidden when it belongs to somebody else or is open to others. Moves; one thread.
#pragma once

#include <filesystem>

#include "nimes/error.hpp"

namespace nimes::agent::container {

class HomeLock {
  public:
    static Result<HomeLock> acquire(const std::filesystem::path& home);
    HomeLock(HomeLock&& other) noexcept;
    HomeLock& operator=(HomeLock&& other) noexcept;
    ~HomeLock();

    [[nodiscard]] const std::filesystem::path& home() const { return home_; }

  private:
    HomeLock(std::filesystem::path home, int fd) : home_(std::move(home)), fd_(fd) {}
    void release();

    std::filesystem::path home_;
    int fd_ = -1;
};

}  // namespace nimes::agent::container
