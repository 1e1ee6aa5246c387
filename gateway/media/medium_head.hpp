// What is known of one medium beside its bytes: whose it is, how far it came, when it ends (LAYOUT.md).
// Plain values; thread safe. Errors: Errc::storage for a record that is damaged.
#pragma once

#include <vector>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::media {

// What of a medium's bytes lies at another one's: a part of a concatenation.
struct MediumPart {
    BlobId blob;
    std::uint64_t length = 0;
    Millis created = 0;
    bool operator==(const MediumPart&) const = default;
};

enum class MediumKind : std::uint8_t {
    whole = 0,
    partial = 1,   // tus: "Upload-Concat: partial"
    composed = 2,  // tus: "Upload-Concat: final"; its bytes lie at its parts
};

struct MediumHead {
    UserId user;
    DeviceId owner;
    MediumKind kind = MediumKind::whole;
    bool deferred = false;     // its length is not known yet; `length` is then the most it may have
    std::uint64_t length = 0;  // bytes
    std::uint64_t offset = 0;  // so many are on disk
    Millis created = 0;
    Millis expires = 0;
    BlobId part_of;  // of a part that is in use: the composed medium; else zero
    std::vector<MediumPart> parts;

    [[nodiscard]] bool finished() const { return !deferred && offset == length; }
    // What it counts for in quotas. Records cost as well: many small media must come to an end.
    [[nodiscard]] std::uint64_t charge() const;
    [[nodiscard]] Bytes encode() const;
    static Result<MediumHead> parse(ByteView bytes);
};

inline constexpr std::uint64_t kLeastCharge = 64 * 1024;
inline constexpr std::size_t kMaxParts = 128;

}  // namespace nimes::gateway::media
