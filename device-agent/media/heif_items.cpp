#include "media/heif_items.hpp"

namespace nimes::agent::media {
namespace {

constexpr std::uint64_t kMaxTable = 4U << 20;

// How many bytes the numbers of the table have.
struct Widths {
    int offset, length, base, index;
    [[nodiscard]] bool sound() const {
        for (const auto width : {offset, length, base, index})
            if (width != 0 && width != 4 && width != 8) return false;
        return true;
    }
};

std::uint64_t number(Reader& in, int width) { return width == 8 ? in.u64() : width == 4 ? in.u32() : 0; }

tl::unexpected<Error> unclear() { return fail(Errc::malformed, "it cannot be told where the picture has its data"); }

// One entry, and the places in it.
Result<void> entry(Reader& in, int version, const Widths& widths, std::uint64_t& room,
                   const std::function<Result<void>(ItemPlace)>& add) {
    ItemPlace place;
    place.item = version < 2 ? in.u16() : in.u32();
    const auto method = version == 0 ? 0 : in.u16() & 0xf;
    place.in_idat = method == 1;
    place.known = in.u16() == 0 && method <= 1;
    const auto base = number(in, widths.base);
    const auto extents = in.u16();
    for (int i = 0; i < extents && !in.failed(); ++i) {
        if (room-- == 0) return fail(Errc::too_large, "the file is made of too many parts");
        if (version > 0) number(in, widths.index);
        const auto offset = number(in, widths.offset);
        place.length = number(in, widths.length);
        if (in.failed() || offset > UINT64_MAX - base) return unclear();
        place.from = base + offset;
        if (auto ok = add(place); !ok) return ok;
    }
    return {};
}

}  // namespace

Result<void> each_place(const Boxes& boxes, const Box& iloc, const std::function<Result<void>(ItemPlace)>& add) {
    if (iloc.payload() > kMaxTable) return fail(Errc::too_large, "the file is made of too many parts");
    Bytes table(static_cast<std::size_t>(iloc.payload()));
    if (auto ok = boxes.look(iloc.inside(), table); !ok) return ok;
    Reader in(table);
    const int version = in.u8();
    in.take(3);
    const int first = in.u8(), second = in.u8();
    const Widths widths{first >> 4, first & 0xf, second >> 4, version == 0 ? 0 : second & 0xf};
    if (version > 2 || !widths.sound()) return unclear();
    auto room = std::uint64_t{boxes.limits.places};
    const auto count = version < 2 ? in.u16() : in.u32();
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i)
        if (auto ok = entry(in, version, widths, room, add); !ok) return ok;
    return in.failed() ? Result<void>(unclear()) : Result<void>();
}

}  // namespace nimes::agent::media
