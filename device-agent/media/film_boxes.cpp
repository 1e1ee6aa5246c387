#include "media/film_boxes.hpp"

#include <algorithm>

#include "media/film_box.hpp"

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

bool listed(std::string_view names, const Box& box) {
    for (std::size_t i = 0; i < names.size(); i += 5)
        if (box.is(names.substr(i, 4))) return true;
    return false;
}

const Room& room_of(std::string_view name) { return *std::ranges::find(kRooms, name, &Room::name); }

constexpr std::uint64_t kSecondsTo1970 = 2'082'844'800;  // from 1904, where the format counts from
constexpr std::uint64_t kSecondsTo1990 = kSecondsTo1970 + 631'152'000;
constexpr std::uint64_t kSecondsTo2200 = kSecondsTo1970 + 7'258'118'400;

class Walk {
  public:
    Walk(const Look& look, std::uint64_t size, const FilmLimits& limits)
        : limits_(limits), boxes_{look, limits, size} {}

    Result<Personal> run() {
        Box file;
        file.head = 0;
        file.size = boxes_.size;
        if (auto ok = room(file, room_of("file")); !ok) return pass(ok);
        if (!indexed_) return fail(Errc::malformed, "the video has no index: it was cut, or never finished");
        if (auto ok = empty_side_tracks(); !ok) return pass(ok);
        put_in_order(out_.omissions);
        return std::move(out_);
    }

  private:
    Result<void> omit(Omission one) {
        auto& all = out_.omissions;
        if (one.length == 0) return {};
        if (!all.empty() && one.first == std::array<char, 4>{} && one.at == all.back().at + all.back().length) {
            all.back().length += one.length;
            return {};
        }
        if (all.size() >= limits_.places) return fail(Errc::too_large, "the video is made of too many parts");
        all.push_back(one);
        return {};
    }

    // Its length stays, and nothing else.
    Result<void> set_free(const Box& box) {
        constexpr std::array<char, 4> kFree{'f', 'r', 'e', 'e'};
        const bool wide = box.head > 8;
        if (auto ok = omit({box.at + 4, wide ? 4 : box.size - 4, false, kFree}); !ok || !wide) return ok;
        return omit({box.inside(), box.payload()});
    }

    Result<void> room(const Box& parent, const Room& rules) {
        for (auto at = parent.inside(); at < parent.end();) {
            auto box = boxes_.at(at, parent.end());
            if (!box) return pass(box);
            if (!*box) return omit({at, parent.end() - at});
            if (auto ok = one(**box, rules); !ok) return ok;
            at = (*box)->end();
        }
        return {};
    }

    Result<void> one(const Box& box, const Room& rules) {
        if (box.is("mdat") && rules.name == "file") samples_.push_back({box.inside(), box.end()});
        if (listed(rules.kept, box)) return {};
        if (box.is("moof")) fragmented_ = true;
        if (listed(rules.entered, box)) return room(box, room_of({box.type.data(), 4}));
        if (rules.name == "moov" && box.is("trak")) return track(box);
        if ((rules.name == "moov" && box.is("mvhd")) || (rules.name == "trak" && box.is("tkhd")) ||
            (rules.name == "mdia" && box.is("mdhd")))
            return times(box);
        if ((rules.name == "mdia" || rules.name == "minf") && box.is("hdlr")) return handler(box);
        return set_free(box);
    }

    Result<void> track(const Box& box) {
        auto media = boxes_.child(box, "mdia");
        if (!media) return pass(media);
        std::string_view kind;
        ByteArray<4> type{};
        if (*media) {
            auto handler = boxes_.child(**media, "hdlr");
            if (!handler) return pass(handler);
            if (*handler) {
                auto read = boxes_.bytes<4>(**handler, 8);
                if (!read) return pass(read);
                type = *read;
                kind = as_text(type);
            }
        }
        if (kind == "vide" || kind == "soun") return room(box, room_of("trak"));
        side_tracks_.push_back(box);
        return set_free(box);
    }

