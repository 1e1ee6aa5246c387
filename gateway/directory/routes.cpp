#include "directory/routes.hpp"

#include <charconv>

#include "directory/dump_route.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::directory {
namespace {

using http::Request;
using http::Response;

template <class Message>
Response answer(const Result<Message>& message) {
    if (!message) return http::problem(message.error());
    Bytes body(message->ByteSizeLong());
    (void)message->SerializeToArray(body.data(), static_cast<int>(body.size()));
    return Response::bytes(200, "application/x-protobuf", std::move(body));
}

Result<std::uint64_t> number(std::string_view text) {
    std::uint64_t out = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || error != std::errc{} || at != text.data() + text.size())
        return fail(Errc::malformed, "a revision is a whole number");
    return out;
}

Result<std::uint64_t> query_number(const Request& request, std::string_view name, std::uint64_t otherwise) {
    const auto* value = request.query_value(name);
    if (value == nullptr) return otherwise;
    return number(*value);
}

Response lookup(Directory& directory, const Request& request) {
    v1::LookupRequest body;
    if (!body.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())))
        return http::problem(Errc::malformed, "not nimes.v1.LookupRequest");
    return answer(directory.lookup_for(request.caller->device, body));
}

Response head(Directory& directory, const Request& request) {
    const auto held = query_number(request, "held", 0);
    if (!held) return http::problem(held.error());
    return answer(directory.head(*held));
}

Response old_head(Directory& directory, const Request& request) {
    const auto revision = number(request.param("revision"));
    if (!revision) return http::problem(revision.error());
    const auto under = query_number(request, "under", 0);
    if (!under) return http::problem(under.error());
    return answer(directory.old_head(*revision, *under));
}

Response people(Directory& directory, const Request& request) {
    const auto* name = request.query_value("name");
    const auto* unit = request.query_value("unit");
    const std::string none;
    return answer(
        Result<v1::People>(directory.find_people(name != nullptr ? *name : none, unit != nullptr ? *unit : none)));
}

Response seal_keys(Directory& directory, const Request& request) {
    v1::SealKeyBatch body;
    if (!body.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())))
        return http::problem(Errc::malformed, "not nimes.v1.SealKeyBatch");
    std::vector<Bytes> keys, one_time;
    for (const auto& key : body.keys()) keys.push_back(to_bytes(as_bytes(key)));
    for (const auto& key : body.one_time_keys()) one_time.push_back(to_bytes(as_bytes(key)));
    if (auto ok = directory.put_seal_keys(request.caller->device, keys, one_time); !ok)
        return http::problem(ok.error());
    return Response::empty();
}

Response revoke_own(Directory& directory, const Request& request) {
    v1::Revocation body;
    if (!body.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())))
        return http::problem(Errc::malformed, "not nimes.v1.Revocation");
    const auto record = DeviceRevoke::parse(as_bytes(body.record()));
    if (!record) return http::problem(record.error());
    const auto ok = directory.revoke_own(request.caller->device, *record);
    return ok ? Response::empty() : http::problem(ok.error());
}

}  // namespace

void add_routes(http::Router& router, Directory& d) {
    using http::Access;
    using http::Method;
    constexpr std::size_t kSmallBody = 4 * 1024;
    router.add({Method::post, "/v1/directory/lookup", [&d](Request& r) { return lookup(d, r); }})
        .add({Method::get, "/v1/directory/head", [&d](Request& r) { return head(d, r); }})
        .add({Method::get, "/v1/directory/head/{revision}", [&d](Request& r) { return old_head(d, r); }})
        .add({Method::get, "/v1/directory/dump", [dumps = Dumps(d)](Request& r) { return dumps.answer(r); },
              Access::token, 0})
        .add({Method::get, "/v1/people", [&d](Request& r) { return people(d, r); }})
        .add({Method::post, "/v1/sealkeys", [&d](Request& r) { return seal_keys(d, r); }})
        .add({Method::post, "/v1/devices/revoke", [&d](Request& r) { return revoke_own(d, r); }, Access::token,
              kSmallBody});
}

}  // namespace nimes::gateway::directory
