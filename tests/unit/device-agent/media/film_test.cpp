// Films: what cameras and programs write beside picture and sound does not leave. (Data: film_data_test.cpp.)
#include "media/film_boxes.hpp"

#include "films.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

// Picture in one chunk of 40 bytes, and a track of another kind with chunks of its own between.
struct Camera {
    std::string picture = std::string(40, 'P'), before = ftyp();
    std::string film(const std::string& kind, bool index_first = false, bool wide = false) const {
        const std::string data = kSecret + picture + kSecret;
        const auto length = std::string(kSecret).size();
        const auto index = [&](std::uint64_t data_at) {
            return box("moov", mvhd() + trak("vide", {{data_at + length}, stsc(1), stsz(40, 1), wide}) +
                                   trak(kind, {{data_at, data_at + length + 40}, stsc(1), stsz(length, 2), wide}));
        };
        const auto mdat = wide ? wide_box("mdat", data) : box("mdat", data);
        const auto head = mdat.size() - data.size();
        if (!index_first) return before + mdat + index(before.size() + head);
        return before + index(before.size() + index(0).size() + head) + mdat;
    }
};

}  // namespace

TEST_CASE("boxes that no player needs are emptied wherever they stand, and nothing moves") {
    const std::string inside =
        trak("vide", {{}, stsc(1), stsz(0, 0)}, box("udta", box("\xa9xyz", kSecret)) + box("meta", kSecret));
    const std::string film = ftyp() + box("uuid", kSecret) + box("free", kSecret) + wide_box("meta", kSecret) +
                             box("moov", mvhd() + box("udta", box("loci", kSecret)) + inside + box("meta", kSecret) +
                                             wide_box("XMP_", kSecret)) +
                             box("mdat", kSecret) +
                             box("moof", box("mfhd", zeros(8)) + box("udta", kSecret) +
                                             box("traf", box("tfhd", zeros(8)) + box("uuid", kSecret))) +
                             box("ilst", kSecret);
    for (const auto& tail : {std::string(), std::string("1234567"), number(0, 4) + "skip" + kSecret}) {
        const auto out = cleaned(film + tail);
        REQUIRE(out.size() == film.size() + tail.size());
        CHECK_FALSE(has(out, "GEHEIM"));
        CHECK_FALSE(has(out, "52.6226"));
        CHECK_FALSE(has(out, "udta"));
        CHECK_FALSE(has(out, "1234567"));
        for (const auto* kept : {"ftypisom", "mvhd", "trak", "tkhd", "mdat", "stsz", "mfhd", "tfhd", "vide"})
            CHECK(has(out, kept));
        CHECK(cleaned(out) == out);  // what is clean stays as it is
    }
}

