#include "media/video.hpp"

#include <charconv>
#include <cmath>
#include <map>

#include "media/prepare.hpp"

namespace nimes::agent::media {
namespace {

constexpr std::uint32_t kMaxSide = 20'000;
constexpr double kMaxSeconds = 86'400;

// Of both programs: what they read, and how.
std::vector<std::string> input(const std::filesystem::path& file, const VideoKind& kind) {
    return {"-protocol_whitelist", "file", "-f",
            kind.demuxer,          "-i",   "file:" + std::filesystem::absolute(file).string()};
}

// Lines NAME=VALUE; of a name that comes twice the first counts.
std::map<std::string_view, double, std::less<>> numbers(std::string_view text) {
    std::map<std::string_view, double, std::less<>> out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        const auto value = line.substr(equals + 1);
        double number = 0;
        const auto [at, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error == std::errc{} && at == value.data() + value.size() && std::isfinite(number))
            out.emplace(line.substr(0, equals), number);
    }
    return out;
}

void probe(const std::filesystem::path& file, const VideoKind& kind, HelperLimits limits, Video& out) {
    limits.output = 64 << 10;
    std::vector<std::string> words{"ffprobe",
                                   "-v",
                                   "error",
                                   "-select_streams",
                                   "v:0",
                                   "-show_entries",
                                   "stream=width,height:stream_side_data=rotation:format=duration",
                                   "-of",
                                   "default=noprint_wrappers=1"};
    for (auto& word : input(file, kind)) words.push_back(std::move(word));
    const auto said = run_helper(std::move(words), limits);
    if (!said) return;
    const auto found = numbers(as_text(*said));
    const auto of = [&](std::string_view name) {
        const auto at = found.find(name);
        return at == found.end() ? 0.0 : at->second;
    };
    const auto side = [](double n) { return n >= 1 && n <= kMaxSide ? static_cast<std::uint32_t>(n) : 0u; };
    out.width = side(of("width"));
    out.height = side(of("height"));
    if (out.width == 0 || out.height == 0) out.width = out.height = 0;
    if (std::abs(std::fmod(of("rotation"), 180)) == 90) std::swap(out.width, out.height);
    if (const auto seconds = of("duration"); seconds > 0 && seconds <= kMaxSeconds)
        out.duration_ms = static_cast<std::uint32_t>(seconds * 1'000);
}

// A second in, for the first frame is often black; of a short one the first.
Bytes poster(const std::filesystem::path& file, const VideoKind& kind, std::uint32_t duration_ms,
             const HelperLimits& limits, std::size_t preview_bytes) {
    std::vector<std::string> words{"ffmpeg",   "-v", "error", "-nostdin",
                                   "-threads", "1",  "-ss",   duration_ms >= 2'000 ? "1" : "0"};
    for (auto& word : input(file, kind)) words.push_back(std::move(word));
    for (const auto* word : {"-map", "0:v:0", "-frames:v", "1", "-vf", "scale=w='min(256,iw)':h=-2", "-pix_fmt",
                             "yuvj420p", "-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe", "pipe:1"})
        words.emplace_back(word);
    const auto jpeg = run_helper(std::move(words), limits);
    if (!jpeg) return {};
    PhotoLimits small;
    small.max_side = 4'096;
    small.preview_bytes = preview_bytes;
    auto photo = prepare_photo(*jpeg, 0, small);
    return photo ? std::move(photo->preview) : Bytes{};
}

}  // namespace

std::optional<VideoKind> video_kind(ByteView head) {
    const auto text = as_text(head);
    if (text.size() >= 12 && text.substr(4, 4) == "ftyp") {
        const auto brand = text.substr(8, 4);
        if (brand == "M4A " || brand == "M4B " || brand == "avif" || brand.starts_with("hei") || brand == "mif1")
            return std::nullopt;  // sound and stills in the same wrapping
        if (brand == "qt  ") return VideoKind{"video/quicktime", "mov"};
        return VideoKind{brand.starts_with("3g") ? "video/3gpp" : "video/mp4", "mov"};
    }
    if (text.starts_with("\x1a\x45\xdf\xa3"))
        return VideoKind{text.find("webm") != std::string_view::npos ? "video/webm" : "video/x-matroska", "matroska"};
    return std::nullopt;
}

Video describe_video(const std::filesystem::path& file, const VideoKind& kind, std::size_t preview_bytes,
                     const HelperLimits& limits) {
    Video out;
    probe(file, kind, limits, out);
    out.preview = poster(file, kind, out.duration_ms, limits, preview_bytes);
    return out;
}

}  // namespace nimes::agent::media
