#include "shares/routes.hpp"

#include "http/problem.hpp"

namespace nimes::gateway::shares {
namespace {

using http::Request;
using http::Response;

constexpr std::size_t kSmallBody = 4 * 1024;

template <class Message>
Response answer(const Message& message) {
    Bytes body(message.ByteSizeLong());
    (void)message.SerializeToArray(body.data(), static_cast<int>(body.size()));
    auto response = Response::bytes(200, "application/x-protobuf", std::move(body));
    response.headers.set("Cache-Control", "no-store");
    return response;
}

Response get_share(Shares& shares, const Request& request) {
    const auto share = shares.get(request.caller->device);
    if (!share) return http::problem(share.error());
    v1::Share out;
    out.set_number(share->number);
    out.set_share(std::string(as_text(share->bytes.view())));
    return answer(out);
}

Response put_share(Shares& shares, const Request& request) {
    v1::Share body;
    if (!body.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())) ||
        body.share().size() != Secret<32>::size)
        return http::problem(Errc::malformed, "not nimes.v1.Share");
    const auto put = shares.put(request.caller->device, {body.number(), Secret<32>(as_bytes(body.share()))});
    return put ? Response::empty() : http::problem(put.error());
}

Response take_receipt(const Parts& p, ByteView bytes) {
    const auto receipt = WipeReceipt::parse(bytes);
    if (!receipt) return http::problem(receipt.error());
    const auto taken = p.wipes.receive(*receipt);
    return taken ? answer(v1::FarewellAnswer{}) : http::problem(taken.error());
}

// The one door that a revoked device still finds open: what it learns there lets it end in order.
Response farewell(const Parts& p, const Request& request) {
    if (!p.gate.from_network(request.peer)) return http::problem(Errc::rate_limited);
    v1::Farewell body;
    if (!body.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())))
        return http::problem(Errc::malformed, "not nimes.v1.Farewell");
    if (!body.receipt().empty()) return take_receipt(p, as_bytes(body.receipt()));
    const auto who = p.devices.recognise(body.token());
    if (!who) return http::problem(who.error());
    if (!p.gate.from_device(who->device)) return http::problem(Errc::rate_limited);
    auto entry = p.devices.entry(who->user, body.held_revision());
    if (!entry) return http::problem(entry.error());
    const auto order = p.wipes.deliver(who->device);
    if (!order) return http::problem(order.error());
    v1::FarewellAnswer out;
    *out.mutable_entry() = std::move(*entry);
    if (*order) out.set_wipe_order(std::string(as_text((*order)->encode())));
    return answer(out);
}

}  // namespace

void add_routes(http::Router& router, const Parts& parts) {
    using http::Access;
    using http::Method;
    router.add({Method::get, "/v1/share", [&s = parts.shares](Request& r) { return get_share(s, r); }})
        .add({Method::put, "/v1/share", [&s = parts.shares](Request& r) { return put_share(s, r); }, Access::token,
              kSmallBody})
        .add({Method::post, "/v1/farewell", [parts](Request& r) { return farewell(parts, r); }, Access::open,
              kSmallBody});
}

}  // namespace nimes::gateway::shares
