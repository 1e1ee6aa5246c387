// What a transfer does so that others get through on a thin link, and that little is lost on a bad one.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "http_peer.hpp"
#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"
#include "transport/range_download.hpp"
#include "transport/tus_upload.hpp"

namespace nimes::agent::transport {
namespace {

using namespace nimes::test;

HttpsClient client_of(const TlsServer& server) {
    return HttpsClient({server.https(), text_of(authority().ca)},
                       [](std::string_view) -> Result<std::string> { return std::string("token"); });
}

// TCP_NOTSENT_LOWAT of each socket of this process that is connected to that port.
std::vector<int> unsent_limits(std::uint16_t port) {
    std::vector<int> out;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const int fd = std::stoi(entry.path().filename().string());
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != port)
            continue;
        int limit = 0;
        length = sizeof limit;
        REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, &length) == 0);
        out.push_back(limit);
    }
    return out;
}

TEST_CASE("an upload keeps little unsent in its socket, so that what others say is not behind it") {
    MediaGateway gateway;
    TlsServer server(gateway.handler());
    auto http = client_of(server);
    SystemClock clock;
    SystemRandom random;
    Folder folder;
    const auto file = folder.path() / "file";
    std::ofstream(file, std::ios::binary) << std::string(500'000, 'x');
    std::set<int> seen;
    TusUpload upload(http, clock, random);
    REQUIRE(upload.run(random.id<BlobId>(), file, false, [&](std::uint64_t, std::uint64_t) {
        for (const auto limit : unsent_limits(server.port())) seen.insert(limit);
    }));
    CHECK(seen == std::set{HttpsClient::kUnsent});
}

HttpsAnswer stored(std::uint64_t offset) {
    HttpsAnswer out;
    out.status = 204;
    out.headers = {{"upload-offset", std::to_string(offset)}};
    return out;
}

std::uint64_t next_part(TusSession& session) {
    const auto step = session.next();
    REQUIRE(std::holds_alternative<TusSession::Patch>(step));
    return std::get<TusSession::Patch>(step).length;
}

TEST_CASE("a part is what goes through in ten seconds at the rate of the last one, and grows at most twofold") {
    TusSession session(1'000'000'000, false, {});
    HttpsAnswer created;
    created.status = 201;
    session.answered(created);
    std::uint64_t offset = 0;
    const auto goes_in = [&](Millis took) {
        offset += next_part(session);
        session.answered(stored(offset), took);
        return next_part(session);
    };
    CHECK(next_part(session) == 256 * 1024);
    CHECK(goes_in(0) == 512 * 1024);             // too quick to measure
    CHECK(goes_in(1) == 1024 * 1024);            // twofold, whatever the rate says
    CHECK(goes_in(20 * kSecond) == 512 * 1024);  // 51 KiB/s
    CHECK(goes_in(7'500) == 699'050);            // 68 KiB/s
    CHECK(goes_in(2 * kMinute) == 64 * 1024);    // the floor
    for (int i = 0; i < 10; ++i) (void)goes_in(1);
    CHECK(next_part(session) == TusOptions{}.most_part);
}

struct Pieces {
    MediaGateway gateway;
    TlsServer server{gateway.handler()};
    HttpsClient http = client_of(server);
    SystemRandom random;
    BlobId id = random.id<BlobId>();
    Bytes bytes = Bytes(1'000'000);
    Pieces() {
        random.fill(bytes);
        gateway.put("/v1/media/" + to_hex(id.view()), bytes);
    }
    Result<Bytes> piece(std::uint64_t from, std::size_t length, std::uint64_t size = 1'000'000) {
        return RangeDownload(http, random, {}, [](Millis, const std::stop_token&) { return true; })
            .piece(id, size, from, length);
    }
};

TEST_CASE("a piece of a medium is fetched without the rest, through cuts") {
    Pieces p;
    MediaGateway::Accidents accidents;
    SECTION("undisturbed") {}
    SECTION("cut again and again") { accidents.cut_download_after = 30'000; }
    SECTION("busy for a while") { accidents.refuse = 5; }
    p.gateway.set(accidents);
    const auto got = p.piece(400'000, 200'000);
    REQUIRE(got);
    CHECK(*got == to_bytes(ByteView(p.bytes).subspan(400'000, 200'000)));
    CHECK(p.gateway.requests().back().header("range").ends_with("-599999"));
}

TEST_CASE("a server that hands out another piece, or the whole, is refused") {
    Pieces p;
    SECTION("the whole") {
        MediaGateway::Accidents accidents;
        accidents.no_ranges = true;
        p.gateway.set(accidents);
        CHECK(p.piece(10, 10).error().code == Errc::malformed);
    }
    SECTION("of a medium of another size") { CHECK(p.piece(10, 10, 2'000'000).error().code == Errc::malformed); }
    SECTION("of one that is gone") {
        p.id = p.random.id<BlobId>();
        CHECK(p.piece(10, 10).error().code == Errc::upload_gone);
    }
    SECTION("more than was asked for") {
        TlsServer server([&](Stream& stream, int) {
            HttpPeer peer(stream);
            while (peer.whole()) peer.answer(206, "Content-Range: bytes 10-19/100\r\n", std::string(50, 'x'));
        });
        auto http = client_of(server);
        RangeDownload download(http, p.random, {}, [](Millis, const std::stop_token&) { return true; });
        CHECK(download.piece(p.id, 100, 10, 10).error().code == Errc::too_large);
    }
}

}  // namespace
}  // namespace nimes::agent::transport
