// Two people with devices, a conversation of two, and the grants and messages that pass between them.
#pragma once

#include <catch2/catch.hpp>
#include <list>

#include "sealing/grant_opener.hpp"
#include "sealing/grant_sealer.hpp"
#include "sealing/message_opener.hpp"
#include "sealing/message_sealer.hpp"
#include "sealing/seal_keys.hpp"
#include "unit/schemas/identity_fixture.hpp"

namespace nimes::agent::sealing {

// The same bytes in every run.
struct CountingRandom final : RandomSource {
    std::uint64_t n = 1;
    void fill(std::span<std::uint8_t> out) override {
        for (auto& b : out) b = static_cast<std::uint8_t>((n++ * 0x9e3779b97f4a7c15ull) >> 40);
    }
};

struct Pair {
    test::Organisation org;
    CountingRandom random;
    Millis now = test::kNow;
    UserId anna = test::user(1), bernd = test::user(2);
    SigningKeyPair anna_key = test::key_pair(11), bernd_key = test::key_pair(12);
    DeviceCert anna_cert = test::certify(org, anna, anna_key, 1);
    DeviceCert bernd_cert = test::certify(org, bernd, bernd_key, 1);
    std::vector<OwnSealKey> bernd_keys = make_batch(bernd_key.secret, bernd_cert.device, 1, now, random);
    ConversationId conversation = pair_id(anna, bernd);
    Digest state = pair_state(anna, bernd);
    Roster roster{{anna, MemberRole::poster}, {bernd, MemberRole::poster}};

    SendingChain chain(std::uint32_t last = 0) {
        return open_chain({conversation, anna_cert.device, last, 0, 1, {}, 0}, now, random);
    }
    GrantBinding binding() const { return {anna, anna_cert.device, 0, state, 5, head}; }
    Digest head = sha256({as_bytes("head")});

    Bytes grant(const SendingChain& c) {
        const GrantRecipient to{7, bernd_keys[0].record.key_id, bernd_keys[0].record.key};
        return seal_grant(c, binding(), anna_key.secret, std::span(&to, 1), random).value().at(0);
    }
    SealKeyFinder finder() {
        return [this](std::uint32_t id) -> const OwnSealKey* {
            for (const auto& key : bernd_keys)
                if (key.record.key_id == id) return &key;
            return nullptr;
        };
    }
    // What Bernd knows when all is well.
    GrantFacts facts() {
        GrantFacts f;
        f.own_user = bernd;
        f.sender = &anna_cert;
        f.sender_entry_known = true;
        f.state_at_epoch = state;
        f.roster_at_epoch = f.roster_now = &roster;
        f.head = GrantFacts::Head::verified;
        f.head_ts = now;
        return f;
    }
    ReceivingChain receive(const Bytes& wire) {
        const auto opened = open_grant(wire, finder()).value();
        REQUIRE(judge_grant(opened, facts(), now).outcome == Outcome::opened);
        return accept_grant(opened, facts(), false);
    }
    Content content(std::uint8_t n) const {
        Content c;
        c.kind = 1;
        c.sent = now;
        c.id.bytes.fill(n);
        c.body = Bytes{n, n, n};
        return c;
    }
    Bytes message(SendingChain& c, std::uint8_t n) {
        return seal_message(c, anna, anna_cert.device, content(n), random).value();
    }
};

}  // namespace nimes::agent::sealing
