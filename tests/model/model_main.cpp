// The model test: people, handsets with the shipped engine, and a server that lies (FORMATS.md 4).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tally.hpp"
#include "wal_in_memory.hpp"

namespace {

using namespace nimes;
using namespace nimes::model;

constexpr std::uint64_t kWorldLife = 25;   // schedules, then everybody begins anew
constexpr std::uint64_t kFullRun = 2'000;  // schedules: in so many, everything has its chance

struct Wish {
    std::uint64_t schedules = 1'000;
    std::uint64_t seconds = 0;  // 0: as many as asked for
    std::uint64_t seed = std::random_device{}();
    std::uint64_t jobs = 1;
    bool trace = false;
};

int usage(int status) {
    (status == 0 ? std::cout : std::cerr)
        << "usage: nimes-model [--schedules N] [--seconds N] [--seed S] [--jobs N] [--trace]\n\n"
           "Runs N random schedules (1,000 unless said otherwise), or schedules for so many seconds, in as many "
           "processes as --jobs says.\n"
           "The seed is printed; the same seed gives the same schedules. --trace tells each step. Ends with status 1 "
           "when a rule broke,\n"
           "and when in 2,000 schedules or more one kind of harm was never done.\n";
    return status;
}

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string text =
            (std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/nimes-model-XXXXXX");
        path = mkdtemp(text.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

int broken(const Broken& what, std::uint64_t schedule, std::uint64_t seed, std::uint64_t in_world) {
    std::cerr << "BROKEN in schedule " << schedule << " (--seed " << seed << " --schedules " << in_world
              << "): " << what.what() << std::endl;
    return 1;
}

// Worlds until there were enough schedules. 0: all held.
int play(const Wish& wish, Tally& tally) {
    const auto began = std::chrono::steady_clock::now();
    const auto over = [&](std::uint64_t n) {
        const auto spent = std::chrono::steady_clock::now() - began;
        return wish.seconds > 0 ? spent >= std::chrono::seconds(wish.seconds) : n >= wish.schedules;
    };
    auto& n = tally.schedules;
    while (!over(n)) {
        const auto seed = wish.seed + n / kWorldLife;
        const Folder folder;
        World world(seed, folder.path);
        if (wish.trace) world.trace = &std::cerr;
        std::uint64_t i = 0;
        bool to_the_end = false;
        try {
            for (; i < kWorldLife && !over(n); ++i, ++n) world.run_schedule();
            to_the_end = true;
            world.fork_directory();
        } catch (const Broken& what) {
            return broken(what, n, seed, to_the_end ? i : i + 1);
        }
        tally.add(world);
    }
    return 0;
}

int play_or_say(const Wish& wish, Tally& tally) {
    try {
        return play(wish, tally);
    } catch (const std::exception& fault) {
        std::cerr << "the model itself failed, at seed " << wish.seed + tally.schedules / kWorldLife << ": "
                  << fault.what() << std::endl;
        return 1;
    }
}

struct Child {
    pid_t pid = -1;
    int from = -1;
};

// One of several processes: its worlds have seeds a million apart from the others'.
Child begin_child(Wish wish, std::uint64_t number) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    wish.seed += number * 1'000'000;
    wish.schedules = (wish.schedules + wish.jobs - 1) / wish.jobs;
    const pid_t pid = fork();
    if (pid < 0) throw std::runtime_error("fork");
    if (pid > 0) {
        close(ends[1]);
        return {pid, ends[0]};
    }
    Tally tally;
    const int status = play_or_say(wish, tally);
    const auto text = tally.encode();
    const bool told = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(told ? status : 1);
}

int end_child(const Child& child, Tally& all) {
    std::string text;
    char some[4096];
    for (ssize_t n = 0; (n = read(child.from, some, sizeof some)) > 0;) text.append(some, static_cast<std::size_t>(n));
    close(child.from);
    int status = 0;
    if (waitpid(child.pid, &status, 0) != child.pid) return 1;
    const auto tally = Tally::parse(text);
    if (tally) all.add(*tally);
    return tally && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int run(const Wish& wish) {
    std::cout << "seed " << wish.seed << std::endl;
    Tally all;
    int failed = 0;
    // A broken schedule is told as the last of one world: played again, it is played by one process.
    if (wish.jobs <= 1 || (wish.seconds == 0 && wish.schedules <= kWorldLife)) {
        failed = play_or_say(wish, all);
    } else {
        std::vector<Child> children;
        for (std::uint64_t i = 0; i < wish.jobs; ++i) children.push_back(begin_child(wish, i));
        for (const auto& child : children) failed |= end_child(child, all);
    }
    if (failed != 0) return failed;
    all.print(std::cout);
    if (all.schedules < kFullRun) return 0;
    const auto never = all.never();
    for (const auto& harm : never)
        std::cerr << "HOLLOW: in " << all.schedules << " schedules the server never once " << harm << std::endl;
    return never.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Wish wish;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--help" || word == "-h") return usage(0);
        if (word == "--trace") {
            wish.trace = true;
            continue;
        }
        if (i + 1 >= argc) return usage(2);
        const auto value = std::strtoull(argv[++i], nullptr, 10);
        if (word == "--schedules") wish.schedules = value;
        else if (word == "--seconds") wish.seconds = value;
        else if (word == "--seed") wish.seed = value;
        else if (word == "--jobs") wish.jobs = value;
        else return usage(2);
    }
    if (!crypto_init()) return 1;
    keep_write_ahead_logs_in_memory();
    return run(wish);
}
