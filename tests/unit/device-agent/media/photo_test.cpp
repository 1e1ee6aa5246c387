#include <turbojpeg.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <memory>

#include "media/jpeg_segments.hpp"
#include "media/prepare.hpp"

using namespace nimes;
using namespace nimes::agent::media;

namespace {

// 40 x 24, EXIF: orientation 6, position, taken 2026-11-23 14:05:06.
Bytes turned() {
    std::ifstream in(std::string(NIMES_CORPUS) + "/fuzz_agent_photo/turned", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Picture {
    int width = 0, height = 0;
    Bytes rgb;
    [[nodiscard]] int red(int x, int y) const { return rgb[static_cast<std::size_t>((y * width + x) * 3)]; }
    [[nodiscard]] int blue(int x, int y) const { return rgb[static_cast<std::size_t>((y * width + x) * 3 + 2)]; }
};

Picture decode(ByteView jpeg) {
    const std::unique_ptr<void, void (*)(void*)> handle(tjInitDecompress(), [](void* h) { tjDestroy(h); });
    Picture out;
    int sampling = 0, space = 0;
    REQUIRE(tjDecompressHeader3(handle.get(), jpeg.data(), jpeg.size(), &out.width, &out.height, &sampling, &space) ==
            0);
    out.rgb.resize(static_cast<std::size_t>(out.width * out.height * 3));
    REQUIRE(tjDecompress2(handle.get(), jpeg.data(), jpeg.size(), out.rgb.data(), out.width, 0, out.height, TJPF_RGB,
                          0) == 0);
    return out;
}

bool has(const Bytes& bytes, std::string_view text) { return as_text(bytes).find(text) != std::string_view::npos; }

// A picture with a segment of that marker in front of everything.
Bytes with_segment(const Bytes& jpeg, std::uint8_t marker, std::string_view payload) {
    Bytes out(jpeg.begin(), jpeg.begin() + 2);
    out.insert(out.end(), {0xff, marker, static_cast<std::uint8_t>((payload.size() + 2) >> 8),
                           static_cast<std::uint8_t>(payload.size() + 2)});
    out.insert(out.end(), payload.begin(), payload.end());
    out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
    return out;
}

}  // namespace

TEST_CASE("a turned photo is upright, without EXIF and position, and its time is kept") {
    const auto jpeg = turned();
    REQUIRE(has(jpeg, "Exif"));
    const auto photo = prepare_photo(jpeg, 60).value();
    CHECK((photo.width == 24 && photo.height == 40));
    CHECK_FALSE(has(photo.jpeg, "Exif"));
    CHECK(photo.captured == Millis{1'795'439'106'000});  // 13:05:06 UTC
    CHECK_FALSE(photo.preview.empty());
    CHECK(photo.preview.size() <= 1'024);
    const auto before = decode(strip_segments(jpeg)->jpeg), after = decode(photo.jpeg);
    REQUIRE((after.width == 24 && after.height == 40));
    // Orientation 6: what was at the left edge stands at the top; the picture fades from red to blue downwards.
    CHECK(before.red(20, 0) > before.red(20, 23) + 50);
    CHECK(after.red(23, 20) > after.red(0, 20) + 50);
}

TEST_CASE("an upright photo keeps every coefficient: the entropy-coded data is byte for byte the same") {
    const auto stripped = strip_segments(turned())->jpeg;
    const auto marked = with_segment(with_segment(stripped, 0xfe, "kommentar"), 0xed, "Photoshop 3.0");
    const auto photo = prepare_photo(marked).value();
    CHECK(photo.jpeg == stripped);
    auto appended = marked;
    for (const char c : std::string("angehaengt")) appended.push_back(static_cast<std::uint8_t>(c));
    CHECK(prepare_photo(appended)->jpeg == stripped);
}

TEST_CASE("a photo that is cut anywhere, or damaged, is refused here and not at the receiver's") {
    const auto jpeg = strip_segments(turned())->jpeg;
    REQUIRE(prepare_photo(jpeg));
    for (std::size_t n = 0; n < jpeg.size(); ++n) REQUIRE_FALSE(prepare_photo(ByteView(jpeg).first(n)));
    CHECK(prepare_photo(as_bytes("no picture at all")).error().code == Errc::malformed);
}

TEST_CASE("too many pixels or bytes are refused before they take memory") {
    const auto jpeg = strip_segments(turned())->jpeg;
    PhotoLimits limits;
    limits.max_side = 39;
    CHECK(prepare_photo(jpeg, 0, limits).error().code == Errc::too_large);
    limits = {};
    limits.max_pixels = 959;
    CHECK(prepare_photo(jpeg, 0, limits).error().code == Errc::too_large);
    limits = {};
    limits.max_pixels_whole = 959;
    CHECK(prepare_photo(jpeg, 0, limits));
    CHECK(prepare_photo(turned(), 0, limits).error().code == Errc::too_large);  // must be held whole to be turned
    limits = {};
    limits.max_bytes = jpeg.size() - 1;
    CHECK(prepare_photo(jpeg, 0, limits).error().code == Errc::too_large);
    // A head that claims 32,639 x 32,639 pixels.
    auto huge = jpeg;
    for (std::size_t i = 0; i + 9 < huge.size(); ++i)
        if (huge[i] == 0xff && (huge[i + 1] == 0xc0 || huge[i + 1] == 0xc2)) {
            std::fill_n(huge.begin() + static_cast<std::ptrdiff_t>(i) + 5, 4, std::uint8_t{0x7f});
            break;
        }
    CHECK(prepare_photo(huge).error().code == Errc::too_large);
}
