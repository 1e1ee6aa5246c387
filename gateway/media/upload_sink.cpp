#include "media/upload_sink.hpp"

#include "http/problem.hpp"
#include "media/upload_head.hpp"

namespace nimes::gateway::media {

using http::Response;

Response refuse(const Error& error) {
    auto said = error;
    if (said.code == Errc::not_found) said.code = Errc::upload_gone;
    auto response = http::problem(said);
    if (error.code == Errc::tus_version) response.headers.set("Tus-Version", "1.0.0");
    return response;
}

void set_progress(Response& response, const MediumHead& head) {
    response.headers.set("Upload-Offset", std::to_string(head.offset));
    if (!head.finished()) response.headers.set("Upload-Expires", http_date(head.expires));
}

UploadSink::UploadSink(const Media& media, UploadWriter writer, std::optional<Checksum> checksum, std::string location)
    : media_(media), writer_(std::move(writer)), checksum_(std::move(checksum)), location_(std::move(location)) {
    if (checksum_) writer_->hold_back();
    media_.metrics.uploads_in_progress.add(1);
}

UploadSink::~UploadSink() { media_.metrics.uploads_in_progress.add(-1); }

std::span<std::uint8_t> UploadSink::room() { return room_ = writer_->room(); }

bool UploadSink::took(std::size_t n) {
    media_.metrics.upload_received_bytes.add(static_cast<double>(n));
    if (checksum_) fresh_ = room_.first(n);
    return writer_->took(n) || checksum_;
}

void UploadSink::digest() {
    if (checksum_) checksum_->add(fresh_);
    fresh_ = {};
}

std::optional<Response> UploadSink::work() {
    digest();
    if (auto ok = writer_->work(); !ok) return ended(refuse(ok.error()));
    return std::nullopt;
}

Response UploadSink::finish() {
    digest();
    if (checksum_ && !checksum_->fits()) return ended(refuse({Errc::checksum_mismatch, {}}));
    if (auto ok = writer_->flush(); !ok) return ended(refuse(ok.error()));
    auto response = Response::empty(location_.empty() ? 204 : 201);
    if (!location_.empty()) response.headers.set("Location", location_);
    set_progress(response, writer_->head());
    return ended(std::move(response));
}

// Refused when another request took over: nothing is lost by it.
void UploadSink::cut() {
    if (!checksum_) (void)writer_->flush();
    writer_.reset();
}

// Who asks next, having read this answer, has nobody to take over from: the connection lives on.
Response UploadSink::ended(Response response) {
    writer_.reset();
    return response;
}

}  // namespace nimes::gateway::media
