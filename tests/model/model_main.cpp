// The model test: people, handsets with the shipped engine, and a server that lies (FORMATS.md 4).
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "schedule.hpp"

namespace {

using namespace nimes;
using namespace nimes::model;

constexpr std::uint64_t kWorldLife = 25;  // schedules, then everybody begins anew

struct Wish {
    std::uint64_t schedules = 1'000;
    std::uint64_t seconds = 0;  // 0: as many as asked for
    std::uint64_t seed = std::random_device{}();
    bool trace = false;
};

int usage(int status) {
    (status == 0 ? std::cout : std::cerr) << "usage: nimes-model [--schedules N] [--seconds N] [--seed S] [--trace]\n\n"
                                             "Runs N random schedules (1,000 unless said otherwise), or schedules for "
                                             "so many seconds. The seed is printed;\n"
                                             "the same seed gives the same schedules. --trace tells each step.\n";
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

int run(const Wish& wish) {
    std::cout << "seed " << wish.seed << std::endl;
    const auto began = std::chrono::steady_clock::now();
    const auto over = [&](std::uint64_t n) {
        const auto spent = std::chrono::steady_clock::now() - began;
        return wish.seconds > 0 ? spent >= std::chrono::seconds(wish.seconds) : n >= wish.schedules;
    };
    std::uint64_t opened = 0, repaired = 0, lost = 0, n = 0;
    std::map<std::string, std::uint64_t> acts;
    while (!over(n)) {
        const auto seed = wish.seed + n / kWorldLife;
        const Folder folder;
        World world(seed, folder.path);
        for (std::uint64_t i = 0; i < kWorldLife && !over(n); ++i, ++n) {
            if (wish.trace) world.trace = &std::cerr;
            try {
                world.run_schedule();
            } catch (const Broken& broken) {
                std::cerr << "BROKEN in schedule " << n << " (--seed " << seed << " --schedules " << i + 1
                          << "): " << broken.what() << '\n';
                return 1;
            }
        }
        try {
            world.fork_directory();
        } catch (const Broken& broken) {
            std::cerr << "BROKEN after schedule " << n - 1 << " (--seed " << seed << " --schedules " << kWorldLife
                      << "): " << broken.what() << '\n';
            return 1;
        }
        opened += world.oracle.opened;
        repaired += world.oracle.repaired;
        lost += world.oracle.lost_to_robbery;
        for (const auto& [name, count] : world.hostile().done) acts[name] += count;
    }
    std::cout << n << " schedules held; " << opened << " messages opened, each once; of those that a server took away "
              << repaired << " came all the same, " << lost << " never\nthe server";
    const char* comma = " ";
    for (const auto& [name, count] : acts) {
        std::cout << comma << name << ' ' << count;
        comma = ", ";
    }
    std::cout << std::endl;
    return 0;
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
        else return usage(2);
    }
    if (!crypto_init()) return 1;
    try {
        return run(wish);
    } catch (const std::exception& fault) {
        std::cerr << "the model itself failed: " << fault.what() << '\n';
        return 1;
    }
}
