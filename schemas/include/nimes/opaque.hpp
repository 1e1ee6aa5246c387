// Signed protobuf as opaque bytes: person records, policies and provisioning files (FORMATS.md). The bytes are signed
// and kept as they came; nothing here parses them, nothing ever re-serialises them. Errors: Errc::malformed,
// signature_invalid, too_large. Pure; thread safe.
#pragma once

#include <vector>

#include "nimes/crypto.hpp"

namespace nimes {

// Person record: u32 length ‖ bytes ‖ sig64 by EA over L("NM1/person") ‖ org16 ‖ SHA-256(bytes). At most 4,096 bytes.
Bytes sign_person(const SigningKey& ea, const OrgId& org, ByteView person_bytes);
// The nimes.v1.Person bytes inside, once EA's signature holds.
Result<Bytes> open_person(const PublicKey& ea, const OrgId& org, ByteView record);

// Policy: "NMpy" ver1 0 0 0 | u32 length ‖ bytes | keyid8 ‖ sig64 by an administrator key over L("NM1/policy") ‖ org16
// ‖ SHA-256(bytes). At most 16,384 bytes.
Bytes sign_policy(const SigningKeyPair& administrator, const OrgId& org, ByteView policy_bytes);
// The nimes.v1.SignedPolicy bytes inside, once the signature of one of these keys holds.
Result<Bytes> open_policy(std::span<const PublicKey> administrators, const OrgId& org, ByteView record);

// Provisioning file: "NMpf" ver1 0 0 0 | u32 length ‖ bytes | u8 n | n × (keyid8 ‖ sig64), sorted by keyid8; at most
// 65,536 bytes and 8 signatures, each over L("NM1/provision") ‖ org16 ‖ SHA-256(bytes).
struct ProvisioningFile {
    struct Seal {
        KeyId key;
        Signature signature;
    };
    Bytes bytes;  // nimes.v1.Provisioning
    std::vector<Seal> seals;

    static Result<ProvisioningFile> parse(ByteView file);
    [[nodiscard]] Bytes encode() const;
    void add_seal(const SigningKey& key, const PublicKey& public_key, const OrgId& org);
    // How many different keys of `keys` sealed it validly.
    [[nodiscard]] std::size_t sealed_by(std::span<const PublicKey> keys, const OrgId& org) const;
};

}  // namespace nimes
