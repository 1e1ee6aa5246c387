// Films of a real program: every frame stays, and what is beside them goes.
#include <cstdlib>

#include "films.hpp"
#include "media/prepare.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

bool no_ffmpeg() {
    if (std::system("ffmpeg -version > /dev/null 2>&1") == 0) return false;
    WARN("ffmpeg is not installed: no real film here");
    return true;
}
std::string frames(const std::string& path) {
    return output_of("ffmpeg -v error -nostdin -i " + path + " -map 0:v? -map 0:a? -f framemd5 - 2>&1");
}

std::uint64_t value(const std::string& text, std::size_t at, int width) {
    std::uint64_t out = 0;
    for (int i = 0; i < width; ++i) out = out << 8 | static_cast<std::uint8_t>(text[at + static_cast<std::size_t>(i)]);
    return out;
}

// Puts a block with a position in front of every third chunk of each track, behind the last one, and into a box of
// data of its own, and puts all places right.
struct Dashcam {
    std::string film = {};
    std::string block = number(64, 4) + "freeGPS " + kSecret + zeros(64 - 12 - std::string(kSecret).size());
    struct Place {
        std::size_t at;
        int width;
    };
    std::vector<Place> places = {};

    void find_places() {
        for (const std::string name : {"stco", "co64"})
            for (auto at = film.find(name); at != std::string::npos; at = film.find(name, at + 4)) {
                const int width = name == "stco" ? 4 : 8;
                for (std::uint64_t i = 0; i < value(film, at + 8, 4); ++i)
                    places.push_back({at + 12 + i * static_cast<std::size_t>(width), width});
            }
    }
    // Where a box of the file itself begins; npos: there is none.
    std::size_t box_at(const std::string& name) const {
        auto out = std::string::npos;
        for (std::size_t at = 0; at + 8 <= film.size() && value(film, at, 4) >= 8; at += value(film, at, 4))
            if (film.substr(at + 4, 4) == name) out = at;
        return out;
    }
    void insert(std::size_t at) {
        const auto data = box_at("mdat");
        for (auto& [place, width] : places) {
            const auto points = value(film, place, width);
            if (points >= at)
                film.replace(place, static_cast<std::size_t>(width), number(points + block.size(), width));
            if (place >= at) place += block.size();
        }
        film.replace(data, 4, number(value(film, data, 4) + block.size(), 4));
        film.insert(at, block);
    }
    // Sound in samples of one size: as QuickTime wrote it, one byte, which means nothing.
    void say_one_byte() {
        for (auto at = film.find("stsz"); at != std::string::npos; at = film.find("stsz", at + 4))
            if (const auto size = value(film, at + 8, 4); size > 0 && size <= 16) film.replace(at + 8, 4, number(1, 4));
    }
    std::string drive() {
        say_one_byte();
        find_places();
        for (std::size_t i = 0; i < places.size(); i += 3) insert(value(film, places[i].at, places[i].width));
        const auto data = box_at("mdat");
        insert(data + value(film, data, 4));
        return film + box("mdat", block);
    }
};

}  // namespace

