// A film, or a still in boxes, from anywhere: either it is refused, or what leaves is of the same length, nothing more
// is found in it, and a box of data behind it that no track has anything in goes with all that it holds.
#include <algorithm>
#include <cstdlib>

#include "media/heif.hpp"

using namespace nimes;
using namespace nimes::agent::media;

namespace {

Look look_into(const Bytes& film) {
    return [&film](std::uint64_t at, std::span<std::uint8_t> into) -> Result<void> {
        if (at > film.size() || into.size() > film.size() - at) return fail(Errc::malformed, "the file's end");
        std::copy_n(film.begin() + static_cast<std::ptrdiff_t>(at), into.size(), into.begin());
        return {};
    };
}

Result<Personal> look_through(const Bytes& file, const FilmLimits& limits) {
    return is_heif(file) ? look_through_heif(look_into(file), file.size(), limits)
                         : look_through_film(look_into(file), file.size(), limits);
}

void omit(Bytes& film, const Omission& one) {
    if (one.cut || one.length == 0 || one.at > film.size() || one.length > film.size() - one.at) std::abort();
    const auto begin = film.begin() + static_cast<std::ptrdiff_t>(one.at);
    std::fill_n(begin, one.length, std::uint8_t{0});
    if (one.length >= one.first.size()) std::ranges::copy(one.first, begin);
}

// Does the file end where a box of its ends that says how long it is? Else what is put behind it is a part of it.
bool ends_with_box(const Bytes& film) {
    std::size_t at = 0;
    while (film.size() - at >= 8) {
        Reader in(ByteView(film).subspan(at));
        std::uint64_t size = in.u32();
        in.take(4);
        if (size == 1) size = in.u64();
        if (size < 8 || size > film.size() - at) return false;
        at += static_cast<std::size_t>(size);
    }
    return at == film.size();
}

// May it name something behind its end that it does without, as the begin of an empty chunk?
bool points_behind(const Bytes& film, std::size_t length) {
    if (as_text(film).find("saio") != std::string_view::npos) return true;
    for (std::size_t at = 0; at + 4 <= film.size(); ++at) {
        const auto value = Reader(ByteView(film).subspan(at)).u32();
        if (value >= film.size() && value - film.size() <= length) return true;
    }
    return false;
}

void add_unnamed_data(const Bytes& film, const FilmLimits& limits) {
    constexpr std::string_view kBox{"\0\0\0\x18mdatfreeGPS +52.6226", 24};
    if (!ends_with_box(film) || points_behind(film, kBox.size())) return;
    auto more = film;
    more.insert(more.end(), kBox.begin(), kBox.end());
    const auto found = look_through(more, limits);
    if (!found) return;
    for (const auto& one : found->omissions) omit(more, one);
    if (!std::all_of(more.end() - 16, more.end(), [](auto byte) { return byte == 0; })) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes film(data, data + size);
    (void)is_film(film, size);
    FilmLimits small;
    small.boxes = 5'000;
    small.places = 1'000;
    small.chunks = 1'000;
    small.entries = 10'000;
    const auto found = look_through(film, small);
    if (!found) return 0;
    add_unnamed_data(film, small);
    std::uint64_t end = 0;
    for (const auto& one : found->omissions) {
        if (one.at < end) std::abort();
        omit(film, one);
        end = one.at + one.length;
    }
    const auto once = film;
    const auto again = look_through(once, small);
    if (!again || again->captured || !again->exif.empty()) std::abort();
    for (const auto& one : again->omissions) omit(film, one);
    if (film != once) std::abort();
    return 0;
}
