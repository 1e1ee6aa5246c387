#include "engine/https_network.hpp"

namespace nimes::agent::engine {
namespace {

transport::HttpsOptions options_of(const Provisioning& p) {
    transport::HttpsOptions out;
    out.base_url = p.gateway;
    out.ca_pem = p.ca_pem;
    return out;
}

template <class Message>
Bytes bytes_of(const Message& message) {
    Bytes out(message.ByteSizeLong());
    (void)message.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

template <class Answer>
Result<Answer> parse(const Bytes& body) {
    Answer out;
    if (!out.ParseFromArray(body.data(), static_cast<int>(body.size())))
        return fail(Errc::malformed, "the gateway's answer");
    return out;
}

std::string escaped(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char ch : text) {
        const auto c = static_cast<unsigned char>(ch);
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            out += ch;
        } else {
            out += '%';
            out += kHex[c >> 4];
            out += kHex[c & 15];
        }
    }
    return out;
}

struct Nothing {
    bool ParseFromArray(const void*, int) { return true; }
};

}  // namespace

HttpsNetwork::HttpsNetwork(const Provisioning& provisioning, transport::TokenSource token, OnTime on_time,
                           const Clock& clock, RandomSource& random)
    : options_(options_of(provisioning)),
      token_(token),
      on_time_(std::move(on_time)),
      clock_(clock),
      random_(random),
      client_(options_, token) {}

Result<transport::ServiceStatus> HttpsNetwork::status() {
    const std::lock_guard lock(mutex_);
    auto status = transport::service_status(client_);
    if (status && on_time_) on_time_(status->server);
    return status;
}

bool HttpsNetwork::clock_was_wrong(const Error& error) {
    if (error.code != Errc::token_expired) return false;
    const auto status = transport::service_status(client_);
    if (status && on_time_) on_time_(status->server);
    return status.has_value();
}

Result<void> HttpsNetwork::wake(const std::string& endpoint) {
    v1::WakeEndpoint request;
    request.set_url(endpoint);
    auto answer = post<Nothing>("/v1/wake", request, true);
    if (!answer) return pass(answer);
    return {};
}

template <class Answer>
Result<Answer> HttpsNetwork::get(const std::string& path) {
    const std::lock_guard lock(mutex_);
    auto answer = client_.get(path);
    if (!answer && clock_was_wrong(answer.error())) answer = client_.get(path);
    if (!answer) return pass(answer);
    return parse<Answer>(answer->body);
}

template <class Answer, class Request>
Result<Answer> HttpsNetwork::post(const std::string& path, const Request& request, bool with_token) {
    const std::lock_guard lock(mutex_);
    const auto body = bytes_of(request);
    auto answer = client_.post_protobuf(path, body, with_token);
    if (!answer && clock_was_wrong(answer.error())) answer = client_.post_protobuf(path, body, with_token);
    if (!answer) return pass(answer);
    return parse<Answer>(answer->body);
}

Result<v1::LookupAnswer> HttpsNetwork::lookup(const v1::LookupRequest& request) {
    return post<v1::LookupAnswer>("/v1/directory/lookup", request, true);
}
Result<v1::HeadAnswer> HttpsNetwork::head(std::uint64_t held) {
    return get<v1::HeadAnswer>("/v1/directory/head?held=" + std::to_string(held));
}
Result<v1::OldHeadAnswer> HttpsNetwork::old_head(std::uint64_t revision, std::uint64_t under) {
    return get<v1::OldHeadAnswer>("/v1/directory/head/" + std::to_string(revision) + "?under=" + std::to_string(under));
}
Result<v1::ConversationEvents> HttpsNetwork::events(const ConversationId& id, std::uint64_t from) {
    return get<v1::ConversationEvents>("/v1/conversations/" + to_hex(id.view()) +
                                       "/events?from=" + std::to_string(from));
}
Result<v1::People> HttpsNetwork::people(const std::string& name, const std::string& unit) {
    return get<v1::People>("/v1/people?name=" + escaped(name) + "&unit=" + escaped(unit));
}
Result<void> HttpsNetwork::seal_keys(const v1::SealKeyBatch& batch) {
    auto answer = post<Nothing>("/v1/sealkeys", batch, true);
    if (!answer) return pass(answer);
    return {};
}
Result<void> HttpsNetwork::enrol_code(const v1::CodeRequest& request) {
    auto answer = post<Nothing>("/v1/enrol/code", request, false);
    if (!answer) return pass(answer);
    return {};
}
Result<v1::EnrolOffer> HttpsNetwork::enrol_begin(const v1::EnrolBegin& request) {
    return post<v1::EnrolOffer>("/v1/enrol/begin", request, false);
}
Result<v1::EnrolResult> HttpsNetwork::enrol_finish(const v1::EnrolFinish& request) {
    return post<v1::EnrolResult>("/v1/enrol/finish", request, false);
}
Result<v1::PendingDevices> HttpsNetwork::pending() { return get<v1::PendingDevices>("/v1/devices/pending"); }
Result<void> HttpsNetwork::vouch(const v1::Voucher& voucher) {
    auto answer = post<Nothing>("/v1/devices/vouch", voucher, true);
    if (!answer) return pass(answer);
    return {};
}
Result<void> HttpsNetwork::revoke(const v1::Revocation& revocation) {
    auto answer = post<Nothing>("/v1/devices/revoke", revocation, true);
    if (!answer) return pass(answer);
    return {};
}

Result<void> HttpsNetwork::dump(std::uint64_t revision, std::uint64_t most,
                                const transport::HttpsRequest::Writer& writer, const std::stop_token& stop) {
    transport::HttpsClient client(options_, token_);
    transport::HttpsRequest request;
    request.path = "/v1/directory/dump?revision=" + std::to_string(revision);
    request.writer = writer;
    request.writer_limit = most;
    request.stop = stop;
    const auto answer = client.exchange(request);
    if (!answer) return fail(answer.error().code, answer.error().detail);
    if (!answer->ok()) return fail(transport::error_of(*answer).code, transport::error_of(*answer).detail);
    return {};
}

Result<void> HttpsNetwork::remove(const BlobId& blob) {
    const std::lock_guard lock(mutex_);
    transport::HttpsRequest request;
    request.method = "DELETE";
    request.path = "/v1/media/" + to_hex(blob.view());
    request.headers = {{"Tus-Resumable", "1.0.0"}};
    auto answer = client_.exchange(request);
    if (answer && !answer->ok()) answer = tl::unexpected<Error>(transport::error_of(*answer));
    if (answer) return {};
    (void)clock_was_wrong(answer.error());  // it is repeated anyway
    return pass(answer);
}

Result<void> HttpsNetwork::upload(const BlobId& id, const std::filesystem::path& file, const media::Progress& progress,
                                  const std::stop_token& stop) {
    transport::HttpsClient client(options_, token_);
    transport::TusUpload upload(client, clock_, random_);
    return upload.run(id, file, true, progress, stop);
}

Result<void> HttpsNetwork::download(const BlobId& id, const std::filesystem::path& file, std::uint64_t size,
                                    const media::Progress& progress, const std::stop_token& stop) {
    transport::HttpsClient client(options_, token_);
    transport::RangeDownload download(client, random_);
    return download.run(id, file, size, progress, stop);
}

Result<Bytes> HttpsNetwork::piece(const BlobId& id, std::uint64_t size, std::uint64_t from, std::size_t length,
                                  const std::stop_token& stop) {
    transport::HttpsClient client(options_, token_);
    transport::RangeDownload download(client, random_);
    return download.piece(id, size, from, length, stop);
}

}  // namespace nimes::agent::engine
