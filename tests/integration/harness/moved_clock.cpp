// Preloaded into a broker: a clock that a test moves while the program runs. (libfaketime hangs in a program that is
// not itself built with AddressSanitizer once that is preloaded too.)
//
// NIMES_CLOCK names a file of 8 bytes: seconds ahead of the kernel's clock, as int64 of this machine. With
// NIMES_CLOCK_WALL only the wall's clock is moved. Threads: any. Nothing here allocates, or calls what a sanitizer
// intercepts, after the start.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile std::int64_t* ahead = nullptr;
bool wall_alone = false;

__attribute__((constructor)) void start() {
    const char* path = std::getenv("NIMES_CLOCK");
    wall_alone = std::getenv("NIMES_CLOCK_WALL") != nullptr;
    const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void* at = mmap(nullptr, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) ahead = static_cast<const std::int64_t*>(at);
    close(fd);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
    const auto rc = static_cast<int>(syscall(SYS_clock_gettime, clock, out));
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (rc == 0 && ahead != nullptr && (wall || !wall_alone)) out->tv_sec += *ahead;
    return rc;
}

time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(timeval* out, void*) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    *out = {now.tv_sec, now.tv_nsec / 1'000};
    return 0;
}

}  // extern "C"
