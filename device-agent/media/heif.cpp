#include "media/heif.hpp"

#include <algorithm>
#include <map>

#include "media/heif_items.hpp"

namespace nimes::agent::media {
namespace {

// Pictures, and those made of others: tiles, overlays, one turned, one with a map of its brightness.
constexpr std::string_view kPictures = "hvc1 lhv1 hvt1 av01 avc1 vvc1 unci mski grid iden iovl tmap";
// What is said of pictures. `free` are those that were emptied before.
constexpr std::string_view kSaid = "Exif mime uri  free";
constexpr std::string_view kProperties =
    "hvcC lhvC av1C avcC vvcC uncC cmpd cmpC icef mskC ispe pixi colr pasp irot imir clap auxC rloc lsel oinf tols "
    "a1op a1lx clli mdcv cclv amve ndwt reve iscl rrtp";

constexpr std::uint64_t kMaxExif = 1U << 20;

struct Item {
    bool picture = true;
    bool exif = false;
};

class Still {
  public:
    Still(const Look& look, std::uint64_t size, const FilmLimits& limits) : walk_{{look, limits, size}, {}} {}

    Result<Personal> run() {
        if (auto ok = walk_.each(walk_.boxes.file(), [this](const Box& box) { return in_file(box); }); !ok)
            return pass(ok);
        if (!meta_ || !items_box_ || !places_box_ || !primary_)
            return fail(Errc::malformed, "the picture has no index: it was cut, or is damaged");
        if (auto ok = judge_primary(); !ok) return pass(ok);
        if (auto ok = each_place(walk_.boxes, *places_box_, [this](ItemPlace place) { return sort(place); }); !ok)
            return pass(ok);
        if (auto ok = empty_the_rest(); !ok) return pass(ok);
        if (auto ok = read_exif(); !ok) return pass(ok);
        put_in_order(walk_.out.omissions);
        return std::move(walk_.out);
    }

  private:
    static Result<void> once(std::optional<Box>& slot, const Box& box) {
        if (slot) return fail(Errc::malformed, "a box of the picture is there twice");
        slot = box;
        return {};
    }

    Result<void> in_file(const Box& box) {
        if (box.is("ftyp")) return {};
        if (box.is("mdat")) {
            data_.push_back({box.inside(), box.end()});
            return {};
        }
        if (box.is_of("moov moof")) return fail(Errc::malformed, "it is a sequence of pictures");
        if (!box.is("meta")) return walk_.set_free(box);
        if (auto ok = once(meta_, box); !ok) return ok;
        auto inner = behind(box, 4);  // version, flags
        return inner ? walk_.each(*inner, [this](const Box& one) { return in_meta(one); }) : pass(inner);
    }

    static Result<Box> behind(Box box, std::uint64_t head) {
        if (box.payload() < head) return fail(Errc::malformed, "a box of the picture is too short");
        box.head += head;
        return box;
    }

    Result<void> in_meta(const Box& box) {
        if (box.is_of("iref dinf")) return {};
        if (box.is("hdlr")) return walk_.hide_handler(box);
        if (box.is("pitm")) return once(primary_, box);
        if (box.is("iloc")) return once(places_box_, box);
        if (box.is("iinf")) return items(box);
        if (box.is("iprp")) return walk_.each(box, [this](const Box& one) { return in_properties(one); });
        if (box.is("grpl")) return only(box, "altr ster");
        if (!box.is("idat")) return walk_.set_free(box);
        if (auto ok = once(idat_, box); !ok) return ok;
        data_.push_back({box.inside(), box.end()});
        return {};
    }

    Result<void> only(const Box& parent, std::string_view kept) {
        return walk_.each(parent,
                          [&](const Box& box) { return box.is_of(kept) ? Result<void>() : walk_.set_free(box); });
    }
    // A place in ipco is a number elsewhere, so one that is emptied stays.
    Result<void> in_properties(const Box& box) {
        if (box.is("ipma")) return {};
        return box.is("ipco") ? only(box, kProperties) : walk_.set_free(box);
    }

    Result<void> items(const Box& box) {
        if (auto ok = once(items_box_, box); !ok) return ok;
        auto version = walk_.boxes.bytes<1>(box, 0);
        if (!version) return pass(version);
        auto inner = behind(box, (*version)[0] == 0 ? 6 : 8);
        if (!inner) return pass(inner);
        return walk_.each(*inner, [this](const Box& one) { return one.is("infe") ? item(one) : walk_.set_free(one); });
    }

    // Version, flags, number, protection, type, name; of `mime` and `uri ` one more name.
    Result<void> item(const Box& box) {
        auto head = walk_.boxes.bytes<8>(box, 0);
        if (!head) return pass(head);
        Reader in(*head);
        const int version = in.u8();
        if (version != 2 && version != 3) return fail(Errc::malformed, "the picture's parts have no kinds");
        in.take(3);
        const auto id = version == 2 ? in.u16() : in.u32();
        const std::uint64_t type_at = version == 2 ? 8 : 10;
        auto name = walk_.boxes.bytes<4>(box, type_at);
        if (!name) return pass(name);
        Box kind;
        std::ranges::copy(as_text(*name), kind.type.begin());
        const bool picture = kind.is_of(kPictures);
        if (!picture && !kind.is_of(kSaid))
            return fail(Errc::malformed, "a part of the picture is of a kind that is not known here");
        auto& noted = items_[id];
        noted.picture = noted.picture && picture;
        noted.exif = noted.exif || kind.is("Exif");
        const auto at = box.inside() + type_at;
        return picture ? walk_.omit({at + 4, box.end() - at - 4})
                       : walk_.omit({at, box.end() - at, false, BoxWalk::kFree});
    }

