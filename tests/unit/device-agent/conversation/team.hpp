// A group's people with their devices, and what is known of them.
#pragma once

#include <catch2/catch.hpp>

#include "conversation/events.hpp"
#include "unit/schemas/identity_fixture.hpp"

namespace nimes::agent::conversation {

struct Random final : RandomSource {
    std::uint8_t n = 0;
    void fill(std::span<std::uint8_t> out) override {
        for (auto& b : out) b = ++n;
    }
};

struct Team {
    test::Organisation org;
    Random random;
    UserId anna = test::user(1), bernd = test::user(2), clara = test::user(3);
    SigningKeyPair anna_key = test::key_pair(11), bernd_key = test::key_pair(12);
    DeviceCert anna_cert = test::certify(org, anna, anna_key, 1), bernd_cert = test::certify(org, bernd, bernd_key, 1);
    DirectoryHead head = [] {
        DirectoryHead h;
        h.revision = 5;
        h.ts = test::kNow;
        return h;
    }();

    EventMaker by_anna() { return {anna, anna_cert.device, anna_key.secret, head, test::kNow}; }
    EventMaker by_bernd() { return {bernd, bernd_cert.device, bernd_key.secret, head, test::kNow}; }
    ActorFacts knows(const DeviceCert& cert) const { return {true, &cert, nullptr, ActorFacts::Head::verified}; }
    ActorFacts facts(const ConvEvent& e) const { return knows(e.actor_user == anna ? anna_cert : bernd_cert); }
    Applied take(std::optional<ConversationState>& state, const ConvEvent& e) { return apply(state, e, facts(e)); }

    // A history of five events, each on top of the one before.
    std::vector<ConvEvent> history() {
        std::vector<ConvEvent> out{create_group(by_anna(), {bernd}, random)};
        std::optional<ConversationState> state;
        REQUIRE(take(state, out[0]) == Applied::applied);
        const auto next = [&](Result<ConvEvent> e) {
            REQUIRE(e);
            REQUIRE(take(state, *e) == Applied::applied);
            out.push_back(*e);
        };
        next(change_group(by_anna(), *state, {{clara, MemberRole::reader, RosterOp::add}}));
        next(change_group(by_anna(), *state, {{bernd, MemberRole::administrator, RosterOp::set_role}}));
        next(change_group(by_bernd(), *state, {{clara, MemberRole::reader, RosterOp::remove}}));
        next(restate_group(by_bernd(), *state));
        return out;
    }
};

}  // namespace nimes::agent::conversation
