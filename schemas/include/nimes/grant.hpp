// Chain grant: GrantHeader (88), ChainBody (264), wraps (92 each) (FORMATS.md, "Chain grant").
//
// These are the layouts and identifiers; making and judging grants is the agent's sealing room. The gateway uses
// GrantUpload to fan one upload out: each device gets the shared part with n_wraps = 1 and its own wrap, 524 bytes.
// Errors: Errc::malformed, unknown_version, too_large. Pure; thread safe.
#pragma once

#include <vector>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

struct GrantHeader {
    static constexpr std::size_t kBytes = 88;
    static constexpr std::size_t kBound = 84;  // what signature and AAD cover: all but n_wraps

    bool resend = false;  // flags bit 0
    ConversationId conversation;
    DeviceId device;
    ChainId chain;
    Digest dk_commit;
    std::uint32_t n_wraps = 0;

    bool operator==(const GrantHeader&) const = default;
    static Result<GrantHeader> parse(ByteView bytes88);
    [[nodiscard]] Bytes encode() const;
};

struct ChainBody {
    static constexpr std::size_t kBytes = 264;

    bool resend = false;
    ConversationId conversation;
    std::uint64_t conv_epoch = 0;
    Digest conv_state;
    UserId user;
    DeviceId device;
    std::uint32_t chain_no = 0;
    std::uint32_t first_index = 0;
    Millis created = 0;
    Millis expires = 0;
    std::uint32_t max_index = 0;
    std::uint64_t dir_revision = 0;
    Digest dir_head;
    Key chain_key;
    PublicKey chain_sig;
    Digest prev_chain_digest;
    std::uint32_t prev_chain_count = 0;

    static Result<ChainBody> parse(ByteView bytes264);
    // Holds the chain key: the caller wipes it.
    [[nodiscard]] Bytes encode() const;
};

ChainId chain_id(const DeviceId& device, const ConversationId& conversation, std::uint32_t chain_no,
                 const PublicKey& chain_sig);
// max(last + 1, created seconds since 2020)
std::uint32_t next_chain_no(std::uint32_t last, Millis created);

inline constexpr std::size_t kGrantCiphertext = 344;
inline constexpr std::size_t kGrantShared = GrantHeader::kBytes + kGrantCiphertext;  // 432
inline constexpr std::size_t kWrap = 92;
inline constexpr std::size_t kGrantDelivered = kGrantShared + kWrap;  // 524
inline constexpr std::size_t kMaxWraps = 700;                         // in one upload

struct Wrap {
    std::uint32_t dev_no = 0;
    std::uint32_t key_id = 0;
    ByteArray<84> sealed{};  // crypto_box_seal("NMw1" ‖ DK)
};

// An upload, 1 to 700 wraps: the views point into the bytes given to parse(), which must outlive them.
struct GrantUpload {
    GrantHeader header;
    ByteView ciphertext;  // 344
    std::vector<Wrap> wraps;

    static Result<GrantUpload> parse(ByteView bytes);
    // The 524 bytes of wrap i.
    [[nodiscard]] Bytes delivered(std::size_t i) const;
};
Bytes encode_grant(const GrantHeader& header, ByteView ciphertext344, std::span<const Wrap> wraps);

}  // namespace nimes
