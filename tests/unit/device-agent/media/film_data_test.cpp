// The data of a film: what its tables name as picture or sound stays to the last byte, all else in it goes.
#include "films.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

const std::uint64_t kAt = ftyp().size() + 8;  // where `mdat` has its data, in front of the index
constexpr const char* kAll = "abcdefghijklmnopqrstuvwxyz";

// Of the alphabet, with that index behind it, what stays.
std::string left(const std::string& tracks, const std::string& more = "") {
    const auto data = alphabet();
    return letters(cleaned(ftyp() + box("mdat", data) + moov(tracks) + more).substr(kAt, data.size()));
}
std::uint64_t at(char letter) { return kAt + 10 * static_cast<std::uint64_t>(letter - 'a'); }
std::string picture(const std::vector<std::uint64_t>& chunks, std::uint64_t bytes) {
    return trak("vide", {chunks, stsc(1), stsz(bytes, chunks.size())});
}

// A sound's description; `more` is what versions 1 and 2 have behind the first 28 bytes.
std::string described(const std::string& name, int version, int channels, int bits, const std::string& more = "") {
    return zeros(4) + number(1, 4) +
           box(name, zeros(6) + number(1, 2) + number(static_cast<std::uint64_t>(version), 2) + zeros(6) +
                         number(static_cast<std::uint64_t>(channels), 2) + number(static_cast<std::uint64_t>(bits), 2) +
                         zeros(8) + more);
}
// Ten "samples" in a chunk at b and one at m, each said to be `said` bytes long.
std::string sound(const std::string& description, std::uint64_t said, std::uint64_t in_each = 10) {
    return trak("soun", {{at('b'), at('m')}, stsc(in_each), stsz(said, 2 * in_each), false, description});
}

}  // namespace

TEST_CASE("what a camera writes into the data beside the tracks does not leave") {
    const std::string gps = number(100, 4) + "freeGPS " + kSecret;
    const auto one = std::string(50, 'P'), two = std::string(60, 'Q'), tone = std::string(30, 'S');
    const auto film = [&](bool index_first, bool wide) {
        const auto data = gps + one + gps + tone + two + gps;
        const auto index = [&](std::uint64_t begins) {
            const auto first = begins + gps.size(), second = first + one.size() + gps.size();
            const auto sizes = stsz(0, 2) + number(50, 4) + number(60, 4);
            return moov(trak("vide", {{first, second + tone.size()}, stsc(1), sizes, wide}) +
                        trak("soun", {{second}, stsc(1), stsz(30, 1), wide}));
        };
        // One box of data more that no track has anything in.
        const auto mdat = wide ? wide_box("mdat", data) : box("mdat", data), none = box("mdat", gps);
        const auto head = mdat.size() - data.size();
        if (!index_first) return ftyp() + none + mdat + index(ftyp().size() + none.size() + head) + none;
        return ftyp() + index(ftyp().size() + index(0).size() + none.size() + head) + none + mdat + none;
    };
    for (const bool index_first : {false, true})
        for (const bool wide : {false, true}) {
            const auto before = film(index_first, wide), after = cleaned(before);
            REQUIRE(after.size() == before.size());
            CHECK_FALSE(has(after, "freeGPS"));
            CHECK_FALSE(has(after, "GEHEIM"));
            CHECK(has(after, zeros(gps.size()) + one + zeros(gps.size()) + tone + two + zeros(gps.size())));
            CHECK(cleaned(after) == after);
        }
}