    Result<void> judge_primary() {
        auto version = walk_.boxes.bytes<1>(*primary_, 0);
        auto narrow = walk_.boxes.bytes<2>(*primary_, 4);
        if (!version || !narrow) return fail(Errc::malformed, "a box of the picture is too short");
        std::uint32_t id = Reader(*narrow).u16();
        if ((*version)[0] != 0) {
            auto wide = walk_.boxes.bytes<4>(*primary_, 4);
            if (!wide) return pass(wide);
            id = Reader(*wide).u32();
        }
        const auto found = items_.find(id);
        if (found == items_.end() || !found->second.picture)
            return fail(Errc::malformed, "what it is to show is of a kind that is not known here");
        return {};
    }

    Result<void> sort(ItemPlace place) {
        const auto found = items_.find(place.item);
        const bool picture = found != items_.end() && found->second.picture;
        if (place.length == 0 && !picture) return {};
        if (!place.known || place.length == 0 || (place.in_idat && !idat_))
            return fail(Errc::malformed, "data of the picture lies in another place than its file's data");
        const auto begin = place.in_idat ? idat_->inside() : 0;
        if (place.from > UINT64_MAX - begin || place.length > UINT64_MAX - begin - place.from)
            return fail(Errc::malformed, "data of the picture lies beyond its end");
        const Extent extent{begin + place.from, begin + place.from + place.length};
        auto after = std::ranges::upper_bound(data_, extent.from, {}, &Extent::from);
        if (after == data_.begin() || extent.to > (--after)->to)
            return fail(Errc::malformed, "data of the picture lies in another place than its file's data");
        (picture ? pictures_ : said_).push_back(extent);
        if (!picture && found != items_.end() && found->second.exif) exif_.push_back(extent);
        return {};
    }

    Result<void> empty_the_rest() {
        std::ranges::sort(pictures_, {}, &Extent::from);
        std::ranges::sort(said_, {}, &Extent::from);
        auto said = said_.begin();
        auto picture = pictures_.begin();
        for (const auto& data : data_) {
            auto at = data.from;
            for (; picture != pictures_.end() && picture->from < data.to; ++picture) {
                for (; said != said_.end() && said->to <= picture->from; ++said) {
                }
                if (said != said_.end() && said->from < picture->to)
                    return fail(Errc::malformed, "a picture and what is said of it lie in one place");
                if (picture->from > at)
                    if (auto ok = walk_.omit({at, picture->from - at}); !ok) return ok;
                at = std::max(at, picture->to);
            }
            if (auto ok = walk_.omit({at, data.to - at}); !ok) return ok;
        }
        return {};
    }

    // Four bytes say how many more are before it (ISO/IEC 23008-12, annex A).
    Result<void> read_exif() {
        Bytes all;
        for (const auto& extent : exif_) {
            if (extent.to - extent.from > kMaxExif - all.size()) return {};
            const auto had = all.size();
            all.resize(had + static_cast<std::size_t>(extent.to - extent.from));
            if (auto ok = walk_.boxes.look(extent.from, std::span(all).subspan(had)); !ok) return ok;
        }
        Reader in(all);
        in.take(in.u32());
        if (in.failed() || in.left() == 0) return {};
        walk_.out.exif = Bytes{'E', 'x', 'i', 'f', 0, 0};
        const auto tiff = in.take(in.left());
        walk_.out.exif.insert(walk_.out.exif.end(), tiff.begin(), tiff.end());
        return {};
    }

    BoxWalk walk_;
    std::optional<Box> meta_, items_box_, places_box_, primary_, idat_;
    std::map<std::uint32_t, Item> items_;
    std::vector<Extent> data_;  // in order
    std::vector<Extent> pictures_, said_, exif_;
};

}  // namespace

const char* heif_type(ByteView head) {
    if (head.size() < 12 || as_text(head).substr(4, 4) != "ftyp") return nullptr;
    const auto brand = as_text(head).substr(8, 4);
    if (brand == "avif" || brand == "avis") return "image/avif";
    if (brand.starts_with("hei") || brand.starts_with("hev")) return "image/heic";
    constexpr std::string_view kOthers[] = {"mif1", "mif2", "msf1", "miaf", "MiHB", "MiHE", "MA1B", "MA1A"};
    return std::ranges::find(kOthers, brand) != std::end(kOthers) ? "image/heif" : nullptr;
}

Result<Personal> look_through_heif(const Look& look, std::uint64_t size, const FilmLimits& limits) {
    return Still(look, size, limits).run();
}

}  // namespace nimes::agent::media
