#include "engine/custody.hpp"

#include "transport/service_status.hpp"

namespace nimes::agent::engine {
namespace {

transport::HttpsOptions options_of(std::string gateway, std::string ca_pem) {
    transport::HttpsOptions out;
    out.base_url = std::move(gateway);
    out.ca_pem = std::move(ca_pem);
    // Clocks are looked at between these exchanges: one that drips must not hold the lock open.
    out.total_timeout_s = 30;
    out.max_body = 64 << 10;
    return out;
}

template <class Message>
Bytes bytes_of(const Message& message) {
    Bytes out(message.ByteSizeLong());
    (void)message.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

}  // namespace

CustodyClient::CustodyClient(std::string gateway, std::string ca_pem, transport::TokenSource token,
                             std::function<void(Millis)> on_time)
    : client_(options_of(std::move(gateway), std::move(ca_pem)), std::move(token)), on_time_(std::move(on_time)) {}

// Tokens follow the server's clock; a process that has not connected yet does not know it.
bool CustodyClient::clock_was_wrong(Errc code) {
    if (code != Errc::token_expired) return false;
    const auto status = transport::service_status(client_);
    if (status && on_time_) on_time_(status->server);
    return status.has_value();
}

Result<transport::HttpsAnswer> CustodyClient::ask(const char* method, const char* path, ByteView body, bool with_token,
                                                  const std::stop_token& stop) {
    transport::HttpsRequest request;
    request.method = method;
    request.path = path;
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/x-protobuf");
    request.body = body;
    request.with_token = with_token;
    request.stop = stop;
    auto answer = client_.exchange(request);
    if (answer && with_token && !answer->ok() && clock_was_wrong(transport::error_of(*answer).code))
        answer = client_.exchange(request);
    if (!answer) return answer;
    if (!answer->ok()) {
        const auto error = transport::error_of(*answer);
        return fail(error.code, error.detail);
    }
    return answer;
}

Result<container::Share> CustodyClient::share(const std::stop_token& stop) {
    auto answer = ask("GET", "/v1/share", {}, true, stop);
    if (!answer) return pass(answer);
    v1::Share in;
    const bool whole = in.ParseFromArray(answer->body.data(), static_cast<int>(answer->body.size())) &&
                       in.number() != 0 && in.share().size() == Secret<32>::size;
    sodium_memzero(answer->body.data(), answer->body.size());
    if (!whole) return fail(Errc::malformed, "the gateway's share");
    container::Share out{in.number(), Secret<32>(as_bytes(in.share()))};
    sodium_memzero(in.mutable_share()->data(), in.share().size());
    return out;
}

Result<void> CustodyClient::put_share(const container::Share& share, const std::stop_token& stop) {
    v1::Share out;
    out.set_number(share.number);
    out.set_share(std::string(as_text(share.bytes.view())));
    auto body = bytes_of(out);
    sodium_memzero(out.mutable_share()->data(), out.share().size());
    auto answer = ask("PUT", "/v1/share", body, true, stop);
    sodium_memzero(body.data(), body.size());
    if (!answer) return pass(answer);
    return {};
}

Result<v1::FarewellAnswer> CustodyClient::farewell(const v1::Farewell& request, const std::stop_token& stop) {
    const auto body = bytes_of(request);
    auto answer = ask("POST", "/v1/farewell", body, false, stop);
    if (!answer) return pass(answer);
    v1::FarewellAnswer out;
    if (!out.ParseFromArray(answer->body.data(), static_cast<int>(answer->body.size())))
        return fail(Errc::malformed, "the gateway's answer");
    return out;
}

}  // namespace nimes::agent::engine
