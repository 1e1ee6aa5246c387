// Photo, step 4, receive: tus 1.0.0. (Before: the agent's upload. Next: media_store.cpp.)
#include "http/problem.hpp"
#include "media/routes.hpp"
#include "media/upload_head.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::media {
namespace {

using http::Request;
using http::Response;

Response with_version(Response response) {
    response.headers.set("Tus-Resumable", "1.0.0");
    return response;
}

Response refuse(const Error& error) {
    auto response = with_version(http::problem(error));
    if (error.code == Errc::tus_version) response.headers.set("Tus-Version", "1.0.0");
    return response;
}

void set_progress(Response& response, const MediumHead& head) {
    response.headers.set("Upload-Offset", std::to_string(head.offset));
    if (!head.finished()) response.headers.set("Upload-Expires", http_date(head.expires));
}

Response options(const Media& media) {
    auto response = with_version(Response::empty());
    response.headers.set("Tus-Version", "1.0.0")
        .set("Tus-Extension", "creation,termination,expiration")
        .set("Tus-Max-Size", std::to_string(media.max_bytes));
    return response;
}

Response create(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto creation = read_creation(request.headers, media.max_bytes);
    if (!creation) return refuse(creation.error());
    const auto head = media.store.create(creation->blob, request.caller->device, creation->length);
    if (!head) return refuse(head.error());
    auto response = with_version(Response::empty(201));
    response.headers.set("Location", "/v1/media/" + to_hex(creation->blob.view()));
    set_progress(response, *head);
    return response;
}

Response progress(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto blob = blob_of(request);
    if (!blob) return refuse(blob.error());
    const auto head = media.store.take_over(*blob, request.caller->device);
    if (!head) return refuse(head.error());
    auto response = with_version(Response::empty(200));
    set_progress(response, *head);
    response.headers.set("Upload-Length", std::to_string(head->length)).set("Cache-Control", "no-store");
    return response;
}

Response terminate(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto blob = blob_of(request);
    if (!blob) return refuse(blob.error());
    if (auto ok = media.store.remove(*blob, request.caller->device); !ok) return refuse(ok.error());
    return with_version(Response::empty());
}

// The body of a PATCH on its way to disk. What came before a cut is kept: that is what tus is for.
class UploadSink final : public http::BodySink {
  public:
    UploadSink(const Media& media, MediaStore::Writer writer) : media_(media), writer_(std::move(writer)) {
        media_.metrics.uploads_in_progress.add(1);
    }
    ~UploadSink() override { media_.metrics.uploads_in_progress.add(-1); }

    std::optional<Response> write(ByteView bytes) override {
        if (auto ok = writer_->append(bytes); !ok) return ended(refuse(ok.error()));
        media_.metrics.upload_received_bytes.add(static_cast<double>(bytes.size()));
        return std::nullopt;
    }
    Response finish() override {
        if (auto ok = writer_->flush(); !ok) return ended(refuse(ok.error()));
        auto response = with_version(Response::empty());
        set_progress(response, writer_->head());
        return ended(std::move(response));
    }
    void cut() override { (void)writer_->flush(); }  // refused when another request took over: nothing is lost by it

  private:
    // Who asks next, having read this answer, has nobody to take over from: the connection lives on.
    Response ended(Response response) {
        writer_.reset();
        return response;
    }

    const Media media_;
    std::optional<MediaStore::Writer> writer_;  // none once it is answered
};

std::variant<Response, std::unique_ptr<http::BodySink>> patch(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto blob = blob_of(request);
    if (!blob) return refuse(blob.error());
    const auto offset = read_offset(request.headers);
    if (!offset) return refuse(offset.error());
    auto writer = media.store.write(*blob, request.caller->device, request.hang_up);
    if (!writer) return refuse(writer.error());
    const auto& head = writer->head();
    if (*offset != head.offset) {
        auto response = refuse({Errc::upload_offset, "the upload stands at " + std::to_string(head.offset)});
        response.headers.set("Upload-Offset", std::to_string(head.offset));
        return response;
    }
    if (request.content_length && *request.content_length > head.length - head.offset)
        return refuse({Errc::upload_length, "more bytes than Upload-Length"});
    return std::make_unique<UploadSink>(media, std::move(*writer));
}

}  // namespace

Result<BlobId> blob_of(const Request& request) {
    auto blob = id_from_hex<BlobId>(request.param("id"));
    if (!blob) return fail(Errc::not_found);
    return blob;
}

void add_upload_routes(http::Router& router, const Media& m) {
    using http::Access;
    using http::Method;
    router.add({Method::options, "/v1/media", [m](Request&) { return options(m); }, Access::open, 0})
        .add({Method::post, "/v1/media", [m](Request& r) { return create(m, r); }, Access::token, 0})
        .add({Method::head, "/v1/media/{id}", [m](Request& r) { return progress(m, r); }, Access::token, 0})
        .add({Method::del, "/v1/media/{id}", [m](Request& r) { return terminate(m, r); }, Access::token, 0})
        .add_stream({Method::patch, "/v1/media/{id}", [m](Request& r) { return patch(m, r); }});
}

void add_routes(http::Router& router, const Media& media) {
    add_upload_routes(router, media);
    add_download_routes(router, media);
}

}  // namespace nimes::gateway::media
