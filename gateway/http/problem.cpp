#include "http/problem.hpp"

#include <nlohmann/json.hpp>

namespace nimes::gateway::http {

Response problem(const Error& error) { return problem(error, error.row().http); }

Response problem(const Error& error, int status) {
    const auto& row = error.row();
    nlohmann::ordered_json body{{"type", "urn:nimes:error:" + std::string(row.name)},
                                {"title", row.title},
                                {"status", status},
                                {"code", row.name}};
    if (!error.detail.empty()) body["detail"] = error.detail;
    body["hint"] = row.hint;
    auto out = Response::text(status, "application/problem+json",
                              body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    if (status == 401) out.headers.set("WWW-Authenticate", "Bearer");
    if (status == 423 || status == 429 || status == 503) out.headers.set("Retry-After", "1");
    return out;
}

}  // namespace nimes::gateway::http
