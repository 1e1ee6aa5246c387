// Videos: what the real programs find, what becomes of one without them, and programs and files that mean ill.
#include "media/video.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>

#include "media/prepare.hpp"
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

// PATH for as long as this lives.
struct Path {
    std::string before = std::getenv("PATH");
    explicit Path(const std::string& path) { ::setenv("PATH", path.c_str(), 1); }
    ~Path() { ::setenv("PATH", before.c_str(), 1); }
};

void program(const fs::path& file, const std::string& script) {
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(file, fs::perms::owner_all);
}

// Three seconds of 320 x 240; empty where ffmpeg is not installed, which is said.
Bytes real_video(const fs::path& folder, const std::string& name, std::vector<std::string> more = {}) {
    HelperLimits limits;
    limits.time = kMinute;
    if (!run_helper({"ffmpeg", "-version"}, limits)) {
        WARN("ffmpeg is not installed: no real video here");
        return {};
    }
    // A helper may write no file: it comes through the pipe.
    std::vector<std::string> words{"ffmpeg",
                                   "-v",
                                   "error",
                                   "-f",
                                   "lavfi",
                                   "-i",
                                   "testsrc=size=320x240:rate=10",
                                   "-t",
                                   "3",
                                   "-c:v",
                                   "mpeg4",
                                   "-movflags",
                                   "frag_keyframe+empty_moov"};
    for (auto& word : more) words.push_back(std::move(word));
    words.insert(words.end(), {"-f", name.ends_with("mkv") ? "matroska" : "mp4", "pipe:1"});
    auto made = run_helper(words, limits);
    REQUIRE(made);
    write_file(folder / name, *made);
    return *made;
}

const VideoKind kMp4{"video/mp4", "mov"};
Bytes mp4_head() {
    return to_bytes(
        as_bytes(std::string_view("\0\0\0\x18"
                                  "ftypisom\0\0\2\0isomiso2",
                                  24)));
}

}  // namespace

TEST_CASE("a video is told by its first bytes, and stills and sound in the same wrapping are none") {
    const auto kind = [](std::string_view head) {
        const auto found = video_kind(as_bytes(head));
        return std::string(found ? found->media_type : "");
    };
    CHECK(kind({"\0\0\0\x18"
                "ftypisom....",
                16}) == "video/mp4");
    CHECK(kind({"\0\0\0\x14"
                "ftypqt  ....",
                16}) == "video/quicktime");
    CHECK(kind({"\0\0\0\x14"
                "ftyp3gp4....",
                16}) == "video/3gpp");
    CHECK(kind("\x1a\x45\xdf\xa3........webm") == "video/webm");
    CHECK(kind("\x1a\x45\xdf\xa3........matroska") == "video/x-matroska");
    for (const std::string_view other :
         {std::string_view("\0\0\0\x18"
                           "ftypheic....",
                           16),
          std::string_view("\0\0\0\x18"
                           "ftypM4A ....",
                           16),
          std::string_view("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n"), std::string_view("ftyp"),
          std::string_view("ffconcat version 1.0\nfile /etc/passwd")})
        CHECK(kind(other).empty());
}

