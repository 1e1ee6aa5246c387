#include "engine/flight_recorder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <map>

#include "nimes/crypto.hpp"

namespace nimes::agent::engine {
namespace {

// number u64 | at u64 | what u8 | cause u8 | code u16 | value u32 | SHA-256 of these [0:8]
constexpr std::size_t kSlot = 32;
constexpr std::size_t kBody = 24;

Bytes encode(std::uint64_t number, const FlightEvent& e) {
    Writer out;
    out.u64(number).u64(e.at).u8(static_cast<std::uint8_t>(e.what)).u8(e.cause).u16(e.code).u32(e.value);
    const auto check = sha256({out.view()});
    return std::move(out.bytes(check.view().first(kSlot - kBody))).take();
}

// 0: an empty or a torn one.
std::uint64_t decode(ByteView slot, FlightEvent& e) {
    const auto check = sha256({slot.first(kBody)});
    if (!std::equal(slot.begin() + kBody, slot.end(), check.view().begin())) return 0;
    Reader in(slot);
    const auto number = in.u64();
    e.at = in.u64();
    e.what = static_cast<Flight>(in.u8());
    e.cause = in.u8();
    e.code = in.u16();
    e.value = in.u32();
    return number;
}

}  // namespace

FlightRecorder::~FlightRecorder() {
    if (file_ >= 0) ::close(file_);
}

void FlightRecorder::open(const std::filesystem::path& home) {
    const std::lock_guard lock(mutex_);
    if (file_ >= 0) return;
    file_ = ::open((home / "flight").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) return;
    Bytes all(kEvents * kSlot);
    const auto got = ::pread(file_, all.data(), all.size(), 0);
    if (got < static_cast<ssize_t>(all.size()) && ::posix_fallocate(file_, 0, static_cast<off_t>(all.size())) != 0) {
        ::close(file_);
        file_ = -1;
    }
    std::map<std::uint64_t, FlightEvent> found;
    for (std::size_t i = 0; i < kEvents; ++i) {
        FlightEvent event;
        if (const auto number = decode(ByteView(all).subspan(i * kSlot, kSlot), event); number != 0)
            found.emplace(number, event);
    }
    if (!found.empty()) next_ = found.rbegin()->first + 1;
    const std::deque<FlightEvent> noted = std::move(events_);  // before there was a file
    events_.clear();
    for (const auto& [number, event] : found) events_.push_back(event);
    for (const auto& event : noted) write(event);
}

void FlightRecorder::note(const FlightEvent& event) {
    const std::lock_guard lock(mutex_);
    write(event);
}

void FlightRecorder::write(const FlightEvent& event) {
    events_.push_back(event);
    if (events_.size() > kEvents) events_.pop_front();
    const auto slot = encode(next_, event);
    const auto at = static_cast<off_t>(next_++ % kEvents * kSlot);
    if (file_ >= 0 && ::pwrite(file_, slot.data(), slot.size(), at) != static_cast<ssize_t>(slot.size())) {
        ::close(file_);
        file_ = -1;
    }
}

std::vector<FlightEvent> FlightRecorder::events() const {
    const std::lock_guard lock(mutex_);
    return {events_.begin(), events_.end()};
}

}  // namespace nimes::agent::engine
