#include "nimes/blob.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes {
namespace {

ByteArray<24> chunk_nonce(const BlobShape& shape, std::uint64_t i) {
    Writer out;
    out.zeros(15).u64(i).u8(i + 1 == shape.chunks() ? 1 : 0);
    ByteArray<24> nonce{};
    std::copy(out.view().begin(), out.view().end(), nonce.begin());
    return nonce;
}

Bytes chunk_aad(const BlobShape& shape) {
    Writer out;
    out.bytes(label16(label::kBlob)).id(shape.blob).id(shape.conversation).u64(shape.padded);
    return std::move(out).take();
}

}  // namespace

std::uint64_t BlobShape::chunks() const { return padded == 0 ? 1 : (padded - 1) / kBlobChunk + 1; }

std::size_t BlobShape::chunk_plain(std::uint64_t i) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(kBlobChunk, padded - i * kBlobChunk));
}

std::uint64_t BlobShape::sealed_size() const { return padded + chunks() * kBlobTag; }
std::uint64_t BlobShape::sealed_offset(std::uint64_t i) const { return i * (kBlobChunk + kBlobTag); }

void seal_chunk(std::span<std::uint8_t> out, const BlobShape& shape, const Key& key, std::uint64_t i, ByteView plain) {
    const auto nonce = chunk_nonce(shape, i);
    const auto aad = chunk_aad(shape);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(), aad.data(), aad.size(),
                                               nullptr, nonce.data(), key.data());
}

Result<void> open_chunk(std::span<std::uint8_t> out, const BlobShape& shape, const Key& key, std::uint64_t i,
                        ByteView sealed) {
    if (i >= shape.chunks() || sealed.size() != shape.chunk_plain(i) + kBlobTag)
        return fail(Errc::undecryptable, "a chunk of the wrong length");
    const auto nonce = chunk_nonce(shape, i);
    const auto aad = chunk_aad(shape);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                   aad.data(), aad.size(), nonce.data(), key.data()) != 0)
        return fail(Errc::undecryptable, "a chunk's tag does not verify");
    return {};
}

}  // namespace nimes
