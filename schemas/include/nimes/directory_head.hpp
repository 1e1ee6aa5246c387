// DirectoryHead (160 bytes): the directory key's word on tree, time and history (FORMATS.md, "Head").
//
// Errors: Errc::malformed by parse, signature_invalid, proof_invalid, directory_fork by the checks.
// advance() is the step from the head held to a newer one; it never goes back. Pure; thread safe.
#pragma once

#include "nimes/merkle.hpp"
#include "nimes/time.hpp"

namespace nimes {

struct DirectoryHead {
    static constexpr std::size_t kBytes = 160;
    static constexpr std::size_t kBody = 96;

    std::uint64_t revision = 0;  // from 1, without gaps
    Millis ts = 0;
    std::uint64_t n_leaves = 0;
    Digest map_root;
    Digest log_root;  // over the heads 1 … revision − 1
    Signature signature;

    bool operator==(const DirectoryHead&) const = default;
    static Result<DirectoryHead> parse(ByteView bytes160);
    [[nodiscard]] Bytes body() const;
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] Digest hash() const;  // dir_head32 = SHA-256(0x00 ‖ first 96), also its leaf in the head log
};

DirectoryHead sign_head(DirectoryHead head, const SigningKey& directory_key, const OrgId& org);
[[nodiscard]] bool verify_head(const DirectoryHead& head, const PublicKey& directory_key, const OrgId& org);

// Two signed heads of one revision whose first 96 bytes differ.
[[nodiscard]] bool is_fork(const DirectoryHead& a, const DirectoryHead& b);

struct HeadProof {
    std::vector<Digest> consistency;  // log sizes held.revision − 1 → newer.revision − 1
    std::vector<Digest> inclusion;    // of the held head at index held.revision − 1
};

// From the head held to `newer` (same or higher revision): signature, times, consistency, inclusion.
// local_now is the local clock: newer.ts must be at most local_now + 10 min.
// Errc::directory_fork when both are signed and cannot be of one history; the caller keeps both and raises the alarm.
Result<void> check_advance(const DirectoryHead& held, const DirectoryHead& newer, const HeadProof& proof,
                           const PublicKey& directory_key, const OrgId& org, Millis local_now);
// An older head (revision < under.revision) named by a grant or event: its inclusion under the head held.
Result<void> check_old_head(const DirectoryHead& old, const DirectoryHead& under, std::span<const Digest> inclusion,
                            const PublicKey& directory_key, const OrgId& org);

}  // namespace nimes
