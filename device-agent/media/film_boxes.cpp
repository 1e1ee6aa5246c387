#include "media/film_boxes.hpp"

#include <algorithm>
#include <set>

#include "media/film_box.hpp"
#include "media/film_data.hpp"
#include "media/heif.hpp"

namespace nimes::agent::media {
namespace {

// Of the boxes in one: those that stay as they are, and those whose boxes are gone through in turn.
struct Room {
    std::string_view name, kept, entered;
};
constexpr Room kRooms[] = {
    {"file", "ftyp styp sidx ssix mdat mfra", "moov moof"},
    {"moov", "iods pssh mvex", ""},
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
    Walk(const Look& look, std::uint64_t size, const FilmLimits& limits)
        : walk_{{look, limits, size}, {}}, data_(limits.chunks) {}

    Result<Personal> run() {
        if (auto ok = room(walk_.boxes.file(), room_of("file")); !ok) return pass(ok);
        if (!indexed_) return fail(Errc::malformed, "the video has no index: it was cut, or never finished");
        if (auto ok = empty_the_rest(); !ok) return pass(ok);
        put_in_order(walk_.out.omissions);
        return std::move(walk_.out);
    }

  private:
    Result<void> room(const Box& parent, const Room& rules) {
        return walk_.each(parent, [&](const Box& box) { return one(box, rules); });
    }

    Result<void> one(const Box& box, const Room& rules) {
        if (rules.name == "file" && box.is("mdat")) data_.box({box.inside(), box.end()});
        if (rules.name == "file" && box.is("moof")) fragments_.push_back(box.at);
        if (rules.name == "file" && box.is("imda"))
            return fail(Errc::malformed, "the video has data in parts whose places are not known here");
        if (rules.name == "moov" && box.is("mvex"))
            if (auto ok = read_defaults(walk_.boxes, box, sizes_); !ok) return ok;
        if (box.is_of(rules.kept)) return {};
        if (box.is_of(rules.entered)) return room(box, room_of({box.type.data(), 4}));
        if (rules.name == "moov" && box.is("trak")) return track(box);
        if (rules.name == "trak" && box.is("tkhd"))
            if (auto ok = number(box); !ok) return ok;
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
        if (kind == "vide" || kind == "soun") {
            kept_tracks_.push_back({box, kind == "soun"});
            return room(box, room_of("trak"));
        }
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

    // Of a track that is kept: fragments name it by its number.
    Result<void> number(const Box& tkhd) {
        auto version = walk_.boxes.bytes<1>(tkhd, 0);
        if (!version) return pass(version);
        auto read = walk_.boxes.bytes<4>(tkhd, (*version)[0] == 1 ? 20 : 12);
        if (!read) return pass(read);
        numbers_.insert(Reader(*read).u32());
        return {};
    }

    Result<void> empty_the_rest() {
        if (!side_tracks_.empty() && !fragments_.empty())
            return fail(Errc::malformed, "a track of the video is neither picture nor sound, and lies in fragments");
        if (auto ok = keep_tracks(); !ok) return ok;
        if (auto ok = keep_fragments(); !ok) return ok;
        for (const auto& box : side_tracks_) {
            auto ok =
                each_chunk(walk_.boxes, box, false, [this](const Chunk& chunk) { return data_.leave(chunk.sure); });
            if (!ok) return ok;
        }
        return data_.each_other([this](Extent other) { return walk_.omit({other.from, other.to - other.from}); });
    }

    Result<void> keep_tracks() {
        for (const auto& [box, sound] : kept_tracks_) {
            auto ok = each_chunk(walk_.boxes, box, sound, [this](const Chunk& chunk) { return data_.keep(chunk); });
            if (ok) ok = each_beside(walk_.boxes, box, [this](std::uint64_t at) { return data_.keep_from(at); });
            if (!ok) return ok;
        }
        return {};
    }

    Result<void> keep_fragments() {
        const FragmentPlaces keep{[this](std::uint32_t track, Extent run) {
                                      return numbers_.contains(track) ? data_.keep({run, run.to}) : Result<void>();
                                  },
                                  [this](std::uint64_t at) { return data_.keep_from(at); }};
        for (const auto at : fragments_) {
            auto moof = walk_.boxes.at(at, walk_.boxes.size);
            if (!moof) return pass(moof);
            if (auto ok = each_run(walk_.boxes, **moof, sizes_, keep); !ok) return ok;
        }
        return {};
    }

    struct Kept {
        Box box;
        bool sound;
    };
    BoxWalk walk_;
    FilmData data_;
    std::vector<Kept> kept_tracks_;
    std::vector<Box> side_tracks_;
    std::vector<std::uint64_t> fragments_;
    std::set<std::uint32_t> numbers_;  // of tracks that are kept
    DefaultSizes sizes_;
    bool indexed_ = false;
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
