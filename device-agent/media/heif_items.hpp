// Where the items of a still have their data (ISO/IEC 14496-12, 8.11.3, iloc). Private to heif*.cpp.
#pragma once

#include "media/film_box.hpp"

namespace nimes::agent::media {

struct ItemPlace {
    std::uint32_t item = 0;
    bool in_idat = false;  // else in the file
    bool known = false;    // false: in another file or another item
    std::uint64_t from = 0;
    std::uint64_t length = 0;
};

// Versions 0 to 2; `add` is told of each place, in the table's order. At most FilmLimits::places.
Result<void> each_place(const Boxes& boxes, const Box& iloc, const std::function<Result<void>(ItemPlace)>& add);

}  // namespace nimes::agent::media