TEST_CASE("samples are found through every form of their tables, and nothing else stays") {
    // Two chunks with two samples, then one with one; samples of different length.
    const auto runs = zeros(4) + number(2, 4) + number(1, 4) + number(2, 4) + number(1, 4) + number(3, 4) +
                      number(1, 4) + number(1, 4);
    auto sizes = stsz(0, 5);
    for (const auto n : {10u, 20u, 10u, 10u, 30u}) sizes += number(n, 4);
    const auto with = [&](const Samples& samples) { return left(trak("vide", samples)); };
    const std::vector<std::uint64_t> places{at('a'), at('f'), at('k')};
    CHECK(with({places, runs, sizes}) == "abc.fg.klm.");
    CHECK(with({places, runs, sizes, true}) == "abc.fg.klm.");
    CHECK(with({{at('k'), at('f'), at('a')}, runs, sizes}) == "abc.fg.klm.");  // in no order
    CHECK(with({{at('z')}, stsc(1'000), stsz(1, 10)}) == ".z");
    CHECK(with({{at('z')}, stsc(1), stsz(10, 5)}) == ".z");            // samples that no chunk has room for lie nowhere
    CHECK(with({{at('y'), at('a')}, stsc(1), stsz(20, 1)}) == ".yz");  // chunks behind the last sample are empty
    CHECK(with({{}, stsc(1), stsz(0, 0)}) == ".");
    CHECK(with({{}, zeros(8), zeros(4) + number(0, 8)}) == ".");
    CHECK(left("") == ".");
    CHECK(left(picture({at('a')}, 260)) == kAll);
    CHECK(left(picture({at('a')}, 130) + picture({at('j')}, 170)) == kAll);
    const auto compact = [&](int bits, const std::string& entries) {
        return with(
            {places, runs, "stz2" + zeros(7) + number(static_cast<std::uint64_t>(bits), 1) + number(5, 4) + entries});
    };
    CHECK(compact(8, "\x0a\x14\x0a\x0a\x1e") == "abc.fg.klm.");
    CHECK(compact(16, number(10, 2) + number(20, 2) + number(10, 2) + number(10, 2) + number(30, 2)) == "abc.fg.klm.");
    CHECK(compact(4, "\xa5\x5a\xf0") == "ab.fg.kl.");
}

TEST_CASE("the samples of old sound are as long as its description says") {
    // Said to be one byte, or one channel: ten moments of two channels of 16 bits are 40 bytes.
    for (const std::uint64_t said : {1u, 2u, 4u})
        for (const auto* name : {"twos", "sowt", "lpcm", "NONE", "raw "})
            CHECK(left(sound(described(name, 0, 2, 16), said)) == ".bcde.mnop.");
    CHECK(left(sound(described("raw ", 0, 1, 8), 1)) == ".b.m.");
    CHECK(left(sound(described("in24", 0, 1, 16), 1)) == ".bcd.mno.");
    CHECK(left(sound(described("fl32", 0, 1, 16), 1)) == ".bcde.mnop.");
    CHECK(left(sound(described("fl64", 0, 1, 16), 1)) == ".bcdefghi.mnopqrst.");
    CHECK(left(sound(described("ulaw", 0, 2, 16), 1)) == ".bc.mn.");
    CHECK(left(sound(described("ima4", 0, 1, 16), 1, 128)) == ".bcdefgh.mnopqrs.");  // 68 bytes
    CHECK(left(sound(described("MAC3", 0, 1, 16), 1, 60)) == ".bc.mn.");
    // Version 1: samples of a packet, bytes of a packet of one channel, of all, of a sample.
    const auto packets = number(5, 4) + number(7, 4) + number(15, 4) + number(2, 4);
    CHECK(left(sound(described("Qclp", 1, 2, 16, packets), 1)) == ".bcd.mno.");
    // Version 2: eight bytes of rate, channels, bits, flags, bytes of a packet, samples of a packet.
    const auto wide = number(72, 4) + zeros(8) + number(2, 4) + zeros(4) + number(24, 4) + zeros(4);
    CHECK(left(sound(described("lpcm", 2, 3, 16, wide + number(8, 4) + number(1, 4)), 1)) == ".bcdefghi.mnopqrst.");
    CHECK(left(sound(described("lpcm", 2, 3, 16, wide + number(0, 8)), 1)) == ".bcdefg.mnopqr.");
    // A table that is right stays so, and of two descriptions the longer one counts.
    CHECK(left(sound(described("sowt", 0, 1, 8), 3)) == ".bcd.mno.");
    auto both = described("sowt", 0, 1, 8) + described("sowt", 0, 2, 8).substr(8);
    CHECK(left(sound(both, 1)) == ".bc.mn.");
    // The table counts too few: players go by the chunk.
    CHECK(left(trak("soun", {{at('b'), at('m')}, stsc(10), stsz(1, 11), false, described("sowt", 0, 1, 16)})) ==
          ".bc.mn.");
}

TEST_CASE("sound of which nobody knows how long it is stays up to the next data of a track") {
    const auto unknown = described("????", 0, 2, 16);
    CHECK(left(sound(unknown, 1)) == ".bcdefghijklmnopqrstuvwxyz");
    CHECK(left(sound(unknown, 1) + picture({at('e'), at('t')}, 20)) == ".bcdef.mnopqrstu.");
    CHECK(left(sound(zeros(8), 1) + picture({at('e'), at('c')}, 10)) == ".bc.e.mnopqrstuvwxyz");
    CHECK(left(sound(unknown, 2)) == ".bc.mn.");  // not one byte: a size that means something
    // Never into what a track has that goes.
    const auto gone = trak("meta", {{at('d'), at('n')}, stsc(1), stsz(10, 2)});
    CHECK(left(sound(unknown, 1) + gone) == ".bc.m.");
    const auto behind = trak("meta", {{at('d'), at('o')}, stsc(1), stsz(10, 2)});
    CHECK(left(sound(described("sowt", 0, 2, 16), 2) + behind) == ".bc.mn.");
    // Nor behind the data.
    const auto two = ftyp() + box("mdat", std::string(20, 'x')) + box("mdat", "yyy");
    const auto film = two + moov(trak("soun", {{kAt}, stsc(10), stsz(2, 10), false, described("sowt", 0, 2, 16)}));
    CHECK(letters(cleaned(film).substr(two.size() - 3, 3)) == ".");
    // Numbers that no sound has are none.
    CHECK(left(sound(described("mp4a", 1, 2, 16, number(51, 4) + "esds" + number(UINT32_MAX, 4) + zeros(4)), 1)) ==
          ".bcdefghijklmnopqrstuvwxyz");
}

TEST_CASE("what decrypts samples stays with them, up to the next data") {
    const auto beside = [&](const std::string& saio) {
        return left(trak("vide", {{at('b'), at('e')}, stsc(1), stsz(10, 2), false, zeros(8), box("saio", saio)}));
    };
    CHECK(beside(zeros(4) + number(1, 4) + number(at('c') + 5, 4)) == ".b.cde.");
    CHECK(beside(number(0x01000001, 4) + "cenc" + zeros(4) + number(1, 4) + number(at('y'), 8)) == ".b.e.yz");
    CHECK(beside(zeros(4) + number(1, 4) + number(4, 4)) == ".b.e.");  // not in the data
    CHECK(
        refusal(ftyp() +
                moov(trak("vide", {{}, stsc(1), stsz(0, 0), false, zeros(8), box("saio", zeros(4) + number(9, 4))}))) ==
        Errc::malformed);
}

TEST_CASE("a film whose picture or sound cannot be told from the rest is refused") {
    const auto refused = [](const std::string& tracks, const std::string& more = "") {
        return refusal(ftyp() + box("mdat", alphabet()) + moov(tracks) + more);
    };
    const auto with = [&](const Samples& samples) { return refused(trak("vide", samples)); };
    CHECK(with({{at('z')}, stsc(1), stsz(10, 1)}) == Errc::internal);
    CHECK(with({{at('z')}, stsc(1), stsz(11, 1)}) == Errc::malformed);  // beyond the data
    CHECK(with({{kAt - 1}, stsc(1), stsz(1, 1)}) == Errc::malformed);
    CHECK(with({{UINT64_MAX - 1}, stsc(1), stsz(100, 1), true}) == Errc::malformed);
    CHECK(with({{at('a')}, stsc(0), stsz(1, 1)}) == Errc::malformed);
    CHECK(with({{at('a')}, zeros(8), stsz(1, 1)}) == Errc::malformed);
    CHECK(with({{at('a')}, stsc(2), stsz(0, 2)}) == Errc::malformed);  // no lengths
    CHECK(with({{at('a')}, stsc(1), "stz2" + zeros(7) + number(7, 1) + number(1, 4) + zeros(8)}) == Errc::malformed);
    CHECK(with({{at('a')}, stsc(2), "stz2" + zeros(7) + number(4, 1) + number(3, 4) + zeros(1)}) == Errc::malformed);
    // In data that another track has, and that must go.
    for (const auto place : {at('c') - 9, at('c'), at('c') + 9}) {
        const auto gone = trak("meta", {{place}, stsc(1), stsz(10, 1)});
        CHECK(refused(picture({at('c')}, 10) + gone) == Errc::malformed);
        CHECK(refused(picture({at('a'), at('e')}, 10) + gone) == Errc::internal);
    }
    CHECK(refused(sound(described("sowt", 0, 2, 16), 1) + trak("meta", {{at('d')}, stsc(1), stsz(10, 1)})) ==
          Errc::malformed);
    CHECK(refused(picture({at('a')}, 10), box("imda", number(1, 4) + "data")) == Errc::malformed);
    FilmLimits few;
    few.chunks = 2;
    const auto film = [&](const std::vector<std::uint64_t>& places) {
        return refusal(ftyp() + box("mdat", alphabet()) + moov(picture(places, 10)), few);
    };
    CHECK(film({at('a'), at('b'), at('d')}) == Errc::internal);  // one goes on from the other
    CHECK(film({at('a'), at('c'), at('e')}) == Errc::too_large);
}
