// A JPEG's segments (ITU-T T.81, annex B): what the camera wrote beside the picture is left out, the picture stays byte
// for byte. Pure; hostile input: every length is checked. Errors: Errc::malformed.
#pragma once

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"

namespace nimes::agent::media {

struct Stripped {
    Bytes jpeg;  // without APPn but Adobe's (it says how colours are coded), comments, and what follows the end
    Bytes exif;  // payload of the first Exif APP1, "Exif\0\0" included; empty when there is none
};
Result<Stripped> strip_segments(ByteView jpeg);

}  // namespace nimes::agent::media
