// Photo, step 6, serve: the sealed bytes, whole or by Range. (Before: media_store.cpp. Next: the agent's fetch.)
#include <algorithm>

#include "http/problem.hpp"
#include "media/ranges.hpp"
#include "media/routes.hpp"
#include "media/upload_head.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::media {
namespace {

using http::Request;
using http::Response;

// Reads part after part, straight into the buffer that is sent.
class BlockSource final : public http::BodySource {
  public:
    BlockSource(const Media& media, const BlobId& blob, MediumHead head, ByteRange range)
        : media_(media), blob_(blob), head_(std::move(head)), at_(range.first), end_(range.first + range.length) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), end_ - at_));
        auto n = media_.store.read(blob_, head_, at_, into.first(most));
        if (!n) return n;
        at_ += *n;
        media_.metrics.media_served_bytes.add(static_cast<double>(*n));
        return n;
    }

  private:
    const Media media_;
    const BlobId blob_;
    const MediumHead head_;
    std::uint64_t at_;
    const std::uint64_t end_;
};

Response with_tag(Response response, const std::string& tag) {
    // A recalled photo must be gone from phones, too: no cache but the agent's own, sealed one keeps it.
    response.headers.set("ETag", tag).set("Cache-Control", "no-store");
    return response;
}

}  // namespace

Response serve(const Media& media, const Request& request) {
    const auto blob = blob_of(request);
    if (!blob) return http::problem(Errc::upload_gone);
    const auto head = media.store.find(*blob);
    if (!head) return http::problem(head.error().code == Errc::not_found ? Errc::upload_gone : head.error().code);
    const auto tag = "\"" + to_hex(blob->view()) + "\"";  // what is finished never changes
    if (names_tag(request.headers.get("If-None-Match"), tag)) return with_tag(Response::empty(304), tag);
    const auto condition = request.headers.get("If-Range");
    const bool ranged = request.method == http::Method::get && (condition.empty() || condition == tag);
    const auto asked = ranged ? request.headers.get("Range") : std::string_view{};
    const auto range = read_range(asked, head->length);
    if (!range) {
        auto response = http::problem(range.error());
        response.headers.set("Content-Range", "bytes */" + std::to_string(head->length));
        return response;
    }
    const auto part = range->value_or(ByteRange{0, head->length});
    auto response = with_tag(Response::stream(*range ? 206 : 200, "application/octet-stream",
                                              std::make_unique<BlockSource>(media, *blob, *head, part), part.length),
                             tag);
    response.headers.set("Accept-Ranges", "bytes");
    if (*range)
        response.headers.set("Content-Range", "bytes " + std::to_string(part.first) + "-" +
                                                  std::to_string(part.first + part.length - 1) + "/" +
                                                  std::to_string(head->length));
    return response;
}

void add_download_routes(http::Router& router, const Media& m) {
    router.add({http::Method::get, "/v1/media/{id}", [m](Request& r) { return serve(m, r); }, http::Access::token, 0});
}

}  // namespace nimes::gateway::media
