// What of a file does not leave: places that are zeroed, so that nothing behind them moves, or cut out.
//
// Ownership: values; a Source owns its file. Memory: one Omission for each place, whose number whoever finds them
// bounds. Threads: one for each Source. Errors: what File says.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "media/outgoing.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::media {

// A box or chunk of a file is named by four letters.
using FourLetters = std::array<char, 4>;
// Is it one of those names, with a space between each and the next?
bool is_one_of(const FourLetters& type, std::string_view names);

struct Omission {
    std::uint64_t at = 0;
    std::uint64_t length = 0;
    bool cut = false;     // false: zeros in its place
    FourLetters first{};  // of one that is zeroed: what its first four bytes become; ignored when it is shorter
};

// In the file's order, none over another.
using Omissions = std::vector<Omission>;

// What was found in a file that its maker wrote beside picture and sound.
struct Personal {
    Omissions omissions;
    std::optional<Millis> captured;
    Bytes exif;  // with "Exif\0\0" before it; empty when there is none
};

// Fills `into` from that place of a file; Errc::malformed where the file ends before.
using Look = std::function<Result<void>(std::uint64_t at, std::span<std::uint8_t> into)>;

// In order, those that overlap made one. Only zeroed ones without `first` may overlap each other.
void put_in_order(Omissions& omissions);
std::uint64_t length_without(std::uint64_t size, const Omissions& omissions);
// The file must not change between the look for omissions and the last byte.
Result<Source> source_without(const std::filesystem::path& file, Omissions omissions);

}  // namespace nimes::agent::media
