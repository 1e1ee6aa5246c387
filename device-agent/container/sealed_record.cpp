#include "container/sealed_record.hpp"

#include "nimes/label.hpp"

namespace nimes::agent::container {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

Bytes aad_of(const Place& place) {
    Writer out;
    out.bytes(label16(label::kRecord)).u32(place.table).u64(place.id).u64(place.version);
    return std::move(out).take();
}

}  // namespace

Bytes seal_record(ByteView key32, const Place& place, ByteView plaintext, RandomSource& random) {
    ByteArray<kNonce> nonce{};
    random.fill(nonce);
    Writer out;
    out.bytes(nonce).bytes(aead_seal(key32, nonce, plaintext, aad_of(place)));
    return std::move(out).take();
}

Result<Bytes> open_record(ByteView key32, const Place& place, ByteView sealed) {
    if (sealed.size() < kNonce) return fail(Errc::undecryptable, "a record too short");
    return aead_open(key32, sealed.first(kNonce), sealed.subspan(kNonce), aad_of(place));
}

Blind blind(ByteView index_key32, std::uint32_t table, std::uint32_t column, ByteView value) {
    Writer head;
    head.u32(table).u32(column);
    return Blind::from(keyed_hash(label::kIndex, {head.view(), value}, index_key32).view().first(Blind::size));
}

}  // namespace nimes::agent::container
