// Messages of one chain: opened once in any order, refused when touched, never two under one key and nonce.
#include "property.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;
using test::holds;

namespace {

Content some_content(test::Chance& chance, std::size_t body) {
    Content c;
    c.kind = static_cast<std::uint8_t>(1 + chance.below(13));
    c.sent = test::kNow + static_cast<Millis>(chance.below(1'000'000));
    c.conv_epoch = chance.below(100);
    chance.fill(c.id.bytes);
    chance.fill(c.prev_own);
    c.body.resize(body);
    chance.fill(c.body);
    return c;
}

Bytes seal(Pair& p, SendingChain& chain, const Content& content, RandomSource& random) {
    return seal_message(chain, p.anna, p.anna_cert.device, content, random).value();
}

}  // namespace

TEST_CASE("property: whatever is lost, repeated or out of order, each message opens once and as it was said") {
    holds("any order, repetition and loss", [] {
        auto chance = test::chance();
        Pair p;
        auto sending = p.chain();
        auto chain = p.receive(p.grant(sending));
        std::vector<Bytes> wires;
        std::vector<Content> said;
        const auto n = *rc::gen::inRange<std::size_t>(1, 24);
        for (std::size_t i = 0; i < n; ++i) {
            said.push_back(some_content(chance, chance.below(200)));
            wires.push_back(seal(p, sending, said.back(), chance));
        }
        const auto arrivals = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, n));
        std::set<std::size_t> opened;
        for (const auto i : arrivals) {
            auto result = open_message(chain, wires[i]);
            RC_ASSERT(result.has_value() == opened.insert(i).second);
            if (!result) continue;
            RC_ASSERT(result->content == said[i]);
            RC_ASSERT(result->index == i);
            chain = std::move(result->chain);
            // What is kept is exactly what did not come yet; nothing of what was opened can be opened again.
            RC_ASSERT(chain.index == *opened.rbegin() + 1);
            RC_ASSERT(chain.skipped.size() == chain.index - opened.size());
            for (const auto& [index, keys] : chain.skipped) RC_ASSERT(!opened.contains(index));
        }
    });
}

TEST_CASE("property: a message with any bit flipped, cut or lengthened is refused and moves nothing") {
    holds("any flipped bit of a message", [] {
        auto chance = test::chance();
        Pair p;
        auto sending = p.chain();
        auto chain = p.receive(p.grant(sending));
        for (auto skip = chance.below(5); skip > 0; --skip) (void)seal(p, sending, some_content(chance, 9), chance);
        const auto wire = seal(p, sending, some_content(chance, chance.below(1'500)), chance);
        const auto before = chain.encode();
        for (int i = 0; i < 40; ++i) {
            auto bad = wire;
            const auto bit = chance.below(bad.size() * 8);
            bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            RC_ASSERT(!open_message(chain, bad));
        }
        RC_ASSERT(!open_message(chain, ByteView(wire).first(chance.below(wire.size()))));
        auto longer = wire;
        longer.resize(wire.size() + 1 + chance.below(256));
        RC_ASSERT(!open_message(chain, longer));
        RC_ASSERT(chain.encode() == before);
        RC_ASSERT(open_message(chain, wire).has_value());
    });
}

TEST_CASE("property: from whatever copies a sender goes on, no key and nonce meet two texts") {
    holds("rollback of the sender", [] {
        auto chance = test::chance();
        Pair p;
        std::vector<Bytes> copies{p.chain().encode()};
        auto sending = SendingChain::parse(copies[0]).value();
        // A key belongs to a place in a chain; its nonce to that and the guard.
        std::map<std::tuple<ChainId, std::uint32_t, ByteArray<8>>, Bytes> sealed;
        std::set<Digest> grants;
        const auto steps = *rc::gen::inRange(2, 60);
        for (int i = 0; i < steps; ++i) {
            const auto what = *rc::gen::weightedElement<int>({{6, 0}, {2, 1}, {3, 2}, {1, 3}});
            if (what == 0 && sending.index <= sending.max_index) {
                const auto wire = seal(p, sending, some_content(chance, 8), chance);
                const auto header = MessageHeader::parse(ByteView(wire).first(MessageHeader::kBytes)).value();
                RC_ASSERT(sealed.emplace(std::tuple(header.chain, header.index, header.guard), wire).second);
            } else if (what == 1) {
                copies.push_back(sending.encode());
            } else if (what == 2) {
                sending = SendingChain::parse(copies[chance.below(copies.size())]).value();
            } else if (what == 3) {
                // DK is fresh, so the one nonce of a grant's body never comes under the same key again.
                const GrantRecipient to{7, 1, p.bernd_keys[0].record.key};
                const auto grant =
                    seal_grant(sending, p.binding(), p.anna_key.secret, std::span(&to, 1), chance).value().at(0);
                RC_ASSERT(grants.insert(GrantUpload::parse(grant)->header.dk_commit).second);
            }
        }
    });
}

TEST_CASE("property: a message's size depends on the padded length of what it says, and on nothing else") {
    holds("sizes of messages", [] {
        auto chance = test::chance();
        Pair p;
        auto sending = p.chain();
        const auto body = *rc::gen::inRange<std::size_t>(0, 20'000);
        const auto padded = padded_length(kContentFixed + body);
        const auto wire = seal(p, sending, some_content(chance, body), chance);
        RC_ASSERT(wire.size() == kMessageOverhead + padded);
        // The shortest and the longest body of that step.
        auto shortest = body;
        while (shortest > 0 && padded_length(kContentFixed + shortest - 1) == padded) --shortest;
        RC_ASSERT(seal(p, sending, some_content(chance, shortest), chance).size() == wire.size());
        RC_ASSERT(seal(p, sending, some_content(chance, padded - kContentFixed), chance).size() == wire.size());
        RC_ASSERT(padded >= kContentFixed + body);
        RC_ASSERT(padded <= std::max<std::size_t>(128, (kContentFixed + body) * 2));
        if (padded > 1'024) RC_ASSERT(padded * 100 <= (kContentFixed + body) * 112);
    });
}
