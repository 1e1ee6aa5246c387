// One box of a film or of a HEIF still, the way from one to the next, and how one is emptied. Private to
// film_*.cpp and heif*.cpp.
#pragma once

#include "media/film_boxes.hpp"

namespace nimes::agent::media {

struct Box {
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    std::uint64_t head = 8;  // 16 where the length has 64 bits
    FourLetters type{};

    [[nodiscard]] std::uint64_t inside() const { return at + head; }
    [[nodiscard]] std::uint64_t end() const { return at + size; }
    [[nodiscard]] std::uint64_t payload() const { return size - head; }
    [[nodiscard]] bool is(std::string_view name) const { return std::string_view(type.data(), 4) == name; }
    [[nodiscard]] bool is_of(std::string_view names) const { return is_one_of(type, names); }
};

struct Boxes {
    const Look& look;
    const FilmLimits& limits;
    std::uint64_t size;  // of the file
    std::size_t seen = 0;

    // All of it, as if it were a box without head.
    [[nodiscard]] Box file() const { return {0, size, 0, {}}; }
    // The one that begins at `at`, of those that end at `end`; nullopt at the end, and where fewer bytes are left than
    // a box has.
    Result<std::optional<Box>> at(std::uint64_t at, std::uint64_t end);
    // The first of that name inside.
    Result<std::optional<Box>> child(const Box& parent, std::string_view name);
    // Of each box inside; what is too short for one is passed over.
    Result<void> each(const Box& parent, const std::function<Result<void>(const Box&)>& one);
    // `N` bytes from that place of its payload.
    template <std::size_t N>
    Result<ByteArray<N>> bytes(const Box& box, std::uint64_t offset) const {
        ByteArray<N> out{};
        if (offset > box.payload() || box.payload() - offset < N)
            return fail(Errc::malformed, "a box of the file is too short");
        if (auto ok = look(box.inside() + offset, out); !ok) return pass(ok);
        return out;
    }
};

// Goes through boxes, and notes what of them does not leave.
struct BoxWalk {
    static constexpr std::array<char, 4> kFree{'f', 'r', 'e', 'e'};

    Boxes boxes;
    Personal out;

    Result<void> omit(Omission one);
    // Its length stays, and nothing else.
    Result<void> set_free(const Box& box);
    // Of a handler what is behind the type: a maker's code and a name.
    Result<void> hide_handler(const Box& box);
    // Of each box inside; what is too short for one is omitted.
    Result<void> each(const Box& parent, const std::function<Result<void>(const Box&)>& one);
};

// From where to where a file holds data of a track or an item.
struct Extent {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

}  // namespace nimes::agent::media
