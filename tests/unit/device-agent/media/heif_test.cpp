// Stills in boxes (HEIC, AVIF): what a phone writes beside the pictures does not leave, and the pictures do, byte for
// byte.
#include "media/heif.hpp"

#include "boxes.hpp"
#include "media/prepare.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

std::string ftyp() { return box("ftyp", "heic" + zeros(4) + "mif1heic"); }
std::string infe(std::uint64_t id, const std::string& type, int version = 2) {
    return box("infe", number(static_cast<std::uint64_t>(version), 1) + zeros(3) + number(id, version == 2 ? 2 : 4) +
                           zeros(2) + type + kSecret + zeros(1) + "application/rdf+xml" + zeros(1));
}

struct Place {
    std::uint64_t item = 0, from = 0, length = 0;
    std::uint64_t method = 0, file = 0, base = 0;
};
std::string iloc(const std::vector<Place>& places, int version = 1, int width = 4) {
    auto out = number(static_cast<std::uint64_t>(version), 1) + zeros(3) +
               number(static_cast<std::uint64_t>(width << 4 | width), 1) +
               number(static_cast<std::uint64_t>(width << 4), 1) + number(places.size(), version < 2 ? 2 : 4);
    for (const auto& one : places) {
        out += number(one.item, version < 2 ? 2 : 4);
        if (version > 0) out += number(one.method, 2);
        out += number(one.file, 2) + number(one.base, width) + number(1, 2) + number(one.from, width) +
               number(one.length, width);
    }
    return box("iloc", out);
}

// A picture (1), its Exif (2) and XMP (3), and bytes that belong to nothing.
struct Phone {
    std::string picture = std::string(40, 'P'), tiles = std::string(8, 'G');
    std::string type = "hvc1", exif_type = "Exif", more_items, more_meta, head = ftyp();
    int version = 1, width = 4, infe_version = 2;
    std::uint64_t primary = 1, exif_method = 0, exif_file = 0;
    // Where they are, after the first byte of mdat's payload.
    std::int64_t picture_from = 24, exif_from = 0, exif_length = 24;

    std::string meta(std::uint64_t data_at) const {
        const auto at = [&](std::int64_t from) { return data_at + static_cast<std::uint64_t>(from); };
        std::vector<Place> places{{1, at(picture_from) - 3, picture.size(), 0, 0, 3},
                                  {2, at(exif_from), static_cast<std::uint64_t>(exif_length), exif_method, exif_file},
                                  {3, at(64), 24}};
        if (version > 0) places.push_back({4, 24, tiles.size(), 1});
        return box(
            "meta",
            zeros(4) + box("hdlr", zeros(8) + "pict" + zeros(12) + kSecret) +
                box("pitm", zeros(4) + number(primary, 2)) +
                box("iinf", zeros(4) + number(4, 2) + infe(1, type, infe_version) + infe(2, exif_type, infe_version) +
                                infe(3, "mime", infe_version) + infe(4, "grid") + more_items) +
                iloc(places, version, width) + box("idat", kSecret + tiles + kSecret) +
                box("iprp", box("ipco", box("irot", number(3, 1)) + box("udes", kSecret) + box("hvcC", "coder")) +
                                box("ipma", zeros(8))) +
                box("iref", zeros(4)) + box("grpl", box("altr", zeros(12)) + box("albc", kSecret)) +
                box("udta", kSecret) + box("xml ", kSecret) + more_meta);
    }
    std::string still(const std::string& tail = "") const {
        const auto data_at = head.size() + meta(0).size() + 8;
        return head + meta(data_at) + box("mdat", kSecret + picture + kSecret + kSecret) + tail;
    }
};

Result<Personal> look_through(const std::string& still, const FilmLimits& limits = {}) {
    return look_through_heif(look_into(still), still.size(), limits);
}
std::string cleaned(const std::string& still) { return without(still, look_through(still).value().omissions); }
Errc refusal(const std::string& still, const FilmLimits& limits = {}) {
    const auto found = look_through(still, limits);
    return found ? Errc::internal : found.error().code;
}
template <class F>
Errc refusal_of(F&& spoil) {
    Phone phone;
    spoil(phone);
    return refusal(phone.still());
}

}  // namespace

