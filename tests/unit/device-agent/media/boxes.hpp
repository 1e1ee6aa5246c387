// Files in boxes, made by hand, and what leaves of them.
#pragma once

#include "media/film_boxes.hpp"
#include "shelf.hpp"

namespace nimes::test {

inline constexpr const char* kSecret = "GEHEIM+52.6226+010.0815/";

inline std::string number(std::uint64_t value, int width) {
    std::string out;
    while (width-- > 0) out += static_cast<char>(value >> (8 * width));
    return out;
}
inline std::string box(const std::string& type, const std::string& payload) {
    return number(payload.size() + 8, 4) + type + payload;
}
inline std::string wide_box(const std::string& type, const std::string& payload) {
    return number(1, 4) + type + number(payload.size() + 16, 8) + payload;
}
inline std::string zeros(std::size_t n) { return std::string(n, '\0'); }

inline Look look_into(const std::string& file) {
    return [&file](std::uint64_t at, std::span<std::uint8_t> into) -> Result<void> {
        if (at > file.size() || into.size() > file.size() - at) return fail(Errc::malformed, "the file's end");
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), into.size(), into.begin());
        return {};
    };
}
inline std::string without(const std::string& file, Omissions omissions, std::size_t step = 1'000) {
    Folder folder;
    write_file(folder.path / "file", to_bytes(as_bytes(file)));
    const auto source = source_without(folder.path / "file", std::move(omissions)).value();
    std::string out;
    Bytes piece(step);
    while (const auto n = source(piece).value()) out += as_text(ByteView(piece).first(n));
    return out;
}
inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Answers what a command prints.
inline std::string output_of(const std::string& command) {
    std::string out;
    auto* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    char piece[4'096];
    while (const auto n = ::fread(piece, 1, sizeof piece, pipe)) out.append(piece, n);
    INFO(command);
    REQUIRE(::pclose(pipe) == 0);
    return out;
}

}  // namespace nimes::test
