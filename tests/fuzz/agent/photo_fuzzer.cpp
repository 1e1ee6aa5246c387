// A photo from anywhere: either it is refused, or what leaves has no metadata and is a whole JPEG.
#include <cstdlib>

#include "media/jpeg_segments.hpp"
#include "media/prepare.hpp"

using namespace nimes;
using namespace nimes::agent::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto stripped = strip_segments({data, size});
    if (stripped) {
        const auto again = strip_segments(stripped->jpeg);
        if (!again || again->jpeg != stripped->jpeg || !again->exif.empty()) std::abort();
    }
    PhotoLimits small;
    small.max_bytes = 1 << 20;
    small.max_side = 512;
    small.max_pixels = small.max_pixels_whole = 512 * 512;
    const auto photo = prepare_photo({data, size}, 0, small);
    if (photo && (!is_jpeg(photo->jpeg) || photo->preview.size() > small.preview_bytes)) std::abort();
    return 0;
}
