#include "media/jpeg_segments.hpp"

namespace nimes::agent::media {
namespace {

constexpr std::uint8_t kSoi = 0xd8, kEoi = 0xd9, kSos = 0xda, kCom = 0xfe, kApp0 = 0xe0, kApp1 = 0xe1, kApp14 = 0xee,
                       kApp15 = 0xef;
constexpr std::uint8_t kFirstSegment = 0xc0;  // below: stuffing and markers without a length
constexpr std::string_view kExif("Exif\0\0", 6);
constexpr std::string_view kAdobe = "Adobe";
constexpr std::size_t kAdobePayload = 12;  // name, version, two flags, colour transform; more is not part of it
constexpr int kMaxScans = 100;             // cameras write up to a dozen; each costs a pass over the whole picture

bool is_restart(std::uint8_t marker) { return marker >= 0xd0 && marker <= 0xd7; }
bool is_metadata(std::uint8_t marker) { return marker == kCom || (marker >= kApp0 && marker <= kApp15); }
bool is_adobe(std::uint8_t marker, ByteView payload) {
    return marker == kApp14 && payload.size() >= kAdobePayload && as_text(payload).starts_with(kAdobe);
}
bool is_frame(std::uint8_t marker) {  // ITU-T T.81, table B.1: all of C0 to CF but DHT, JPG, DAC
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}
bool is_progressive_frame(std::uint8_t marker) { return is_frame(marker) && (marker & 3) == 2; }

// Where the entropy-coded data that begins at `at` ends: at the next marker that is neither stuffing nor a restart.
std::size_t end_of_scan(ByteView jpeg, std::size_t at) {
    for (; at + 1 < jpeg.size(); ++at)
        if (jpeg[at] == 0xff && jpeg[at + 1] != 0 && jpeg[at + 1] != 0xff && !is_restart(jpeg[at + 1])) return at;
    return jpeg.size();
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Of a segment at `at` with `payload`, what the picture needs.
void append_segment(Bytes& out, ByteView in, std::size_t at, ByteView payload) {
    const auto marker = in[at + 1];
    if (is_adobe(marker, payload)) {
        append(out, Bytes{0xff, kApp14, 0, 2 + kAdobePayload});
        append(out, payload.first(kAdobePayload));
    } else if (!is_metadata(marker)) {
        append(out, in.subspan(at, 4 + payload.size()));
    }
}

// Scans and frame as they pass: whether a decoder must hold all coefficients (a progressive frame, or components that
// come one after the other), and how often it must go over them.
struct Shape {
    std::size_t components = 0;
    int scans = 0;
    bool whole = false;
    void see(std::uint8_t marker, ByteView payload) {
        if (is_frame(marker) && payload.size() > 5) components = payload[5];
        whole = whole || is_progressive_frame(marker);
        if (marker != kSos) return;
        ++scans;
        whole = whole || payload.empty() || payload[0] < components;
    }
};

}  // namespace

Result<Stripped> strip_segments(ByteView in) {
    if (in.size() < 4 || in[0] != 0xff || in[1] != kSoi) return fail(Errc::malformed, "no JPEG");
    Stripped out;
    append(out.jpeg, in.first(2));
    Shape shape;
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
            if (shape.scans == 0) break;
            out.whole = shape.whole;
            append(out.jpeg, in.subspan(at, 2));
            return out;
        }
        if (at + 4 > in.size()) break;
        const std::size_t length = static_cast<std::size_t>(in[at + 2]) << 8 | in[at + 3];
        if (length < 2 || at + 2 + length > in.size()) break;
        const auto payload = in.subspan(at + 4, length - 2);
        if (marker == kApp1 && out.exif.empty() && as_text(payload).starts_with(kExif)) out.exif = to_bytes(payload);
        shape.see(marker, payload);
        if (shape.scans > kMaxScans) return fail(Errc::too_large, "the JPEG has too many scans");
        append_segment(out.jpeg, in, at, payload);
        at += 2 + length;
        if (marker != kSos) continue;
        const auto end = end_of_scan(in, at);
        auto data = in.subspan(at, end - at);
        while (!data.empty() && data.back() == 0xff) data = data.first(data.size() - 1);  // fill bytes of what follows
        append(out.jpeg, data);
        at = end;
    }
    return fail(Errc::malformed, "the JPEG is cut");
}

}  // namespace nimes::agent::media
