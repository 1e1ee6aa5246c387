// What letting a device in costs the plugin, with the mirror of a whole force: 46,000 devices, each with a key of its
// own, that come in no order. The peer verifies as many signatures, of the same keys and length, and does nothing else.
#include <algorithm>
#include <random>

#include "bench/fixture.hpp"
#include "identity/admission.hpp"
#include "nimes/encoding.hpp"
#include "nimes/token.hpp"

namespace nimes::bench {
namespace {

using namespace plugin;

constexpr Millis kNow = 1'790'000'000'000;
constexpr std::size_t kDevices = 46'000;
constexpr std::size_t kSigned = Token::kBytes - crypto_sign_BYTES;

struct Caller {
    std::string name, token;
    PublicKey identity;
    Signature signature;  // of pattern(kSigned)
};

struct Edge {
    Options options;
    MirrorTable mirror;
    std::vector<Caller> callers;

    Edge() {
        RepeatableRandom random;
        const auto audience = audience_of("mqtts://127.0.0.1:8883").value();
        options.gateway_key = key_pair(4).public_key;
        options.audiences = {audience};
        MirrorPart part;
        part.kind = MirrorPart::Kind::full;
        part.issued = kNow;
        part.to = 1;
        const auto bytes = pattern(kSigned);
        for (std::size_t n = 0; n < kDevices; ++n) {
            ByteArray<32> seed{};
            random.fill(seed);
            const auto keys = signing_key_from_seed(seed);
            const auto device = random.id<DeviceId>();
            part.items.push_back({device, keys.public_key, MirrorState::active, kNow - 30 * kDay, kNow + 300 * kDay});
            Caller caller{
                to_text(device), mint_token(keys.secret, device, audience, kNow, random), keys.public_key, {}};
            crypto_sign_detached(caller.signature.bytes.data(), nullptr, bytes.data(), bytes.size(),
                                 keys.secret.data());
            callers.push_back(std::move(caller));
        }
        std::sort(part.items.begin(), part.items.end(),
                  [](const auto& a, const auto& b) { return a.device < b.device; });
        (void)mirror.apply(part);
        std::shuffle(callers.begin(), callers.end(), std::mt19937(7));
    }
};

const Edge& edge() {
    static const Edge the_edge;
    return the_edge;
}

void admission_check(benchmark::State& state) {
    const auto& e = edge();
    auto admission = std::make_unique<Admission>(e.options, kNow - kHour);
    std::size_t next = 0;
    for (auto _ : state) {
        if (next == e.callers.size()) {  // a token is good for once: a plugin that has seen none
            state.PauseTiming();
            admission = std::make_unique<Admission>(e.options, kNow - kHour);
            next = 0;
            state.ResumeTiming();
        }
        const auto& caller = e.callers[next++];
        const auto verdict = admission->judge({caller.name, caller.name, caller.token, 5, 240}, e.mirror, kNow);
        if (!require(state, verdict.who.has_value(), "a device of the mirror is admitted")) break;
    }
}
BENCHMARK(admission_check);

void verifications(benchmark::State& state) {
    const auto& e = edge();
    const auto bytes = pattern(kSigned);
    std::size_t next = 0;
    for (auto _ : state) {
        const auto& caller = e.callers[next++ % e.callers.size()];
        const int bad = crypto_sign_verify_detached(caller.signature.bytes.data(), bytes.data(), bytes.size(),
                                                    caller.identity.bytes.data());
        if (!require(state, bad == 0, "the signature is good")) break;
    }
}
BENCHMARK(verifications)->Name("admission_check/peer/one Ed25519 verify");

}  // namespace
}  // namespace nimes::bench
