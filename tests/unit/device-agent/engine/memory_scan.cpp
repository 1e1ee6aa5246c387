#include "memory_scan.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bitset>
#include <cstdio>
#include <fstream>
#include <memory>

namespace nimes::test {
namespace {

constexpr std::uint8_t kMask = 0xa5;
constexpr std::size_t kPage = std::size_t{1} << 20;
constexpr std::size_t kSize = 32;
constexpr std::uintptr_t kLargest = std::uintptr_t{1} << 30;  // beyond: a sanitizer's shadow

struct Region {
    std::uintptr_t from = 0, until = 0;
};

std::vector<Region> regions() {
    std::vector<Region> out;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long from = 0, until = 0;
        char mode[5] = "";
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &until, mode) != 3) continue;
        if (mode[0] == 'r' && mode[1] == 'w' && until - from <= kLargest) out.push_back({from, until});
    }
    return out;
}

// Where bytes are read to: a mapping of its own, which is not looked at.
class Window {
  public:
    Window()
        : bytes_(static_cast<std::uint8_t*>(
              mmap(nullptr, kPage + kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    ~Window() {
        sodium_memzero(bytes_, kPage + kSize);
        munmap(bytes_, kPage + kSize);
    }
    [[nodiscard]] std::uint8_t* bytes() const { return bytes_; }
    [[nodiscard]] std::uintptr_t from() const { return reinterpret_cast<std::uintptr_t>(bytes_); }
    [[nodiscard]] std::uintptr_t until() const { return from() + kPage + kSize; }

  private:
    std::uint8_t* bytes_;
};

}  // namespace

void MemoryScan::want(std::string name, ByteView secret32) {
    Needle n{std::move(name), {}};
    for (std::size_t i = 0; i < kSize; ++i) n.masked[i] = secret32[i] ^ kMask;
    needles_.push_back(std::move(n));
}

std::vector<std::size_t> MemoryScan::count() const {
    std::vector<std::size_t> out(needles_.size());
    const auto first = std::make_unique<std::bitset<65'536>>();  // the first two bytes of all
    for (const auto& n : needles_) first->set(static_cast<std::size_t>((n.masked[0] << 8) | n.masked[1]));
    const Window window;
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    const auto look = [&](std::size_t size) {
        const auto* const bytes = window.bytes();
        for (std::size_t at = 0; at + kSize <= size; ++at) {
            if (!first->test(static_cast<std::size_t>(((bytes[at] ^ kMask) << 8) | (bytes[at + 1] ^ kMask)))) continue;
            for (std::size_t n = 0; n < needles_.size(); ++n) {
                std::size_t same = 0;
                while (same < kSize && (bytes[at + same] ^ kMask) == needles_[n].masked[same]) ++same;
                out[n] += same == kSize ? 1 : 0;
            }
        }
    };
    const auto pages = [&](std::uintptr_t from, std::uintptr_t until) {
        for (auto at = from; at < until; at += kPage) {
            const auto want =
                std::min<std::uintptr_t>(kPage + kSize - 1, until - at);  // what lies across two pages, too
            const auto got = ::pread(memory, window.bytes(), want, static_cast<off_t>(at));
            if (got > 0) look(static_cast<std::size_t>(got));
        }
    };
    for (const auto& region : regions()) {  // the window may have grown together with a neighbour
        pages(region.from, std::min(region.until, std::max(region.from, window.from())));
        pages(std::max(region.from, std::min(region.until, window.until())), region.until);
    }
    ::close(memory);
    return out;
}

std::vector<std::string> MemoryScan::found() const {
    const auto counts = count();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] > 0) out.push_back(needles_[i].name);
    return out;
}

}  // namespace nimes::test
