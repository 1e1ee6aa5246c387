// Photo, step 1, prepare. (Next: outgoing.hpp.)
//
// A photo leaves the handset without what the camera wrote into
// it: EXIF, position, serial numbers, comments, thumbnails and whatever is appended behind the picture. Kept are the
// pixels, turned upright; the capture time, which travels sealed; and a preview of about 1 KiB.
//
// An upright JPEG is stripped without loss; a turned one is turned without loss where its size allows, else encoded
// again. The whole picture is decoded once before anything is sent, so a damaged one is refused here and now. Films and
// recordings in MP4's and QuickTime's wrapping keep picture and sound byte for byte, and what else is in them is zeroed
// on its way into sealing (film_boxes.hpp); so do stills in HEIC, HEIF and AVIF (heif.hpp), PNG and WebP (chunks.hpp).
// One that is damaged, so
// that it cannot be told what is in it, is refused. Other files pass as they are, and so does everything under
// Cleaning::none; `stripped` says so: the caller must warn. Of a video size, duration and a preview are found where
// ffmpeg is installed (video.hpp). Errors: Errc::malformed (cut, damaged, or not what its first bytes say), too_large
// (sides, pixels, bytes), storage. Pure but for reading the file; thread safe; memory is bounded by PhotoLimits.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "media/omissions.hpp"
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
    std::string media_type;  // "image/…", "video/…", or "application/octet-stream"
    Photo photo;             // of a JPEG; of all else without jpeg: the file itself is sealed, without `omissions`
    Omissions omissions;
    std::uint32_t duration_ms = 0;
    std::uint64_t file_size = 0;  // of what is sealed, where it is the file
};

// none: the file goes byte for byte, because somebody wants just that.
enum class Cleaning : std::uint8_t { all, none };
Result<Prepared> prepare(const std::filesystem::path& file, Cleaning cleaning = Cleaning::all, int offset_minutes = 0,
                         const PhotoLimits& limits = {});

// Of what prepare() says: does it take out what is personal, unless it is told not to?
bool is_cleaned(std::string_view media_type);

// JPEG by its first bytes.
bool is_jpeg(ByteView head);

}  // namespace nimes::agent::media
