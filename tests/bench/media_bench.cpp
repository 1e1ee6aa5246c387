// Whole media as they pass through a handset: sealed into a file and opened out of it, beside the cipher alone.
//
// The cipher in memory is the bound that nothing beats; what a medium pays beyond it is the digest over its sealed
// bytes, which a thread computes beside it, and, when it is sealed, the digest of its plaintext that the sender is
// told, on one more: with three cores elapsed time has the cipher alone as its peer, with two the half of all the work.
// CPU time of all threads has cipher and digest, for sealing two digests. The files lie in memory (/dev/shm): no disk
// is measured.
#include <openssl/evp.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "bench/fixture.hpp"
#include "media/incoming.hpp"
#include "media/outgoing.hpp"
#include "media/passing_hash.hpp"
#include "nimes/message.hpp"

namespace nimes::bench {
namespace {

constexpr std::size_t kLength = 8 << 20;

struct Folder {
    Folder() {
        std::string name = "/dev/shm/nimes-bench-XXXXXX";
        if (mkdtemp(name.data()) != nullptr) path = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

void media_stream_seal(benchmark::State& state) {
    const Folder folder;
    RepeatableRandom random;
    const auto plain = pattern(kLength);
    for (auto _ : state) {
        agent::media::PassingHash hash;
        const auto source = agent::media::source_of(ByteView(plain));
        const auto sealed = agent::media::seal(folder.path, id<ConversationId>(1), source, plain.size(), random, &hash);
        const auto digest = hash.finish();
        if (!require(state, sealed.has_value() && digest.has_value(), "seal")) break;
        state.PauseTiming();
        (void)agent::media::erase(folder.path, sealed->blob);
        state.ResumeTiming();
    }
}
BENCHMARK(media_stream_seal)->UseRealTime();

void media_stream_open(benchmark::State& state) {
    const Folder folder;
    RepeatableRandom random;
    const auto plain = pattern(kLength);
    const auto sealed = agent::media::seal(folder.path, id<ConversationId>(1), agent::media::source_of(ByteView(plain)),
                                           plain.size(), random);
    for (auto _ : state) {
        std::size_t seen = 0;
        const auto done = agent::media::open(folder.path, *sealed, [&](ByteView bytes) -> Result<void> {
            seen += bytes.size();
            return {};
        });
        if (!require(state, done && seen == plain.size(), "open")) break;
    }
}
BENCHMARK(media_stream_open)->UseRealTime();

// The padded length in pieces of 64 KiB, in memory; with the digest where it is asked for, and that of what is sealed.
void cipher(benchmark::State& state, bool opens, bool with_digest) {
    const Key key(pattern(32));
    const auto plain = pattern(kBlobChunk), nonce = pattern(24);
    Bytes sealed(kBlobChunk + kBlobTag), opened(kBlobChunk);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(), nullptr, 0,
                                                     nullptr, nonce.data(), key.data());
    const auto chunks = padme(kLength) / kBlobChunk;
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free),
        of_plain(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    for (auto _ : state) {
        EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
        EVP_DigestInit_ex(of_plain.get(), EVP_sha256(), nullptr);
        for (std::uint64_t i = 0; i < chunks; ++i) {
            if (opens)
                benchmark::DoNotOptimize(
                    crypto_aead_xchacha20poly1305_ietf_decrypt(opened.data(), nullptr, nullptr, sealed.data(),
                                                               sealed.size(), nullptr, 0, nonce.data(), key.data()));
            else
                (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(),
                                                                 nullptr, 0, nullptr, nonce.data(), key.data());
            if (with_digest) EVP_DigestUpdate(digest.get(), sealed.data(), sealed.size());
            if (with_digest && !opens) EVP_DigestUpdate(of_plain.get(), plain.data(), plain.size());
        }
    }
}
void seals(benchmark::State& state) { cipher(state, false, false); }
void opens(benchmark::State& state) { cipher(state, true, false); }
void seals_with_digest(benchmark::State& state) { cipher(state, false, true); }
void opens_with_digest(benchmark::State& state) { cipher(state, true, true); }
BENCHMARK(seals)->Name("media_stream_seal/peer/XChaCha20-Poly1305 alone, 8 MiB")->UseRealTime();
BENCHMARK(opens)->Name("media_stream_open/peer/XChaCha20-Poly1305 alone, 8 MiB")->UseRealTime();
BENCHMARK(media_stream_seal)->Name("media_stream_seal_cpu")->MeasureProcessCPUTime();
BENCHMARK(media_stream_open)->Name("media_stream_open_cpu")->MeasureProcessCPUTime();
BENCHMARK(seals_with_digest)
    ->Name("media_stream_seal_cpu/peer/XChaCha20-Poly1305 and SHA-256 twice")
    ->MeasureProcessCPUTime();
BENCHMARK(opens_with_digest)
    ->Name("media_stream_open_cpu/peer/XChaCha20-Poly1305 and SHA-256")
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace nimes::bench
