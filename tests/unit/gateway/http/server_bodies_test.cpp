// Bodies in both directions: limits, streams, breaking off.
#include <mutex>
#include <numeric>

#include "client.hpp"

using namespace web;

namespace {

// What sinks saw.
struct Tally {
    std::mutex mutex;
    std::string bytes;
    std::atomic<int> finished = 0;
    std::atomic<int> cut = 0;
    std::size_t refuse_after = ~std::size_t{0};
    [[nodiscard]] std::size_t size() {
        const std::lock_guard lock(mutex);
        return bytes.size();
    }
};

class TallySink final : public BodySink {
  public:
    explicit TallySink(Tally& tally) : tally_(tally) {}
    std::span<std::uint8_t> room() override { return buffer_; }
    bool took(std::size_t n) override {
        const std::lock_guard lock(tally_.mutex);
        tally_.bytes.append(as_text(ByteView(buffer_).first(n)));
        return true;
    }
    std::optional<Response> work() override {
        const std::lock_guard lock(tally_.mutex);
        if (tally_.bytes.size() > tally_.refuse_after) return Response::text(413, "text/plain", "enough");
        return std::nullopt;
    }
    Response finish() override {
        ++tally_.finished;
        return Response::empty(204);
    }
    void cut() override { ++tally_.cut; }

