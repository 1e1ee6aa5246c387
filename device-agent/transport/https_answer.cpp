#include "transport/https_answer.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace nimes::agent::transport {
namespace {

constexpr std::size_t kMaxProblem = 64 * 1024;

std::string_view trimmed(std::string_view in) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto begin = in.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return in.substr(begin, in.find_last_not_of(kSpace) - begin + 1);
}

template <class Number>
std::optional<Number> decimal(std::string_view text) {
    Number out{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

// "HTTP/1.1 204 No Content"
std::optional<int> status_of(std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.size() < space + 4) return std::nullopt;
    const auto status = decimal<int>(line.substr(space + 1, 3));
    return status && *status >= 100 ? status : std::nullopt;
}

Errc code_of_status(int status) {
    switch (status) {
        case 401:
            return Errc::token_invalid;
        case 403:
            return Errc::forbidden;
        case 404:
        case 410:
            return Errc::not_found;
        case 409:
            return Errc::exists;
        case 413:
            return Errc::too_large;
        case 416:
            return Errc::range_unsatisfiable;
        case 423:
            return Errc::upload_locked;
        case 429:
            return Errc::rate_limited;
        case 504:
            return Errc::timed_out;
        case 507:
            return Errc::disk_full;
        default:
            return status >= 500 ? Errc::unavailable : Errc::malformed;
    }
}

}  // namespace

Result<void> AnswerBuilder::header_line(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaderBytes || answer_.headers.size() >= kMaxHeaders)
        return fail(Errc::too_large, "the head of an answer");
    if (line.starts_with("HTTP/")) {
        const auto status = status_of(line);
        if (!status) return fail(Errc::malformed, "the status line of an answer");
        answer_ = {};
        answer_.status = *status;
        return {};
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {};  // the empty line at the end
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    answer_.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
    return {};
}

Result<void> AnswerBuilder::begin_writing() {
    if (begun_) return {};
    begun_ = true;
    return request_.begin ? request_.begin(answer_.status, answer_.headers) : Result<void>();
}

Result<void> AnswerBuilder::body(ByteView bytes) {
    if (to_writer()) {
        if (auto begun = begin_writing(); !begun) return begun;
        if (bytes.size() > request_.writer_limit - written_) return fail(Errc::too_large, "the body of an answer");
        written_ += bytes.size();
        return request_.writer(bytes);
    }
    if (bytes.size() > max_body_ - answer_.body.size()) return fail(Errc::too_large, "the body of an answer");
    answer_.body.insert(answer_.body.end(), bytes.begin(), bytes.end());
    return {};
}

Result<HttpsAnswer> AnswerBuilder::finish() && {
    if (to_writer())
        if (auto begun = begin_writing(); !begun) return pass(begun);
    return std::move(answer_);
}

std::string_view HttpsAnswer::header(std::string_view name) const {
    const auto at = std::ranges::find_if(headers, [&](const auto& field) { return field.first == name; });
    return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

std::optional<std::uint64_t> HttpsAnswer::number(std::string_view name) const {
    return decimal<std::uint64_t>(header(name));
}

unsigned HttpsAnswer::retry_after_s() const {
    return static_cast<unsigned>(std::min<std::uint64_t>(number("retry-after").value_or(0), 3600));
}

Error error_of(const HttpsAnswer& answer) {
    Error out{code_of_status(answer.status), "HTTP status " + std::to_string(answer.status)};
    if (!answer.header("content-type").starts_with("application/problem+json") || answer.body.size() > kMaxProblem)
        return out;
    const auto problem = nlohmann::json::parse(answer.body.begin(), answer.body.end(), nullptr, false);
    if (!problem.is_object()) return out;
    const auto code = problem.find("code");
    if (code == problem.end() || !code->is_string()) return out;
    if (const auto* known = row(std::string_view(code->get_ref<const std::string&>()))) out.code = known->code;
    return out;
}

}  // namespace nimes::agent::transport
