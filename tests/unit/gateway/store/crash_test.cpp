// A process that dies in the middle: everything it was told is on disk is on disk, and no batch is there in part.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "folder.hpp"

using namespace nimes;
using namespace nimes::gateway::store;
using folders::Folder;

namespace {

constexpr const char* kFolder = "NIMES_CRASH_TEST_FOLDER";

const Partition kBox{Family::mailbox, "m"};

Batch step(std::uint64_t i) {
    const Bytes block(100'000, static_cast<std::uint8_t>(i));
    Batch batch({Family::media_blocks, "upload"});
    batch.put("a" + key_u64(i), block).put("b" + key_u64(i), block);
    return batch;
}

}  // namespace

// Not a test: the process that is killed. Says each number on standard output once it is on disk.
TEST_CASE("writes until it is killed", "[.victim]") {
    const char* folder = std::getenv(kFolder);  // NOLINT(concurrency-mt-unsafe): one thread
    REQUIRE(folder != nullptr);
    const auto store = folders::open(folder);
    for (std::uint64_t i = 1;; ++i) {
        const Batch batches[] = {step(i), Batch(kBox).put("at", as_bytes(key_u64(i)))};
        REQUIRE(store->commit(batches, Sync::yes));
        REQUIRE(::write(STDOUT_FILENO, "x", 1) == 1);
    }
}

TEST_CASE("what was confirmed survives kill -9, whole") {
    const Folder folder;
    ::setenv(kFolder, (folder.path / "store").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    std::uint64_t confirmed = 0;
    for (int round = 0; round < 3; ++round) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        std::string self = "/proc/self/exe";
        std::string what = "writes until it is killed";
        char* arguments[] = {self.data(), what.data(), nullptr};
        pid_t victim = 0;
        REQUIRE(::posix_spawn(&victim, self.c_str(), &actions, nullptr, arguments, environ) == 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);

        std::uint64_t heard = 0;
        char mark = 0;
        while (heard < 20 && ::read(ends[0], &mark, 1) == 1) ++heard;
        ::kill(victim, SIGKILL);
        while (::read(ends[0], &mark, 1) == 1) ++heard;  // what it still said before it died
        ::close(ends[0]);
        ::waitpid(victim, nullptr, 0);
        REQUIRE(heard >= 20);
        confirmed = std::max(confirmed, heard);

        const auto store = folders::open(folder.path / "store");
        const auto at = u64_of(as_text(store->get(kBox, "at").value().value()));
        REQUIRE(at);
        CHECK(*at >= heard);
        const Partition blocks{Family::media_blocks, "upload"};
        for (std::uint64_t i = 1; i <= *at + 1; ++i) {
            const auto a = store->get(blocks, "a" + key_u64(i)).value();
            const auto b = store->get(blocks, "b" + key_u64(i)).value();
            CHECK(a.has_value() == b.has_value());
            if (i <= *at) CHECK((a && *a == Bytes(100'000, static_cast<std::uint8_t>(i))));
        }
    }
}

TEST_CASE("a copy of the files of a running store opens with all that was synced") {
    const Folder folder;
    const auto store = folders::open(folder.path / "store");
    for (std::uint64_t i = 1; i <= 30; ++i) REQUIRE(store->commit(step(i), Sync::yes));
    std::filesystem::copy(folder.path / "store", folder.path / "copy");
    const auto copy = folders::open(folder.path / "copy");
    for (std::uint64_t i = 1; i <= 30; ++i)
        CHECK(copy->get({Family::media_blocks, "upload"}, "a" + key_u64(i)).value().has_value());
}
