// Versions of programs, "major.minor.patch", as policy compares them. Values; pure; thread safe.
#pragma once

#include <array>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nimes {

struct Version {
    std::array<std::uint32_t, 3> numbers{};
    auto operator<=>(const Version&) const = default;

    // nullopt: it is none.
    static std::optional<Version> parse(std::string_view text) {
        Version out;
        for (std::size_t i = 0; i < out.numbers.size(); ++i) {
            if (i > 0 && (text.empty() || text.front() != '.')) return std::nullopt;
            if (i > 0) text.remove_prefix(1);
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.numbers[i]);
            if (error != std::errc{}) return std::nullopt;
            text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        }
        return text.empty() ? std::optional(out) : std::nullopt;
    }
};

}  // namespace nimes
