// A JPEG's segments (ITU-T T.81, annex B): what the camera wrote beside the picture is left out, the picture stays byte
// for byte. Pure; hostile input: every length is checked. Errors: Errc::malformed, too_large
// (scans without number, which cost a decoder a pass each).
#pragma once

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"

namespace nimes::agent::media {

struct Stripped {
    Bytes jpeg;  // without APPn but the 12 bytes of Adobe's (how colours are coded), comments, and what follows the end
    bool whole = false;  // a decoder must hold all coefficients: progressive, or one component after the other
    Bytes exif;          // payload of the first Exif APP1, "Exif\0\0" included; empty when there is none
};
Result<Stripped> strip_segments(ByteView jpeg);

}  // namespace nimes::agent::media
