// Requests that wait for an upload which another one still holds: they cost no thread, and the newest goes on.
#include "wire.hpp"

using namespace wire;

namespace {

constexpr std::size_t kMany = 64;  // several times the workers

BlobId blob(std::size_t i) { return made<BlobId>(static_cast<std::uint8_t>(i + 100)); }
std::string path(std::size_t i) { return "/v1/media/" + to_hex(blob(i).view()); }
media::Uploader anna() { return {UserId::from(web::Letters::device_of('a').view()), web::Letters::device_of('a')}; }
std::string asks(const std::string& method, std::size_t i, const std::string& more = {}) {
    return method + " " + path(i) + " HTTP/1.1\r\nHost: x\r\n" + kVersion + "\r\n" + web::Letters::header('a') +
           "\r\n" + more + "\r\n";
}
std::string patches(std::size_t i, std::size_t offset, const std::string& body) {
    return asks("PATCH", i,
                kType + "\r\nUpload-Offset: " + std::to_string(offset) +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") +
           body;
}

// Uploads of 1,000 bytes whose first 100 somebody has taken, who does not end before he is told to.
struct Holders {
    std::vector<std::unique_ptr<media::UploadWriter>> writers;
    std::atomic<std::size_t> asked = 0;

    void hold(media::MediaStore& store, std::size_t i) {
        REQUIRE(store.create(blob(i), anna(), {1'000, false}));
        auto writer = store.write(blob(i), anna().device, [this] { ++asked; });
        REQUIRE(writer);
        writers.push_back(std::make_unique<media::UploadWriter>(std::move(*writer)));
        REQUIRE(writers.back()->append(pattern(100)));
    }
    void let_go() {
        for (auto& writer : writers) REQUIRE(writer->flush());
        writers.clear();
    }
};

}  // namespace

TEST_CASE("many that wait for half-open uploads hold up nobody else, and lose nothing") {
    const Post post(std::chrono::hours(1));
    Holders holders;
    std::vector<std::unique_ptr<web::Raw>> heads, patching;
    for (std::size_t i = 0; i < kMany; ++i) {
        holders.hold(*post.media, i);
        heads.push_back(std::make_unique<web::Raw>(post.site.port));
        REQUIRE(heads.back()->send(asks("HEAD", i)));
    }
    REQUIRE(web::wait_for([&] { return holders.asked == kMany; }));
    // Nobody has ended, so all of them wait; others are served, also such as need a worker.
    REQUIRE(post.create(0).status == 201);
    CHECK(post.get().status == 200);
    CHECK(post.ask("OPTIONS", "/v1/media", {}, {}, 0).status == 204);
    holders.let_go();
    const auto rest = text(1'000).substr(100);
    for (std::size_t i = 0; i < kMany; ++i) {
        CHECK(heads[i]->until("\r\n\r\n").find("Upload-Offset: 100\r\n") != std::string::npos);
        REQUIRE(heads[i]->send(patches(i, 100, rest)));
    }
    for (std::size_t i = 0; i < kMany; ++i) {
        CHECK(heads[i]->until("\r\n\r\n").find("Upload-Offset: 1000\r\n") != std::string::npos);
        CHECK(shelf::content(*post.media, blob(i)) == pattern(1'000));
    }
}

TEST_CASE("of those that wait for one upload the newest goes on, the others are told to come again") {
    const Post post(std::chrono::hours(1));
    Holders holders;
    holders.hold(*post.media, 0);
    const web::Raw first(post.site.port), second(post.site.port), third(post.site.port);
    const auto locked = [](const web::Raw& raw) {
        const auto head = raw.until("\r\n\r\n");
        return head.starts_with("HTTP/1.1 423 ") && head.find("Retry-After: 1\r\n") != std::string::npos &&
               head.find(kVersion) != std::string::npos;
    };
    REQUIRE(first.send(asks("HEAD", 0)));
    REQUIRE(web::wait_for([&] { return holders.asked == 1; }));
    REQUIRE(second.send(patches(0, 0, text(1'000))));
    CHECK(locked(first));
    REQUIRE(third.send(asks("HEAD", 0)));
    CHECK(locked(second));
    holders.let_go();
    CHECK(third.until("\r\n\r\n").find("Upload-Offset: 100\r\n") != std::string::npos);
}

TEST_CASE("who does not end is not waited for without end, and changes nothing any more") {
    const Post post(std::chrono::milliseconds(1));
    Holders holders;
    holders.hold(*post.media, 0);
    CHECK(post.ask("HEAD", path(0), {kVersion}).has("Upload-Offset: 0"));
    CHECK(holders.writers[0]->flush().error().code == Errc::upload_locked);
}

TEST_CASE("an upload is taken back without waiting for who writes to it") {
    const Post post(std::chrono::hours(1));
    Holders holders;
    holders.hold(*post.media, 0);
    CHECK(post.ask("DELETE", path(0), {kVersion}).status == 204);
    CHECK(holders.asked == 1);
    CHECK(holders.writers[0]->flush().error().code == Errc::upload_locked);
    CHECK(post.ask("HEAD", path(0), {kVersion}).status == 404);
}
