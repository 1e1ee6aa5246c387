#include "http/wire.hpp"

#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "http/problem.hpp"
#include "http/router.hpp"

namespace nimes::gateway::http::wire {
namespace {

namespace beast_http = boost::beast::http;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool clean(std::string_view text) {
    return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// A form or a proxy that knows only GET and POST: POST may stand for the two methods of tus, and for nothing else.
std::optional<Method> overridden(std::optional<Method> method, const Headers& headers) {
    const auto* wanted = headers.find("X-HTTP-Method-Override");
    if (method != Method::post || wanted == nullptr) return method;
    const auto other = method_of(*wanted);
    return other == Method::patch || other == Method::del ? other : method;
}

bool forbids_body(int status) { return status < 200 || status == 204 || status == 304; }

std::string date(std::time_t now) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char out[40];
    const auto n = std::strftime(out, sizeof out, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {out, n};
}

}  // namespace

const boost::system::error_category& parser_errors() {
    return beast_http::make_error_code(beast_http::error::need_more).category();
}

std::string path_of(const Parser& parser) {
    const auto target = view(parser.get().target());
    return std::string(target.substr(0, target.find('?')));
}

Result<Head> head_of(const Parser& parser) {
    const auto& message = parser.get();
    Head out;
    auto& request = out.request;
    for (const auto& field : message) {
        auto value = std::string(view(field.value()));
        if (!clean(value)) return fail(Errc::malformed, "a header field");
        request.headers.add(std::string(view(field.name_string())), std::move(value));
    }
    out.method = overridden(method_of(view(message.method_string())), request.headers);
    request.method = out.method.value_or(Method::get);
    if (request.headers.count("Host") > 1 || (message.version() >= 11 && request.headers.count("Host") == 0))
        return fail(Errc::malformed, "exactly one Host");

    const auto target = view(message.target());
    const auto question = target.find('?');
    request.path = path_of(parser);
    if (request.path != "*" && !request.path.starts_with('/')) return fail(Errc::malformed, "the target is not a path");
    if (question != std::string_view::npos) {
        auto query = parse_query(target.substr(question + 1));
        if (!query) return pass(query);
        request.query = std::move(*query);
    }
    if (const auto length = parser.content_length()) request.content_length = *length;
    else if (!parser.chunked()) request.content_length = 0;
    out.expects_continue = boost::beast::iequals(message[beast_http::field::expect], "100-continue");
    out.keep_alive = message.keep_alive();
    return out;
}

Response refusal(const boost::system::error_code& error) {
    if (error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow)
        return problem(Error{Errc::too_large, "the request's head"}, 431);
    return problem(Errc::malformed, "not an HTTP/1.1 request");
}

bool has_body(const Response& response, Method method) {
    return method != Method::head && !forbids_body(response.status) &&
           (response.source != nullptr || !response.body.empty());
}

std::string text_of(const Response& response, Method method, bool keep_alive, std::time_t now) {
    const auto status = static_cast<unsigned>(response.status);
    std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
    const auto reason = beast_http::obsolete_reason(beast_http::int_to_status(status));
    out.append(reason.data(), reason.size());
    const auto field = [&](std::string_view name, std::string_view value) {
        if (clean(name) && clean(value)) out.append("\r\n").append(name).append(": ").append(value);
    };
    field("Date", date(now));
    for (const auto& [name, value] : response.headers.all()) field(name, value);
    if (response.headers.find("Cache-Control") == nullptr) field("Cache-Control", "no-store");
    const auto length = response.source ? response.source_length : response.body.size();
    // the length of what GET would have sent is told to HEAD as well, unless the answer is about something else
    if (!forbids_body(response.status) && (method != Method::head || response.source || length > 0))
        field("Content-Length", std::to_string(length));
    field("Connection", keep_alive ? "keep-alive" : "close");
    return out.append("\r\n\r\n");
}

}  // namespace nimes::gateway::http::wire
