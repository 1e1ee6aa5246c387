// Films made by hand, box by box.
#pragma once

#include "boxes.hpp"

namespace nimes::test {

inline std::string ftyp() { return box("ftyp", "isom" + number(512, 4) + "isomiso2"); }
// 2026-11-23 14:05:06 UTC, in seconds since 1904.
inline constexpr std::uint64_t kMade = 1'795'442'706 + 2'082'844'800ULL;
inline std::string mvhd() { return box("mvhd", zeros(4) + number(kMade, 4) + number(kMade, 4) + zeros(88)); }
inline std::string tkhd(std::uint32_t id = 0) {
    return box("tkhd", zeros(4) + number(kMade, 4) + number(kMade, 4) + number(id, 4) + zeros(68));
}
inline std::string hdlr(const std::string& kind) { return box("hdlr", zeros(8) + kind + zeros(12) + kSecret); }

struct Samples {
    std::vector<std::uint64_t> chunks;
    std::string stsc, stsz;
    bool wide = false;
    std::string stsd = zeros(8);
    std::string more = {};
};
inline std::string stsc(std::uint64_t in_each) {
    return zeros(4) + number(1, 4) + number(1, 4) + number(in_each, 4) + number(1, 4);
}
inline std::string stsz(std::uint64_t each, std::uint64_t count) {
    return zeros(4) + number(each, 4) + number(count, 4);
}
inline std::string tables(const Samples& s) {
    std::string places = zeros(4) + number(s.chunks.size(), 4);
    for (const auto at : s.chunks) places += number(at, s.wide ? 8 : 4);
    const auto sizes = s.stsz.starts_with("stz2") ? box("stz2", s.stsz.substr(4)) : box("stsz", s.stsz);
    return box("stbl", box("stsd", s.stsd) + box("stsc", s.stsc) + sizes + box(s.wide ? "co64" : "stco", places) +
                           s.more + box("udta", kSecret));
}
inline std::string trak(const std::string& kind, const Samples& s, const std::string& more = "", std::uint32_t id = 0) {
    return box("trak", tkhd(id) + more +
                           box("mdia", box("mdhd", zeros(4) + number(kMade, 8) + zeros(12)) + hdlr(kind) +
                                           box("minf", box("vmhd", zeros(12)) + box("uuid", kSecret) + tables(s))));
}

inline std::string moov(const std::string& tracks) { return box("moov", mvhd() + tracks); }

inline Result<Personal> look_through(const std::string& film, const FilmLimits& limits = {}) {
    return look_through_film(look_into(film), film.size(), limits);
}
inline std::string cleaned(const std::string& film) {
    auto found = look_through(film);
    INFO((found ? std::string() : found.error().detail));
    REQUIRE(found);
    return without(film, std::move(found->omissions));
}
// Errc::internal: it is not refused.
inline Errc refusal(const std::string& film, const FilmLimits& limits = {}) {
    const auto found = look_through(film, limits);
    return found ? Errc::internal : found.error().code;
}

// a to z, ten bytes of each: data in which one sees what stays.
inline std::string alphabet() {
    std::string out;
    for (char c = 'a'; c <= 'z'; ++c) out += std::string(10, c);
    return out;
}
// Each run of one letter as that letter, of zeros as a dot; nothing else may be there.
inline std::string letters(const std::string& data) {
    std::string out;
    for (const char c : data)
        if (out.empty() || out.back() != (c == 0 ? '.' : c)) out += c == 0 ? '.' : c;
    return out;
}

}  // namespace nimes::test
