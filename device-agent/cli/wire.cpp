#include "cli/wire.hpp"

#include <algorithm>

#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

constexpr std::size_t kIdDigits = 32;

void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string text_of(const Json& json, const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

bool is_id(const std::string& id) {
    return id.size() == kIdDigits && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<Asked> parse_object(Json& json) {
    const auto secret = json.find("passphrase");
    if (secret == json.end() || !secret->is_string()) return fail(Errc::malformed, "no passphrase");
    auto& digits = secret->get_ref<std::string&>();
    auto bytes = from_hex(digits);
    wipe(digits);
    if (!bytes) return fail(Errc::malformed, "the passphrase");
    Asked out{{text_of(json, "id"), text_of(json, "verb"), json.value("arguments", Json::object())},
              Passphrase(std::string(bytes->begin(), bytes->end()))};
    sodium_memzero(bytes->data(), bytes->size());
    if (!is_id(out.request.id)) return fail(Errc::malformed, "a request's id has 32 hex digits");
    if (!out.request.arguments.is_object()) return fail(Errc::malformed, "the arguments");
    return out;
}

}  // namespace

Result<void> check_request(const Request& request) {
    try {
        // Some room for what surrounds the arguments on their line.
        if (request.arguments.dump().size() > kLineLimit - 8'192) return fail(Errc::too_large, "at most 1 MB");
    } catch (const Json::type_error&) {
        return fail(Errc::usage, "text and names must be UTF-8");
    }
    return {};
}

Result<std::string> request_line(const Request& request, const Passphrase& passphrase) {
    if (auto ok = check_request(request); !ok) return pass(ok);
    Json json{{"id", request.id},
              {"verb", request.verb},
              {"arguments", request.arguments},
              {"passphrase", to_hex(passphrase.view())}};
    auto line = dump(json);
    wipe(json["passphrase"].get_ref<std::string&>());
    return line;
}

Result<Asked> parse_request(std::string line) {
    auto json = Json::parse(line, nullptr, false);
    wipe(line);
    if (!json.is_object()) return fail(Errc::malformed, "the request is no JSON object");
    return parse_object(json);
}

std::string emitted_line(const Json& line) { return dump({{"line", line}}); }

std::string answer_line(const Result<Json>& answer) {
    if (answer) return dump({{"result", *answer}});
    return dump({{"error", {{"code", answer.error().row().name}, {"detail", answer.error().detail}}}});
}

Answer parse_answer(const std::string& line) {
    const auto json = Json::parse(line, nullptr, false);
    const auto nonsense = [] { return Answer{true, fail(Errc::internal, "the home's owner answered nonsense")}; };
    if (!json.is_object()) return nonsense();
    if (json.contains("line")) return {false, json["line"]};
    if (json.contains("result")) return {true, json["result"]};
    if (!json.contains("error") || !json["error"].is_object()) return nonsense();
    const auto* known = row(std::string_view(text_of(json["error"], "code")));
    return {true, fail(known != nullptr ? known->code : Errc::internal, text_of(json["error"], "detail"))};
}

}  // namespace nimes::agent::cli
