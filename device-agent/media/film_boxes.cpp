#include "media/film_boxes.hpp"

#include <algorithm>

#include "media/film_box.hpp"
#include "media/heif.hpp"

namespace nimes::agent::media {
namespace {

// Of the boxes in one: those that stay as they are, and those whose boxes are gone through in turn.
struct Room {
    std::string_view name, kept, entered;
};
constexpr Room kRooms[] = {
    {"file", "ftyp styp sidx ssix mdat imda mfra", "moov moof"},
    {"moov", "mvex iods pssh", ""},
    {"trak", "edts tapt", "mdia"},
    {"mdia", "elng", "minf"},
    {"minf", "vmhd smhd nmhd gmhd dinf", "stbl"},
    {"stbl", "stsd stts ctts cslg stss stsh stsz stz2 stsc stco co64 padb stdp sdtp sbgp sgpd subs saiz saio stps", ""},
    {"moof", "mfhd pssh", "traf"},
    {"traf", "tfhd tfdt trun sdtp sbgp sgpd subs saiz saio senc", ""},
};

const Room& room_of(std::string_view name) { return *std::ranges::find(kRooms, name, &Room::name); }

constexpr std::uint64_t kSecondsTo1970 = 2'082'844'800;  // from 1904, where the format counts from
constexpr std::uint64_t kSecondsTo1990 = kSecondsTo1970 + 631'152'000;
constexpr std::uint64_t kSecondsTo2200 = kSecondsTo1970 + 7'258'118'400;

class Walk {
  public:
    Walk(const Look& look, std::uint64_t size, const FilmLimits& limits) : walk_{{look, limits, size}, {}} {}

    Result<Personal> run() {
        if (auto ok = room(walk_.boxes.file(), room_of("file")); !ok) return pass(ok);
        if (!indexed_) return fail(Errc::malformed, "the video has no index: it was cut, or never finished");
        if (auto ok = empty_side_tracks(); !ok) return pass(ok);
        put_in_order(walk_.out.omissions);
        return std::move(walk_.out);
    }

  private:
    Result<void> room(const Box& parent, const Room& rules) {
        return walk_.each(parent, [&](const Box& box) { return one(box, rules); });
    }

    Result<void> one(const Box& box, const Room& rules) {
        if (box.is("mdat") && rules.name == "file") samples_.push_back({box.inside(), box.end()});
        if (box.is_of(rules.kept)) return {};
        if (box.is("moof")) fragmented_ = true;
        if (box.is_of(rules.entered)) return room(box, room_of({box.type.data(), 4}));
        if (rules.name == "moov" && box.is("trak")) return track(box);
        if ((rules.name == "moov" && box.is("mvhd")) || (rules.name == "trak" && box.is("tkhd")) ||
            (rules.name == "mdia" && box.is("mdhd")))
            return times(box);
        if ((rules.name == "mdia" || rules.name == "minf") && box.is("hdlr")) return walk_.hide_handler(box);
        return walk_.set_free(box);
    }

    Result<void> track(const Box& box) {
        auto media = walk_.boxes.child(box, "mdia");
        if (!media) return pass(media);
        std::string_view kind;
        ByteArray<4> type{};
        if (*media) {
            auto handler = walk_.boxes.child(**media, "hdlr");
            if (!handler) return pass(handler);
            if (*handler) {
                auto read = walk_.boxes.bytes<4>(**handler, 8);
                if (!read) return pass(read);
                type = *read;
                kind = as_text(type);
            }
        }
        if (kind == "vide" || kind == "soun") return room(box, room_of("trak"));
        side_tracks_.push_back(box);
        return walk_.set_free(box);
    }

    // Creation and modification, of 32 or 64 bits each. The film's own is the time of capture.
    Result<void> times(const Box& box) {
        auto version = walk_.boxes.bytes<1>(box, 0);
        if (!version) return pass(version);
        const bool wide = (*version)[0] == 1;
        auto read = walk_.boxes.bytes<8>(box, 4);
        const auto all = wide ? walk_.boxes.bytes<8>(box, 12) : read;
        if (!read || !all) return fail(Errc::malformed, "a box of the video is too short");
        if (box.is("mvhd")) {
            indexed_ = true;
            Reader in(*read);
            const auto seconds = wide ? in.u64() : in.u32();
            if (seconds > kSecondsTo1990 && seconds < kSecondsTo2200)
                walk_.out.captured = static_cast<Millis>(seconds - kSecondsTo1970) * kSecond;
        }
        return walk_.omit({box.inside() + 4, wide ? 16U : 8U});
    }

    Result<void> empty_side_tracks() {
        if (side_tracks_.empty()) return {};
        if (fragmented_)
            return fail(Errc::malformed, "a track of the video is neither picture nor sound, and lies in fragments");
        for (const auto& track : side_tracks_) {
            const auto emptied = each_chunk(walk_.boxes, track, [this](Extent chunk) -> Result<void> {
                auto after = std::ranges::upper_bound(samples_, chunk.from, {}, &Extent::from);
                if (after == samples_.begin() || chunk.to > (--after)->to)
                    return fail(Errc::malformed, "data of a track lies outside the video's data");
                return walk_.omit({chunk.from, chunk.to - chunk.from});
            });
            if (!emptied) return emptied;
        }
        return {};
    }

    BoxWalk walk_;
    std::vector<Extent> samples_;  // in order
    std::vector<Box> side_tracks_;
    bool indexed_ = false, fragmented_ = false;
};

}  // namespace

bool is_film(ByteView head, std::uint64_t size) {
    if (head.size() < 12) return false;
    const auto type = as_text(head).substr(4, 4);
    if (type == "ftyp") return !is_heif(head);
    // QuickTime before 2001. A text may have these letters there, but not such a length before them.
    Reader in(head);
    const auto length = in.u32();
    const bool fits = length == 1 || (length >= 8 && length <= size);
    constexpr std::string_view kOld[] = {"moov", "mdat", "wide", "free", "skip", "pnot"};
    return fits && std::ranges::find(kOld, type) != std::end(kOld);
}

Result<Personal> look_through_film(const Look& look, std::uint64_t size, const FilmLimits& limits) {
    return Walk(look, size, limits).run();
}

}  // namespace nimes::agent::media
