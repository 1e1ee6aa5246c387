// Where the samples of a fragment lie (ISO/IEC 14496-12, 8.8): each run by trun, which counts from what tfhd says, or
// from the fragment's begin, or goes on where the run before it ended.
#include <algorithm>

#include "media/film_table.hpp"
#include "media/film_track.hpp"

namespace nimes::agent::media {
namespace {

constexpr std::uint32_t kBase = 0x1, kDescription = 0x2, kDuration = 0x8, kSize = 0x10, kBaseIsFragment = 0x20000;
constexpr std::uint32_t kRunOffset = 0x1, kRunFirstFlags = 0x4, kEachDuration = 0x100, kEachSize = 0x200,
                        kEachFlags = 0x400, kEachTime = 0x800;

struct Header {
    std::uint32_t track = 0;
    std::optional<std::uint64_t> base;
    bool base_is_fragment = false;
    std::optional<std::uint32_t> size;
};

Result<Header> header_of(Boxes& boxes, const Box& tfhd) {
    const auto flags = number_at(boxes, tfhd, 0), track = number_at(boxes, tfhd, 4);
    if (!flags || !track) return unclear();
    Header out{*track, {}, (*flags & kBaseIsFragment) != 0, {}};
    std::uint64_t at = 8;
    if ((*flags & kBase) != 0) {
        const auto read = boxes.bytes<8>(tfhd, at);
        if (!read) return unclear();
        out.base = Reader(*read).u64();
        at += 8;
    }
    at += (*flags & kDescription) != 0 ? 4 : 0;
    at += (*flags & kDuration) != 0 ? 4 : 0;
    if ((*flags & kSize) != 0) {
        const auto read = number_at(boxes, tfhd, at);
        if (!read) return unclear();
        out.size = *read;
    }
    return out;
}

struct Run {
    std::optional<std::int32_t> offset;
    std::uint64_t length = 0;
};

Result<Run> run_of(Boxes& boxes, const Box& trun, const std::optional<std::uint32_t>& size) {
    const auto flags = number_at(boxes, trun, 0), count = number_at(boxes, trun, 4);
    if (!flags || !count) return unclear();
    Run out;
    std::uint64_t at = 8;
    if ((*flags & kRunOffset) != 0) {
        const auto read = number_at(boxes, trun, at);
        if (!read) return unclear();
        out.offset = static_cast<std::int32_t>(*read);
        at += 4;
    }
    at += (*flags & kRunFirstFlags) != 0 ? 4 : 0;
    if ((*flags & kEachSize) == 0) {
        if (!size) return unclear();
        out.length = std::uint64_t{*count} * *size;
        return out;
    }
    const std::uint64_t before = (*flags & kEachDuration) != 0 ? 1 : 0;
    const std::uint64_t fields =
        before + 1 + ((*flags & kEachFlags) != 0 ? 1 : 0) + ((*flags & kEachTime) != 0 ? 1 : 0);
    Table each(boxes, trun, at, 32, *count * fields);
    if (!each.sound()) return unclear();
    for (auto i = before; i < each.count(); i += fields) {
        auto read = each.get(i);
        if (!read) return pass(read);
        out.length += *read;
    }
    return out;
}

// Goes through the parts of a fragment; `goes_on` is where a part begins that does not say it.
struct Fragment {
    Boxes& boxes;
    const Box& moof;
    const DefaultSizes& sizes;
    const FragmentPlaces& add;
    std::uint64_t goes_on = moof.at;

    Result<void> part(const Box& traf) {
        auto tfhd = boxes.child(traf, "tfhd");
        if (!tfhd) return pass(tfhd);
        if (!*tfhd) return unclear();
        auto head = header_of(boxes, **tfhd);
        if (!head) return pass(head);
        if (const auto found = sizes.find(head->track); !head->size && found != sizes.end()) head->size = found->second;
        const auto base = head->base ? *head->base : head->base_is_fragment ? moof.at : goes_on;
        goes_on = base;
        const auto runs = boxes.each(traf, [&](const Box& box) -> Result<void> {
            return box.is("trun") ? run(box, *head, base) : Result<void>();
        });
        return runs ? each_beside(boxes, traf, base, add.beside) : runs;
    }

    Result<void> run(const Box& trun, const Header& head, std::uint64_t base) {
        auto read = run_of(boxes, trun, head.size);
        if (!read) return pass(read);
        auto from = goes_on;
        if (read->offset) {
            const auto distance = static_cast<std::uint64_t>(std::abs(std::int64_t{*read->offset}));
            const bool back = *read->offset < 0;
            if (back ? distance > base : distance > UINT64_MAX - base) return unclear();
            from = back ? base - distance : base + distance;
        }
        if (read->length > UINT64_MAX - from) return unclear();
        goes_on = from + read->length;
        return add.samples(head.track, {from, goes_on});
    }
};

}  // namespace

Result<void> read_defaults(Boxes& boxes, const Box& mvex, DefaultSizes& out) {
    return boxes.each(mvex, [&](const Box& box) -> Result<void> {
        if (!box.is("trex")) return {};
        const auto track = number_at(boxes, box, 4), size = number_at(boxes, box, 16);
        if (!track || !size) return unclear();
        out.emplace(*track, *size);
        return {};
    });
}

Result<void> each_run(Boxes& boxes, const Box& moof, const DefaultSizes& sizes, const FragmentPlaces& add) {
    Fragment fragment{boxes, moof, sizes, add};
    return boxes.each(moof, [&](const Box& box) { return box.is("traf") ? fragment.part(box) : Result<void>(); });
}

}  // namespace nimes::agent::media
