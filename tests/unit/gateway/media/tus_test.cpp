// tus 1.0.0 and Range, read like a trace of the wire: the real server, the real store.
#include "wire.hpp"

using namespace wire;

TEST_CASE("an upload in pieces, asked about between, read whole and in part") {
    const Post post;
    const auto data = text(700'000);
    const auto offer = post.ask("OPTIONS", "/v1/media", {}, {}, 0);
    CHECK(offer.status == 204);
    CHECK(offer.has("Tus-Version: 1.0.0"));
    CHECK(
        offer.has("Tus-Extension: creation,creation-with-upload,creation-defer-length,checksum,termination,expiration,"
                  "concatenation"));
    CHECK(offer.has("Tus-Checksum-Algorithm: sha1,sha256"));
    CHECK(offer.has("Tus-Max-Size: 4000000"));

    const auto made_one = post.create(data.size());
    CHECK(made_one.status == 201);
    CHECK(made_one.has("Location: " + kPath));
    CHECK(made_one.has("Upload-Expires: Fri, 29 May 2026 20:26:40 GMT"));
    CHECK(post.get().status == 404);  // not before it is whole

    std::size_t at = 0;
    for (const std::size_t n : {1u, 262'143u, 300'000u, 137'856u}) {
        const auto answer = post.patch(at, data.substr(at, n));
        at += n;
        CHECK(answer.status == 204);
        CHECK(answer.has("Upload-Offset: " + std::to_string(at)));
        CHECK(answer.has(kVersion));
        const auto again = post.patch(at - n, data.substr(at - n, n));  // its answer was lost: nothing is taken twice
        CHECK(again.status == 409);
        CHECK(again.has("Upload-Offset: " + std::to_string(at)));
        const auto stands = post.head();
        CHECK(stands.status == 200);
        CHECK(stands.has("Upload-Offset: " + std::to_string(at)));
        CHECK(stands.has("Upload-Length: 700000"));
        CHECK(stands.has("Cache-Control: no-store"));
        CHECK(post.create(data.size()).has("Upload-Offset: " + std::to_string(at)));  // a repeat, its answer was lost
    }
    CHECK(post.patch(at, {}).status == 204);  // and here too

    const auto whole = post.get({}, 'b');
    CHECK(whole.status == 200);
    CHECK(whole.body == data);
    const auto part = post.get({"Range: bytes=262140-262150"});
    CHECK(part.status == 206);
    CHECK(part.has("Content-Range: bytes 262140-262150/700000"));
    CHECK(part.body == data.substr(262'140, 11));
    CHECK(post.get({"Range: bytes=-5"}).body == data.substr(699'995));
    const auto outside = post.get({"Range: bytes=700000-"});
    CHECK(outside.status == 416);
    CHECK(outside.has("Content-Range: bytes */700000"));
}

TEST_CASE("every answer about media says tus's version, also what the server itself refuses") {
    const Post post;
    const auto status = [&](const web::Answer& answer, const std::string& line = kVersion) {
        return answer.has(line) ? answer.status : -answer.status;
    };
    for (const std::string path : {"/v1/media", kPath.c_str()}) {
        CHECK(status(post.ask("BREW", path, {kVersion})) == 405);
        CHECK(status(post.ask("POST", path, {kVersion, "X: " + std::string(20'000, 'x')})) == 431);
        CHECK(status(post.ask("POST", path + "?%zz", {kVersion})) == 400);
    }
    CHECK(status(post.ask("POST", "/v1/media", {kVersion}, {}, 0)) == 401);
    CHECK(status(post.ask("DELETE", kPath, {kVersion}, "a body")) == 413);
    CHECK(status(post.ask("HEAD", "/v1/media/%zz", {kVersion})) == 400);
    CHECK(status(post.ask("HEAD", kPath + "/more", {kVersion})) == 404);
    CHECK(status(post.ask("OPTIONS", kPath, {})) == 204);
    CHECK(status(post.get()) == 404);
    CHECK(status(post.ask("GET", "/v1/other", {kVersion})) == -404);
    REQUIRE(status(post.create(10)) == 201);
    CHECK(status(post.patch(5, "x")) == 409);
    CHECK(status(post.patch(0, text(10))) == 204);
    CHECK(status(post.head()) == 200);
    CHECK(status(post.get()) == 200);
    CHECK(status(post.ask("DELETE", kPath, {kVersion})) == 204);
}

TEST_CASE("a medium of no bytes is whole at once") {
    const Post post;
    CHECK(post.create(0).has("Upload-Offset: 0"));
    CHECK(post.get().status == 200);
    CHECK(post.get().body.empty());
    CHECK(post.ask("HEAD", kPath, {}).has("Content-Length: 0"));
}

TEST_CASE("HEAD of a reader is GET without the bytes, HEAD of tus is the upload's offset") {
    const Post post;
    REQUIRE(post.create(1'000).status == 201);
    const auto look = [&](std::vector<std::string> headers, char who = 'b') {
        return post.ask("HEAD", kPath, std::move(headers), {}, who);
    };
    REQUIRE(post.patch(0, text(400)).status == 204);
    CHECK(look({}).status == 404);  // not before it is whole, as GET
    CHECK(look({}, 'a').status == 404);
    CHECK(look({}, 0).status == 401);
    REQUIRE(post.patch(400, text(1'000).substr(400)).status == 204);

    const auto lines = [](const std::string& head) {  // but for the time
        std::vector<std::string> out;
        for (std::size_t at = 0, end = 0; (end = head.find("\r\n", at)) != std::string::npos; at = end + 2)
            if (const auto line = head.substr(at, end - at); !line.starts_with("Date:")) out.push_back(line);
        return out;
    };
    const std::string tag = "\"" + std::string(32, '1') + "\"";
    CHECK(lines(look({}).headers) == lines(post.get({}, 'b').headers));
    CHECK(look({}).has("Content-Length: 1000"));
    CHECK(look({}).has("ETag: " + tag));
    CHECK(look({}).has("Accept-Ranges: bytes"));
    CHECK(look({}).body.empty());
    CHECK(look({"If-None-Match: " + tag}).status == 304);
    for (const auto* range : {"Range: bytes=5-9", "Range: bytes=1000-"}) {
        CHECK(look({range}).status == 200);  // RFC 9110 section 14.2: a Range is for GET alone
        CHECK(look({range}).has("Content-Length: 1000"));
        CHECK_FALSE(look({range}).has("Content-Range"));
    }
    CHECK_FALSE(look({}).has("Upload-Offset: 1000"));
    CHECK(post.head().has("Upload-Offset: 1000"));
    CHECK_FALSE(post.head().has("ETag: " + tag));
    CHECK(look({kVersion}).status == 404);  // another's upload
    CHECK(look({"Tus-Resumable: 2"}, 'a').status == 412);
}

TEST_CASE("who has it already is not sent it again") {
    const Post post;
    REQUIRE(post.create(10).status == 201);
    REQUIRE(post.patch(0, text(10)).status == 204);
    const std::string tag = "\"" + std::string(32, '1') + "\"";
    CHECK(post.get().has("ETag: " + tag));
    for (const auto& fit : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
        const auto answer = post.get({"If-None-Match: " + fit});
        CHECK(answer.status == 304);
        CHECK(answer.has("ETag: " + tag));
        CHECK(answer.body.empty());
    }
    for (const auto* unfit : {"\"other\"", "x", "\"1111\""})
        CHECK(post.get({std::string("If-None-Match: ") + unfit}).status == 200);
    CHECK(post.get({"Range: bytes=5-", "If-Range: " + tag}).status == 206);
    CHECK(post.get({"Range: bytes=5-", "If-Range: \"other\""}).status == 200);
}

TEST_CASE("what is not as tus wants it is refused, and changes nothing") {
    const Post post;
    const auto data = text(1'000);
    CHECK(post.ask("POST", "/v1/media", {kId, "Upload-Length: 10"}).status == 412);
    CHECK(post.ask("POST", "/v1/media", {kId, "Upload-Length: 10"}).has("Tus-Version: 1.0.0"));
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId}).status == 400);
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, "Upload-Defer-Length: 2"}).status == 400);
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, "Upload-Defer-Length: 1", "Upload-Length: 5"}).status == 400);
    CHECK(post.ask("POST", "/v1/media", {kVersion, "Upload-Length: 10"}).status == 400);
    CHECK(post.create(kMost + 1).status == 413);
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, "Upload-Length: 10"}, {}, 0).status == 401);

    REQUIRE(post.create(data.size()).status == 201);
    CHECK(post.create(data.size() + 1).status == 409);
    CHECK(post.create(data.size(), 'b').status == 409);
    const auto wrong = post.patch(5, data.substr(5));
    CHECK(wrong.status == 409);
    CHECK(wrong.has("Upload-Offset: 0"));
    CHECK(post.ask("PATCH", kPath, {kVersion, "Content-Type: image/jpeg", "Upload-Offset: 0"}, data).status == 415);
    CHECK(post.ask("PATCH", kPath, {kType, "Upload-Offset: 0"}, data).status == 412);
    CHECK(post.patch(0, data + "x").status == 400);
    CHECK(post.ask("PATCH", kPath, {kVersion, kType, "Upload-Offset: 0", "Transfer-Encoding: chunked"}, data + "x")
              .status == 400);
    CHECK(post.patch(0, data, 'b').status == 404);
    CHECK(post.head('b').status == 404);
    CHECK(post.ask("DELETE", kPath, {kVersion}, {}, 'b').status == 404);
    CHECK(post.head().has("Upload-Offset: 0"));
    CHECK(post.patch(0, data).status == 204);
    CHECK(post.ask("DELETE", kPath, {kVersion}).status == 204);
    CHECK(post.get().status == 404);
    CHECK(post.head().status == 404);
}

TEST_CASE("an upload ends with its time") {
    Post post;
    REQUIRE(post.create(1'000).status == 201);
    REQUIRE(post.patch(0, text(500)).status == 204);
    post.clock.time += kDay - 1;
    CHECK(post.head().has("Upload-Offset: 500"));
    post.clock.time += 1;
    CHECK(post.head().status == 404);
    CHECK(post.patch(500, text(500)).status == 404);
    CHECK(*post.media->expire() == 1);
    CHECK(post.store->partitions(store::Family::media_blocks, {}, 10)->empty());
}

TEST_CASE("who asks where a half-open upload stands is told all that came, and goes on there") {
    const Post post;
    const auto data = text(700'000);
    REQUIRE(post.create(data.size()).status == 201);
    const web::Raw hanging(post.site.port);
    REQUIRE(hanging.send("PATCH " + kPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 700000\r\nUpload-Offset: 0\r\n" +
                         kVersion + "\r\n" + kType + "\r\n" + web::Letters::header('a') + "\r\n\r\n" +
                         data.substr(0, 300'000)));
    REQUIRE(web::wait_for(
        [&] { return post.metrics.text().find("nimes_upload_received_bytes_total 300000") != std::string::npos; }));
    CHECK(post.head().has("Upload-Offset: 300000"));
    CHECK(post.patch(300'000, data.substr(300'000)).status == 204);
    CHECK(post.get().body == data);
    CHECK(hanging.rest().empty());  // it was hung up, without an answer
}

TEST_CASE("a PATCH that was answered is not taken over from any more") {
    const Post post;
    REQUIRE(post.create(1'000).status == 201);
    const auto match = post.site.router.find(http::Method::patch, kPath);
    http::Request request;
    request.params = match.params;
    request.caller = http::Caller{UserId{}, web::Letters::device_of('a')};
    request.headers.set("Tus-Resumable", "1.0.0").set("Upload-Offset", "0");
    request.headers.set("Content-Type", "application/offset+octet-stream");
    int hung_up = 0;
    request.hang_up = [&] { ++hung_up; };
    auto verdict = (*match.stream)(request);
    auto& sink = std::get<std::unique_ptr<http::BodySink>>(verdict);
    const auto room = sink->room();
    REQUIRE(room.size() >= 500);
    const auto bytes = pattern(500);
    std::copy_n(bytes.begin(), 500, room.begin());
    CHECK_FALSE(sink->took(500));  // nothing to do yet that could block
    CHECK(sink->finish().status == 204);
    CHECK(post.head().has("Upload-Offset: 500"));  // the next request, on another connection
    CHECK(hung_up == 0);
}