    // Creation and modification, of 32 or 64 bits each. The film's own is the time of capture.
    Result<void> times(const Box& box) {
        auto version = boxes_.bytes<1>(box, 0);
        if (!version) return pass(version);
        const bool wide = (*version)[0] == 1;
        auto read = boxes_.bytes<8>(box, 4);
        const auto all = wide ? boxes_.bytes<8>(box, 12) : read;
        if (!read || !all) return fail(Errc::malformed, "a box of the video is too short");
        if (box.is("mvhd")) {
            indexed_ = true;
            Reader in(*read);
            const auto seconds = wide ? in.u64() : in.u32();
            if (seconds > kSecondsTo1990 && seconds < kSecondsTo2200)
                out_.captured = static_cast<Millis>(seconds - kSecondsTo1970) * kSecond;
        }
        return omit({box.inside() + 4, wide ? 16U : 8U});
    }

    // Behind the type: a maker's code and a name.
    Result<void> handler(const Box& box) {
        constexpr std::uint64_t kType = 12;
        if (box.payload() < kType) return fail(Errc::malformed, "a box of the video is too short");
        return omit({box.inside() + kType, box.payload() - kType});
    }

    Result<void> empty_side_tracks() {
        if (side_tracks_.empty()) return {};
        if (fragmented_)
            return fail(Errc::malformed, "a track of the video is neither picture nor sound, and lies in fragments");
        for (const auto& track : side_tracks_) {
            const auto emptied = each_chunk(boxes_, track, [this](Extent chunk) -> Result<void> {
                auto after = std::ranges::upper_bound(samples_, chunk.from, {}, &Extent::from);
                if (after == samples_.begin() || chunk.to > (--after)->to)
                    return fail(Errc::malformed, "data of a track lies outside the video's data");
                return omit({chunk.from, chunk.to - chunk.from});
            });
            if (!emptied) return emptied;
        }
        return {};
    }

    const FilmLimits& limits_;
    Boxes boxes_;
    Personal out_;
    std::vector<Extent> samples_;  // in order
    std::vector<Box> side_tracks_;
    bool indexed_ = false, fragmented_ = false;
};

}  // namespace

bool is_film(ByteView head, std::uint64_t size) {
    if (head.size() < 12) return false;
    const auto text = as_text(head);
    const auto type = text.substr(4, 4), brand = text.substr(8, 4);
    if (type == "ftyp")
        return !(brand.starts_with("hei") || brand.starts_with("hev") || brand == "avif" || brand == "avis" ||
                 brand == "mif1" || brand == "msf1");
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

Result<std::optional<Box>> Boxes::at(std::uint64_t at, std::uint64_t end) {
    if (end - at < 8) return std::optional<Box>{};
    if (++seen > limits.boxes) return fail(Errc::too_large, "the video is made of too many parts");
    ByteArray<8> head{};
    if (auto ok = look(at, head); !ok) return pass(ok);
    Box out;
    out.at = at;
    Reader in(head);
    out.size = in.u32();
    std::ranges::copy(as_text(head).substr(4), out.type.begin());
    if (out.size == 1) {
        if (end - at < 16) return fail(Errc::malformed, "a box of the video is too short");
        if (auto ok = look(at + 8, head); !ok) return pass(ok);
        out.size = Reader(head).u64();
        out.head = 16;
    } else if (out.size == 0 && end == size) {  // up to the file's end
        out.size = end - at;
    }
    if (out.size < out.head || out.size > end - at)
        return fail(Errc::malformed, "a part of the video does not end where it should: it was cut, or is damaged");
    return std::optional(out);
}

Result<std::optional<Box>> Boxes::child(const Box& parent, std::string_view name) {
    for (auto next = parent.inside(); next < parent.end();) {
        auto box = at(next, parent.end());
        if (!box || !*box || (*box)->is(name)) return box;
        next = (*box)->end();
    }
    return std::optional<Box>{};
}

}  // namespace nimes::agent::media
