// What a hostile gateway delivers to an agent: messages for a chain that is held, grants for a key that is held, events
// for a group that is known, content from a member. Signatures fail, so nothing may come of it but a refusal.
#include <cstdlib>

#include "conversation/content.hpp"
#include "conversation/roster_state.hpp"
#include "nimes/v1/transport.pb.h"
#include "sealing/grant_opener.hpp"
#include "sealing/message_opener.hpp"
#include "sealing/seal_keys.hpp"

using namespace nimes;
using namespace nimes::agent;

namespace {

struct Fixed final : RandomSource {
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{3}); }
};

SigningKeyPair key(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

constexpr Millis kNow = 1'780'000'000'000;

const sealing::OwnSealKey& seal_key() {
    static Fixed random;
    static const auto keys = sealing::make_batch(key(1).secret, DeviceId{}, 1, kNow, random);
    return keys[0];
}

void message(ByteView wire) {
    static const sealing::ReceivingChain chain = [] {
        sealing::ReceivingChain out;
        out.signing = key(2).public_key;
        out.max_index = 127;
        return out;
    }();
    const auto before = chain.encode();
    if (sealing::open_message(chain, wire)) std::abort();
    if (chain.encode() != before) std::abort();
}

void grant(ByteView wire) {
    const auto opened = sealing::open_grant(wire, [](std::uint32_t) { return &seal_key(); });
    if (!opened) return;
    // The box is anonymous, so this far anybody comes; without the signature no further.
    DeviceCert cert;
    cert.user = opened->body.user;
    cert.identity = key(4).public_key;
    cert.not_after = ~Millis{0};
    sealing::GrantFacts facts;
    facts.sender_entry_known = true;
    facts.sender = &cert;
    if (sealing::judge_grant(*opened, facts, kNow).outcome == sealing::Outcome::opened) std::abort();
}

void event(ByteView bytes) {
    const auto parsed = ConvEvent::parse(bytes);
    if (!parsed) return;
    if (parsed->encode() != to_bytes(bytes)) std::abort();
    DeviceCert cert;
    cert.user = parsed->actor_user;
    cert.identity = key(4).public_key;
    std::optional<conversation::ConversationState> state;
    const auto applied =
        conversation::apply(state, *parsed, {true, &cert, nullptr, conversation::ActorFacts::Head::verified});
    if (applied == conversation::Applied::applied) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!crypto_init() || size == 0) return 0;
    const ByteView rest{data + 1, size - 1};
    switch (data[0] % 5) {
        case 0:
            message(rest);
            break;
        case 1:
            grant(rest);
            break;
        case 2:
            event(rest);
            break;
        case 3:
            (void)conversation::decode(rest.empty() ? std::uint8_t{1} : rest[0], rest.empty() ? rest : rest.subspan(1));
            break;
        default: {
            v1::Down down;
            if (!down.ParseFromArray(rest.data(), static_cast<int>(rest.size()))) break;
            for (const auto& e : down.deliver().envelopes()) {
                message(as_bytes(e.message()));
                grant(as_bytes(e.grant()));
                event(as_bytes(e.event()));
            }
        }
    }
    return 0;
}
