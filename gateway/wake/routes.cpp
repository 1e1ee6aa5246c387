#include "wake/routes.hpp"

#include "http/problem.hpp"
#include "nimes/v1/directory.pb.h"

namespace nimes::gateway::wake {
namespace {

constexpr std::size_t kBody = 2 * 1024;

http::Response put(Endpoints* endpoints, const Rules& rules, const http::Request& request) {
    v1::WakeEndpoint body;
    if (!body.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())))
        return http::problem(Errc::malformed, "not nimes.v1.WakeEndpoint");
    if (endpoints == nullptr) {
        if (body.url().empty()) return http::Response::empty();
        return http::problem(Errc::forbidden, "this gateway wakes nobody");
    }
    if (!body.url().empty())
        if (const auto ok = check_url(body.url(), rules); !ok) return http::problem(ok.error());
    const auto ok = endpoints->put(request.caller->device, body.url());
    return ok ? http::Response::empty() : http::problem(ok.error());
}

}  // namespace

void add_routes(http::Router& router, Endpoints* endpoints, Rules rules) {
    router.add({http::Method::post, "/v1/wake",
                [endpoints, rules](http::Request& r) { return put(endpoints, rules, r); }, http::Access::token, kBody});
}

}  // namespace nimes::gateway::wake
