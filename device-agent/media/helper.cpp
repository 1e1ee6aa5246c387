#include "media/helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace nimes::agent::media {
namespace {

using Clock = std::chrono::steady_clock;

class Spawning {
  public:
    explicit Spawning(int output) {
        posix_spawn_file_actions_init(&files_);
        posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
        posix_spawnattr_init(&attributes_);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    Spawning(const Spawning&) = delete;
    Spawning& operator=(const Spawning&) = delete;
    ~Spawning() {
        posix_spawn_file_actions_destroy(&files_);
        posix_spawnattr_destroy(&attributes_);
    }
    Result<pid_t> start(std::vector<std::string>& words) const {
        const char* path = std::getenv("PATH");
        std::string places = std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin");
        char* const environment[] = {places.data(), nullptr};
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        pid_t pid = 0;
        const int failed = ::posix_spawnp(&pid, argv[0], &files_, &attributes_, argv.data(), environment);
        if (failed != 0) return fail(failed == ENOENT || failed == EACCES ? Errc::not_found : Errc::internal);
        return pid;
    }

  private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

void limit(pid_t pid, const HelperLimits& limits) {
    const auto set = [pid](__rlimit_resource what, std::uint64_t most) {
        const rlimit both{most, most};
        (void)::prlimit(pid, what, &both, nullptr);
    };
    set(RLIMIT_AS, limits.memory);
    set(RLIMIT_CPU, limits.time / kSecond * 2 + 1);  // of all its threads
    set(RLIMIT_FSIZE, 0);
    set(RLIMIT_CORE, 0);
    set(RLIMIT_NOFILE, 64);
}

// Until the end of its output, the bound, or its time.
Result<Bytes> read_all(int fd, const HelperLimits& limits) {
    const auto until = Clock::now() + std::chrono::milliseconds(limits.time);
    Bytes out;
    std::uint8_t block[16 * 1024];
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0) return fail(Errc::timed_out, "a helper program took too long");
        pollfd ready{fd, POLLIN, 0};
        const int some = ::poll(&ready, 1, static_cast<int>(left));
        if (some == 0 || (some < 0 && errno == EINTR)) continue;
        const auto n = some < 0 ? -1 : ::read(fd, block, sizeof block);
        if (n < 0) return fail(Errc::internal, "a helper program cannot be read");
        if (n == 0) return out;
        if (out.size() + static_cast<std::size_t>(n) > limits.output)
            return fail(Errc::too_large, "a helper program said too much");
        out.insert(out.end(), block, block + n);
    }
}

// Its output is closed; it may still not end. Not waited for to the end: its number, a group's, stays its own.
bool ended_well(pid_t pid, Millis patience) {
    const auto until = Clock::now() + std::chrono::milliseconds(patience);
    for (;;) {
        siginfo_t end{};
        const int done = ::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOHANG | WNOWAIT);
        if (done == 0 && end.si_pid == pid) return end.si_code == CLD_EXITED && end.si_status == 0;
        if ((done < 0 && errno != EINTR) || Clock::now() >= until) return false;
        ::usleep(2'000);
    }
}

}  // namespace

Result<Bytes> run_helper(std::vector<std::string> words, const HelperLimits& limits) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::internal, "no pipe");
    const Spawning spawning(ends[1]);
    const auto pid = spawning.start(words);
    ::close(ends[1]);
    if (!pid) {
        ::close(ends[0]);
        return fail(pid.error().code, "a helper program");
    }
    limit(*pid, limits);
    auto out = read_all(ends[0], limits);
    ::close(ends[0]);
    const bool well = out && ended_well(*pid, kSecond);
    ::kill(-*pid, SIGKILL);  // and what it started
    while (::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (out && !well) return fail(Errc::malformed, "a helper program could not do it");
    return out;
}

}  // namespace nimes::agent::media
