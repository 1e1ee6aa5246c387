#include "http/router.hpp"

#include <algorithm>
#include <stdexcept>

#include "http/problem.hpp"

namespace nimes::gateway::http {
namespace {

constexpr std::size_t kMaxQuery = 64;

struct Segment {
    std::string text;  // literal, or the name between the braces
    bool literal = true;
};

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> out;
    for (;;) {
        const auto end = text.find(at);
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

std::vector<Segment> parse_pattern(const std::string& pattern) {
    if (pattern.empty() || pattern[0] != '/') throw std::logic_error("route does not begin with /: " + pattern);
    std::vector<Segment> out;
    for (const auto part : split(std::string_view(pattern).substr(1), '/')) {
        const bool name = part.starts_with('{') && part.ends_with('}') && part.size() > 2;
        const auto text = name ? part.substr(1, part.size() - 2) : part;
        if (text.find_first_of("{}") != std::string_view::npos) throw std::logic_error("braces in route: " + pattern);
        out.push_back({std::string(text), !name});
    }
    return out;
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

struct Router::Row {
    Method method;
    std::string pattern;
    std::vector<Segment> segments;
    Handler handler;
    StreamHandler stream;
    Access access;
    std::size_t body_limit;

    [[nodiscard]] bool matches(const std::vector<std::string_view>& path) const {
        if (path.size() != segments.size()) return false;
        for (std::size_t i = 0; i < path.size(); ++i)
            if (segments[i].literal ? path[i] != segments[i].text : path[i].empty()) return false;
        return true;
    }
    // A literal where the other has a name, at the first difference, is the closer match.
    [[nodiscard]] bool closer_than(const Row& other) const {
        for (std::size_t i = 0; i < segments.size(); ++i)
            if (segments[i].literal != other.segments[i].literal) return segments[i].literal;
        return false;
    }
    [[nodiscard]] bool same_paths(const Row& other) const {
        if (segments.size() != other.segments.size()) return false;
        for (std::size_t i = 0; i < segments.size(); ++i)
            if (segments[i].literal != other.segments[i].literal ||
                (segments[i].literal && segments[i].text != other.segments[i].text))
                return false;
        return true;
    }
};

Router::Router() = default;
Router::~Router() = default;

Router& Router::add(Route route) {
    insert({route.method, route.pattern, parse_pattern(route.pattern), std::move(route.handler), nullptr, route.access,
            route.body_limit});
    return *this;
}

Router& Router::add_stream(StreamRoute route) {
    insert({route.method, route.pattern, parse_pattern(route.pattern), nullptr, std::move(route.handler), route.access,
            0});
    return *this;
}

Router& Router::stamp(std::string path, std::string field, std::string value) {
    stamps_.push_back({std::move(path), std::move(field), std::move(value)});
    return *this;
}

void Router::finish(std::string_view path, Response& response) const {
    for (const auto& stamp : stamps_)
        if (path.starts_with(stamp.path) && (path.size() == stamp.path.size() || path[stamp.path.size()] == '/'))
            response.headers.set(stamp.field, stamp.value);
}

void Router::insert(Row row) {
    for (const auto& other : rows_)
        if (other.method == row.method && other.same_paths(row))
            throw std::logic_error("route is there already: " + row.pattern);
    rows_.push_back(std::move(row));
}

// The rows of the closest pattern that this path fits; they differ in their methods only.
std::vector<const Router::Row*> Router::closest(std::string_view path) const {
    std::vector<const Row*> out;
    if (path.empty() || path[0] != '/') return out;
    const auto parts = split(path.substr(1), '/');
    for (const auto& row : rows_) {
        if (!row.matches(parts)) continue;
        if (!out.empty() && row.closer_than(*out.front())) out.clear();
        if (out.empty() || !out.front()->closer_than(row)) out.push_back(&row);
    }
    return out;
}

Router::Match Router::refuse(const std::vector<const Row*>& rows, bool options) {
    Match out;
    if (rows.empty()) {
        out.refused = problem(Errc::not_found, "no such path");
        return out;
    }
    std::string allow = "OPTIONS";
    for (const auto* row : rows) {
        if (row->method != Method::options) allow.append(", ").append(name(row->method));
        const auto heads = std::ranges::count(rows, Method::head, &Row::method);
        if (row->method == Method::get && heads == 0) allow.append(", HEAD");
    }
    out.pattern = rows.front()->pattern;
    out.refused = options ? Response::empty(204) : problem(Errc::method_not_allowed);
    out.refused->headers.set("Allow", allow);
    return out;
}

Router::Match Router::find_unknown(std::string_view path) const { return refuse(closest(path), false); }

Router::Match Router::find(Method method, std::string_view path) const {
    const auto rows = closest(path);
    const Row* chosen = nullptr;
    for (const auto* row : rows)
        if (row->method == method || (method == Method::head && row->method == Method::get && chosen == nullptr))
            chosen = row;
    if (chosen == nullptr) return refuse(rows, method == Method::options);

    Match out;
    out.pattern = chosen->pattern;
    const auto parts = split(path.substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (chosen->segments[i].literal) continue;
        auto value = percent_decode(parts[i]);
        if (!value) {
            out.refused = problem(value.error());
            return out;
        }
        out.params.emplace_back(chosen->segments[i].text, std::move(*value));
    }
    if (chosen->handler) out.handler = &chosen->handler;
    else out.stream = &chosen->stream;
    out.access = chosen->access;
    out.body_limit = chosen->body_limit;
    return out;
}

std::vector<std::string> Router::rows() const {
    std::vector<std::string> out;
    for (const auto& row : rows_) out.push_back(std::string(name(row.method)).append(" ").append(row.pattern));
    return out;
}

Result<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
            if (high < 0 || low < 0) return fail(Errc::malformed, "a percent escape");
            c = static_cast<char>(high << 4 | low);
            i += 2;
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return fail(Errc::malformed, "a control character");
        out.push_back(c);
    }
    return out;
}

Result<Request::Pairs> parse_query(std::string_view query) {
    Request::Pairs out;
    if (query.empty()) return out;
    for (const auto part : split(query, '&')) {
        const auto at = part.find('=');
        auto key = percent_decode(part.substr(0, at));
        if (!key) return pass(key);
        auto value = percent_decode(at == std::string_view::npos ? std::string_view() : part.substr(at + 1));
        if (!value) return pass(value);
        if (out.size() == kMaxQuery) return fail(Errc::malformed, "too many query parameters");
        out.emplace_back(std::move(*key), std::move(*value));
    }
    return out;
}

}  // namespace nimes::gateway::http
