// What the shared records cost: the broker's thread checks a token at each connect, a handset checks seal keys by the
// thousand and seals media chunk by chunk.
#include "bench/fixture.hpp"
#include "nimes/blob.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/token.hpp"

namespace nimes::bench {
namespace {

constexpr Millis kNow = 1'790'000'000'000;

// How long a verification takes depends on the signature: each benchmark goes round over this many.
constexpr std::size_t kDifferent = 32;

void ed25519_verify(benchmark::State& state) {
    const auto keys = key_pair(1);
    auto message = pattern(static_cast<std::size_t>(state.range(0)));
    std::vector<std::pair<Bytes, ByteArray<64>>> signed_messages(kDifferent);
    for (std::size_t i = 0; i < kDifferent; ++i) {
        auto& [bytes, sig] = signed_messages[i];
        message[0] = static_cast<std::uint8_t>(i);
        bytes = message;
        crypto_sign_detached(sig.data(), nullptr, bytes.data(), bytes.size(), keys.secret.data());
    }
    std::size_t next = 0;
    for (auto _ : state) {
        const auto& [bytes, sig] = signed_messages[next++ % kDifferent];
        const auto status =
            crypto_sign_verify_detached(sig.data(), bytes.data(), bytes.size(), keys.public_key.bytes.data());
        if (!require(state, status == 0, "the signature does not verify")) break;
    }
}

void token_check(benchmark::State& state) {
    const auto keys = key_pair(1);
    RepeatableRandom random;
    const auto audience = audience_of("mqtts://broker.polizei.example:8883");
    if (!require(state, audience.has_value(), "audience")) return;
    std::vector<std::string> tokens;
    for (std::size_t i = 0; i < kDifferent; ++i)
        tokens.push_back(mint_token(keys.secret, id<DeviceId>(3), *audience, kNow, random));
    std::size_t next = 0;
    for (auto _ : state) {
        const auto token = Token::parse(tokens[next++ % kDifferent]);
        if (!require(state, token && token->check(keys.public_key, *audience, kNow, Token::kBrokerWindow), "token"))
            break;
    }
}
BENCHMARK(token_check);
BENCHMARK(ed25519_verify)->Name("token_check/peer/one Ed25519 verify")->Arg(72);

void seal_key_check(benchmark::State& state) {
    const auto keys = key_pair(1);
    std::vector<Bytes> records;
    for (std::size_t i = 0; i < kDifferent; ++i) {
        SealKey record;
        record.device = id<DeviceId>(3);
        record.batch_no = utc_day(kNow);
        record.key_id = static_cast<std::uint32_t>(i + 1);
        record.not_before = kNow / kDay * kDay;
        record.not_after = record.not_before + kDay;
        record.key = id<SealPublicKey>(9);
        record.signature = sign_seal_key(keys.secret, record.body());
        records.push_back(record.encode());
    }
    std::size_t next = 0;
    for (auto _ : state) {
        const auto parsed = SealKey::parse(records[next++ % kDifferent]);
        if (!require(state, parsed && check_seal_key(*parsed, keys.public_key, kNow), "seal key")) break;
    }
}
BENCHMARK(seal_key_check);
BENCHMARK(ed25519_verify)->Name("seal_key_check/peer/one Ed25519 verify")->Arg(96);

void media_chunk_seal(benchmark::State& state) {
    const BlobShape shape{id<BlobId>(1), id<ConversationId>(2), 8 * kBlobChunk};
    const Key key(pattern(32));
    const auto plain = pattern(kBlobChunk);
    Bytes sealed(kBlobChunk + kBlobTag);
    for (auto _ : state) {
        seal_chunk(sealed, shape, key, 3, plain);
        benchmark::DoNotOptimize(sealed.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kBlobChunk));
}
BENCHMARK(media_chunk_seal);

void xchacha_chunk(benchmark::State& state) {
    const Key key(pattern(32));
    const auto plain = pattern(kBlobChunk), nonce = pattern(24);
    Bytes sealed(kBlobChunk + kBlobTag);
    for (auto _ : state) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(), nullptr, 0,
                                                   nullptr, nonce.data(), key.data());
        benchmark::DoNotOptimize(sealed.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kBlobChunk));
}
BENCHMARK(xchacha_chunk)->Name("media_chunk_seal/peer/XChaCha20-Poly1305 of 64 KiB");

}  // namespace
}  // namespace nimes::bench
