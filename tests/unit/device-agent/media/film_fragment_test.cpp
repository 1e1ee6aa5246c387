// Films in fragments: what their tables name stays, however they count.
#include "films.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

// A film in fragments: the index, then for each fragment what makes it when it is told where it and its data begin.
std::string trex(std::uint32_t id, std::uint64_t size) {
    return box("trex", zeros(4) + number(id, 4) + zeros(8) + number(size, 4) + zeros(4));
}
std::string tfhd(std::uint32_t flags, std::uint32_t id, const std::string& more = "") {
    return box("tfhd", number(flags, 4) + number(id, 4) + more);
}
std::string trun(std::uint32_t flags, std::uint64_t count, const std::string& more = "") {
    return box("trun", number(flags, 4) + number(count, 4) + more);
}
std::string offset(std::int64_t distance) { return number(static_cast<std::uint32_t>(distance), 4); }

struct Fragments {
    std::string index =
        moov(trak("vide", {{}, stsc(1), stsz(0, 0)}, "", 1) + trak("soun", {{}, stsc(1), stsz(0, 0)}, "", 2) +
             box("mvex", trex(1, 0) + trex(2, 20) + trex(3, 30)));
    using Make = std::function<std::string(std::uint64_t moof, std::uint64_t data)>;
    std::string film(const Make& trafs) const {
        const auto begins = ftyp().size() + index.size();
        const auto moof = [&](std::uint64_t data) { return box("moof", box("mfhd", zeros(8)) + trafs(begins, data)); };
        return ftyp() + index + moof(begins + moof(0).size() + 8) + box("mdat", alphabet());
    }
    std::string left(const Make& trafs) const {
        const auto out = cleaned(film(trafs));
        return letters(out.substr(out.size() - alphabet().size()));
    }
};

}  // namespace

TEST_CASE("of fragments stay the samples, wherever their runs count from") {
    const Fragments film;
    const auto traf = [](const std::string& all) { return box("traf", all); };
    const auto sized = [](std::uint32_t flags, const std::string& begin, std::vector<std::uint64_t> sizes) {
        auto more = begin;
        for (const auto n : sizes) more += number(n, 4);
        return trun(flags | 0x200, sizes.size(), more);
    };
    using At = std::uint64_t;
    // From a place in the file, from the fragment's begin said and unsaid.
    CHECK(film.left([&](At, At data) {
        return traf(tfhd(1, 1, number(data + 20, 8)) + sized(0, "", {10, 20}));
    }) == ".cde.");
    CHECK(film.left([&](At moof, At data) {
        return traf(tfhd(0x20000, 1) + sized(1, offset(std::int64_t(data - moof) + 50), {10}));
    }) == ".f.");
    CHECK(film.left([&](At moof, At data) {
        return traf(tfhd(0, 1) + sized(1, offset(std::int64_t(data - moof)), {10}) + sized(0, "", {20}) +
                    sized(1, offset(std::int64_t(data - moof) + 100), {10}));
    }) == "abc.k.");
    CHECK(film.left([&](At, At data) {
        return traf(tfhd(1, 1, number(data + 100, 8)) + sized(1, offset(-30), {10}) + sized(0, "", {5, 5}));
    }) == ".hi.");
    // The second track goes on where the first one ended; of a track that is not there nothing stays, but it counts.
    const auto behind = [&](std::uint32_t first) {
        return film.left([&, first](At moof, At data) {
            return traf(tfhd(0, first) + sized(1, offset(std::int64_t(data - moof)), {30})) +
                   traf(tfhd(0, 2) + sized(0, "", {20}));
        });
    };
    CHECK(behind(1) == "abcde.");
    CHECK(behind(9) == ".de.");
    // Each sample with its duration, flags and time; the first one's flags before them.
    CHECK(film.left([&](At, At data) {
        return traf(
            tfhd(1, 1, number(data, 8)) +
            trun(0xf04, 2, zeros(4) + zeros(4) + number(10, 4) + zeros(8) + zeros(4) + number(20, 4) + zeros(8)));
    }) == "abc.");
    // One size for all: the fragment's, behind all that may stand before it, or the film's.
    CHECK(film.left([&](At, At data) {
        return traf(tfhd(0x1b, 1, number(data, 8) + zeros(8) + number(10, 4)) + trun(0, 3));
    }) == "abc.");
    CHECK(film.left([&](At, At data) { return traf(tfhd(1, 2, number(data, 8)) + trun(0, 3)); }) == "abcdef.");
    CHECK(film.left([&](At, At data) { return traf(tfhd(1, 1, number(data, 8)) + trun(0, 3)); }) == ".");
}

TEST_CASE("fragments of which it cannot be told where their data lie are refused") {
    const Fragments film;
    const auto refused = [&](const std::string& trafs) {
        return refusal(film.film([&](std::uint64_t, std::uint64_t) { return trafs; }));
    };
    CHECK(refused(box("traf", tfhd(0, 1))) == Errc::internal);
    CHECK(refused(box("traf", zeros(0))) == Errc::malformed);
    CHECK(refused(box("traf", tfhd(0, 9) + trun(0, 1))) == Errc::malformed);                     // no size
    CHECK(refused(box("traf", tfhd(0, 2) + trun(1, 1, offset(INT32_MIN)))) == Errc::malformed);  // before the file
    CHECK(refused(box("traf", tfhd(0, 2) + trun(1, 1, offset(INT32_MAX)))) == Errc::malformed);  // behind it
    CHECK(refused(box("traf", tfhd(0, 2) + trun(1, 1, offset(0)))) == Errc::malformed);          // not in `mdat`
    CHECK(refused(box("traf", tfhd(1, 2, number(UINT64_MAX - 10, 8)) + trun(0, 1))) == Errc::malformed);
    CHECK(refused(box("traf", tfhd(1, 1) + trun(0x200, 1, number(1, 4)))) == Errc::malformed);  // tables cut short
    CHECK(refused(box("traf", tfhd(0, 1) + trun(0x200, 2, number(1, 4)))) == Errc::malformed);
    CHECK(refused(box("traf", tfhd(0, 1) + trun(0x200, UINT32_MAX, number(1, 4)))) == Errc::malformed);
}

TEST_CASE("what decrypts the samples of a fragment stays with them") {
    CHECK(Fragments().left([](std::uint64_t, std::uint64_t data) {
        return box("traf",
                   tfhd(1, 2, number(data, 8)) + trun(0, 1) + box("saio", zeros(4) + number(1, 4) + number(40, 4)));
    }) == "ab.efghijklmnopqrstuvwxyz");
}
