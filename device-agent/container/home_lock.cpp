#include "container/home_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace nimes::agent::container {
namespace {

Result<void> private_directory(const std::filesystem::path& home) {
    std::error_code ignored;  // mkdir says what is wrong
    std::filesystem::create_directories(std::filesystem::absolute(home, ignored).parent_path(), ignored);
    if (mkdir(home.c_str(), 0700) != 0 && errno != EEXIST) return fail(Errc::storage, "the home cannot be made");
    struct stat is {};
    if (stat(home.c_str(), &is) != 0 || !S_ISDIR(is.st_mode)) return fail(Errc::storage, "the home is no directory");
    if (is.st_uid != geteuid()) return fail(Errc::forbidden, "the home belongs to another user");
    if ((is.st_mode & 077) != 0) return fail(Errc::forbidden, "the home is open to others; chmod 700 it");
    return {};
}

}  // namespace

Result<HomeLock> HomeLock::acquire(const std::filesystem::path& home) {
    if (auto made = private_directory(home); !made) return pass(made);
    const int fd = open((home / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return fail(Errc::storage, "the home's lock cannot be opened");
    HomeLock lock(home, fd);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK) return fail(Errc::busy, "another process owns this home");
        return fail(Errc::storage, "the home's lock cannot be taken");
    }
    return lock;
}

HomeLock::HomeLock(HomeLock&& other) noexcept : home_(std::move(other.home_)), fd_(std::exchange(other.fd_, -1)) {}

HomeLock& HomeLock::operator=(HomeLock&& other) noexcept {
    if (this != &other) {
        release();
        home_ = std::move(other.home_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

HomeLock::~HomeLock() { release(); }

void HomeLock::release() {
    if (fd_ >= 0) close(fd_);  // the file stays: removing it would let two processes lock two files of one name
    fd_ = -1;
}

}  // namespace nimes::agent::container
