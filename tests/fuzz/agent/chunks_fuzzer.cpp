// A PNG or a WebP from anywhere: either it is refused, or nothing more is found in what leaves.
#include <algorithm>
#include <cstdlib>

#include "media/chunks.hpp"

using namespace nimes;
using namespace nimes::agent::media;

namespace {

Result<Personal> look_through(const Bytes& file) {
    const Look look = [&file](std::uint64_t at, std::span<std::uint8_t> into) -> Result<void> {
        if (at > file.size() || into.size() > file.size() - at) return fail(Errc::malformed, "the file's end");
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), into.size(), into.begin());
        return {};
    };
    FilmLimits small;
    small.boxes = 5'000;
    small.places = 1'000;
    return look_through_chunks(look, file.size(), small);
}

Bytes without(const Bytes& file, const Omissions& omissions) {
    Bytes out;
    std::uint64_t at = 0;
    const auto keep = [&](std::uint64_t end) {
        if (end < at || end > file.size()) std::abort();
        out.insert(out.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
                   file.begin() + static_cast<std::ptrdiff_t>(end));
        at = end;
    };
    for (const auto& one : omissions) {
        keep(one.at);
        if (one.length == 0 || one.length > file.size() - at) std::abort();
        at += one.length;
        if (one.cut) continue;
        const auto begin = out.size();
        out.resize(begin + one.length);
        if (one.length >= one.first.size())
            std::ranges::copy(one.first, out.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    keep(file.size());
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes file(data, data + size);
    const auto found = look_through(file);
    if (!found) return 0;
    const auto once = without(file, found->omissions);
    if (once.size() != length_without(size, found->omissions)) std::abort();
    const auto again = look_through(once);
    if (!again || !again->exif.empty() || without(once, again->omissions) != once) std::abort();
    return 0;
}
