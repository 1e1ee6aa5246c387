// Sealed media: a blob in chunks of 64 KiB, each openable by itself (FORMATS.md, "Media").
//
// chunk i = XChaCha20-Poly1305(K, nonce = 0^15 ‖ u64 i ‖ last1, aad = L("NM1/blob") ‖ blob_uuid16 ‖ conv16 ‖ u64
// padded) Seeking is allowed only once the final chunk has verified: it fixes the length. Errors: Errc::undecryptable.
// Pure; thread safe; constant memory (one chunk).
#pragma once

#include "nimes/crypto.hpp"

namespace nimes {

inline constexpr std::size_t kBlobChunk = 65'536;
inline constexpr std::size_t kBlobTag = 16;

// What is fixed when sealing begins. The reference that travels in the message adds K, plain length and the
// digest, SHA-256 over all sealed chunks in order.
struct BlobShape {
    BlobId blob;
    ConversationId conversation;
    std::uint64_t padded = 0;  // padme(plain_len)

    [[nodiscard]] std::uint64_t chunks() const;                        // at least 1
    [[nodiscard]] std::size_t chunk_plain(std::uint64_t i) const;      // bytes of chunk i before sealing
    [[nodiscard]] std::uint64_t sealed_size() const;                   // of the whole blob
    [[nodiscard]] std::uint64_t sealed_offset(std::uint64_t i) const;  // where chunk i begins
};

// out must hold plain.size() + 16 bytes; plain.size() must be shape.chunk_plain(i).
void seal_chunk(std::span<std::uint8_t> out, const BlobShape& shape, const Key& key, std::uint64_t i, ByteView plain);
// out must hold sealed.size() − 16 bytes.
Result<void> open_chunk(std::span<std::uint8_t> out, const BlobShape& shape, const Key& key, std::uint64_t i,
                        ByteView sealed);

}  // namespace nimes
