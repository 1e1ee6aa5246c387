#include "media/prepare.hpp"

#include <libexif/exif-data.h>

#include <charconv>
#include <ctime>
#include <memory>

#include "media/jpeg_segments.hpp"
#include "media/pixels.hpp"
#include "media/sealed_file.hpp"

namespace nimes::agent::media {
namespace {

struct ExifFacts {
    int orientation = 1;
    std::optional<Millis> captured;
};

// "2026:11:23 14:05:06", local to the camera.
std::optional<Millis> parse_time(std::string_view text, int offset_minutes) {
    if (text.size() < 19) return std::nullopt;
    int parts[6] = {};
    constexpr std::size_t kAt[] = {0, 5, 8, 11, 14, 17}, kLength[] = {4, 2, 2, 2, 2, 2};
    for (std::size_t i = 0; i < 6; ++i) {
        const auto* first = text.data() + kAt[i];
        if (std::from_chars(first, first + kLength[i], parts[i]).ptr != first + kLength[i]) return std::nullopt;
    }
    std::tm time{};
    time.tm_year = parts[0] - 1900;
    time.tm_mon = parts[1] - 1;
    time.tm_mday = parts[2];
    time.tm_hour = parts[3];
    time.tm_min = parts[4];
    time.tm_sec = parts[5];
    const auto seconds = timegm(&time) - std::time_t{60} * offset_minutes;
    if (parts[0] < 1990 || parts[0] > 2200 || seconds < 0) return std::nullopt;
    return static_cast<Millis>(seconds) * kSecond;
}

ExifFacts read_exif(const Bytes& exif, int offset_minutes) {
    ExifFacts out;
    if (exif.empty()) return out;
    const std::unique_ptr<ExifData, void (*)(ExifData*)> data(
        exif_data_new_from_data(exif.data(), static_cast<unsigned>(exif.size())), exif_data_unref);
    if (!data) return out;
    const auto order = exif_data_get_byte_order(data.get());
    if (const auto* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
        entry != nullptr && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2) {
        const int value = exif_get_short(entry->data, order);
        if (value >= 1 && value <= 8) out.orientation = value;
    }
    if (const auto* entry = exif_content_get_entry(data->ifd[EXIF_IFD_EXIF], EXIF_TAG_DATE_TIME_ORIGINAL);
        entry != nullptr && entry->format == EXIF_FORMAT_ASCII)
        out.captured = parse_time({reinterpret_cast<const char*>(entry->data), entry->size}, offset_minutes);
    return out;
}

}  // namespace

bool is_jpeg(ByteView head) { return head.size() >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff; }

Result<Photo> prepare_photo(ByteView jpeg, int offset_minutes, const PhotoLimits& limits) {
    if (jpeg.size() > limits.max_bytes) return fail(Errc::too_large, "the photo has too many bytes");
    auto stripped = strip_segments(jpeg);
    if (!stripped) return pass(stripped);
    const auto facts = read_exif(stripped->exif, offset_minutes);
    auto size = judge_jpeg(stripped->jpeg, limits, facts.orientation != 1);
    if (!size) return pass(size);
    Photo out{std::move(stripped->jpeg), {}, size->width, size->height, facts.captured};
    if (facts.orientation != 1) {
        auto turned = turn_jpeg(out.jpeg, facts.orientation);
        if (!turned) return pass(turned);
        out.jpeg = std::move(*turned);
        if (facts.orientation >= 5) std::swap(out.width, out.height);
    }
    out.preview = preview_of(out.jpeg, limits.preview_bytes);
    return out;
}

Result<Prepared> prepare(const std::filesystem::path& path, int offset_minutes, const PhotoLimits& limits) {
    auto file = File::read(path);
    if (!file) return pass(file);
    const auto size = file->size();
    if (!size) return fail(size.error().code);
    Prepared out;
    out.file_size = *size;
    out.media_type = "application/octet-stream";
    Bytes head(3);
    const auto got = file->read(head);
    if (!got || *got < head.size() || !is_jpeg(head)) return out;
    if (*size > limits.max_bytes) return fail(Errc::too_large, "the photo has too many bytes");
    Bytes jpeg(static_cast<std::size_t>(*size));
    std::copy(head.begin(), head.end(), jpeg.begin());
    const auto rest = file->read(std::span(jpeg).subspan(head.size()));
    if (!rest || *rest + head.size() != jpeg.size()) return fail(Errc::storage, "the photo cannot be read");
    auto photo = prepare_photo(jpeg, offset_minutes, limits);
    if (!photo) return pass(photo);
    out.photo = std::move(*photo);
    out.stripped = true;
    out.media_type = "image/jpeg";
    return out;
}

}  // namespace nimes::agent::media
