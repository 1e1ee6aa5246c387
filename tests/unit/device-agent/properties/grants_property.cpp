// Grants: refused when touched and by everybody outside the roster; whoever is removed opens nothing that follows.
#include "property.hpp"
#include "sealing/rotation.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;
using test::holds;

namespace {

// Somebody who keeps every key ever received and erases nothing.
struct Hoarder {
    DeviceId device;
    OwnSealKey key;
    std::vector<ReceivingChain> chains;
    bool member = false;

    void take(const std::vector<Bytes>& uploads) {
        const auto find = [&](std::uint32_t id) { return id == key.record.key_id ? &key : nullptr; };
        for (const auto& bytes : uploads) {
            const auto upload = GrantUpload::parse(bytes).value();
            for (std::size_t i = 0; i < upload.wraps.size(); ++i)
                if (const auto opened = open_grant(upload.delivered(i), find))
                    chains.push_back(accept_grant(*opened, {}, false));
        }
    }
    [[nodiscard]] bool opens(ByteView wire) const {
        return std::any_of(chains.begin(), chains.end(),
                           [&](const auto& chain) { return open_message(chain, wire).has_value(); });
    }
};

}  // namespace

TEST_CASE("property: a grant with any bit flipped is refused, but for the routing number that nobody trusts") {
    holds("any flipped bit of a grant", [] {
        auto chance = test::chance();
        Pair p;
        auto sending = p.chain(static_cast<std::uint32_t>(chance.below(1'000)));
        for (auto skip = chance.below(4); skip > 0; --skip) (void)p.message(sending, 1);
        const auto wire = p.grant(sending);
        const auto facts = p.facts();
        RC_ASSERT(judge_grant(open_grant(wire, p.finder()).value(), facts, p.now).outcome == Outcome::opened);
        for (int i = 0; i < 60; ++i) {
            auto bad = wire;
            auto bit = chance.below((wire.size() - 4) * 8);
            if (bit / 8 >= kGrantShared) bit += 4 * 8;  // dev_no
            bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            const auto opened = open_grant(bad, p.finder());
            RC_ASSERT((!opened || judge_grant(*opened, facts, p.now).outcome == Outcome::dropped));
        }
    });
}

TEST_CASE("property: who is not in the roster rejects every grant, and so do all when the sender may not post") {
    holds("outside the roster", [] {
        auto chance = test::chance();
        Pair p;
        auto sending = p.chain();
        const auto opened = open_grant(p.grant(sending), p.finder()).value();
        auto facts = p.facts();
        Roster roster;
        for (std::uint8_t n = 1; n <= 6; ++n) {
            const bool there = n == 1 ? chance.below(4) != 0 : chance.below(2) != 0;
            if (there) roster.push_back({test::user(n), static_cast<MemberRole>(1 + chance.below(3))});
        }
        const auto role = [&](const UserId& user) {
            const auto at = std::find_if(roster.begin(), roster.end(), [&](const auto& m) { return m.user == user; });
            return at == roster.end() ? 0 : static_cast<int>(at->role);
        };
        facts.own_user = test::user(static_cast<std::uint8_t>(2 + chance.below(6)));
        facts.roster_at_epoch = &roster;
        const bool right = role(facts.own_user) != 0 && role(p.anna) >= 2;
        RC_CLASSIFY(right);
        RC_ASSERT(judge_grant(opened, facts, p.now).outcome == (right ? Outcome::opened : Outcome::dropped));
        // And by the roster of now, whatever the one of then said.
        facts = p.facts();
        facts.roster_now = &roster;
        RC_ASSERT(judge_grant(opened, facts, p.now).outcome ==
                  (role(p.anna) >= 2 ? Outcome::opened : Outcome::dropped));
    });
}

TEST_CASE("property: a device opens what was said while it was a member, and nothing else, whatever keys it keeps") {
    holds("who was removed, and who was not there yet", [] {
        auto chance = test::chance();
        Pair p;
        std::vector<Hoarder> all(5);
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            chance.fill(all[i].device.bytes);
            all[i].key = std::move(make_batch(p.bernd_key.secret, all[i].device, 1 + i, p.now, chance)[0]);
        }
        std::optional<SendingChain> sending;
        std::vector<std::pair<Bytes, std::vector<bool>>> said;
        bool removed = false;
        const auto steps = *rc::gen::inRange(5, 60);
        for (int step = 0; step < steps; ++step) {
            auto& someone = all[chance.below(all.size())];
            if (chance.below(3) == 0) {
                removed = removed || someone.member;
                someone.member = !someone.member;
                continue;
            }
            if (!sending || !must_rotate(*sending, {.user_removed = removed}, false, p.now).empty())
                sending = open_chain({p.conversation, p.anna_cert.device, sending ? sending->chain_no : 0, 0, 1, {}, 0},
                                     p.now, chance);
            removed = false;
            std::vector<GrantRecipient> to;
            for (auto& h : all)
                if (h.member && sending->granted.insert(h.device).second)
                    to.push_back({0, h.key.record.key_id, h.key.record.key});
            const auto uploads = seal_grant(*sending, p.binding(), p.anna_key.secret, to, chance).value();
            for (auto& h : all) h.take(uploads);  // everybody sees every wrap: the server may show them
            std::vector<bool> members;
            for (const auto& h : all) members.push_back(h.member);
            said.emplace_back(p.message(*sending, 1), members);
        }
        for (const auto& [wire, members] : said)
            for (std::size_t i = 0; i < all.size(); ++i) RC_ASSERT(all[i].opens(wire) == members[i]);
    });
}

TEST_CASE(
    "property: a grant's upload is 432 bytes and 92 for each recipient, and a message is the same for any number") {
    holds("sizes of grants", [] {
        auto chance = test::chance();
        Pair p;
        auto few = p.chain(), many = p.chain();
        const auto n = *rc::gen::inRange<std::size_t>(1, 60);
        const std::vector<GrantRecipient> to(n, {0, 1, p.bernd_keys[0].record.key});
        std::size_t bytes = 0;
        const auto uploads = seal_grant(many, p.binding(), p.anna_key.secret, to, chance).value();
        for (const auto& upload : uploads) bytes += upload.size();
        RC_ASSERT(bytes == kGrantShared + n * kWrap);
        (void)p.grant(few);
        RC_ASSERT(p.message(few, 3).size() == p.message(many, 3).size());
    });
}
