// The numbers of a table in a box of a film, read through a small window. Private to film_*.cpp.
#pragma once

#include <algorithm>

#include "media/film_box.hpp"

namespace nimes::agent::media {

class Table {
  public:
    // `bits` of each number: 4, 8, 16, 32 or 64.
    Table(Boxes& boxes, const Box& box, std::uint64_t offset, std::uint64_t bits, std::uint64_t count)
        : boxes_(boxes), from_(box.inside() + offset), bits_(bits), count_(count) {
        sound_ = offset <= box.payload() && count <= boxes.limits.entries && bytes() <= box.payload() - offset;
    }
    // False: it has more numbers than its box has place for, or than the limit.
    [[nodiscard]] bool sound() const { return sound_; }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    // Of a sound one, below count().
    Result<std::uint64_t> get(std::uint64_t index) {
        const auto at = index * bits_ / 8, width = std::max<std::uint64_t>(1, bits_ / 8);
        if (window_.empty() || at < begins_ || at + width > begins_ + window_.size()) {
            begins_ = at;
            window_.resize(static_cast<std::size_t>(std::min(kWindow, bytes() - at)));
            if (auto ok = boxes_.look(from_ + at, window_); !ok) return pass(ok);
        }
        std::uint64_t out = 0;
        for (const auto byte : ByteView(window_).subspan(at - begins_, width)) out = out << 8 | byte;
        if (bits_ == 4) out = index % 2 == 0 ? out >> 4 : out & 0xf;
        return out;
    }

  private:
    static constexpr std::uint64_t kWindow = 4'096;
    [[nodiscard]] std::uint64_t bytes() const { return (count_ * bits_ + 7) / 8; }

    Boxes& boxes_;
    std::uint64_t from_, bits_, count_, begins_ = 0;
    bool sound_ = false;
    Bytes window_;
};

// Of 32 bits, at that place of a box's payload.
inline Result<std::uint32_t> number_at(const Boxes& boxes, const Box& box, std::uint64_t offset) {
    auto read = boxes.bytes<4>(box, offset);
    if (!read) return pass(read);
    return Reader(*read).u32();
}

inline tl::unexpected<Error> unclear() {
    return fail(Errc::malformed, "it cannot be told where a track of the video has its data");
}

}  // namespace nimes::agent::media
