#include "media/jpeg_segments.hpp"

namespace nimes::agent::media {
namespace {

constexpr std::uint8_t kSoi = 0xd8, kEoi = 0xd9, kSos = 0xda, kCom = 0xfe, kApp0 = 0xe0, kApp1 = 0xe1, kApp14 = 0xee,
                       kApp15 = 0xef;
constexpr std::uint8_t kFirstSegment = 0xc0;  // below: stuffing and markers without a length
constexpr std::string_view kExif("Exif\0\0", 6);

bool is_restart(std::uint8_t marker) { return marker >= 0xd0 && marker <= 0xd7; }
bool is_metadata(std::uint8_t marker) {
    return marker == kCom || (marker >= kApp0 && marker <= kApp15 && marker != kApp14);
}

// Where the entropy-coded data that begins at `at` ends: at the next marker that is neither stuffing nor a restart.
std::size_t end_of_scan(ByteView jpeg, std::size_t at) {
    for (; at + 1 < jpeg.size(); ++at)
        if (jpeg[at] == 0xff && jpeg[at + 1] != 0 && jpeg[at + 1] != 0xff && !is_restart(jpeg[at + 1])) return at;
    return jpeg.size();
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

}  // namespace

Result<Stripped> strip_segments(ByteView in) {
    if (in.size() < 4 || in[0] != 0xff || in[1] != kSoi) return fail(Errc::malformed, "no JPEG");
    Stripped out;
    append(out.jpeg, in.first(2));
    bool scanned = false;
    for (std::size_t at = 2; at + 1 < in.size();) {
        if (in[at] != 0xff) return fail(Errc::malformed, "a JPEG marker is missing");
        const auto marker = in[at + 1];
        if (marker == 0xff) {  // fill byte
            ++at;
            continue;
        }
        if (marker < kFirstSegment || marker == kSoi || is_restart(marker))
            return fail(Errc::malformed, "a JPEG marker out of place");
        if (marker == kEoi) {
            if (!scanned) break;
            append(out.jpeg, in.subspan(at, 2));
            return out;
        }
        if (at + 4 > in.size()) break;
        const std::size_t length = static_cast<std::size_t>(in[at + 2]) << 8 | in[at + 3];
        if (length < 2 || at + 2 + length > in.size()) break;
        const auto payload = in.subspan(at + 4, length - 2);
        if (marker == kApp1 && out.exif.empty() && as_text(payload).starts_with(kExif)) out.exif = to_bytes(payload);
        if (!is_metadata(marker)) append(out.jpeg, in.subspan(at, 2 + length));
        at += 2 + length;
        if (marker != kSos) continue;
        scanned = true;
        const auto end = end_of_scan(in, at);
        auto data = in.subspan(at, end - at);
        while (!data.empty() && data.back() == 0xff) data = data.first(data.size() - 1);  // fill bytes of what follows
        append(out.jpeg, data);
        at = end;
    }
    return fail(Errc::malformed, "the JPEG is cut");
}

}  // namespace nimes::agent::media
