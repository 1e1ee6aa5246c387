// DeviceCert (344 bytes) and DeviceRevoke (132 bytes): who has which device (FORMATS.md, "Device records").
//
// parse() judges form alone and accepts exactly one encoding of each value; Errc::malformed, unknown_version.
// Signatures are made and checked by the functions below, entries as a whole by entry.hpp.
// Pure functions and values; thread safe.
#pragma once

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

enum class DeviceRole : std::uint8_t { service = 1, personal = 2 };
enum class Admission : std::uint8_t { first = 0, vouched = 1, approved = 2 };  // flags bits 0-1
enum class RevokeReason : std::uint8_t { replaced = 1, lost = 2, stolen = 3, left = 4 };

struct DeviceCert {
    static constexpr std::size_t kBytes = 344;
    static constexpr std::size_t kBody = 128;
    static constexpr Millis kLongest = Millis{1'096} * kDay;

    DeviceRole role = DeviceRole::service;
    Admission admission = Admission::first;
    UserId user;
    DeviceId device;
    PublicKey identity;
    std::uint32_t seq = 0;
    std::uint16_t platform = 0;
    std::uint16_t attest_kind = 1;
    Millis not_before = 0;
    Millis not_after = 0;
    Digest attest_hash;

    Signature self_signature;
    KeyId ea_key;
    Signature ea_signature;
    DeviceId voucher;  // zero for Admission::first
    Signature voucher_signature;

    bool operator==(const DeviceCert&) const = default;
    static Result<DeviceCert> parse(ByteView bytes344);
    static Result<DeviceCert> parse_body(ByteView bytes128);  // signatures stay zero
    [[nodiscard]] Bytes body() const;                         // the first 128 bytes, what is signed
    [[nodiscard]] Bytes encode() const;
};

struct DeviceRevoke {
    static constexpr std::size_t kBytes = 132;
    static constexpr std::size_t kBody = 68;

    RevokeReason reason = RevokeReason::lost;
    UserId user;
    DeviceId device;
    DeviceId actor;  // a device of the user, or an administrator key's 16-byte id
    Millis effective = 0;
    std::uint32_t seq = 0;
    Signature signature;

    bool operator==(const DeviceRevoke&) const = default;
    static Result<DeviceRevoke> parse(ByteView bytes132);
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
};

// The three signatures of a certificate. org16 stands first where EA or an administrator signs.
Signature sign_cert_self(const SigningKey& identity, ByteView body128);
Signature sign_cert_ea(const SigningKey& ea, const OrgId& org, ByteView body128);
Signature sign_cert_voucher_device(const SigningKey& identity, ByteView body128);                // Admission::vouched
Signature sign_cert_voucher_admin(const SigningKey& admin, const OrgId& org, ByteView body128);  // Admission::approved
[[nodiscard]] bool verify_cert_self(const DeviceCert& cert);
[[nodiscard]] bool verify_cert_ea(const DeviceCert& cert, const OrgId& org, const PublicKey& ea);
[[nodiscard]] bool verify_cert_voucher_device(const DeviceCert& cert, const PublicKey& voucher);
[[nodiscard]] bool verify_cert_voucher_admin(const DeviceCert& cert, const OrgId& org, const PublicKey& admin);

Signature sign_revoke_device(const SigningKey& identity, ByteView body68);
Signature sign_revoke_admin(const SigningKey& admin, const OrgId& org, ByteView body68);
[[nodiscard]] bool verify_revoke_device(const DeviceRevoke& revoke, const PublicKey& actor);
[[nodiscard]] bool verify_revoke_admin(const DeviceRevoke& revoke, const OrgId& org, const PublicKey& admin);

}  // namespace nimes
