// One box of a film, and the way from one to the next. Private to film_boxes.cpp and side_track.cpp.
#pragma once

#include "media/film_boxes.hpp"

namespace nimes::agent::media {

struct Box {
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    std::uint64_t head = 8;  // 16 where the length has 64 bits
    std::array<char, 4> type{};

    [[nodiscard]] std::uint64_t inside() const { return at + head; }
    [[nodiscard]] std::uint64_t end() const { return at + size; }
    [[nodiscard]] std::uint64_t payload() const { return size - head; }
    [[nodiscard]] bool is(std::string_view name) const { return std::string_view(type.data(), 4) == name; }
};

struct Boxes {
    const Look& look;
    const FilmLimits& limits;
    std::uint64_t size;  // of the file
    std::size_t seen = 0;

    // The one that begins at `at`, of those that end at `end`; nullopt at the end, and where fewer bytes are left than
    // a box has.
    Result<std::optional<Box>> at(std::uint64_t at, std::uint64_t end);
    // The first of that name inside.
    Result<std::optional<Box>> child(const Box& parent, std::string_view name);
    // `N` bytes from that place of its payload.
    template <std::size_t N>
    Result<ByteArray<N>> bytes(const Box& box, std::uint64_t offset) const {
        ByteArray<N> out{};
        if (offset > box.payload() || box.payload() - offset < N)
            return fail(Errc::malformed, "a box of the video is too short");
        if (auto ok = look(box.inside() + offset, out); !ok) return pass(ok);
        return out;
    }
};

// From where to where a box holds samples.
struct Extent {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

// Where the samples of a track lie; `add` is told of each chunk.
Result<void> each_chunk(Boxes& boxes, const Box& track, const std::function<Result<void>(Extent)>& add);

}  // namespace nimes::agent::media
