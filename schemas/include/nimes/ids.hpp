// Strong types for identifiers (FORMATS.md, "Identifiers"): a UserId is never taken for a DeviceId by mistake.
//
// Values: copy freely, compare, hash, use as map keys. They hold raw bytes; text forms are in encoding.hpp
// (devices are written in lower-case base32, everything else in hex).
#pragma once

#include <compare>
#include <functional>

#include "nimes/bytes.hpp"

namespace nimes {

template <class Tag, std::size_t N>
struct Id {
    static constexpr std::size_t size = N;
    ByteArray<N> bytes{};

    auto operator<=>(const Id&) const = default;
    [[nodiscard]] ByteView view() const { return bytes; }
    [[nodiscard]] bool is_zero() const { return bytes == ByteArray<N>{}; }
    // The id whose bytes are exactly `in`; zero when the length differs, so check the length first where it matters.
    static Id from(ByteView in) {
        Id out;
        if (in.size() == N) std::memcpy(out.bytes.data(), in.data(), N);
        return out;
    }
};

using UserId = Id<struct UserTag, 16>;                  // user16
using DeviceId = Id<struct DeviceTag, 16>;              // dev16
using ConversationId = Id<struct ConversationTag, 16>;  // conv16
using ChainId = Id<struct ChainTag, 16>;                // chain_id16
using MessageId = Id<struct MessageTag, 16>;            // msg_uuid16, and the id of any submission
using BlobId = Id<struct BlobTag, 16>;                  // blob_uuid16
using OrgId = Id<struct OrgTag, 16>;                    // org16
using KeyId = Id<struct KeyTag, 8>;                     // H("NM1/keyid", pk32)[0:8]
using Audience = Id<struct AudienceTag, 8>;             // audience8
using Digest = Id<struct DigestTag, 32>;                // any 32-byte hash
using PublicKey = Id<struct PublicKeyTag, 32>;          // Ed25519 public key
using SealPublicKey = Id<struct SealPublicKeyTag, 32>;  // X25519 public key
using Signature = Id<struct SignatureTag, 64>;          // Ed25519 signature

}  // namespace nimes

template <class Tag, std::size_t N>
struct std::hash<nimes::Id<Tag, N>> {
    std::size_t operator()(const nimes::Id<Tag, N>& id) const noexcept {
        std::size_t out = 0;  // ids are hashes or random: their first bytes are spread already
        std::memcpy(&out, id.bytes.data(), sizeof out < N ? sizeof out : N);
        return out;
    }
};
