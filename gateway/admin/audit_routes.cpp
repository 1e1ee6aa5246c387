// The audit, read: its lines as they are stored, and its head.
#include <charconv>

#include "admin/route_parts.hpp"
#include "http/problem.hpp"

namespace nimes::gateway::admin {
namespace {

using Json = nlohmann::json;
using http::Request;
using http::Response;
constexpr std::size_t kLinesAtOnce = 1'000;

Json as_json(const audit::Head& head) { return {{"seq", head.seq}, {"hash", to_hex(head.hash.view())}}; }

std::optional<std::uint64_t> number(const std::string& text) {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

// A page. The head is of before it was read: the lines may already go on behind it.
Response lines(const Administration& a, const Request& request) {
    const auto* from = request.query_value("from");
    const auto first = from == nullptr ? std::optional<std::uint64_t>(1) : number(*from);
    if (!first) return http::problem(Errc::malformed, "from is the number of an entry");
    const auto head = a.audit.head();
    const auto read = a.audit.read(*first, kLinesAtOnce);
    if (!read) return http::problem(read.error());
    return answer({{"lines", *read}, {"head", as_json(head)}});
}

}  // namespace

void add_audit_routes(rights::Door& door, const Administration& a) {
    using http::Method;
    using rights::Action;
    using rights::Asker;
    door.whole(Method::get, "/v1/admin/audit", Action::read_audit,
               [a](Request& r, const Asker&) { return lines(a, r); })
        .whole(Method::get, "/v1/admin/audit/head", Action::read_audit,
               [a](Request&, const Asker&) { return answer(as_json(a.audit.head())); });
}

}  // namespace nimes::gateway::admin
