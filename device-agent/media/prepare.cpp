#include "media/prepare.hpp"

#include <libexif/exif-data.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <memory>

#include "media/chunks.hpp"
#include "media/film_boxes.hpp"
#include "media/heif.hpp"
#include "media/jpeg_segments.hpp"
#include "media/pixels.hpp"
#include "media/sealed_file.hpp"
#include "media/video.hpp"

namespace nimes::agent::media {
namespace {

constexpr int kSmallQuality = 75;

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
    if (parts[0] < 1990 || parts[0] > 2200 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 ||
        parts[3] < 0 || parts[3] > 23 || parts[4] < 0 || parts[4] > 59 || parts[5] < 0 || parts[5] > 60)
        return std::nullopt;
    for (const std::size_t at : {4u, 7u, 13u, 16u})
        if (text[at] != ':') return std::nullopt;
    std::tm time{};
    time.tm_year = parts[0] - 1900;
    time.tm_mon = parts[1] - 1;
    time.tm_mday = parts[2];
    time.tm_hour = parts[3];
    time.tm_min = parts[4];
    time.tm_sec = parts[5];
    const auto seconds = timegm(&time) - std::time_t{60} * offset_minutes;
    return static_cast<Millis>(seconds) * kSecond;
}

std::string_view text_of(ExifData* data, ExifTag tag) {
    const auto* entry = exif_content_get_entry(data->ifd[EXIF_IFD_EXIF], tag);
    if (entry == nullptr || entry->format != EXIF_FORMAT_ASCII) return {};
    return {reinterpret_cast<const char*>(entry->data), entry->size};
}

// "+01:00" (Exif 2.31, OffsetTimeOriginal); minutes east of UTC.
std::optional<int> parse_zone(std::string_view text) {
    if (text.size() < 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    int hours = 0, minutes = 0;
    const auto number = [&](std::size_t at, int& into) {
        return text[at] != '-' &&
               std::from_chars(text.data() + at, text.data() + at + 2, into).ptr == text.data() + at + 2;
    };
    if (!number(1, hours) || !number(4, minutes) || hours > 14 || minutes > 59) return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
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
    const auto zone = parse_zone(text_of(data.get(), EXIF_TAG_OFFSET_TIME_ORIGINAL));
    out.captured = parse_time(text_of(data.get(), EXIF_TAG_DATE_TIME_ORIGINAL), zone.value_or(offset_minutes));
    return out;
}

void add_video(const std::filesystem::path& path, const VideoKind& kind, const PhotoLimits& limits, Prepared& out) {
    out.media_type = kind.media_type;
    auto video = describe_video(path, kind, limits.preview_bytes);
    out.duration_ms = video.duration_ms;
    out.photo.width = video.width;
    out.photo.height = video.height;
    out.photo.preview = std::move(video.preview);
}

Result<Prepared> prepare_jpeg(File& file, Bytes head, Prepared out, Cleaning cleaning, int offset_minutes,
                              const PhotoLimits& limits) {
    out.media_type = "image/jpeg";
    if (out.file_size > limits.max_bytes) return fail(Errc::too_large, "the photo has too many bytes");
    Bytes jpeg(static_cast<std::size_t>(out.file_size));
    head.resize(std::min(head.size(), jpeg.size()));  // it may have been cut meanwhile
    std::copy(head.begin(), head.end(), jpeg.begin());
    const auto rest = file.read(std::span(jpeg).subspan(head.size()));
    if (!rest || *rest + head.size() != jpeg.size()) return fail(Errc::storage, "the photo cannot be read");
    auto photo = prepare_photo(jpeg, offset_minutes, limits);
    out.stripped = cleaning == Cleaning::all;
    if (!photo && out.stripped) return pass(photo);
    if (photo) out.photo = std::move(*photo);
    if (!out.stripped) out.photo.jpeg.clear();
    return out;
}

Look look_into(File& file) {
    return [&file](std::uint64_t at, std::span<std::uint8_t> into) -> Result<void> {
        if (auto ok = file.seek(at); !ok) return ok;
        auto n = file.read(into);
        if (!n) return pass(n);
        return *n == into.size() ? Result<void>() : fail(Errc::malformed, "the file is shorter than it was");
    };
}

// Of a file that is not encoded again: what its maker wrote beside picture and sound.
Result<void> leave_out(File& file, ByteView head, int offset_minutes, Prepared& out) {
    decltype(&look_through_film) look_through = nullptr;
    if (is_heif(head)) look_through = look_through_heif;
    else if (chunked_type(head) != nullptr) look_through = look_through_chunks;
    else if (is_film(head, out.file_size)) look_through = look_through_film;
    else return {};
    auto personal = look_through(look_into(file), out.file_size, {});
    if (!personal)
        return fail(personal.error().code, personal.error().detail +
                                               ", so nobody can tell where position and camera data are: --as-it-is "
                                               "sends it with all of them");
    out.omissions = std::move(personal->omissions);
    out.photo.captured = personal->captured ? personal->captured : read_exif(personal->exif, offset_minutes).captured;
    out.file_size = length_without(out.file_size, out.omissions);
    out.stripped = true;
    return {};
}

}  // namespace

bool is_jpeg(ByteView head) { return head.size() >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff; }

bool is_cleaned(std::string_view media_type) {
    constexpr std::string_view kCleaned[] = {"image/jpeg", "image/heic", "image/heif",      "image/avif", "image/png",
                                             "image/webp", "video/mp4",  "video/quicktime", "video/3gpp"};
    return std::ranges::find(kCleaned, media_type) != std::end(kCleaned);
}

Result<Photo> prepare_photo(ByteView jpeg, int offset_minutes, const PhotoLimits& limits) {
    if (jpeg.size() > limits.max_bytes) return fail(Errc::too_large, "the photo has too many bytes");
    auto stripped = strip_segments(jpeg);
    if (!stripped) return pass(stripped);
    const auto facts = read_exif(stripped->exif, offset_minutes);
    auto size = judge_jpeg(stripped->jpeg, limits, stripped->whole || facts.orientation != 1);
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

std::optional<Photo> small_photo(const Photo& photo, std::uint32_t side) {
    auto jpeg = shrink_jpeg(photo.jpeg, side, kSmallQuality);
    if (!jpeg || jpeg->size() > photo.jpeg.size() / 2) return std::nullopt;
    const auto size = judge_jpeg(*jpeg, {}, false);
    if (!size) return std::nullopt;
    return Photo{std::move(*jpeg), photo.preview, size->width, size->height, photo.captured};
}

Result<Prepared> prepare(const std::filesystem::path& path, Cleaning cleaning, int offset_minutes,
                         const PhotoLimits& limits) {
    auto file = File::read(path);
    if (!file) return pass(file);
    const auto size = file->size();
    if (!size) return fail(size.error().code);
    Prepared out;
    out.file_size = *size;
    out.media_type = "application/octet-stream";
    Bytes head(kVideoHead);
    const auto got = file->read(head);
    if (!got) return fail(got.error().code, got.error().detail);
    head.resize(*got);
    if (is_jpeg(head)) return prepare_jpeg(*file, std::move(head), std::move(out), cleaning, offset_minutes, limits);
    if (cleaning == Cleaning::all)
        if (auto ok = leave_out(*file, head, offset_minutes, out); !ok) return pass(ok);
    if (const auto* type = heif_type(head)) out.media_type = type;
    else if (const auto* chunked = chunked_type(head)) out.media_type = chunked;
    else if (const auto kind = video_kind(head)) add_video(path, *kind, limits, out);
    return out;
}

}  // namespace nimes::agent::media
