#include "media/ranges.hpp"

#include <algorithm>

#include "media/upload_head.hpp"

namespace nimes::gateway::media {

Result<std::optional<ByteRange>> read_range(std::string_view field, std::uint64_t size) {
    constexpr std::string_view kUnit = "bytes=";
    const std::optional<ByteRange> whole;
    if (!field.starts_with(kUnit)) return whole;
    const auto spec = field.substr(kUnit.size());
    const auto dash = spec.find('-');
    if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return whole;
    const auto from = spec.substr(0, dash), until = spec.substr(dash + 1);
    if (from.empty()) {
        const auto suffix = read_number(until);
        if (!suffix) return whole;
        if (*suffix == 0 || size == 0) return fail(Errc::range_unsatisfiable);
        const auto length = std::min(*suffix, size);
        return std::optional(ByteRange{size - length, length});
    }
    const auto first = read_number(from);
    if (!first) return whole;
    auto last = size == 0 ? 0 : size - 1;
    if (!until.empty()) {
        const auto asked = read_number(until);
        if (!asked || *asked < *first) return whole;
        last = std::min(last, *asked);
    }
    if (*first >= size) return fail(Errc::range_unsatisfiable);
    return std::optional(ByteRange{*first, last - *first + 1});
}

bool names_tag(std::string_view field, std::string_view tag) {
    if (field == "*") return true;
    while (!field.empty()) {
        const auto comma = field.find(',');
        auto one = field.substr(0, comma);
        while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
        while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag) return true;
        if (comma == std::string_view::npos) break;
        field.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace nimes::gateway::media