  private:
    Tally& tally_;
    Bytes buffer_ = Bytes(40'000);
};

void add_sink(Router& router, Tally& tally) {
    router.add_stream({Method::patch, "/sink",
                       [&tally](Request&) -> Verdict { return std::make_unique<TallySink>(tally); }, Access::open});
}

std::string pattern(std::size_t n) {
    std::string out(n, '\0');
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
    return out;
}

class PatternSource final : public BodySource {
  public:
    PatternSource(std::string all, std::size_t fail_at) : all_(std::move(all)), fail_at_(fail_at) {}
    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        if (at_ >= fail_at_) return fail(Errc::storage);
        const auto n = std::min({into.size(), all_.size() - at_, std::size_t{100'000}});
        std::memcpy(into.data(), all_.data() + at_, n);
        at_ += n;
        return n;
    }

  private:
    std::string all_;
    std::size_t fail_at_;
    std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("a body over the route's limit is refused, declared or not, and its client hears why") {
    Site site;
    std::atomic<int> calls = 0;
    site.router.add(
        {Method::post, "/small", [&](Request&) { return ++calls, Response::empty(204); }, Access::open, 1'000});
    site.start();
    const auto post = [&](std::size_t n, std::vector<std::string> headers) {
        return fetch(site.url("/small"),
                     {.method = "POST", .headers = std::move(headers), .body = std::string(n, 'x')});
    };
    CHECK(post(1'000, {}).status == 204);
    CHECK(post(1'001, {}).status == 413);
    CHECK(post(1'000, {"Transfer-Encoding: chunked"}).status == 204);
    CHECK(post(1'001, {"Transfer-Encoding: chunked"}).status == 413);
    CHECK(calls == 2);
    // The answer is there although the client is still sending: closing at once would have thrown it away.
    const auto large = post(3'000'000, {"Expect:"});
    CHECK(large.status == 413);
    CHECK(large.body.find("ERR_TOO_LARGE") != std::string::npos);
    CHECK(calls == 2);
}

TEST_CASE("a streamed upload arrives whole, in order, in small parts") {
    Site site;
    Tally tally;
    add_sink(site.router, tally);
    site.start();
    const auto body = pattern(5'000'000);
    for (const auto* transfer : {"Transfer-Encoding: chunked", "X-None: x"}) {
        tally.bytes.clear();
        CHECK(fetch(site.url("/sink"), {.method = "PATCH", .headers = {transfer, "Expect:"}, .body = body}).status ==
              204);
        CHECK((tally.bytes == body));
    }
    CHECK(tally.finished == 2);
    CHECK(tally.cut == 0);
    CHECK(fetch(site.url("/sink"), {.method = "PATCH"}).status == 204);  // no body at all
    CHECK(tally.finished == 3);
}

TEST_CASE("a client is told to go on only once its request is wanted") {
    Site site;
    Tally tally;
    add_sink(site.router, tally);
    site.router.add_stream(
        {Method::put, "/sink", [](Request&) -> Verdict { return Response::empty(507); }, Access::open});
    site.start();
    const Raw wanted(site.port);
    REQUIRE(wanted.send("PATCH /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(wanted.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    REQUIRE(wanted.send("abc"));
    CHECK(wanted.until("\r\n\r\n").starts_with("HTTP/1.1 204"));
    const Raw refused(site.port);
    REQUIRE(refused.send("PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(refused.until("\r\n\r\n").starts_with("HTTP/1.1 507"));
}

TEST_CASE("a sink may stop an upload in the middle") {
    Site site;
    Tally tally;
    tally.refuse_after = 100'000;
    add_sink(site.router, tally);
    site.start();
    const auto answer =
        fetch(site.url("/sink"), {.method = "PATCH", .headers = {"Expect:"}, .body = pattern(2'000'000)});
    CHECK(answer.status == 413);
    CHECK(answer.body == "enough");
    CHECK(tally.finished == 0);
    CHECK(tally.cut == 0);
}

TEST_CASE("a client that goes in the middle of an upload is noticed by the sink") {
    Site site;
    Tally tally;
    add_sink(site.router, tally);
    site.start();
    {
        const Raw raw(site.port);
        REQUIRE(raw.send("PATCH /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n12345"));
        REQUIRE(wait_for([&] { return tally.size() == 5; }));
    }
    CHECK(wait_for([&] { return tally.cut == 1; }));
    CHECK(tally.finished == 0);
}

TEST_CASE("a download is pulled from its source; one that fails breaks off and cannot be taken for whole") {
    Site site;
    const auto all = pattern(3'000'000);
    const auto serve = [&](std::size_t fail_at) {
        return [&all, fail_at](Request&) {
            return Response::stream(200, "application/octet-stream", std::make_unique<PatternSource>(all, fail_at),
                                    all.size());
        };
    };
    site.router.add({Method::get, "/good", serve(~std::size_t{0}), Access::open});
    site.router.add({Method::get, "/bad", serve(1'000'000), Access::open});
    site.start();
    const auto good = fetch(site.url("/good"));
    CHECK((good.body == all));
    const auto head = fetch(site.url("/good"), {.method = "HEAD"});
    CHECK(head.has("Content-Length: 3000000"));
    CHECK(head.body.empty());
    const auto bad = fetch(site.url("/bad"));
    CHECK(bad.result == CURLE_PARTIAL_FILE);
    CHECK((bad.body == all.substr(0, 1'000'000)));
}

TEST_CASE("a slow client is served: silence is cut, slowness is not") {
    ServerOptions options;
    options.idle = milliseconds(1'000);
    Site site(options);
    Tally tally;
    add_sink(site.router, tally);
    site.start();
    const Raw slow(site.port);
    REQUIRE(slow.send("PATCH /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n"));
    for (int i = 0; i < 30; ++i) {  // twice the idle time in all
        REQUIRE(slow.send("x"));
        std::this_thread::sleep_for(milliseconds(70));
    }
    CHECK(slow.until("\r\n\r\n").starts_with("HTTP/1.1 204"));

    const Raw silent(site.port);
    REQUIRE(silent.send("PATCH /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\nx"));
    CHECK(silent.rest().empty());  // closed by the server
    CHECK(wait_for([&] { return tally.cut == 1; }));
}

TEST_CASE("uploads that nothing comes for hold no worker") {
    ServerOptions options;
    options.workers = 1;
    Site site(options);
    Tally tally;
    add_sink(site.router, tally);
    site.router.add({Method::get, "/ping", [](Request&) { return Response::empty(204); }, Access::open});
    site.start();
    std::vector<std::unique_ptr<Raw>> silent;
    for (int i = 0; i < 20; ++i) {
        silent.push_back(std::make_unique<Raw>(site.port));
        REQUIRE(silent.back()->send("PATCH /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\nx"));
    }
    REQUIRE(wait_for([&] { return tally.size() == 20; }));
    CHECK(fetch(site.url("/ping")).status == 204);
}
