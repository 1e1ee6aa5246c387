#include "http/request.hpp"

#include <algorithm>
#include <array>

namespace nimes::gateway::http {
namespace {

constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view name(Method method) { return kMethods[static_cast<std::size_t>(method)]; }

std::optional<Method> method_of(std::string_view name) {
    const auto at = std::ranges::find(kMethods, name);
    if (at == kMethods.end()) return std::nullopt;
    return static_cast<Method>(at - kMethods.begin());
}

const std::string* Headers::find(std::string_view field) const {
    for (const auto& [name, value] : fields_)
        if (same_name(name, field)) return &value;
    return nullptr;
}

std::string_view Headers::get(std::string_view field) const {
    const auto* value = find(field);
    return value != nullptr ? std::string_view(*value) : std::string_view();
}

std::size_t Headers::count(std::string_view field) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(fields_, [&](const auto& each) { return same_name(each.first, field); }));
}

Headers& Headers::set(std::string field, std::string value) {
    std::erase_if(fields_, [&](const auto& each) { return same_name(each.first, field); });
    return add(std::move(field), std::move(value));
}

Headers& Headers::add(std::string field, std::string value) {
    fields_.emplace_back(std::move(field), std::move(value));
    return *this;
}

std::string_view Request::param(std::string_view name) const {
    for (const auto& [key, value] : params)
        if (key == name) return value;
    return {};
}

const std::string* Request::query_value(std::string_view name) const {
    for (const auto& [key, value] : query)
        if (key == name) return &value;
    return nullptr;
}

Response Response::empty(int status) {
    Response out;
    out.status = status;
    return out;
}

Response Response::bytes(int status, std::string content_type, Bytes body) {
    auto out = empty(status);
    out.headers.set("Content-Type", std::move(content_type));
    out.body = std::move(body);
    return out;
}

Response Response::text(int status, std::string content_type, std::string_view body) {
    return bytes(status, std::move(content_type), to_bytes(as_bytes(body)));
}

Response Response::stream(int status, std::string content_type, std::unique_ptr<BodySource> source,
                          std::uint64_t length) {
    auto out = empty(status);
    out.headers.set("Content-Type", std::move(content_type));
    out.source = std::move(source);
    out.source_length = length;
    return out;
}

}  // namespace nimes::gateway::http