TEST_CASE("size, duration and a frame of a real video") {
    Folder folder;
    for (const std::string name : {"film.mp4", "film.mkv", "-i film.mp4", "con cat|film.mp4"}) {
        INFO(name);
        if (real_video(folder.path, name).empty()) return;
        const auto prepared = prepare(folder.path / name);
        REQUIRE(prepared);
        CHECK(prepared->media_type == (name.ends_with("mkv") ? "video/x-matroska" : "video/mp4"));
        CHECK((prepared->photo.width == 320 && prepared->photo.height == 240));
        CHECK((prepared->duration_ms > 2'500 && prepared->duration_ms < 3'500));
        CHECK(prepared->stripped == !name.ends_with("mkv"));
        CHECK(prepared->photo.jpeg.empty());
        CHECK((prepared->photo.preview.size() > 100 && prepared->photo.preview.size() <= 1'024));
        CHECK(is_jpeg(prepared->photo.preview));
    }
}

TEST_CASE("a video without ffmpeg goes without size, duration and frame") {
    Folder folder;
    const Path nothing(folder.path);
    auto bytes = mp4_head();
    bytes.resize(10'000, 7);
    write_file(folder.path / "film.mp4", bytes);
    const auto prepared = prepare(folder.path / "film.mp4", Cleaning::none);
    REQUIRE(prepared);
    CHECK(prepared->media_type == "video/mp4");
    CHECK(prepared->file_size == 10'000);
    CHECK((prepared->photo.width == 0 && prepared->duration_ms == 0 && prepared->photo.preview.empty()));
}

TEST_CASE("damaged videos are refused, and described as far as they can be where they shall go as they are") {
    Folder folder;
    auto bytes = real_video(folder.path, "film.mp4");
    if (bytes.empty()) return;
    for (const std::size_t n : {24u, 500u, 3'000u}) {
        write_file(
            folder.path / "film.mp4",
            Bytes(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(std::ptrdiff_t(n), std::ssize(bytes))));
        const auto refused = prepare(folder.path / "film.mp4");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::malformed);
        CHECK(refused.error().detail.find("--as-it-is") != std::string::npos);
        CHECK(prepare(folder.path / "film.mp4", Cleaning::none));
    }
    for (std::size_t at = 40; at < bytes.size(); at += 97) bytes[at] ^= 0x5a;
    write_file(folder.path / "film.mp4", bytes);
    CHECK_FALSE(prepare(folder.path / "film.mp4"));
    CHECK(prepare(folder.path / "film.mp4", Cleaning::none));
}

TEST_CASE("a file that pretends to be a video makes the programs open no other") {
    Folder folder;
    if (real_video(folder.path, "secret.mp4").empty()) return;
    // A list of files for ffmpeg's concat, under a video's name and behind a video's first bytes.
    for (const bool headed : {false, true}) {
        std::string list = headed ? std::string(as_text(mp4_head())) : "";
        list += "ffconcat version 1.0\nfile secret.mp4\n";
        std::ofstream(folder.path / "list.mp4", std::ios::binary) << list;
        CHECK(describe_video(folder.path / "list.mp4", kMp4, 1'024).preview.empty());
    }
}

TEST_CASE("programs that say nonsense, too much, or nothing for ever cost their limits and no more") {
    Folder folder;
    const Path fake(folder.path.string() + ":/usr/bin:/bin");
    write_file(folder.path / "film.mp4", mp4_head());
    HelperLimits limits;
    limits.time = kMinute;
    limits.output = 100'000;
    const auto described = [&](const std::string& probe, const std::string& ffmpeg) {
        program(folder.path / "ffprobe", probe);
        program(folder.path / "ffmpeg", ffmpeg);
        return describe_video(folder.path / "film.mp4", kMp4, 1'024, limits);
    };
    const auto good = described("echo width=640; echo height=480; echo duration=2.5; echo rotation=-90", "exit 1");
    CHECK((good.width == 480 && good.height == 640 && good.duration_ms == 2'500 && good.preview.empty()));
    for (const auto* nonsense :
         {"echo width=-1; echo height=480", "echo width=nan; echo height=inf", "echo width=99999; echo height=1",
          "echo width=1e400; echo height=2", "printf 'width=640'", "echo width=640 480; echo height=", "exit 3"}) {
        INFO(nonsense);
        const auto video = described(nonsense, "echo no picture");
        CHECK((video.width == 0 && video.height == 0 && video.preview.empty()));
    }
    CHECK(described("echo duration=1e12", "").duration_ms == 0);
    CHECK(described("while :; do echo width=1; done", "cat /dev/zero").preview.empty());
    limits.time = kSecond;
    CHECK(described("exec sleep 1000", "exec sleep 1000").width == 0);
}

TEST_CASE("a helper gets nothing of this process, may write nothing, and takes its children along") {
    Folder folder;
    ::setenv("NIMES_TEST_SECRET", "geheim", 1);
    const int leaked = ::fcntl(1, F_DUPFD, 100);
    const auto seen = run_helper({"/bin/sh", "-c", "env; ls /proc/self/fd; ls -l /proc/self/fd/0"});
    ::close(leaked);
    ::unsetenv("NIMES_TEST_SECRET");
    REQUIRE(seen);
    CHECK(as_text(*seen).find("geheim") == std::string_view::npos);
    CHECK(as_text(*seen).find("/dev/null") != std::string_view::npos);
    CHECK(as_text(*seen).find("\n" + std::to_string(leaked) + "\n") == std::string_view::npos);

    // The limits reach it a moment after it began.
    const auto wrote = run_helper(
        {"/bin/sh", "-c",
         "while [ \"$(ulimit -f)\" != 0 ]; do :; done; echo x > " + (folder.path / "file").string() + " || exit 1"});
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error().code == Errc::malformed);
    HelperLimits limits;
    limits.time = 300;
    const auto child = folder.path / "child";
    CHECK(run_helper({"/bin/sh", "-c", "sleep 1000 & echo $!; exec sleep 1000"}, limits).error().code ==
          Errc::timed_out);
    limits.time = 10 * kSecond;
    const auto number = run_helper({"/bin/sh", "-c", "sleep 1000 >/dev/null & echo $!"}, limits);
    REQUIRE(number);
    const auto pid = std::stoi(std::string(as_text(*number)));
    const auto gone = [&] {  // or a zombie that its new parent has not looked at yet
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string word;
        return !(stat >> word >> word >> word) || word == "Z";
    };
    for (int i = 0; i < 1'000 && !gone(); ++i) ::usleep(10'000);
    CHECK(gone());

    limits.output = 1'000;
    CHECK(run_helper({"cat", "/dev/zero"}, limits).error().code == Errc::too_large);
    CHECK(run_helper({"no-such-program-of-nimes"}).error().code == Errc::not_found);
    CHECK(run_helper({"false"}).error().code == Errc::malformed);
}
