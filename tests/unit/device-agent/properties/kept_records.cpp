#include "records.hpp"
#include "sealing/seal_key_rules.hpp"
#include "unit/device-agent/conversation/team.hpp"
#include "unit/device-agent/sealing/devices.hpp"

namespace nimes::test {
namespace {

using namespace agent;

template <class Kept>
std::optional<Bytes> again(ByteView in) {
    if (auto k = Kept::parse(in)) return k->encode();
    return std::nullopt;
}

Bytes sending(model::Chance& chance) {
    sealing::Pair p;
    auto chain = p.chain();
    for (auto n = chance.below(4); n > 0; --n) (void)p.message(chain, 1);
    for (auto n = chance.below(3); n > 0; --n) {
        DeviceId device;
        chance.fill(device.bytes);
        chain.granted.insert(device);
    }
    return chain.encode();
}
Bytes receiving(model::Chance& chance) {
    sealing::Pair p;
    auto chain = p.chain();
    auto start = p.receive(p.grant(chain));
    for (auto n = chance.below(4); n > 0; --n) (void)p.message(chain, 1);
    return open_message(start, p.message(chain, 2))->chain.encode();
}
Bytes own_key(model::Chance& chance) {
    const sealing::Pair p;
    return sealing::make_batch(p.bernd_key.secret, p.bernd_cert.device, 1, p.now, chance)[0].encode();
}
Bytes book(model::Chance& chance) {
    sealing::SealBook out;
    for (auto n = chance.below(4); n > 0; --n) {
        sealing::begin_publication(out, out.batch() + 1 + static_cast<std::uint32_t>(chance.below(3)),
                                   sealing::first_key_id(out, kNow), 36);
        sealing::published(out, kNow);
    }
    return out.encode();
}
Bytes roster(model::Chance& chance) {
    conversation::Team team;
    std::optional<conversation::ConversationState> state;
    const auto events = team.history();
    const auto n = 1 + chance.below(events.size());
    for (std::size_t i = 0; i < n; ++i) (void)team.take(state, events[i]);
    return state->encode();
}

}  // namespace

std::vector<RecordKind> kept_kinds() {
    return {{"sending chain", sending, again<sealing::SendingChain>},
            {"receiving chain", receiving, again<sealing::ReceivingChain>},
            {"own seal key", own_key, again<sealing::OwnSealKey>},
            {"seal book", book, again<sealing::SealBook>},
            {"roster", roster, again<conversation::ConversationState>}};
}

}  // namespace nimes::test
