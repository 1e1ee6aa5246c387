// Photo, step 4, receive: tus 1.0.0. (Before: the agent's upload. Next: media_store.cpp.)
#include "media/upload_head.hpp"
#include "media/upload_sink.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::media {
namespace {

using http::Request;
using http::Response;
using http::Verdict;

constexpr const char* kExtensions =
    "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration,concatenation";

std::string path_of(const BlobId& blob) { return "/v1/media/" + to_hex(blob.view()); }
Uploader uploader(const Request& request) { return {request.caller->user, request.caller->device}; }
bool has_body(const Request& request) { return !request.content_length || *request.content_length > 0; }

Response options(const Media& media) {
    auto response = Response::empty();
    response.headers.set("Allow", "OPTIONS, POST")
        .set("Tus-Version", "1.0.0")
        .set("Tus-Extension", kExtensions)
        .set("Tus-Checksum-Algorithm", std::string(kChecksums))
        .set("Tus-Max-Size", std::to_string(media.max_bytes));
    return response;
}

Response created(const BlobId& blob, const MediumHead& head) {
    auto response = Response::empty(201);
    response.headers.set("Location", path_of(blob));  // relative: a proxy in front may speak another scheme
    set_progress(response, head);
    return response;
}

// Takes the upload over. Who wrote to it was hung up and comes to its end; until then the request waits, but no thread.
Verdict in_turn(const Media& media, const BlobId& blob, const Request& request, std::function<void()> hang_up,
                std::function<Verdict(UploadWriter)> next) {
    const auto place = media.store.approach(blob, request.caller->device);
    if (!place) return refuse(place.error());
    auto go_on = [media, place = *place, hang_up = std::move(hang_up), next = std::move(next)]() -> Verdict {
        auto writer = media.store.write(place, hang_up);
        if (!writer) return refuse(writer.error());
        return next(std::move(*writer));
    };
    if (place->settled()) return go_on();
    auto begin = [place = *place](std::function<void()> go) { place.when_settled(std::move(go)); };
    return std::make_unique<http::Later>(http::Later{std::move(begin), media.patience, std::move(go_on)});
}

// Checksums cannot be copied, and what is done later must.
using SharedChecksum = std::shared_ptr<std::optional<Checksum>>;
SharedChecksum shared(std::optional<Checksum> checksum) {
    return std::make_shared<std::optional<Checksum>>(std::move(checksum));
}

Verdict create(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto creation = read_creation(request.headers, media.max_bytes);
    if (!creation) return refuse(creation.error());
    auto checksum = Checksum::from(request.headers);
    if (!checksum) return refuse(checksum.error());
    const bool body = has_body(request);
    if (body && !is_upload(request.headers)) return refuse({Errc::media_type, {}});
    if (body && creation->length && request.content_length.value_or(0) > *creation->length)
        return refuse({Errc::upload_length, "more bytes than Upload-Length"});
    const auto blob = creation->blob ? *creation->blob : media.random.id<BlobId>();
    if (!creation->parts.empty()) {
        if (body) return refuse({Errc::forbidden, "a concatenation takes no bytes"});
        const auto head = media.store.compose(blob, uploader(request), creation->parts);
        return head ? created(blob, *head) : refuse(head.error());
    }
    const auto head = media.store.create(blob, uploader(request), {creation->length, creation->partial});
    if (!head) return refuse(head.error());
    if (!body || head->offset > 0) return created(blob, *head);  // a repeat: it goes on from where it is
    auto next = [media, blob, sum = shared(std::move(*checksum))](UploadWriter writer) -> Verdict {
        if (writer.head().offset > 0) return created(blob, writer.head());
        return std::make_unique<UploadSink>(media, std::move(writer), std::move(*sum), path_of(blob));
    };
    return in_turn(media, blob, request, request.hang_up, std::move(next));
}

void set_kind(Response& response, const MediumHead& head) {
    if (head.kind == MediumKind::partial) response.headers.set("Upload-Concat", "partial");
    if (head.kind != MediumKind::composed) return;
    std::string text = "final;";
    for (const auto& part : head.parts) text.append(&part == head.parts.data() ? "" : " ").append(path_of(part.blob));
    response.headers.set("Upload-Concat", text);
}

Response progress(const MediumHead& head) {
    auto response = Response::empty(200);
    set_progress(response, head);
    set_kind(response, head);
    if (head.deferred) response.headers.set("Upload-Defer-Length", "1");
    else response.headers.set("Upload-Length", std::to_string(head.length));
    response.headers.set("Cache-Control", "no-store");
    return response;
}

// tus and HTTP mean different things by HEAD; every request of tus says that it is one.
Verdict head_of(const Media& media, const Request& request) {
    if (request.headers.find("Tus-Resumable") == nullptr) return serve(media, request);
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto blob = blob_of(request);
    if (!blob) return refuse(blob.error());
    return in_turn(media, *blob, request, {},
                   [](const UploadWriter& writer) -> Verdict { return progress(writer.head()); });
}

Response terminate(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto blob = blob_of(request);
    if (!blob) return refuse(blob.error());
    if (auto ok = media.store.remove(*blob, uploader(request)); !ok) return refuse(ok.error());
    return Response::empty();
}

struct Wish {
    std::uint64_t offset;
    std::optional<std::uint64_t> length;
};

Verdict go_on(const Media& media, const Request& request, UploadWriter writer, const Wish& wish,
              std::optional<Checksum> checksum) {
    if (writer.head().kind == MediumKind::composed) return refuse({Errc::forbidden, "a concatenation takes no bytes"});
    if (wish.offset != writer.head().offset) {
        const auto stands = std::to_string(writer.head().offset);
        auto response = refuse({Errc::upload_offset, "the upload stands at " + stands});
        response.headers.set("Upload-Offset", stands);
        return response;
    }
    if (wish.length)
        if (auto ok = writer.declare(*wish.length); !ok) return refuse(ok.error());
    if (request.content_length.value_or(0) > writer.head().length - writer.head().offset)
        return refuse({Errc::upload_length, "more bytes than Upload-Length"});
    return std::make_unique<UploadSink>(media, std::move(writer), std::move(checksum), std::string());
}

Verdict patch(const Media& media, const Request& request) {
    if (auto ok = check_version(request.headers); !ok) return refuse(ok.error());
    const auto blob = blob_of(request);
    if (!blob) return refuse(blob.error());
    const auto offset = read_offset(request.headers);
    if (!offset)
        return refuse(
            {offset.error().code == Errc::media_type ? Errc::media_type : Errc::malformed, offset.error().detail});
    const auto late = read_late_length(request.headers);
    if (!late) return refuse(late.error());
    auto checksum = Checksum::from(request.headers);
    if (!checksum) return refuse(checksum.error());
    auto next = [=, &request, sum = shared(std::move(*checksum))](UploadWriter writer) {
        return go_on(media, request, std::move(writer), {*offset, *late}, std::move(*sum));
    };
    return in_turn(media, *blob, request, request.hang_up, std::move(next));
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
    // tus 1.0.0 wants its version on every answer; who is refused by the server itself is told as well.
    router.stamp("/v1/media", "Tus-Resumable", "1.0.0");
    router.add({Method::options, "/v1/media", [m](Request&) { return options(m); }, Access::open, 0})
        .add_stream({Method::post, "/v1/media", [m](Request& r) { return create(m, r); }})
        .add_stream({Method::head, "/v1/media/{id}", [m](Request& r) { return head_of(m, r); }})
        .add({Method::del, "/v1/media/{id}", [m](Request& r) { return terminate(m, r); }, Access::token, 0})
        .add_stream({Method::patch, "/v1/media/{id}", [m](Request& r) { return patch(m, r); }});
}

void add_routes(http::Router& router, const Media& media) {
    add_upload_routes(router, media);
    add_download_routes(router, media);
}

}  // namespace nimes::gateway::media
