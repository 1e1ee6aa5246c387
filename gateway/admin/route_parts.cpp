#include "admin/route_parts.hpp"

namespace nimes::gateway::admin {

using Json = nlohmann::json;

http::Response answer(const Json& json, int status) {
    return http::Response::text(status, "application/json", json.dump() + "\n");
}

Result<std::string> field(const http::Request& request, const char* name) {
    const auto json = Json::parse(as_text(request.body), nullptr, false);
    if (!json.is_object()) return fail(Errc::malformed, "the body must be a JSON object");
    const auto at = json.find(name);
    if (at == json.end() || !at->is_string()) return fail(Errc::malformed, std::string("the field ") + name);
    return at->get<std::string>();
}

Result<void> note(const Administration& a, std::string_view what, const Json& on) {
    const auto now = a.clock.now();
    store::Batch batch({store::Family::audit, store::key_u64(now / kDay)});
    SystemRandom random;
    ByteArray<8> tail;
    random.fill(tail);
    batch.put(store::key_u64(now) + std::string(as_text(tail)),
              as_bytes(Json{{"ms", now}, {"what", what}, {"on", on}}.dump()));
    return a.store.commit(batch, store::Sync::yes);
}

}  // namespace nimes::gateway::admin
