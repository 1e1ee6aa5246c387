// A film, or a still in boxes, from anywhere: either it is refused, or what leaves is of the same length, and nothing
// more is found in it.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes film(data, data + size);
    (void)is_film(film, size);
    FilmLimits small;
    small.boxes = 5'000;
    small.places = 1'000;
    small.entries = 10'000;
    const auto found = look_through(film, small);
    if (!found) return 0;
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
