// Records: one encoding each, and no bit of a signed one may differ.
#include "nimes/control.hpp"
#include "nimes/mirror.hpp"
#include "nimes/opaque.hpp"
#include "property.hpp"
#include "records.hpp"
#include "unit/device-agent/conversation/team.hpp"
#include "unit/device-agent/sealing/devices.hpp"

using namespace nimes;
using test::holds;

namespace {

// One thing that a hostile sender might do to it.
Bytes changed(Bytes in, test::Chance& chance) {
    const auto at = in.empty() ? 0 : chance.below(in.size());
    const auto place = in.begin() + static_cast<std::ptrdiff_t>(at);
    switch (in.empty() ? 6 : chance.below(7)) {
        case 0:
        case 1:
            in[at] ^= static_cast<std::uint8_t>(1u << chance.below(8));
            break;
        case 2:
            in[at] = static_cast<std::uint8_t>(chance.below(6));  // kinds, roles, counts
            break;
        case 3:
            in[at] = chance.below(2) != 0 ? 0xff : 0;
            break;
        case 4:
            in.erase(place, in.begin() + static_cast<std::ptrdiff_t>(at + 1 + chance.below(in.size() - at)));
            break;
        case 5: {  // a piece of it twice
            const Bytes piece(place, in.begin() + static_cast<std::ptrdiff_t>(at + 1 + chance.below(in.size() - at)));
            in.insert(place, piece.begin(), piece.end());
            break;
        }
        default:
            in.resize(in.size() + 1 + chance.below(40));
    }
    return in;
}

void one_encoding(const std::vector<test::RecordKind>& kinds) {
    auto chance = test::chance();
    for (const auto& kind : kinds) {
        const auto valid = kind.make(chance);
        RC_LOG() << kind.name << std::endl;
        RC_ASSERT(kind.again(valid) == valid);  // a decoder that refuses everything proves nothing
        for (int i = 0; i < 25; ++i) {
            auto bad = changed(valid, chance);
            if (chance.below(3) == 0) bad = changed(bad, chance);
            const auto again = kind.again(bad);
            RC_ASSERT((!again || *again == bad));
        }
    }
}

struct Flip {
    test::Chance& chance;
    Bytes operator()(Bytes in) const {
        const auto bit = chance.below(in.size() * 8);
        in[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        return in;
    }
};

}  // namespace

TEST_CASE("property: what a decoder accepts is the one encoding of what it understood") {
    holds("one encoding of every record", [] { one_encoding(test::record_kinds()); });
}

TEST_CASE("property: what a device keeps for itself is read back exactly, or refused") {
    holds(
        "one encoding of what is kept", [] { one_encoding(test::kept_kinds()); }, 0.3);
}

TEST_CASE("property: an entry with one bit flipped in any record is refused") {
    holds("any flipped bit of an entry", [] {
        auto chance = test::chance();
        const test::Organisation org;
        const auto user = test::user(1);
        const auto first = test::key_pair(11), second = test::key_pair(12), third = test::key_pair(13);
        const auto lost = test::certify(org, user, second, 2, Admission::vouched, &first);
        const auto records = test::records(
            {test::certify(org, user, first, 1), lost, test::certify(org, user, third, 3, Admission::approved)},
            {test::revoke_by_admin(org, user, lost.device, 4)});
        const auto entry = parse_entry(user, records, org.keys).value();
        PrefixMap map;
        map.put(entry.leaf());
        for (std::uint8_t n = 20; n < 60; ++n) map.put(user_leaf(test::user(n), {}));
        DirectoryHead head;
        head.map_root = map.root();
        const auto path = encode_path(map.path(entry.leaf().key()));
        RC_ASSERT(check_presence(entry, parse_path(path).value(), head).has_value());
        for (int i = 0; i < 6; ++i) {
            auto bad = records;
            auto& record = bad[chance.below(bad.size())];
            record = Flip{chance}(record);
            RC_ASSERT(!parse_entry(user, bad, org.keys));
            const auto other = parse_path(Flip{chance}(path));
            RC_ASSERT((!other || !check_presence(entry, *other, head)));
        }
    });
}

TEST_CASE(
    "property: a signed head, event, request, offer, key, person, policy or mirror with any bit flipped is refused") {
    holds("any flipped bit of what is signed alone", [] {
        auto chance = test::chance();
        const Flip flip{chance};
        agent::conversation::Team team;
        const auto& org = team.org;
        const auto& identity = team.anna_key;

        const auto head = sign_head(team.head, org.directory.secret, org.keys.org).encode();
        const auto event = agent::conversation::create_group(team.by_anna(), {team.bernd, team.clara}, chance).encode();
        KeyRequest ask;
        chance.fill(ask.nonce);
        ask.signature = sign_key_request(identity.secret, ask.body());
        HistoryOffer offer;
        offer.expires = offer.issued = test::kNow;
        offer.signature = sign_history_offer(identity.secret, offer.body());
        const auto seal_keys =
            agent::sealing::make_batch(identity.secret, team.anna_cert.device, 1, test::kNow, chance);
        const auto person = sign_person(org.ea.secret, org.keys.org, as_bytes("a person"));
        const auto policy = sign_policy(org.admin, org.keys.org, as_bytes("a policy"));
        MirrorPart mirror;
        mirror.org = org.keys.org;
        mirror.broker = "edge-1";
        mirror.to = 1;
        mirror.items = {{team.anna_cert.device, identity.public_key, MirrorState::active, 0, test::kNow}};
        const auto part = mirror.encode_signed(org.directory.secret);

        const auto head_taken = [&](const Bytes& in) {
            const auto r = DirectoryHead::parse(in);
            return r && verify_head(*r, org.directory.public_key, org.keys.org);
        };
        const auto event_taken = [&](const Bytes& in) {
            const auto r = ConvEvent::parse(in);
            return r && verify_event(*r, identity.public_key);
        };
        const auto request_taken = [&](const Bytes& in) {
            const auto r = KeyRequest::parse(in);
            return r && verify_key_request(*r, identity.public_key);
        };
        const auto offer_taken = [&](const Bytes& in) {
            const auto r = HistoryOffer::parse(in);
            return r && verify_history_offer(*r, identity.public_key);
        };
        const auto key_taken = [&](const Bytes& in) {
            const auto r = SealKey::parse(in);
            return r && check_seal_key(*r, identity.public_key, test::kNow);
        };
        const auto person_taken = [&](const Bytes& in) {
            return open_person(org.ea.public_key, org.keys.org, in).has_value();
        };
        const auto policy_taken = [&](const Bytes& in) {
            return open_policy(org.keys.administrators, org.keys.org, in).has_value();
        };
        const auto mirror_taken = [&](const Bytes& in) {
            return MirrorPart::open(in, org.directory.public_key, org.keys.org, "edge-1").has_value();
        };
        const std::vector<std::pair<Bytes, std::function<bool(const Bytes&)>>> all = {
            {head, head_taken},
            {event, event_taken},
            {ask.encode(), request_taken},
            {offer.encode(), offer_taken},
            {seal_keys[0].record.encode(), key_taken},
            {person, person_taken},
            {policy, policy_taken},
            {part, mirror_taken}};
        for (const auto& [record, taken] : all) {
            RC_ASSERT(taken(record));
            for (int i = 0; i < 5; ++i) RC_ASSERT(!taken(flip(record)));
        }
    });
}

TEST_CASE("property: an inclusion or consistency proof with any bit flipped proves nothing") {
    holds("any flipped bit of a proof", [] {
        auto chance = test::chance();
        MerkleLog log;
        const auto size = 2 + chance.below(300);
        std::vector<Digest> leaves;
        for (std::size_t i = 0; i < size; ++i) {
            leaves.push_back(merkle_leaf(Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)}));
            log.append(leaves.back());
        }
        const auto index = chance.below(size), older = 1 + chance.below(size - 1);
        auto inclusion = log.inclusion(index, size), consistency = log.consistency(older, size);
        RC_ASSERT(verify_inclusion(leaves[index], index, size, inclusion, log.root(size)));
        RC_ASSERT(verify_consistency(older, size, consistency, log.root(older), log.root(size)));
        const auto flip = [&](std::vector<Digest>& proof) {
            proof[chance.below(proof.size())].bytes[chance.below(32)] ^=
                static_cast<std::uint8_t>(1u << chance.below(8));
        };
        flip(inclusion);
        flip(consistency);
        RC_ASSERT(!verify_inclusion(leaves[index], index, size, inclusion, log.root(size)));
        RC_ASSERT(!verify_consistency(older, size, consistency, log.root(older), log.root(size)));
    });
}
