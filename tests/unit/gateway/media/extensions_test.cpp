// What tus has beside its core: bytes with the creation, a length that comes late, checksums, other methods.
#include <openssl/evp.h>

#include "wire.hpp"

using namespace wire;

namespace {

std::string digest_of(const std::string& algorithm, const std::string& data) {
    unsigned char out[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(data.data(), data.size(), out, &length, EVP_get_digestbyname(algorithm.c_str()), nullptr);
    const int n = EVP_EncodeBlock(base64, out, static_cast<int>(length));
    return {base64, base64 + n};
}

}  // namespace

TEST_CASE("bytes may come with the creation, all or some") {
    const Post post;
    const auto data = text(500'000);
    const auto length = "Upload-Length: " + std::to_string(data.size());
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, length, "Content-Type: image/jpeg"}, "x").status == 415);
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, length, kType}, data + "x").status == 400);
    CHECK(post.head().status == 404);  // what was refused has begun nothing
    const auto begun = post.ask("POST", "/v1/media", {kVersion, kId, length, kType}, data.substr(0, 300'000));
    CHECK(begun.status == 201);
    CHECK(begun.has("Location: " + kPath));
    CHECK(begun.has("Upload-Offset: 300000"));
    // its answer was lost: the repeat is told where it stands, and changes nothing
    const auto again = post.ask("POST", "/v1/media", {kVersion, kId, length, kType}, data.substr(0, 300'000));
    CHECK(again.status == 201);
    CHECK(again.has("Upload-Offset: 300000"));
    CHECK(post.patch(300'000, data.substr(300'000)).status == 204);
    CHECK(post.get().body == data);
}

TEST_CASE("a length may come late, once") {
    const Post post;
    const auto data = text(1'000);
    CHECK(post.ask("POST", "/v1/media", {kVersion, kId, "Upload-Defer-Length: 1"}).status == 201);
    CHECK(post.patch(0, data.substr(0, 400)).has("Upload-Offset: 400"));
    const auto stands = post.head();
    CHECK(stands.has("Upload-Defer-Length: 1"));
    CHECK(stands.headers.find("Upload-Length") == std::string::npos);
    CHECK(post.get().status == 404);
    const auto patch = [&](const std::string& length, std::size_t at, const std::string& body) {
        return post.ask("PATCH", kPath,
                        {kVersion, kType, "Upload-Offset: " + std::to_string(at), "Upload-Length: " + length}, body);
    };
    CHECK(patch("399", 400, {}).status == 400);
    CHECK(patch("4000001", 400, {}).status == 413);
    CHECK(patch("x", 400, {}).status == 400);
    CHECK(patch("1000", 400, data.substr(400)).status == 204);
    CHECK(patch("1000", 1'000, {}).status == 204);
    CHECK(patch("1001", 1'000, {}).status == 400);
    CHECK(post.head().has("Upload-Length: 1000"));
    CHECK(post.get().body == data);
}

TEST_CASE("a checksum is verified before an offset moves") {
    for (const std::string algorithm : {"sha1", "sha256"}) {
        const Post post;
        const auto data = text(700'000);
        REQUIRE(post.create(data.size()).status == 201);
        const auto patch = [&](std::size_t at, const std::string& body, const std::string& checksum) {
            return post.ask("PATCH", kPath,
                            {kVersion, kType, "Upload-Offset: " + std::to_string(at), "Upload-Checksum: " + checksum},
                            body);
        };
        const auto first = data.substr(0, 300'000), second = data.substr(300'000);
        CHECK(patch(0, first, algorithm + " " + digest_of(algorithm, first)).has("Upload-Offset: 300000"));
        auto broken = second;
        broken[100] ^= 1;
        const auto refused = patch(300'000, broken, algorithm + " " + digest_of(algorithm, second));
        CHECK(refused.status == 460);
        CHECK(refused.body.find("ERR_CHECKSUM_MISMATCH") != std::string::npos);
        CHECK(post.head().has("Upload-Offset: 300000"));
        for (const auto& unknown : {"md5 AAAA", "crc32 AAAA", "sha1", "sha1 AAAA", "sha256 ?"})
            CHECK(patch(300'000, second, unknown).status == 400);
        CHECK(patch(300'000, second, algorithm + " " + digest_of(algorithm, second)).status == 204);
        CHECK(post.get().body == data);
    }
}

TEST_CASE("a body under a checksum that is cut was never there") {
    const Post post;
    const auto data = text(700'000);
    REQUIRE(post.create(data.size()).status == 201);
    {
        const web::Raw hanging(post.site.port);
        REQUIRE(hanging.send("PATCH " + kPath +
                             " HTTP/1.1\r\nHost: x\r\nContent-Length: 700000\r\nUpload-Offset: 0\r\n" + kVersion +
                             "\r\n" + kType + "\r\nUpload-Checksum: sha1 " + digest_of("sha1", data) + "\r\n" +
                             web::Letters::header('a') + "\r\n\r\n" + data.substr(0, 600'000)));
        REQUIRE(web::wait_for(
            [&] { return post.metrics.text().find("nimes_upload_received_bytes_total 600000") != std::string::npos; }));
    }
    CHECK(post.head().has("Upload-Offset: 0"));
    CHECK(post.patch(0, data).status == 204);  // overwrites what was staged
    CHECK(post.get().body == data);
}

TEST_CASE("who can only GET and POST says the method beside") {
    const Post post;
    REQUIRE(post.create(10).status == 201);
    const auto patch =
        post.ask("POST", kPath, {kVersion, kType, "Upload-Offset: 0", "X-HTTP-Method-Override: PATCH"}, text(10));
    CHECK(patch.status == 204);
    CHECK(patch.has("Upload-Offset: 10"));
    CHECK(post.ask("POST", kPath, {kVersion, "X-HTTP-Method-Override: GET"}).status == 405);
    CHECK(post.ask("POST", kPath, {kVersion, "X-HTTP-Method-Override: DELETE"}).status == 204);
    CHECK(post.head().status == 404);
}
