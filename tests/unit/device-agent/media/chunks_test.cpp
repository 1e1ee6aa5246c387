// Stills in chunks (PNG, WebP): what a program writes beside the picture does not leave. And real stills of all kinds.
#include "media/chunks.hpp"

#include <algorithm>
#include <cstdlib>

#include "boxes.hpp"
#include "media/prepare.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

std::string little(std::uint64_t value) {
    auto out = number(value, 4);
    std::ranges::reverse(out);
    return out;
}
std::string part(const std::string& type, const std::string& payload) {
    return number(payload.size(), 4) + type + payload + "sum.";
}
std::string riff(const std::string& type, const std::string& payload) {
    return type + little(payload.size()) + payload + zeros(payload.size() % 2);
}
std::string png(const std::string& middle) {
    return "\x89PNG\r\n\x1a\n" + part("IHDR", zeros(13)) + middle + part("IDAT", "picture") + part("IEND", "");
}
std::string webp(const std::string& chunks) { return riff("RIFF", "WEBP" + chunks); }
std::string vp8x(int flags) { return riff("VP8X", number(static_cast<std::uint64_t>(flags), 1) + zeros(9)); }
std::string frame(const std::string& chunks) { return riff("ANMF", zeros(16) + chunks); }

Result<Personal> look_through(const std::string& file, const FilmLimits& limits = {}) {
    return look_through_chunks(look_into(file), file.size(), limits);
}
std::string cleaned(const std::string& file) { return without(file, look_through(file).value().omissions); }
Errc refusal(const std::string& file, const FilmLimits& limits = {}) {
    const auto found = look_through(file, limits);
    return found ? Errc::internal : found.error().code;
}

}  // namespace

TEST_CASE("of a PNG the chunks that no picture needs are cut, and what is behind its end") {
    std::string secrets;
    for (const auto* type : {"eXIf", "tEXt", "zTXt", "iTXt", "tIME", "caBX", "prVt"}) secrets += part(type, kSecret);
    const auto kept = part("gAMA", zeros(4)) + part("tRNS", "see");
    CHECK(cleaned(png(secrets + kept + secrets) + kSecret) == png(kept));
    CHECK(cleaned(png(kept)) == png(kept));
    CHECK(look_through(png(part("eXIf", "tiff")))->exif == to_bytes(as_bytes(std::string_view("Exif\0\0tiff", 10))));
}

TEST_CASE("of a WebP the chunks that no picture needs are cut, and its length and flags say so") {
    const auto picture = riff("VP8 ", "picture");
    const auto secret = riff("EXIF", std::string(kSecret) + "!") + riff("XMP ", kSecret) + riff("priv", kSecret);
    CHECK(cleaned(webp(vp8x(0x3e) + secret + riff("ICCP", "colour") + picture + secret) + kSecret) ==
          webp(vp8x(0x32) + riff("ICCP", "colour") + picture));
    CHECK(cleaned(webp(picture + secret)) == webp(picture));
    const auto moving = cleaned(webp(vp8x(2) + frame(picture + riff("EXIF", kSecret))));
    CHECK(moving == webp(vp8x(2) + frame(picture + riff("JUNK", zeros(24)))));
    CHECK(cleaned(moving) == moving);
}

TEST_CASE("a still in chunks of which it cannot be told what is in it is refused") {
    const auto good = png(part("eXIf", kSecret));
    const auto good_webp = webp(vp8x(8) + riff("VP8 ", "picture") + riff("EXIF", kSecret));
    for (const auto& file : {good, good_webp}) {
        REQUIRE(look_through(file));
        for (std::size_t n = 0; n < file.size(); ++n) REQUIRE(refusal(file.substr(0, n)) == Errc::malformed);
        FilmLimits few;
        few.boxes = 2;
        CHECK(refusal(file, few) == Errc::too_large);
        few = {};
        few.places = 0;
        CHECK(refusal(file, few) == Errc::too_large);
    }
    CHECK(refusal(png(part("CgBI", "must be known"))) == Errc::malformed);
    CHECK(refusal(png(part("IHDR", zeros(13)))) == Errc::malformed);
    CHECK(refusal(png(number(UINT32_MAX, 4) + "tEXt")) == Errc::malformed);
    CHECK(refusal(webp(riff("EXIF", kSecret))) == Errc::malformed);  // no picture
    CHECK(refusal(webp("VP8 " + little(UINT32_MAX) + "picture!")) == Errc::malformed);
    CHECK(refusal(webp(riff("VP8X", "short") + riff("VP8 ", "picture"))) == Errc::malformed);
    CHECK(refusal(webp(riff("ANMF", "short"))) == Errc::malformed);
    CHECK(refusal(webp(frame("VP8 " + little(9) + "picture!"))) == Errc::malformed);
}

