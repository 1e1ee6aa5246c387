// Members of a request's arguments, read with suspicion: what is missing or of another type is empty.
#pragma once

#include "cli/service.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::cli {

inline std::string text(const Json& a, const char* name) {
    const auto at = a.find(name);
    return at != a.end() && at->is_string() ? at->get<std::string>() : std::string{};
}
inline std::uint64_t number(const Json& a, const char* name, std::uint64_t otherwise) {
    const auto at = a.find(name);
    return at != a.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : otherwise;
}
inline bool flag(const Json& a, const char* name) {
    const auto at = a.find(name);
    return at != a.end() && at->is_boolean() && at->get<bool>();
}
inline std::vector<std::string> texts(const Json& a, const char* name) {
    std::vector<std::string> out;
    const auto at = a.find(name);
    if (at == a.end() || !at->is_array()) return out;
    for (const auto& item : *at)
        if (item.is_string()) out.push_back(item.get<std::string>());
    return out;
}

inline constexpr Millis kDefaultWait = 20 * kSecond;

}  // namespace nimes::agent::cli
