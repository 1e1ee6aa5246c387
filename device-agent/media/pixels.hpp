// Pixels through libjpeg-turbo: judging, turning, previews. Pure; thread safe; memory is what the caller bounded.
// Errors: Errc::malformed (damaged or cut), too_large.
#pragma once

#include "media/prepare.hpp"

namespace nimes::agent::media {

struct Size {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};
// Reads the head and decodes everything once, small. whole: all coefficients must be held at once.
Result<Size> judge_jpeg(ByteView jpeg, const PhotoLimits& limits, bool whole);
// orientation: Exif's 2 to 8. Without loss where the size allows, else encoded again.
Result<Bytes> turn_jpeg(ByteView jpeg, int orientation);
// Its longer side at most `side`, as close as the format's own scaling comes; the same picture where it is small
// enough.
Result<Bytes> shrink_jpeg(ByteView jpeg, std::uint32_t side, int quality);
// At most `limit` bytes; empty when none fits.
Bytes preview_of(ByteView jpeg, std::size_t limit);

}  // namespace nimes::agent::media
