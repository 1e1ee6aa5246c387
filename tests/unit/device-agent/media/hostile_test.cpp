// Photos that hide something or cost too much, and sealing that goes wrong.
#include <sys/stat.h>
#include <turbojpeg.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>

#include "media/jpeg_segments.hpp"
#include "media/outgoing.hpp"
#include "media/prepare.hpp"

using namespace nimes;
using namespace nimes::agent::media;

namespace {

namespace fs = std::filesystem;

struct Folder {
    Folder() : path(::mkdtemp(name)) {}
    ~Folder() { fs::remove_all(path); }
    char name[32] = "/tmp/nimes-media-XXXXXX";
    fs::path path;
};

Bytes picture(int width, int height, int flags = 0) {
    Bytes rgb(static_cast<std::size_t>(width * height * 3));
    for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i * 7 + i / 100);
    const std::unique_ptr<void, void (*)(void*)> handle(tjInitCompress(), [](void* h) { tjDestroy(h); });
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    REQUIRE(tjCompress2(handle.get(), rgb.data(), width, 0, height, TJPF_RGB, &bytes, &size, TJSAMP_444, 80, flags) ==
            0);
    Bytes out(bytes, bytes + size);
    tjFree(bytes);
    return strip_segments(out).value().jpeg;
}

Bytes segment(std::uint8_t marker, std::string_view payload) {
    Writer out;
    out.u8(0xff).u8(marker).u16(static_cast<std::uint16_t>(payload.size() + 2)).text(payload);
    return std::move(out).take();
}

// Behind the start of the picture.
Bytes with(const Bytes& jpeg, const Bytes& inserted) {
    Bytes out = jpeg;
    out.insert(out.begin() + 2, inserted.begin(), inserted.end());
    return out;
}

bool has(ByteView bytes, std::string_view text) { return as_text(bytes).find(text) != std::string_view::npos; }

std::size_t find_marker(const Bytes& jpeg, std::uint8_t marker) {
    for (std::size_t at = 2; at + 4 <= jpeg.size();) {
        if (jpeg[at + 1] == marker) return at;
        at += 2 + (std::size_t{jpeg[at + 2]} << 8 | jpeg[at + 3]);
    }
    FAIL("no such marker");
    return 0;
}

std::string adobe(std::string_view more = {}) { return std::string("Adobe\0\x64\0\0\0\0\x01", 12) + std::string(more); }

// One IFD0 with the sub-IFD's time and zone; little endian.
Bytes exif(const std::string& time, const std::string& zone) {
    Bytes out = to_bytes(as_bytes(std::string_view("Exif\0\0II*\0\x08\0\0\0", 14)));
    const auto put = [&](std::uint64_t value, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    const auto entry = [&](unsigned tag, unsigned type, std::size_t count, std::size_t value) {
        put(tag, 2), put(type, 2), put(count, 4), put(value, 4);
    };
    put(1, 2), entry(0x8769, 4, 1, 26), put(0, 4);
    const std::size_t entries = zone.empty() ? 1 : 2, data = 26 + 2 + entries * 12 + 4;
    put(entries, 2), entry(0x9003, 2, time.size() + 1, data);
    if (!zone.empty()) entry(0x9011, 2, zone.size() + 1, data + time.size() + 1);
    put(0, 4);
    for (const auto& text : {time, zone}) {
        out.insert(out.end(), text.begin(), text.end());
        out.push_back(0);
    }
    return segment(0xe1, as_text(out));
}

std::optional<Millis> captured(const std::string& time, const std::string& zone, int offset_minutes) {
    return prepare_photo(with(picture(16, 16), exif(time, zone)), offset_minutes).value().captured;
}

}  // namespace

TEST_CASE("no segment but those that make the picture leaves") {
    const auto plain = picture(48, 32);
    for (int marker = 0xc0; marker <= 0xfe; ++marker) {
        const bool frames_or_tables = marker <= 0xdf && marker != 0xc8 && marker != 0xde && marker != 0xdf;
        if (frames_or_tables) continue;
        const auto photo = prepare_photo(with(plain, segment(static_cast<std::uint8_t>(marker), "geheim-52.6226")));
        INFO("marker " << marker);
        if (photo) CHECK_FALSE(has(photo->jpeg, "geheim"));
    }
}

TEST_CASE("of Adobe's segment only what says how colours are coded leaves") {
    const auto plain = picture(48, 32);
    const auto photo = prepare_photo(with(plain, segment(0xee, adobe("geheim"))));
    REQUIRE(photo);
    CHECK(has(photo->jpeg, "Adobe"));
    CHECK_FALSE(has(photo->jpeg, "geheim"));
    CHECK(photo->jpeg == with(plain, segment(0xee, adobe())));
}

