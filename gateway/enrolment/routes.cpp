#include "enrolment/routes.hpp"

#include "http/problem.hpp"
#include "nimes/v1/directory.pb.h"

namespace nimes::gateway::enrolment {
namespace {

using http::Request;
using http::Response;

constexpr std::size_t kSmallBody = 4 * 1024;

template <class Message>
Result<Message> read(const Request& request) {
    Message out;
    if (!out.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())))
        return fail(Errc::malformed, "not the protobuf message that this route takes");
    return out;
}

template <class Message>
Response answer(int status, const Message& message) {
    Bytes body(message.ByteSizeLong());
    (void)message.SerializeToArray(body.data(), static_cast<int>(body.size()));
    return Response::bytes(status, "application/x-protobuf", std::move(body));
}

std::string text(ByteView bytes) { return std::string(as_text(bytes)); }

Response code(Enrolment& enrolment, const Request& request) {
    const auto body = read<v1::CodeRequest>(request);
    if (!body) return http::problem(body.error());
    if (auto ok = enrolment.request_code(body->address(), request.peer); !ok) return http::problem(ok.error());
    return Response::empty(202);
}

Response begin(Enrolment& enrolment, const Request& request) {
    const auto body = read<v1::EnrolBegin>(request);
    if (!body) return http::problem(body.error());
    if (body->identity_key().size() != PublicKey::size || body->role() < 1 || body->role() > 2 ||
        body->platform() > 0xffff)
        return http::problem(Errc::malformed, "identity key, role or platform");
    const auto offer =
        enrolment.begin({body->address(), body->code(), PublicKey::from(as_bytes(body->identity_key())),
                         static_cast<DeviceRole>(body->role()), static_cast<std::uint16_t>(body->platform())},
                        request.peer);
    if (!offer) return http::problem(offer.error());
    v1::EnrolOffer out;
    out.set_ticket(text(offer->ticket.view()));
    out.set_body(text(offer->body));
    return answer(200, out);
}

Response finish(Enrolment& enrolment, const Request& request) {
    const auto body = read<v1::EnrolFinish>(request);
    if (!body) return http::problem(body.error());
    if (body->ticket().size() != TicketId::size || body->self_signature().size() != Signature::size)
        return http::problem(Errc::malformed, "ticket or signature");
    const auto outcome =
        enrolment.finish(TicketId::from(as_bytes(body->ticket())), Signature::from(as_bytes(body->self_signature())));
    if (!outcome) return http::problem(outcome.error());
    v1::EnrolResult out;
    if (outcome->certificate) out.set_certificate(text(outcome->certificate->encode()));
    if (outcome->waiting_for) out.set_waiting_for(std::string(row(*outcome->waiting_for).name));
    out.set_body(text(outcome->body));
    out.set_person(text(outcome->person));
    return answer(outcome->certificate ? 200 : 202, out);
}

Response pending(Enrolment& enrolment, const Request& request) {
    const auto bodies = enrolment.pending(request.caller->user);
    if (!bodies) return http::problem(bodies.error());
    v1::PendingDevices out;
    for (const auto& body : *bodies) out.add_bodies(text(body));
    return answer(200, out);
}

Response vouch(Enrolment& enrolment, const Request& request) {
    const auto body = read<v1::Voucher>(request);
    if (!body) return http::problem(body.error());
    if (body->device().size() != DeviceId::size || body->signature().size() != Signature::size)
        return http::problem(Errc::malformed, "device or signature");
    const auto ok =
        enrolment.vouch(request.caller->user, request.caller->device, DeviceId::from(as_bytes(body->device())),
                        Signature::from(as_bytes(body->signature())));
    return ok ? Response::empty() : http::problem(ok.error());
}

}  // namespace

void add_routes(http::Router& router, Enrolment& e) {
    using http::Access;
    using http::Method;
    router.add({Method::post, "/v1/enrol/code", [&e](Request& r) { return code(e, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/enrol/begin", [&e](Request& r) { return begin(e, r); }, Access::open, kSmallBody})
        .add({Method::post, "/v1/enrol/finish", [&e](Request& r) { return finish(e, r); }, Access::open, kSmallBody})
        .add({Method::get, "/v1/devices/pending", [&e](Request& r) { return pending(e, r); }})
        .add({Method::post, "/v1/devices/vouch", [&e](Request& r) { return vouch(e, r); }, Access::token, kSmallBody});
}

}  // namespace nimes::gateway::enrolment
