// The process dies between two pieces of an upload: every offset that it gave out holds, with the bytes below it.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "../store/folder.hpp"
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::gateway;
using shelf::pattern;

namespace {

constexpr const char* kFolder = "NIMES_MEDIA_CRASH_FOLDER";
constexpr std::uint64_t kLength = 40'000'000;
constexpr std::size_t kPiece = 99'991;  // prime: ends inside blocks
const BlobId kBlob = shelf::made<BlobId>(7);
const media::Uploader kAnna{shelf::made<UserId>(1), shelf::made<DeviceId>(1)};

struct Upload {
    std::unique_ptr<store::Store> store;
    shelf::FakeClock clock;
    std::unique_ptr<media::MediaStore> media;
    explicit Upload(const std::filesystem::path& folder)
        : store(folders::open(folder)), media(media::MediaStore::open({*store, clock}, {}).value()) {}
};

// A child that uploads and says each offset on the pipe once it was confirmed.
struct Victim {
    int ear = -1;
    pid_t process = 0;
    Victim() {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        std::string self = "/proc/self/exe";
        std::string what = "uploads until it is killed";
        char* arguments[] = {self.data(), what.data(), nullptr};
        REQUIRE(::posix_spawn(&process, self.c_str(), &actions, nullptr, arguments, environ) == 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        ear = ends[0];
    }
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
    ~Victim() { ::close(ear); }
    // The next offset; nullopt when it is dead. A write of 8 bytes to a pipe comes whole.
    std::optional<std::uint64_t> next() const {
        std::uint64_t offset = 0;
        if (::read(ear, &offset, sizeof offset) != sizeof offset) return std::nullopt;
        return offset;
    }
    void kill() const {
        ::kill(process, SIGKILL);
        ::waitpid(process, nullptr, 0);
    }
};

}  // namespace

// Not a test: the process that is killed.
TEST_CASE("uploads until it is killed", "[.victim]") {
    const char* folder = std::getenv(kFolder);  // NOLINT(concurrency-mt-unsafe): one thread
    REQUIRE(folder != nullptr);
    const Upload upload(folder);
    const auto bytes = pattern(kLength);
    REQUIRE(upload.media->create(kBlob, kAnna, {kLength, false}));
    for (;;) {
        auto writer = upload.media->write(kBlob, kAnna.device, {}).value();
        const auto left = ByteView(bytes).subspan(static_cast<std::size_t>(writer.offset()));
        REQUIRE(writer.append(left.first(std::min(left.size(), kPiece))));
        const auto offset = writer.flush().value();
        REQUIRE(::write(STDOUT_FILENO, &offset, sizeof offset) == sizeof offset);
        if (offset == kLength) ::pause();
    }
}

TEST_CASE("offsets that were given out survive kill -9, with all bytes below them") {
    const folders::Folder folder;
    ::setenv(kFolder, (folder.path / "store").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    const auto bytes = pattern(kLength);
    std::uint64_t confirmed = 0;
    for (int round = 0; round < 4; ++round) {
        const Victim victim;
        for (int i = 0; i < 12; ++i) confirmed = std::max(confirmed, victim.next().value());
        victim.kill();
        while (const auto last = victim.next()) confirmed = *last;  // what it still said before it died

        const Upload upload(folder.path / "store");
        const auto head = upload.media->take_over(kBlob, kAnna.device).value();
        REQUIRE(head.offset >= confirmed);
        REQUIRE(head.offset < kLength);
        Bytes stored(static_cast<std::size_t>(head.offset));
        for (std::size_t at = 0; at < stored.size();) {
            const auto n = upload.media->read(kBlob, head, at, std::span(stored).subspan(at)).value();
            REQUIRE(n > 0);
            at += n;
        }
        CHECK(std::equal(stored.begin(), stored.end(), bytes.begin()));
        confirmed = head.offset;
    }
}