namespace {

constexpr const char* kMarks =
    "exiftool -q -overwrite_original -GPSLatitude=52.6226 -GPSLatitudeRef=N -GPSLongitude=10.0815 -GPSLongitudeRef=E "
    "-Make=GEHEIM -DateTimeOriginal='2026:11:23 14:05:06' -OffsetTimeOriginal=+01:00 -XMP:Creator=GEHEIM ";

void is_cleaned_of_marks(const std::string& file) {
    INFO(file);
    output_of(kMarks + file + " 2>&1");
    const auto facts = [](const std::string& path) { return output_of("exiftool -n -a -G1 -ee " + path + " 2>&1"); };
    CHECK(has(facts(file), "52.6226"));
    CHECK(has(facts(file), "GEHEIM"));
    const auto before = read_file(file);
    const auto prepared = prepare(file);
    REQUIRE(prepared);
    CHECK(prepared->stripped);
    CHECK(nimes::agent::media::is_cleaned(prepared->media_type));
    CHECK(prepared->photo.captured == Millis{1'795'439'106'000});  // 13:05:06 UTC
    const auto after = without(std::string(as_text(before)), prepared->omissions);
    REQUIRE(after.size() == prepared->file_size);
    const auto out = file.substr(0, file.rfind('.')) + "-out" + file.substr(file.rfind('.'));
    write_file(out, to_bytes(as_bytes(after)));
    for (const auto* gone : {"52.6226", "GEHEIM", "14:05:06", "GPS", "Warning"}) {
        INFO(gone);
        CHECK_FALSE(has(facts(out), gone));
        CHECK_FALSE(has(after, gone));
    }
    const auto pixels = [](const std::string& path) { return output_of("convert " + path + " rgba:- | sha256sum"); };
    CHECK(pixels(out) == pixels(file));
    const auto whole = prepare(file, Cleaning::none);
    REQUIRE(whole);
    CHECK((!whole->stripped && whole->omissions.empty() && whole->file_size == before.size()));
    CHECK(whole->media_type == prepared->media_type);
}

}  // namespace

TEST_CASE("real stills keep every pixel and lose position, device and time") {
    if (std::system("exiftool -ver > /dev/null 2>&1") != 0 || std::system("convert -version > /dev/null 2>&1") != 0) {
        WARN("exiftool or ImageMagick is not installed: no real still here");
        return;
    }
    Folder folder;
    for (const std::string type : {"heic", "avif", "png", "webp"}) {
        const auto file = (folder.path / ("a." + type)).string();
        if (std::system(("convert -size 97x61 plasma:red-blue " + file + " 2> /dev/null").c_str()) != 0) {
            WARN("ImageMagick here does not write " << type);
            continue;
        }
        is_cleaned_of_marks(file);
    }
}

TEST_CASE("a damaged still is refused with a way on, and goes as it is where somebody says so") {
    Folder folder;
    const auto file = folder.path / "still";
    for (const auto& still : {png(part("eXIf", kSecret)), webp(riff("VP8 ", "picture")),
                              box("ftyp", "heic" + zeros(4)) + box("meta", zeros(4))}) {
        write_file(file, to_bytes(as_bytes(still.substr(0, still.size() - 1))));
        const auto refused = prepare(file);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::malformed);
        CHECK(has(refused.error().detail, "--as-it-is"));
        const auto whole = prepare(file, Cleaning::none);
        REQUIRE(whole);
        CHECK((!whole->stripped && whole->omissions.empty()));
    }
}
