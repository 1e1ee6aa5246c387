// Whole media through accidents: tus_upload and range_download against a gateway that breaks in the middle.
#include <catch2/catch.hpp>
#include <fstream>

#include "http_peer.hpp"
#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"
#include "transport/range_download.hpp"
#include "transport/tus_upload.hpp"

namespace nimes::agent::transport {
namespace {

using namespace nimes::test;

constexpr std::size_t kSize = 3'000'001;

struct World {
    Folder folder;
    MediaGateway gateway;
    TlsServer server{gateway.handler()};
    SystemClock clock;
    SystemRandom random;
    HttpsClient http;
    std::vector<Millis> pauses;
    BlobId id = random.id<BlobId>();
    Bytes bytes = Bytes(kSize);
    std::filesystem::path file = folder.path() / "file";

    World()
        : http({server.https(), text_of(authority().ca)},
               [](std::string_view) -> Result<std::string> { return std::string("token"); }) {
        random.fill(bytes);
    }
    [[nodiscard]] std::string path() const { return "/v1/media/" + to_hex(id.view()); }
    void write_file(ByteView what) const {
        std::ofstream(file, std::ios::binary).write(as_text(what).data(), static_cast<std::streamsize>(what.size()));
    }
    Pause no_waiting() {
        return [this](Millis time, const std::stop_token&) {
            pauses.push_back(time);
            return true;
        };
    }
    Result<void> upload(bool resume = false, const TusUpload::Progress& progress = {},
                        const std::stop_token& stop = {}) {
        return TusUpload(http, clock, random, {}, no_waiting()).run(id, file, resume, progress, stop);
    }
    Result<void> download(std::uint64_t size = kSize, const RangeDownload::Progress& progress = {},
                          const std::stop_token& stop = {}) {
        return RangeDownload(http, random, {}, no_waiting()).run(id, file, size, progress, stop);
    }
};

Errc code_of(const Result<void>& result) {
    REQUIRE(!result);
    return result.error().code;
}

TEST_CASE("an upload arrives whole, in growing parts, with progress that never goes back") {
    World world;
    world.write_file(world.bytes);
    std::uint64_t last = 0;
    bool forward = true;
    REQUIRE(world.upload(false, [&](std::uint64_t sent, std::uint64_t total) {
        forward = forward && sent >= last && sent <= total && total == kSize;
        last = sent;
    }));
    CHECK(forward);
    CHECK(last == kSize);
    CHECK(world.gateway.finished(world.path()) == world.bytes);
    CHECK(world.gateway.largest_part() > TusOptions{}.first_part);
    CHECK(world.gateway.requests().front().header("tus-resumable") == "1.0.0");
    CHECK(world.pauses.empty());
    SECTION("again: nothing is sent twice") {
        const auto before = world.gateway.requests().size();
        REQUIRE(world.upload(true));
        CHECK(world.gateway.requests().size() == before + 1);
    }
    SECTION("created again by a proposer that forgot") { REQUIRE(world.upload(false)); }
}

TEST_CASE("an upload goes on where each cut left it") {
    World world;
    world.write_file(world.bytes);
    MediaGateway::Accidents accidents;
    SECTION("every part is cut after 50,000 bytes") {
        // Each cut is progress, so retries never run out.
        accidents.cut_upload_after = 50'000;
    }
    SECTION("answers are lost") { accidents.lose_answers = 5; }
    SECTION("busy for a while") { accidents.refuse = 5; }
    SECTION("rate limited, with a time to keep") {
        accidents.refuse = 1;
        accidents.refuse_status = 429;
        accidents.refuse_headers = "Retry-After: 17\r\n";
    }
    SECTION("token refused for a while") {
        accidents.refuse = 4;
        accidents.refuse_status = 401;
    }
    world.gateway.set(accidents);
    REQUIRE(world.upload());
    CHECK(world.gateway.finished(world.path()) == world.bytes);
    CHECK(!world.pauses.empty());
    if (!accidents.refuse_headers.empty()) CHECK(world.pauses.front() >= 17 * kSecond);
}

TEST_CASE("a restart in the middle goes on; a gateway that forgot gets it all again") {
    World world;
    world.write_file(world.bytes);
    MediaGateway::Accidents accidents;
    accidents.cut_upload_after = 100'000;
    world.gateway.set(accidents);
    std::stop_source stop;
    CHECK(code_of(world.upload(
              false, [&](std::uint64_t sent, std::uint64_t) { sent > 1'000'000 ? (void)stop.request_stop() : void(); },
              stop.get_token())) == Errc::busy);
    accidents = {};
    SECTION("goes on") {}
    SECTION("forgotten") { accidents.forget_uploads = 1; }
    world.gateway.set(accidents);
    REQUIRE(world.upload(true));
    CHECK(world.gateway.finished(world.path()) == world.bytes);
}

TEST_CASE("an upload gives up on what does not pass") {
    World world;
    world.write_file(world.bytes);
    MediaGateway::Accidents accidents;
    accidents.refuse = 1'000;
    SECTION("a disk that is full") {
        accidents.refuse_status = 507;
        world.gateway.set(accidents);
        CHECK(code_of(world.upload()) == Errc::disk_full);
        CHECK(world.gateway.requests().size() == 1);
    }
    SECTION("a gateway that is down, after bounded tries") {
        world.gateway.set(accidents);
        CHECK(code_of(world.upload()) == Errc::unavailable);
        CHECK(world.gateway.requests().size() == 1 + TusOptions{}.retries);
    }
    SECTION("an id that holds something else") {
        world.gateway.put(world.path(), Bytes(7));
        CHECK(code_of(world.upload()) == Errc::exists);
    }
    SECTION("a gateway that forgets for ever") {
        accidents = {};
        accidents.forget_uploads = 1'000;
        accidents.cut_upload_after = 1'000;
        world.gateway.set(accidents);
        CHECK(code_of(world.upload(true)) == Errc::upload_gone);
    }
    SECTION("no file") {
        std::filesystem::remove(world.file);
        CHECK(code_of(world.upload()) == Errc::storage);
        CHECK(world.gateway.requests().empty());
    }
}

HttpsAnswer answer_of(int status, Headers headers = {}) {
    HttpsAnswer out;
    out.status = status;
    out.headers = std::move(headers);
    return out;
}

TEST_CASE("a gateway cannot move an upload beyond its end, nor keep it where it is") {
    const auto session_in_patch = [] {
        TusSession session(1'000'000, false, {});
        REQUIRE(std::holds_alternative<TusSession::Create>(session.next()));
        session.answered(answer_of(201));
        REQUIRE(std::holds_alternative<TusSession::Patch>(session.next()));
        return session;
    };
    const auto failed = [](TusSession& session) { return std::holds_alternative<TusSession::Failed>(session.next()); };
    SECTION("beyond") {
        auto session = session_in_patch();
        session.answered(answer_of(204, {{"upload-offset", "1000001"}}));
        CHECK(failed(session));
    }
    SECTION("no step forward") {
        auto session = session_in_patch();
        session.answered(answer_of(204, {{"upload-offset", "0"}}));
        CHECK(failed(session));
    }
    SECTION("no offset") {
        auto session = session_in_patch();
        session.answered(answer_of(204));
        CHECK(failed(session));
    }
    SECTION("HEAD beyond") {
        TusSession session(1'000'000, true, {});
        session.answered(answer_of(200, {{"upload-offset", "1000001"}}));
        CHECK(failed(session));
    }
    SECTION("another's id") {
        TusSession session(1'000'000, true, {});
        session.answered(answer_of(403));
        CHECK(failed(session));
    }
    SECTION("offsets that contradict each other for ever") {
        auto session = session_in_patch();
        int steps = 0;
        for (; steps < 1'000 && !failed(session); ++steps) {
            session.answered(answer_of(409, {{"upload-offset", steps % 2 == 0 ? "10" : "0"}}));
        }
        CHECK(steps < 1'000);
    }
}

TEST_CASE("parts shrink with each cut, down to a floor") {
    TusOptions options;
    options.retries = 1'000;
    TusSession session(100'000'000, true, options);
    std::uint64_t part = 0;
    for (int i = 0; i < 20; ++i) {
        session.answered(answer_of(200, {{"upload-offset", "5"}}));
        const auto step = session.next();
        REQUIRE(std::holds_alternative<TusSession::Patch>(step));
        part = std::get<TusSession::Patch>(step).length;
        session.broke({Errc::offline, {}});
        REQUIRE(std::holds_alternative<TusSession::Wait>(session.next()));
    }
    CHECK(part == options.least_part);
}

TEST_CASE("a download arrives whole, through cuts and a restart") {
    World world;
    world.gateway.put(world.path(), world.bytes);
    MediaGateway::Accidents accidents;
    SECTION("undisturbed") {}
    SECTION("cut again and again") { accidents.cut_download_after = 200'000; }
    SECTION("after a restart") { world.write_file(ByteView(world.bytes).first(1'234'567)); }
    SECTION("more is there than can be") { world.write_file(Bytes(kSize + 1)); }
    SECTION("ranges are not offered any more") {
        world.write_file(ByteView(world.bytes).first(1'000));
        accidents.no_ranges = true;
    }
    SECTION("busy for a while") { accidents.refuse = 5; }
    world.gateway.set(accidents);
    std::uint64_t last = 0;
    REQUIRE(world.download(kSize, [&](std::uint64_t received, std::uint64_t total) {
        CHECK(total == kSize);
        last = received;
    }));
    CHECK(last == kSize);
    CHECK(read_file(world.file) == world.bytes);
    const auto before = world.gateway.requests().size();
    REQUIRE(world.download());
    CHECK(world.gateway.requests().size() == before);
}

TEST_CASE("a download asks only for what is missing") {
    World world;
    world.gateway.put(world.path(), world.bytes);
    world.write_file(ByteView(world.bytes).first(2'999'999));
    REQUIRE(world.download());
    CHECK(world.gateway.requests().front().header("range") == "bytes=2999999-");
}

TEST_CASE("a server can neither fill the disk nor end early") {
    World world;
    world.gateway.put(world.path(), world.bytes);
    SECTION("longer than the reference says") {
        CHECK(code_of(world.download(1'000)) == Errc::malformed);
        CHECK(std::filesystem::file_size(world.file) <= 1'000);
    }
    SECTION("shorter") { CHECK(code_of(world.download(kSize + 10)) == Errc::malformed); }
    SECTION("longer, when it goes on") {
        world.write_file(ByteView(world.bytes).first(500));
        CHECK(code_of(world.download(1'000)) == Errc::malformed);
        CHECK(std::filesystem::file_size(world.file) == 500);
    }
    SECTION("gone") {
        world.id = world.random.id<BlobId>();
        CHECK(code_of(world.download()) == Errc::upload_gone);
    }
    SECTION("down, after bounded tries") {
        MediaGateway::Accidents accidents;
        accidents.refuse = 1'000;
        world.gateway.set(accidents);
        CHECK(code_of(world.download()) == Errc::unavailable);
        CHECK(world.gateway.requests().size() == 1 + RangeOptions{}.retries);
    }
    SECTION("a link in the file's place is not followed") {
        const auto victim = world.folder.path() / "victim";
        std::ofstream(victim) << "precious";
        std::filesystem::create_symlink(victim, world.file);
        CHECK(!world.download());
        CHECK(text_of(victim) == "precious");
    }
}

TEST_CASE("another range than asked for is refused") {
    const std::string range = GENERATE(as<std::string>{}, "bytes 0-99/100", "bytes 51-99/100", "bytes 50-99/1000",
                                       "bytes 50-99/*", "bytes x-99/100", "50-99/100", "");
    TlsServer server([&](Stream& stream, int) {
        HttpPeer peer(stream);
        while (peer.whole()) peer.answer(206, "Content-Range: " + range + "\r\n", std::string(50, 'x'));
    });
    World world;
    HttpsClient http({server.https(), text_of(authority().ca)},
                     [](std::string_view) -> Result<std::string> { return std::string("token"); });
    world.write_file(Bytes(50));
    CHECK(code_of(RangeDownload(http, world.random, {}, world.no_waiting()).run(world.id, world.file, 100)) ==
          Errc::malformed);
    CHECK(std::filesystem::file_size(world.file) == 50);
}

TEST_CASE("waits end when stopped") {
    World world;
    world.write_file(world.bytes);
    MediaGateway::Accidents accidents;
    accidents.refuse = 1'000;
    accidents.refuse_headers = "Retry-After: 3600\r\n";  // beyond the test's own limit
    world.gateway.set(accidents);
    std::stop_source stop;
    std::thread stopper([&] {
        (void)soon([&] { return !world.gateway.requests().empty(); });
        stop.request_stop();
    });
    TusUpload upload(world.http, world.clock, world.random);
    CHECK(code_of(upload.run(world.id, world.file, false, {}, stop.get_token())) == Errc::busy);
    stopper.join();
}

}  // namespace
}  // namespace nimes::agent::transport
