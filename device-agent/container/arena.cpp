#include "container/arena.hpp"

#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>

namespace nimes::agent::container {
namespace {
constexpr std::size_t kBytes = Arena::kSlots * Arena::kSlotBytes;
}

Result<std::unique_ptr<Arena>> Arena::create() {
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail(Errc::internal, "no memory for keys");
    if (mlock(memory, kBytes) != 0) {
        munmap(memory, kBytes);
        return fail(Errc::internal, "memory for keys cannot be locked; raise the limit of locked memory (ulimit -l)");
    }
    if (madvise(memory, kBytes, MADV_DONTDUMP) != 0 || madvise(memory, kBytes, MADV_WIPEONFORK) != 0) {
        munmap(memory, kBytes);
        return fail(Errc::internal, "memory for keys cannot be kept out of dumps");
    }
    return std::unique_ptr<Arena>(new Arena(static_cast<std::uint8_t*>(memory)));
}

Arena::Arena(std::uint8_t* memory) : memory_(memory) {
    free_.reserve(kSlots);
    for (std::size_t i = kSlots; i-- > 0;) free_.push_back(memory_ + i * kSlotBytes);
}

Arena::~Arena() {
    sodium_memzero(memory_, kBytes);
    munlock(memory_, kBytes);
    munmap(memory_, kBytes);
}

Result<HotKey> Arena::take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return fail(Errc::internal, "no room for another key");
    auto* slot = free_.back();
    free_.pop_back();
    return HotKey(this, slot);
}

Result<HotKey> Arena::take(ByteView bytes) {
    if (bytes.size() != kSlotBytes) return fail(Errc::internal, "a key of the wrong length");
    auto key = take();
    if (key) std::copy(bytes.begin(), bytes.end(), key->edit().begin());
    return key;
}

bool Arena::is_zero() const {
    const std::lock_guard lock(mutex_);
    return sodium_is_zero(memory_, kBytes) == 1;
}

void Arena::give_back(std::uint8_t* slot) {
    sodium_memzero(slot, kSlotBytes);
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
}

HotKey::HotKey(HotKey&& other) noexcept
    : arena_(std::exchange(other.arena_, nullptr)), bytes_(std::exchange(other.bytes_, nullptr)) {}

HotKey& HotKey::operator=(HotKey&& other) noexcept {
    if (this != &other) {
        reset();
        arena_ = std::exchange(other.arena_, nullptr);
        bytes_ = std::exchange(other.bytes_, nullptr);
    }
    return *this;
}

void HotKey::reset() {
    if (bytes_ != nullptr) arena_->give_back(bytes_);
    arena_ = nullptr;
    bytes_ = nullptr;
}

Result<void> harden_process() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(Errc::internal, "core dumps cannot be switched off");
    return {};
}

}  // namespace nimes::agent::container
