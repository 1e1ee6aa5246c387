#include "http/bearer.hpp"

#include <algorithm>

namespace nimes::gateway::http {
namespace {

constexpr std::size_t kTokenText = 160;
constexpr std::string_view kScheme = "bearer ";

bool is_base64url(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

Result<std::string_view> bearer_credentials(const Headers& headers) {
    const auto* field = headers.find("Authorization");
    if (field == nullptr) return fail(Errc::token_missing);
    if (headers.count("Authorization") > 1) return fail(Errc::token_invalid, "more than one Authorization");
    std::string_view value = *field;
    const bool scheme = value.size() >= kScheme.size() &&
                        std::ranges::equal(value.substr(0, kScheme.size()), kScheme, [](char a, char b) {
                            return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
                        });
    if (!scheme) return fail(Errc::token_missing, "the scheme is not Bearer");
    value.remove_prefix(kScheme.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
}

Result<std::string_view> bearer_token(const Headers& headers) {
    const auto value = bearer_credentials(headers);
    if (value && (value->size() != kTokenText || !std::ranges::all_of(*value, is_base64url)))
        return fail(Errc::token_invalid, "form");
    return value;
}

}  // namespace nimes::gateway::http
