// Photo, step 1, prepare. (Next: outgoing.hpp.)
//
// A photo leaves the handset without what the camera wrote into
// it: EXIF, position, serial numbers, comments, thumbnails and whatever is appended behind the picture. Kept are the
// pixels, turned upright; the capture time, which travels sealed; and a preview of about 1 KiB.
//
// An upright JPEG is stripped without loss; a turned one is turned without loss where its size allows, else encoded
// again. The whole picture is decoded once before anything is sent, so a damaged one is refused here and now. What is
// not a JPEG passes as it is, and `stripped` says so: the caller must warn. Of a video size, duration and a preview are
// found where ffmpeg is installed (video.hpp).
// Errors: Errc::malformed (a JPEG that is cut, damaged or not one inside), too_large (sides, pixels, bytes), storage.
// Pure but for reading the file; thread safe; memory is bounded by PhotoLimits.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::media {

struct PhotoLimits {
    std::uint64_t max_bytes = 64ULL << 20;
    std::uint32_t max_side = 20'000;
    std::uint64_t max_pixels = 120'000'000;       // of a baseline JPEG that is upright: decoded row by row
    std::uint64_t max_pixels_whole = 50'000'000;  // of one whose coefficients must all be held: progressive or turned
    std::size_t preview_bytes = 1024;
};

struct Photo {
    Bytes jpeg;     // what is sealed
    Bytes preview;  // JPEG; empty when none fits
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::optional<Millis> captured;
};

// offset_minutes: the handset's distance from UTC, for cameras that wrote a local time and no zone.
Result<Photo> prepare_photo(ByteView jpeg, int offset_minutes = 0, const PhotoLimits& limits = {});

// The same photo for a poor network: its longer side at most `side`. nullopt where that would not save half the bytes.
inline constexpr std::uint32_t kSmallSide = 1'600;
std::optional<Photo> small_photo(const Photo& photo, std::uint32_t side = kSmallSide);

struct Prepared {
    bool stripped = false;   // false: the file goes as it is, with all that its maker wrote into it
    std::string media_type;  // "image/jpeg", "video/…", or "application/octet-stream"
    Photo photo;             // of a JPEG; of a video without jpeg, and what its poster frame showed
    std::uint32_t duration_ms = 0;
    std::uint64_t file_size = 0;
};

Result<Prepared> prepare(const std::filesystem::path& file, int offset_minutes = 0, const PhotoLimits& limits = {});

// JPEG by its first bytes.
bool is_jpeg(ByteView head);

}  // namespace nimes::agent::media
