#include <catch2/catch.hpp>

#include "media/ranges.hpp"
#include "media/upload_head.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::media;

TEST_CASE("headers of tus: what they must be, and nothing else") {
    const auto creation = [](const char* length, const char* metadata) {
        return read_creation(http::Headers().set("Upload-Length", length).set("Upload-Metadata", metadata), 1'000);
    };
    const char* good = "id AQIDBAUGBwgJCgsMDQ4PEA==";
    CHECK(creation("10", good)->blob->bytes[15] == 16);
    CHECK(creation("10", (std::string("type image,") + good).c_str()));
    CHECK(creation("0", good)->length == 0);
    for (const char* length : {"", "-1", "+1", "1e3", "0x10", "99999999999999999999", " 1"})
        CHECK(creation(length, good).error().code == Errc::upload_length);
    CHECK(creation("1001", good).error().code == Errc::too_large);
    const char* hex = "id MDEwMjAzMDQwNTA2MDcwODA5MGEwYjBjMGQwZTBmMTA=";  // 0102…10
    CHECK(creation("10", hex)->blob == creation("10", good)->blob);
    for (const char* metadata : {"", "id", "id AQID", "id AQIDBAUGBwgJCgsMDQ4PEB==", "id AQIDBAUGBwgJCgsMDQ4PEA",
                                 "name AQIDBAUGBwgJCgsMDQ4PEA=="})
        CHECK(creation("10", metadata).error().code == Errc::malformed);
    // two opinions are none
    CHECK(creation("10", (std::string(good) + "," + good).c_str()).error().code == Errc::malformed);
    CHECK(read_creation(
              http::Headers().add("Upload-Length", "10").add("Upload-Length", "11").add("Upload-Metadata", good), 1'000)
              .error()
              .code == Errc::upload_length);
    CHECK(
        read_creation(
            http::Headers().add("Upload-Length", "10").add("Upload-Metadata", good).add("Upload-Metadata", good), 1'000)
            .error()
            .code == Errc::malformed);
    CHECK(read_offset(http::Headers()
                          .add("Content-Type", "application/offset+octet-stream")
                          .add("Upload-Offset", "0")
                          .add("Upload-Offset", "5"))
              .error()
              .code == Errc::upload_offset);
    CHECK(check_version(http::Headers().set("Tus-Resumable", "1.0.0")));
    CHECK(check_version(http::Headers().set("Tus-Resumable", "0.2.2")).error().code == Errc::tus_version);
    CHECK(read_offset(http::Headers().set("Upload-Offset", "5")).error().code == Errc::media_type);
    CHECK(*read_offset(
              http::Headers().set("Upload-Offset", "5").set("Content-Type", "application/offset+octet-stream")) == 5);
    CHECK(http_date(784'111'777'000) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("Upload-Concat: parts of this server by their path alone, and nothing else") {
    const auto creation = [](const std::string& concat, const char* length = nullptr) {
        http::Headers headers;
        headers.set("Upload-Concat", concat).set("Upload-Metadata", "id AQIDBAUGBwgJCgsMDQ4PEA==");
        if (length != nullptr) headers.set("Upload-Length", length);
        return read_creation(headers, 1'000);
    };
    const std::string one(32, '1'), two(32, '2');
    CHECK(creation("partial", "10")->partial);
    CHECK(creation("final;/v1/media/" + one + " https://any.example:1/v1/media/" + two)->parts.size() == 2);
    CHECK(creation("final;/v1/media/" + one, "10").error().code == Errc::upload_length);
    for (const auto& wrong : {std::string("final"), std::string("final;"), std::string("x"), "final;" + one,
                              "final;/v1/media/" + one + "/x", "final;/v2/media/" + one, "final;x/v1/media/" + one,
                              "final;https://a/b/v1/media/" + one, "final;/v1/media/" + one + ",/v1/media/" + two})
        CHECK(creation(wrong).error().code == Errc::malformed);
    std::string many = "final;";
    for (int i = 0; i < 200; ++i) many += "/v1/media/" + one + " ";
    CHECK(creation(many).error().code == Errc::too_large);
    // a part need not be named; what is named wrongly is refused all the same
    CHECK_FALSE(read_creation(http::Headers().set("Upload-Concat", "partial").set("Upload-Length", "1"), 10)->blob);
    CHECK(
        read_creation(
            http::Headers().set("Upload-Concat", "partial").set("Upload-Length", "1").set("Upload-Metadata", "id AQID"),
            10)
            .error()
            .code == Errc::malformed);
}

TEST_CASE("ranges as RFC 9110 has them") {
    const auto part = [](const char* field) { return read_range(field, 1'000).value(); };
    CHECK(part("bytes=0-499") == ByteRange{0, 500});
    CHECK(part("bytes=500-") == ByteRange{500, 500});
    CHECK(part("bytes=-200") == ByteRange{800, 200});
    CHECK(part("bytes=-2000") == ByteRange{0, 1'000});
    CHECK(part("bytes=999-5000") == ByteRange{999, 1});
    for (const char* whole : {"", "bytes=", "bytes=a-b", "items=0-1", "bytes=5-4", "bytes=0-1,3-4", "bytes=--1"})
        CHECK(part(whole) == std::nullopt);
    CHECK(read_range("bytes=1000-", 1'000).error().code == Errc::range_unsatisfiable);
    CHECK(read_range("bytes=-0", 1'000).error().code == Errc::range_unsatisfiable);
    CHECK(read_range("bytes=0-", 0).error().code == Errc::range_unsatisfiable);
}

TEST_CASE("which tags a reader has") {
    CHECK(names_tag("*", "\"a\""));
    CHECK(names_tag("\"x\" ,W/\"a\"", "\"a\""));
    CHECK(names_tag("\"a\",", "\"a\""));
    for (const char* other : {"", ",", ",,", "a", "\"a", "\"A\"", "w/\"a\"", "\"x\",*", "W/W/\"a\""})
        CHECK_FALSE(names_tag(other, "\"a\""));
}
