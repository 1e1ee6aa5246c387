// What a message and a grant cost a handset, beside the primitives that they cannot do without.
#include <thread>

#include "bench/fixture.hpp"
#include "sealing/grant_sealer.hpp"
#include "sealing/message_opener.hpp"
#include "sealing/message_sealer.hpp"

namespace nimes::bench {
namespace {

using namespace agent::sealing;

constexpr Millis kNow = 1'790'000'000'000;
constexpr std::size_t kText = 72;     // a body that makes 240 bytes on the wire
constexpr std::size_t kPadded = 128;  // of its content

Content text_content() {
    Content content;
    content.kind = 1;
    content.sent = kNow;
    content.body = pattern(kText);
    return content;
}

SendingChain fresh_chain(RandomSource& random, std::size_t devices = 4) {
    auto out = open_chain({id<ConversationId>(1), id<DeviceId>(2), 0, 0, devices, {}, 0}, kNow, random);
    for (std::size_t i = 1; i < devices; ++i) {  // who can open it
        DeviceId device;
        device.bytes[0] = static_cast<std::uint8_t>(i >> 8);
        device.bytes[1] = static_cast<std::uint8_t>(i);
        out.granted.insert(device);
    }
    return out;
}

void message_seal(benchmark::State& state) {
    RepeatableRandom random;
    auto chain = fresh_chain(random, static_cast<std::size_t>(state.range(0)));
    const auto content = text_content();
    for (auto _ : state) {
        chain.index = 0;  // the chain's end is no cost of a message
        const auto wire = seal_message(chain, id<UserId>(3), id<DeviceId>(2), content, random);
        if (!require(state, wire && wire->size() == 240, "a sealed text has 240 bytes")) break;
    }
}
BENCHMARK(message_seal)->Name("message_seal")->Arg(4);
BENCHMARK(message_seal)->Name("message_seal_for_1000")->Arg(1'000);
BENCHMARK(message_seal)->Name("message_seal_for_1000/peer/the same for 4 devices")->Arg(4);

void sign_and_aead(benchmark::State& state) {
    const auto keys = key_pair(1);
    const Key key(pattern(32));
    const auto plain = pattern(kPadded), nonce = pattern(24), signed_bytes = pattern(160 + 16);
    Bytes sealed(kPadded + 16);
    Signature signature;
    for (auto _ : state) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(), nullptr, 0,
                                                   nullptr, nonce.data(), key.data());
        crypto_sign_detached(signature.bytes.data(), nullptr, signed_bytes.data(), signed_bytes.size(),
                             keys.secret.data());
        benchmark::DoNotOptimize(signature);
    }
}
BENCHMARK(sign_and_aead)->Name("message_seal/peer/one Ed25519 sign + AEAD of 128 B");

void message_open(benchmark::State& state) {
    RepeatableRandom random;
    auto sending = fresh_chain(random);
    ReceivingChain chain;
    chain.conversation = sending.conversation;
    chain.user = id<UserId>(3);
    chain.device = id<DeviceId>(2);
    chain.id = sending.id;
    chain.signing = sending.signing.public_key;
    chain.chain_key = sending.chain_key.copy();
    chain.max_index = sending.max_index;
    const auto wire = seal_message(sending, chain.user, chain.device, text_content(), random).value();
    for (auto _ : state)
        if (!require(state, open_message(chain, wire)->content.has_value(), "the message opens")) break;
}
BENCHMARK(message_open);

void verify_one(benchmark::State& state) {
    const auto keys = key_pair(1);
    const auto bytes = pattern(160 + 16);
    Signature signature;
    crypto_sign_detached(signature.bytes.data(), nullptr, bytes.data(), bytes.size(), keys.secret.data());
    for (auto _ : state)
        if (!require(state,
                     crypto_sign_verify_detached(signature.bytes.data(), bytes.data(), bytes.size(),
                                                 keys.public_key.bytes.data()) == 0,
                     "verify"))
            break;
}
BENCHMARK(verify_one)->Name("message_open/peer/one Ed25519 verify");

// A grant to that many devices: its CPU time on all threads together, beside as many sealed boxes.
std::vector<GrantRecipient> recipients(std::size_t n) {
    SealPublicKey to;
    Key secret(pattern(32));
    crypto_scalarmult_base(to.bytes.data(), secret.data());
    return std::vector<GrantRecipient>(n, GrantRecipient{1, 1, to});
}

void grant_seal(benchmark::State& state) {
    RepeatableRandom random;
    const auto chain = fresh_chain(random);
    const auto keys = key_pair(1);
    const auto to = recipients(static_cast<std::size_t>(state.range(0)));
    const GrantBinding binding{id<UserId>(3), id<DeviceId>(2), 0, {}, 1, {}};
    for (auto _ : state) {
        const auto uploads = seal_grant(chain, binding, keys.secret, to, random);
        if (!require(state, uploads.has_value(), "grant")) break;
        std::size_t bytes = 0;
        for (const auto& upload : *uploads) bytes += upload.size();
        if (!require(state, bytes == 432 * uploads->size() + 92 * to.size(), "432 bytes an upload, 92 a device")) break;
    }
}

void box_seals(benchmark::State& state) {
    const auto to = recipients(static_cast<std::size_t>(state.range(0)));
    const auto threads = static_cast<std::size_t>(state.range(1));
    const auto plain = pattern(36);
    const auto some = [&](std::size_t first) {
        ByteArray<84> sealed{};
        for (auto i = first; i < to.size(); i += threads)
            crypto_box_seal(sealed.data(), plain.data(), plain.size(), to[i].key.bytes.data());
    };
    for (auto _ : state) {
        std::vector<std::jthread> helpers;
        for (std::size_t t = 1; t < threads; ++t) helpers.emplace_back(some, t);
        some(0);
    }
}

const int kCores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
BENCHMARK(grant_seal)->Name("grant_seal_100")->Arg(100)->MeasureProcessCPUTime();
BENCHMARK(box_seals)->Name("grant_seal_100/peer/100 crypto_box_seal")->Args({100, 1})->MeasureProcessCPUTime();
BENCHMARK(grant_seal)->Name("grant_seal_2000")->Arg(2'000)->MeasureProcessCPUTime();
BENCHMARK(box_seals)
    ->Name("grant_seal_2000/peer/2,000 crypto_box_seal on all cores")
    ->Args({2'000, kCores})
    ->MeasureProcessCPUTime();
BENCHMARK(grant_seal)->Name("grant_seal_2000_elapsed")->Arg(2'000)->UseRealTime();
BENCHMARK(box_seals)->Name("grant_seal_2000_elapsed/peer/the boxes on all cores")->Args({2'000, kCores})->UseRealTime();

}  // namespace
}  // namespace nimes::bench
