// HTTP/1.1 between bytes and values: a parsed head becomes a Request, a Response becomes the bytes of its head.
// Private to this room: it brings in Beast. Pure; thread safe.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "http/request.hpp"

namespace nimes::gateway::http::wire {

using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
const boost::system::error_category& parser_errors();

struct Head {
    Request request;               // without params and caller
    std::optional<Method> method;  // nullopt: none that we know
    bool expects_continue = false;
    bool keep_alive = true;
};

// The target up to the query, as far as it has come: also of a head that is refused.
std::string path_of(const Parser& parser);

// Errc::malformed for a target that is not a path, a bad escape, a missing or repeated Host.
Result<Head> head_of(const Parser& parser);

// The answer to bytes that are no HTTP head.
Response refusal(const boost::system::error_code& error);

// Status line and fields, to the empty line. Fields with control characters are left out.
std::string text_of(const Response& response, Method method, bool keep_alive, std::time_t now);
// Whether bytes follow the head.
bool has_body(const Response& response, Method method);

}  // namespace nimes::gateway::http::wire
