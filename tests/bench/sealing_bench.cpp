// What a message and a grant cost a handset, beside the primitives that they cannot do without.
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
constexpr std::size_t kRecipients = 100;

Content text_content() {
    Content content;
    content.kind = 1;
    content.sent = kNow;
    content.body = pattern(kText);
    return content;
}

SendingChain fresh_chain(RandomSource& random) {
    return open_chain({id<ConversationId>(1), id<DeviceId>(2), 0, 0, 4, {}, 0}, kNow, random);
}

void message_seal(benchmark::State& state) {
    RepeatableRandom random;
    auto chain = fresh_chain(random);
    const auto content = text_content();
    for (auto _ : state) {
        chain.index = 0;  // the chain's end is no cost of a message
        const auto wire = seal_message(chain, id<UserId>(3), id<DeviceId>(2), content, random);
        if (!require(state, wire && wire->size() == 240, "a sealed text has 240 bytes")) break;
    }
}
BENCHMARK(message_seal);

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

void grant_seal(benchmark::State& state) {
    RepeatableRandom random;
    const auto chain = fresh_chain(random);
    const auto keys = key_pair(1);
    SealPublicKey to;
    Key secret(pattern(32));
    crypto_scalarmult_base(to.bytes.data(), secret.data());
    const std::vector<GrantRecipient> recipients(kRecipients, GrantRecipient{1, 1, to});
    const GrantBinding binding{id<UserId>(3), id<DeviceId>(2), 0, {}, 1, {}};
    for (auto _ : state)
        if (!require(state, seal_grant(chain, binding, keys.secret, recipients, random).has_value(), "grant")) break;
}
BENCHMARK(grant_seal);

void box_seals(benchmark::State& state) {
    SealPublicKey to;
    Key secret(pattern(32));
    crypto_scalarmult_base(to.bytes.data(), secret.data());
    const auto plain = pattern(36);
    ByteArray<84> sealed{};
    for (auto _ : state)
        for (std::size_t i = 0; i < kRecipients; ++i)
            crypto_box_seal(sealed.data(), plain.data(), plain.size(), to.bytes.data());
}
BENCHMARK(box_seals)->Name("grant_seal/peer/100 crypto_box_seal");

}  // namespace
}  // namespace nimes::bench
