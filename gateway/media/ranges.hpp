// One byte range of a medium (RFC 9110 section 14), and whether its reader has it already (13). Pure; hostile input.
#pragma once

#include <cstdint>
#include <optional>

#include "nimes/error.hpp"

namespace nimes::gateway::media {

struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    bool operator==(const ByteRange&) const = default;
};

// nullopt: the whole, since the field is absent, of another unit, of several ranges or not understood.
// Errc::range_unsatisfiable when nothing of what was asked for is there.
Result<std::optional<ByteRange>> read_range(std::string_view field, std::uint64_t size);

// Does If-None-Match name this entity tag? By weak comparison; "*" names any.
bool names_tag(std::string_view field, std::string_view tag);

}  // namespace nimes::gateway::media
