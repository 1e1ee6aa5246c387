// What two people compare when they meet, and what one shows the other to be scanned (FORMATS.md 2.3, "Verified
// contacts").
//
// Both are made of proven entries alone, so both sides come to the same. Pure; thread safe. Errors: Errc::malformed.
#pragma once

#include <string>

#include "nimes/entry.hpp"

namespace nimes {

// 60 digits in 12 groups of 5, the same whichever of the two is named first. Another one as soon as a device of either
// joins or is revoked.
std::string safety_number(const DirectoryEntry& one, const DirectoryEntry& other);

// What a device shows as a QR code. It holds no key: dev16 is the hash of user16 and the identity key.
struct ContactCode {
    static constexpr std::string_view kPrefix = "nimes-contact:";

    UserId user;
    DeviceId device;

    bool operator==(const ContactCode&) const = default;
    static Result<ContactCode> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
};

}  // namespace nimes