TEST_CASE("real films keep every frame and lose position, device and time") {
    if (no_ffmpeg()) return;
    Folder folder;
    const std::string at = folder.path.string() + "/";
    const std::string make =
        "ffmpeg -v error -nostdin -y -f lavfi -i testsrc=size=160x120:rate=10 -f lavfi -i sine -t 2 -c:v mpeg4 -c:a "
        "aac "
        "-metadata location=+52.6226+010.0815/ -metadata com.apple.quicktime.location.ISO6709=+52.6226+010.0815/ "
        "-metadata com.apple.quicktime.model=GEHEIM -metadata title=GEHEIM -metadata "
        "creation_time=2026-11-23T14:05:06Z "
        "-metadata:s:v handler_name=GEHEIM -metadata:s:v timecode=14:05:06:00 ";
    for (const std::string name : {"a.mp4", "b.mov", "c.mp4 -movflags +faststart", "d.mov -movflags use_metadata_tags",
                                   "e.mp4 -movflags use_metadata_tags+faststart", "f.3gp", "g.m4a -vn"}) {
        INFO(name);
        const auto options = name.find(' ');
        const auto file = at + name.substr(0, options);
        const auto more = options == std::string::npos ? "" : name.substr(options);
        output_of(make + more + (file.ends_with("3gp") ? " -an " : " ") + file + " 2>&1");
        const auto before = read_file(file);
        const auto prepared = prepare(file);
        REQUIRE(prepared);
        CHECK(prepared->stripped);
        CHECK(prepared->file_size == before.size());
        CHECK(prepared->photo.captured == Millis{1'795'442'706'000});
        const auto after = without(std::string(as_text(before)), prepared->omissions);
        REQUIRE(after.size() == before.size());
        const auto out = at + "out" + file.substr(file.rfind('.'));
        write_file(out, to_bytes(as_bytes(after)));
        const auto facts = [](const std::string& path) {
            return output_of("ffprobe -v error -show_format -show_streams " + path + " 2>&1");
        };
        CHECK(has(facts(file), "52.6226"));
        CHECK(has(facts(file), "2026-11-23"));
        for (const auto* gone : {"52.6226", "2026-11-23", "GEHEIM", "TAG:location", "quicktime.location"}) {
            INFO(gone);
            CHECK_FALSE(has(facts(out), gone));
            CHECK_FALSE(has(after, gone));
        }
        CHECK(frames(out) == frames(file));
        // Told to send it as it is, it does.
        const auto whole = prepare(file, Cleaning::none);
        REQUIRE(whole);
        CHECK((!whole->stripped && whole->omissions.empty() && whole->file_size == before.size()));
    }
}

TEST_CASE("positions between the chunks of real films go, and every frame stays") {
    if (no_ffmpeg()) return;
    Folder folder;
    const std::string at = folder.path.string() + "/";
    const std::string make =
        "ffmpeg -v error -nostdin -y -f lavfi -i testsrc=size=96x64:rate=10 -f lavfi -i sine -ac 2 -t 1 ";
    const std::string fragments = " -c:v mpeg4 -g 5 -movflags frag_keyframe+empty_moov";
    for (const auto& options :
         {std::string("mp4 -c:v mpeg4 -c:a aac"), std::string("mp4 -c:v mjpeg -c:a aac -movflags +faststart"),
          std::string("mov -c:v mpeg4 -c:a pcm_s16le"),
          std::string("mov -c:v mjpeg -c:a pcm_s24le -movflags +faststart"),
          std::string("mov -c:v mjpeg -c:a pcm_mulaw"), std::string("mov -c:v mjpeg -c:a adpcm_ima_qt"),
          std::string("mov -c:v rawvideo -pix_fmt rgb24 -c:a alac"), std::string("3gp -c:v mpeg4 -an"),
          std::string("m4a -vn -c:a aac"), "mp4 -c:a aac" + fragments, "mov -c:a pcm_s16le" + fragments,
          "mp4 -c:a aac" + fragments + "+default_base_moof+separate_moof"}) {
        INFO(options);
        const auto end = options.substr(0, options.find(' '));
        const auto file = at + "film." + end, driven = at + "driven." + end, out = at + "out." + end;
        output_of(make + options.substr(end.size()) + " " + file + " 2>&1");
        Dashcam camera{std::string(as_text(read_file(file)))};
        const auto before = camera.drive();
        write_file(driven, to_bytes(as_bytes(before)));
        const auto prepared = prepare(driven);
        REQUIRE(prepared);
        const auto after = without(before, prepared->omissions);
        REQUIRE(after.size() == before.size());
        CHECK(has(before, "52.6226"));
        CHECK_FALSE(has(after, "52.6226"));
        CHECK_FALSE(has(after, "freeGPS"));
        write_file(out, to_bytes(as_bytes(after)));
        const auto expected = frames(file);
        REQUIRE(frames(driven) == expected);  // else the blocks are put wrongly
        CHECK(frames(out) == expected);
    }
}
