// A video's size, duration and a frame to show, found by the programs ffprobe and ffmpeg where they are installed.
// Nothing of them runs in this process, and a video goes as well without (the preview is empty then).
//
// A video is hostile, and so is its name: the container format is decided here by its first bytes and forced upon the
// programs, so that a playlist or script can make them open no other file; they may open local files alone, and the
// name is given as file:/absolute. The frame comes back as a JPEG and is judged and made anew like any photo.
// Threads: one for each call; blocks for up to two helper limits (helper.hpp). No errors: what is not found is left 0.
#pragma once

#include <filesystem>
#include <optional>

#include "media/helper.hpp"

namespace nimes::agent::media {

inline constexpr std::size_t kVideoHead = 64;  // bytes that video_kind() looks at

struct VideoKind {
    const char* media_type;  // "video/mp4"
    const char* demuxer;     // of ffmpeg
};
// ISO base media (MP4, QuickTime, 3GP) and Matroska/WebM; nullopt for anything else.
std::optional<VideoKind> video_kind(ByteView head);

struct Video {
    std::uint32_t width = 0;  // as it is shown
    std::uint32_t height = 0;
    std::uint32_t duration_ms = 0;
    Bytes preview;  // JPEG of at most the limit
};
Video describe_video(const std::filesystem::path& file, const VideoKind& kind, std::size_t preview_bytes,
                     const HelperLimits& limits = {});

}  // namespace nimes::agent::media
