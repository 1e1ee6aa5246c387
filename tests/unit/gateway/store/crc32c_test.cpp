#include "store/crc32c.hpp"

#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

using namespace nimes;
using namespace nimes::gateway::store;

namespace {

constexpr const char* kName = "_ZN7rocksdb6crc32c6ExtendEjPKcm";
using Extend = std::uint32_t (*)(std::uint32_t, const char*, std::size_t);

std::string object_of(void* address) {
    Dl_info info{};
    REQUIRE(dladdr(address, &info) != 0);
    return info.dli_fname;
}

// The library's own, behind what every call through the dynamic symbols finds.
Extend of_the_library() {
    void* some = dlsym(RTLD_DEFAULT, "_ZN7rocksdb6crc32c13Crc32cCombineEjjm");  // not replaced
    REQUIRE(some != nullptr);
    void* library = dlopen(object_of(some).c_str(), RTLD_NOW | RTLD_NOLOAD);
    REQUIRE(library != nullptr);
    const auto out = reinterpret_cast<Extend>(dlsym(library, kName));
    dlclose(library);
    return out;
}

}  // namespace

TEST_CASE("CRC-32C: the sums of RFC 3720, B.4", "[store]") {
    CHECK(crc32c_fits());
    CHECK(crc32c(Bytes(32, 0x00)) == 0x8a91'36aa);
    CHECK(crc32c(Bytes(32, 0xff)) == 0x62a8'ab43);
    Bytes rising(32);
    std::iota(rising.begin(), rising.end(), std::uint8_t{0});
    CHECK(crc32c(rising) == 0x46dd'794e);
}

TEST_CASE("RocksDB calls the program's CRC-32C, and would get the same from its own", "[store]") {
    void* found = dlsym(RTLD_DEFAULT, kName);
    REQUIRE(found != nullptr);
    const auto own = of_the_library();
    REQUIRE(own != nullptr);
    REQUIRE(reinterpret_cast<void*>(own) != found);
    CHECK(object_of(found) != object_of(reinterpret_cast<void*>(own)));

    std::mt19937 chance(7);
    Bytes bytes(70'000);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(chance());
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const auto here = reinterpret_cast<Extend>(found);
    for (int i = 0; i < 300; ++i) {
        const auto from = chance() % 100, size = i < 200 ? chance() % 300 : chance() % 60'000;
        const auto before = static_cast<std::uint32_t>(chance());
        CHECK(here(before, text + from, size) == own(before, text + from, size));
    }
}