TEST_CASE("a picture whose coefficients must all be held falls under the smaller limit, however it says so") {
    PhotoLimits limits;
    limits.max_pixels_whole = 48 * 32 - 1;
    const auto refused = [&](const Bytes& jpeg) {
        const auto photo = prepare_photo(jpeg, 0, limits);
        return !photo && photo.error().code == Errc::too_large;
    };
    const auto baseline = picture(48, 32), progressive = picture(48, 32, TJFLAG_PROGRESSIVE);
    CHECK_FALSE(refused(baseline));
    CHECK(refused(progressive));
    SECTION("progressive with arithmetic coding") {
        auto jpeg = progressive;
        jpeg[find_marker(jpeg, 0xc2) + 1] = 0xca;
        CHECK(refused(jpeg));
    }
    SECTION("sequential, each component in a scan of its own") {
        auto jpeg = baseline;
        const auto scan = find_marker(jpeg, 0xda);
        // One component in the first scan: the length and the count shrink with it.
        jpeg[scan + 3] = 8;
        jpeg[scan + 4] = 1;
        jpeg.erase(jpeg.begin() + static_cast<std::ptrdiff_t>(scan) + 7,
                   jpeg.begin() + static_cast<std::ptrdiff_t>(scan) + 11);
        CHECK(refused(jpeg));
    }
}

TEST_CASE("scans without number are refused before they are decoded") {
    auto jpeg = picture(48, 32, TJFLAG_PROGRESSIVE);
    const auto scan = find_marker(jpeg, 0xda);
    jpeg.resize(jpeg.size() - 2);
    const Bytes scans(jpeg.begin() + static_cast<std::ptrdiff_t>(scan), jpeg.end());
    for (int i = 0; i < 50; ++i) jpeg.insert(jpeg.end(), scans.begin(), scans.end());
    jpeg.insert(jpeg.end(), {0xff, 0xd9});
    const auto stripped = strip_segments(jpeg);
    REQUIRE_FALSE(stripped);
    CHECK(stripped.error().code == Errc::too_large);
}

TEST_CASE("the capture time is the camera's zone if it wrote one, else the handset's") {
    constexpr Millis kUtc = 1'795'442'706'000;  // 2026-11-23 14:05:06 UTC
    CHECK(captured("2026:11:23 14:05:06", "", 0) == kUtc);
    CHECK(captured("2026:11:23 14:05:06", "", 60) == kUtc - kHour);
    CHECK(captured("2026:11:23 14:05:06", "+05:30", 60) == kUtc - 5 * kHour - 30 * kMinute);
    CHECK(captured("2026:11:23 14:05:06", "-08:00", 60) == kUtc + 8 * kHour);
    CHECK(captured("2026:11:23 14:05:06", "Z", 60) == kUtc - kHour);  // no zone that Exif knows
    CHECK(captured("2026:11:23 14:05:06", "+99:00", 60) == kUtc - kHour);
}

TEST_CASE("a capture time that cannot be is none") {
    for (const auto* time : {"0000:00:00 00:00:00", "2026:13:23 14:05:06", "2026:00:23 14:05:06", "2026:11:32 14:05:06",
                             "2026:11:23 24:05:06", "2026:11:23 14:60:06", "2026:-1:23 14:05:06",
                             "    :  :     :  :  ", "2026-11-23 14:05:06"}) {
        INFO(time);
        CHECK_FALSE(captured(time, "", 0));
    }
}

TEST_CASE("a sealing that goes wrong leaves nothing") {
    SystemRandom random;
    Folder folder;
    const auto media = folder.path / "m";
    const Bytes bytes(100'000, 7);
    const auto refused = [&](std::uint64_t length) {
        const auto sealed = seal(media, {}, source_of(ByteView(bytes)), length, random);
        REQUIRE_FALSE(sealed);
        CHECK(fs::is_empty(media));
        return sealed.error().code;
    };
    CHECK(refused(100'001) == Errc::malformed);
    CHECK(refused(99'999) == Errc::malformed);
    CHECK(refused(std::uint64_t{5} << 30) == Errc::too_large);
}

TEST_CASE("what is no regular file is refused, and nobody waits for it") {
    Folder folder;
    const auto pipe = folder.path / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK_FALSE(prepare(pipe));
    CHECK_FALSE(prepare(folder.path));
    CHECK_FALSE(source_of(pipe));
}
