#include "store/room.hpp"

#include <sys/stat.h>

#include "folder.hpp"

using namespace nimes::gateway::store;

namespace {

constexpr std::uint64_t kReserve = 1 << 20;

// Of the reserve; 0 when there is none.
std::uint64_t bytes_held(const folders::Folder& folder) {
    struct stat seen {};
    if (::stat((folder.path / "reserve").c_str(), &seen) != 0) return 0;
    return static_cast<std::uint64_t>(seen.st_blocks) * 512;
}

}  // namespace

TEST_CASE("room is held back in a file that goes when the disk is full, and comes back with the room", "[store]") {
    const folders::Folder folder;
    Room room(folder.path, 0, kReserve);
    CHECK(bytes_held(folder) == 0);
    CHECK(room.for_puts());
    CHECK(bytes_held(folder) >= kReserve);
    room.ran_out();
    CHECK(bytes_held(folder) == 0);
    CHECK(room.for_opening());
    CHECK(bytes_held(folder) == 0);  // what erases does not take it
    CHECK(room.for_puts());
    CHECK(bytes_held(folder) >= kReserve);
    Room later(folder.path, 0, kReserve);
    later.ran_out();
    CHECK(bytes_held(folder) == 0);  // of an earlier process
}

TEST_CASE("nothing is put where the reserve has no room, or below the floor", "[store]") {
    const folders::Folder folder;
    Room large(folder.path, 0, std::uint64_t{1} << 60);
    CHECK_FALSE(large.for_puts());
    CHECK_FALSE(large.for_opening());
    Room deep(folder.path, std::uint64_t{1} << 61, kReserve);
    CHECK_FALSE(deep.for_puts());
    CHECK(deep.for_opening());
    CHECK(bytes_held(folder) == 0);
    Room none(folder.path, 0, 0);
    CHECK(none.for_puts());
    CHECK(none.for_opening());
    CHECK(bytes_held(folder) == 0);
}

TEST_CASE("a reserve that was copied without its room is filled again, one that nobody wants any more goes",
          "[store]") {
    const folders::Folder folder;
    CHECK(Room(folder.path, 0, kReserve).for_puts());
    std::filesystem::resize_file(folder.path / "reserve", 0);
    std::filesystem::resize_file(folder.path / "reserve", kReserve);
    REQUIRE(bytes_held(folder) < kReserve);
    CHECK(Room(folder.path, 0, kReserve).for_puts());
    CHECK(bytes_held(folder) >= kReserve);
    Room none(folder.path, 0, 0);
    CHECK(bytes_held(folder) >= kReserve);  // the folder may be another process's
    none.opened();
    CHECK(bytes_held(folder) == 0);
}
