// The media routes behind the real server, on the real store, asked like a trace of the wire.
#pragma once

#include "../http/client.hpp"
#include "../store/folder.hpp"
#include "media/routes.hpp"
#include "nimes/encoding.hpp"
#include "shelf.hpp"

namespace wire {

using namespace nimes;
using namespace nimes::gateway;
using shelf::made;
using shelf::pattern;

inline constexpr std::uint64_t kMost = 4'000'000;
inline const std::string kVersion = "Tus-Resumable: 1.0.0";
inline const std::string kType = "Content-Type: application/offset+octet-stream";
inline const std::string kPath = "/v1/media/" + std::string(32, '1');
inline const std::string kId =
    "Upload-Metadata: id EREREREREREREREREREREQ==";  // 16 bytes 0x11, as the path says, in base64

inline media::Limits limits() {
    media::Limits out;
    out.max_bytes = kMost;
    out.device_bytes = 10 * kMost;
    return out;
}

struct Post {
    folders::Folder folder;
    std::unique_ptr<store::Store> store = folders::open(folder.path / "store");
    shelf::FakeClock clock;
    std::unique_ptr<media::MediaStore> media = media::MediaStore::open({*store, clock}, limits()).value();
    operations::Metrics metrics{"test", "test"};
    SystemRandom random;
    web::Site site;

    explicit Post(std::chrono::milliseconds patience = std::chrono::seconds(10)) {
        media::add_routes(site.router, {*media, metrics, random, kMost, patience});
        site.start();
    }
    [[nodiscard]] web::Answer ask(const std::string& method, const std::string& path, std::vector<std::string> headers,
                                  std::string body = {}, char who = 'a') const {
        if (who != 0) headers.push_back(web::Letters::header(who));
        headers.push_back("Expect:");
        return web::fetch(site.url(path), {.method = method, .headers = headers, .body = std::move(body)});
    }
    [[nodiscard]] web::Answer create(std::uint64_t length, char who = 'a') const {
        return ask("POST", "/v1/media", {kVersion, kId, "Upload-Length: " + std::to_string(length)}, {}, who);
    }
    [[nodiscard]] web::Answer patch(std::uint64_t offset, std::string body, char who = 'a') const {
        return ask("PATCH", kPath, {kVersion, kType, "Upload-Offset: " + std::to_string(offset)}, std::move(body), who);
    }
    [[nodiscard]] web::Answer head(char who = 'a') const { return ask("HEAD", kPath, {kVersion}, {}, who); }
    [[nodiscard]] web::Answer get(std::vector<std::string> headers = {}, char who = 'a') const {
        return ask("GET", kPath, std::move(headers), {}, who);
    }
};

inline std::string text(std::size_t n) {
    const auto bytes = pattern(n);
    return {bytes.begin(), bytes.end()};
}

}  // namespace wire
