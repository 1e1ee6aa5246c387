// WipeOrder (208 bytes) and WipeReceipt (128 bytes): a handset's store is to become unreadable, and the handset's word
// that it did (FORMATS.md 2.13, "Wipe").
//
// An order takes two signatures, an administrator's and the directory key's, so neither alone can wipe. parse() judges
// form alone and accepts exactly one encoding of each value; Errc::malformed. Pure functions and values; thread safe.
#pragma once

#include "nimes/entry.hpp"

namespace nimes {

using WipeOrderId = Id<struct WipeOrderTag, 16>;

struct WipeOrder {
    static constexpr std::size_t kBytes = 208;
    static constexpr std::size_t kBody = 80;       // what the administrator signs
    static constexpr std::size_t kApproved = 144;  // body and that signature: what the directory key signs
    static constexpr Millis kLongest = 30 * kDay;
    static constexpr Millis kSlack = 10 * kMinute;  // between the clocks of gateway and handset

    UserId user;
    DeviceId device;
    WipeOrderId id;
    Millis issued = 0;
    Millis expires = 0;  // at most kLongest later
    KeyId administrator;
    Signature administrator_signature;
    Signature directory_signature;

    bool operator==(const WipeOrder&) const = default;
    static Result<WipeOrder> parse(ByteView bytes208);
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
    // Sets administrator and both signatures.
    void sign(const SigningKeyPair& admin, const SigningKey& directory, const OrgId& org);
};

// Whether this device obeys the order now. Errc::forbidden (another device's, or its time is over or has not come),
// signature_invalid (no pinned administrator, or either signature). Whether it was obeyed before is the caller's to
// know.
Result<void> judge_wipe(const WipeOrder& order, const UserId& user, const DeviceId& device, const OrgKeys& keys,
                        Millis now);

enum class WipeResult : std::uint8_t { complete = 1, files_remain = 2 };

struct WipeReceipt {
    static constexpr std::size_t kBytes = 128;
    static constexpr std::size_t kBody = 64;

    WipeResult result = WipeResult::complete;
    UserId user;
    DeviceId device;
    WipeOrderId order;
    Millis done = 0;
    Signature signature;

    bool operator==(const WipeReceipt&) const = default;
    static Result<WipeReceipt> parse(ByteView bytes128);
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
    void sign(const SigningKey& identity);
    [[nodiscard]] bool verify(const PublicKey& identity) const;
};

}  // namespace nimes
