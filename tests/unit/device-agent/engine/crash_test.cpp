// A handset that dies at any moment: at every change of a file, two people's two days are cut off, and go on in the
// next process.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "story.hpp"
#include "unit/device-agent/container/fixture.hpp"
#include "write_points.hpp"

namespace nimes::test {
namespace {

using agent::container::TempDir;

std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines) out += line + "\n";
    return out;
}

// Memory, where there is some: nothing is synced here anyway.
std::filesystem::path folder() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

class Stage {
  public:
    Stage() { Story::begin(town, first_.path()); }

    // A fresh copy of the homes; the story runs in a child until it is cut off. True when it came to its end.
    bool run(const std::filesystem::path& place, std::uint64_t cut_at, Cut how) {
        std::filesystem::copy(first_.path(), place, std::filesystem::copy_options::recursive);
        std::fflush(nullptr);
        const auto child = ::fork();
        if (child == 0) {
            watch(Story::homes(place), Story::shadow(place), cut_at, how);
            Story story(town, place);
            story.open();
            story.go_on();
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kCutExit));
        return WEXITSTATUS(status) == 0;
    }
    // The next process: what is found, and what comes of it.
    void go_on(const std::filesystem::path& place) {
        watch(Story::homes(place), Story::shadow(place), kNever, Cut::kill);
        {
            Story story(town, place);
            story.open();
            CHECK(joined(story.look()) == "");
            story.go_on();
            CHECK(joined(story.judge()) == "");
        }
        unwatch();
    }

    Town town{{"anna", "bernd"}};

  private:
    TempDir first_{folder()};
};

constexpr Cut kAll[] = {Cut::kill, Cut::torn, Cut::power};

// Every `stride`-th point from `first` on, until the story comes to its end uncut. How many points it has.
std::uint64_t cut(Stage& stage, std::uint64_t first, std::uint64_t stride,
                  const std::function<Cut(std::uint64_t)>& how) {
    for (auto point = first;; point += stride) {
        INFO("cut at write point " << point << ", " << static_cast<int>(how(point)));
        const TempDir home(folder());
        const auto place = home.path() / "place";
        const bool over = stage.run(place, point, how(point));
        stage.go_on(place);
        if (over) return point;
    }
}

}  // namespace

TEST_CASE("the story comes to its end when nobody cuts it") {
    Stage stage;
    const TempDir home(folder());
    const auto place = home.path() / "place";
    REQUIRE(stage.run(place, kNever, Cut::kill));
    stage.go_on(place);
}

// Some hundred points in a few seconds; the next one takes them all.
TEST_CASE("a handset cut off at many writes loses nothing and repeats no key") {
    Stage stage;
    const auto first = static_cast<std::uint64_t>(SystemRandom().id<MessageId>().bytes[0] % 7);
    const auto points = cut(stage, first, 7, [](std::uint64_t point) { return kAll[point % 3]; });
    CHECK(points > 1'000);  // it was the story that was cut, and not its first lines
}

TEST_CASE("a handset cut off at any write, in any way, loses nothing and repeats no key", "[.][everywhere]") {
    Stage stage;
    for (const auto how : kAll) CHECK(cut(stage, 0, 1, [=](std::uint64_t) { return how; }) > 1'000);
}

}  // namespace nimes::test