TEST_CASE("of a still only the pictures stay, and what showing them needs, and nothing moves") {
    for (const int version : {0, 1, 2})
        for (const int width : {4, 8})
            for (const int infe_version : {2, 3}) {
                Phone phone;
                phone.version = version;
                phone.width = width;
                phone.infe_version = infe_version;
                const auto still = phone.still(box("uuid", kSecret) + box("mpvd", kSecret) + "1234567");
                const auto out = cleaned(still);
                REQUIRE(out.size() == still.size());
                for (const auto* gone : {"GEHEIM", "52.6226", "udta", "uuid", "Exif", "mime", "rdf", "udes", "albc",
                                         "xml ", "mpvd", "1234567"})
                    CHECK_FALSE(has(out, gone));
                for (const auto* kept : {"ftypheic", "hvc1", "pitm", "irot\x03", "hvcCcoder", "ipma", "iref", "altr"})
                    CHECK(has(out, kept));
                CHECK(out.find(phone.picture) == still.find(phone.picture));
                CHECK(has(out, phone.tiles) == (version > 0));
                CHECK(cleaned(out) == out);  // what is clean stays as it is
            }
}

TEST_CASE("a still of which it cannot be told what is in it is refused") {
    const auto still = Phone().still();
    REQUIRE(look_through(still));
    for (std::size_t n = 0; n < still.size(); ++n) REQUIRE(refusal(still.substr(0, n)) == Errc::malformed);
    const auto refused = [](auto&& spoil) { return refusal_of(spoil) == Errc::malformed; };
    CHECK_FALSE(refused([](Phone&) {}));
    CHECK(refused([](Phone& p) { p.type = "jpeg"; }));
    CHECK(refused([](Phone& p) { p.exif_type = "gps "; }));
    CHECK(refused([](Phone& p) { p.primary = 2; }));  // Exif to be shown
    CHECK(refused([](Phone& p) { p.primary = 9; }));
    CHECK(refused([](Phone& p) { p.more_items = infe(1, "Exif"); }));  // a picture and Exif in one
    CHECK(refused([](Phone& p) { p.exif_length = 25; }));              // into the picture
    CHECK(refused([](Phone& p) { p.exif_from = 30; }));
    CHECK(refused([](Phone& p) { p.exif_from = -9; }));       // before the data
    CHECK(refused([](Phone& p) { p.exif_length = 1'000; }));  // behind it
    CHECK(refused([](Phone& p) { p.picture_from = 112; }));
    CHECK(refused([](Phone& p) { p.picture.clear(); }));
    CHECK(refused([](Phone& p) { p.exif_method = 2; }));  // in an item
    CHECK(refused([](Phone& p) { p.exif_file = 1; }));    // in another file
    CHECK(refused([](Phone& p) { p.exif_length = -1, p.width = 8; }));
    for (const auto* twice : {"iinf", "iloc", "pitm", "idat"})
        CHECK(refused([&](Phone& p) { p.more_meta = box(twice, zeros(8)); }));
    CHECK(refused([](Phone& p) { p.head += box("meta", zeros(4)); }));
    CHECK(refused([](Phone& p) { p.head += box("moov", zeros(4)); }));  // a sequence
    CHECK(refused([](Phone& p) { p.version = 3; }));
    CHECK(refused([](Phone& p) { p.width = 3; }));
    CHECK(refused([](Phone& p) { p.infe_version = 1; }));
    FilmLimits few;
    few.boxes = 10;
    CHECK(refusal(still, few) == Errc::too_large);
    few = {};
    few.places = 3;
    CHECK(refusal(still, few) == Errc::too_large);
}

TEST_CASE("stills are told by their first bytes") {
    const auto type = [](const std::string& brand) {
        const auto* found = heif_type(as_bytes(number(24, 4) + "ftyp" + brand));
        return std::string(found == nullptr ? "none" : found);
    };
    CHECK(type("heic") == "image/heic");
    CHECK(type("heix") == "image/heic");
    CHECK(type("mif1") == "image/heif");
    CHECK(type("avif") == "image/avif");
    CHECK(type("isom") == "none");
    CHECK(type("qt  ") == "none");
    CHECK(heif_type(as_bytes("ftypheic")) == nullptr);
}

TEST_CASE("a sequence of pictures is refused with the way on, and goes so") {
    Folder folder;
    for (const std::string brand : {"avis", "hevc", "msf1", "avif"}) {
        INFO(brand);
        const auto file = folder.path / brand;
        const auto sequence = box("ftyp", brand + zeros(4) + brand + "mif1") + box("meta", zeros(4)) +
                              box("moov", box("udta", kSecret)) + box("mdat", "pictures");
        write_file(file, to_bytes(as_bytes(sequence)));
        const auto refused = prepare(file);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::malformed);
        CHECK(has(refused.error().detail, "it is a sequence of pictures"));
        CHECK(has(refused.error().detail, "--as-it-is"));
        const auto whole = prepare(file, Cleaning::none);
        REQUIRE(whole);
        CHECK((!whole->stripped && whole->omissions.empty() && whole->media_type.starts_with("image/")));
    }
}