TEST_CASE("the time of capture is the film's own, and is not left in it") {
    const auto film = Camera().film("soun");
    const auto found = look_through(film).value();
    CHECK(found.captured == Millis{1'795'442'706'000});
    CHECK(has(film, number(kMade, 4)));
    CHECK_FALSE(has(cleaned(film), number(kMade, 4)));
    const std::string wide =
        ftyp() + box("moov", box("mvhd", number(1, 1) + zeros(3) + number(kMade, 8) + number(kMade, 8) + zeros(92)));
    CHECK(look_through(wide)->captured == Millis{1'795'442'706'000});
    CHECK_FALSE(has(cleaned(wide), number(kMade, 4)));
    for (const std::uint64_t never :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{UINT64_MAX}, std::uint64_t{2'082'844'800}})
        CHECK_FALSE(
            look_through(ftyp() + box("moov", box("mvhd", number(1, 1) + zeros(3) + number(never, 8) + zeros(104))))
                ->captured);
}

TEST_CASE("a track that is neither picture nor sound goes with its samples") {
    for (const bool index_first : {false, true})
        for (const bool wide : {false, true})
            for (const auto* kind : {"meta", "text", "sbtl", "gpmd", "tmcd"}) {
                const auto film = Camera().film(kind, index_first, wide);
                const auto out = cleaned(film);
                REQUIRE(out.size() == film.size());
                CHECK_FALSE(has(out, "GEHEIM"));
                CHECK(has(out, Camera().picture));
                CHECK_FALSE(has(out, kind));
            }
    const auto sound = cleaned(Camera().film("soun"));
    CHECK(has(sound, std::string(kSecret) + Camera().picture + kSecret));  // sound stays
}

TEST_CASE("a film of which it cannot be told what is in it is refused") {
    const auto film = Camera().film("meta", true);
    REQUIRE(look_through(film));
    for (std::size_t n = 0; n < film.size(); ++n) REQUIRE(refusal(film.substr(0, n)) == Errc::malformed);
    CHECK(refusal(ftyp() + box("mdat", "picture")) == Errc::malformed);  // no index
    const auto at = ftyp().size() + 8;
    const auto with = [&](const Samples& samples, const std::string& more = "") {
        return refusal(ftyp() + box("mdat", std::string(100, 'x')) + box("moov", mvhd() + trak("meta", samples)) +
                       more);
    };
    CHECK(with({{at}, stsc(1), stsz(100, 1)}) == Errc::internal);
    CHECK(with({{at}, stsc(1), stsz(101, 1)}) == Errc::malformed);  // beyond the data
    CHECK(with({{at - 1}, stsc(1), stsz(100, 1)}) == Errc::malformed);
    CHECK(with({{UINT64_MAX - 1}, stsc(1), stsz(100, 1), true}) == Errc::malformed);
    CHECK(with({{at}, stsc(0), stsz(1, 1)}) == Errc::malformed);
    CHECK(with({{at}, zeros(8), stsz(1, 1)}) == Errc::malformed);
    CHECK(with({{at}, stsc(2), stsz(0, 2)}) == Errc::malformed);  // no lengths
    CHECK(with({{at}, zeros(4) + number(UINT32_MAX, 4), stsz(1, 1)}) == Errc::malformed);
    CHECK(with({{at}, stsc(1), stsz(100, 1)}, box("moof", box("mfhd", zeros(8)))) == Errc::malformed);  // in fragments
    FilmLimits few;
    few.boxes = 10;
    CHECK(refusal(film, few) == Errc::too_large);
    few = {};
    few.places = 3;
    CHECK(refusal(film, few) == Errc::too_large);
    few = {};
    few.entries = 1;
    CHECK(refusal(film, few) == Errc::malformed);
}

TEST_CASE("what is omitted is omitted in whatever steps a file is read, and what is cut is gone") {
    const std::string text = "0123456789abcdefghij";
    const Omissions omissions{{0, 2}, {4, 6, false, {'f', 'r', 'e', 'e'}}, {10, 3, true}, {15, 5, true}};
    for (const std::size_t step : {1u, 2u, 3u, 7u, 100u})
        CHECK(without(text, omissions, step) == std::string("\0\0"
                                                            "23free\0\0de",
                                                            12));
    CHECK(length_without(text.size(), omissions) == 12);
    Omissions mixed{{5, 10}, {0, 3}, {14, 2}, {3, 1}};
    put_in_order(mixed);
    REQUIRE(mixed.size() == 2);
    CHECK((mixed[0].at == 0 && mixed[0].length == 4 && mixed[1].at == 5 && mixed[1].length == 11));
}

TEST_CASE("films are told by their first bytes; stills in the same wrapping, and texts, are none") {
    const auto film = [](const std::string& head, std::uint64_t size = 1'000) { return is_film(as_bytes(head), size); };
    CHECK(film(ftyp()));
    CHECK(film(number(20, 4) + "ftypM4A 0000"));
    CHECK(film(number(8, 4) + "wide" + number(50, 4) + "mdat"));
    CHECK(film(number(1, 4) + "mdat" + number(50, 8)));
    CHECK_FALSE(film(number(24, 4) + "ftypheic0000"));
    CHECK_FALSE(film(number(24, 4) + "ftypavif0000"));
    CHECK_FALSE(film("The free lunch"));
    CHECK_FALSE(film("Das moov"));
    CHECK_FALSE(film(number(2'000, 4) + "moov" + zeros(8)));
}
