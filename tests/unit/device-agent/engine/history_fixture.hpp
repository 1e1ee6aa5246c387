// Anna's new device, her old one, and Bernd: what tests of a history hand on. Threads: one.
#pragma once

#include "conversation/events.hpp"
#include "engine/history.hpp"
#include "unit/device-agent/container/fixture.hpp"
#include "unit/schemas/identity_fixture.hpp"

namespace nimes::agent::engine {

struct Device {
    test::Organisation org;
    UserId anna = test::user(1), bernd = test::user(2), clara = test::user(3);
    SigningKeyPair old_key = test::key_pair(11), new_key = test::key_pair(12), bernd_key = test::key_pair(13);
    DeviceCert old_cert = test::certify(org, anna, old_key, 1);
    DeviceCert new_cert = test::certify(org, anna, new_key, 2, Admission::vouched, &old_key);
    container::Home home;
    Core core{home.clock, home.random};
    History history{core};
    conversation::ConversationState pair = conversation::pair_conversation(anna, bernd);
    std::uint8_t ids = 0;

    Device() {
        REQUIRE(crypto_init());
        home.clock.wall = test::kNow;
        core.box = home.create();
        core.door.cert = new_cert;
        core.provisioning.emplace();
        core.provisioning->policy.rules.history_allowed = true;
        DirectoryHead head;
        head.revision = 5;
        head.ts = test::kNow;
        core.directory.emplace(org.keys, ByteArray<32>{}, head);
        show_entry({});
    }
    void show_entry(std::vector<DeviceRevoke> revokes) {
        directory::HeldEntry held;
        held.entry = {anna, {old_cert, new_cert}, std::move(revokes)};
        std::sort(held.entry.certs.begin(), held.entry.certs.end(),
                  [](const auto& a, const auto& b) { return a.device < b.device; });
        held.revision = 5;
        REQUIRE(core.directory->restore_entry(held.encode()));
    }
    HistoryOffer offer(std::uint8_t blob = 1) {
        HistoryOffer o;
        o.user = anna;
        o.old_device = old_cert.device;
        o.new_device = new_cert.device;
        o.new_cert = conversation::cert_hash(new_cert);
        o.blob.bytes.fill(blob);
        o.plain_length = 1'000;
        o.padded_length = padme(1'000);
        o.issued = core.now();
        o.expires = o.issued + HistoryOffer::kMaxLife;
        o.signature = sign_history_offer(old_key.secret, o.body());
        return o;
    }
    sealing::Outcome take(const HistoryOffer& o) {
        sealing::Outcome out = sealing::Outcome::dropped;
        REQUIRE(core.transact([&](container::Transaction& tx) -> Result<void> {
            auto taken = history.offered(tx, o);
            REQUIRE(taken);
            out = *taken;
            return {};
        }));
        return out;
    }
    conversation::HistoryMessage message(const UserId& from,
                                         const conversation::Meaning& meaning = conversation::Text{"Bin vor Ort"}) {
        const auto body = conversation::encode(meaning);
        REQUIRE(body);
        conversation::HistoryMessage m{pair.id, from,       {},          {}, core.now() - kHour, core.now() - kHour,
                                       0,       body->kind, body->bytes, 0};
        m.device.bytes.fill(7);
        m.id.bytes.fill(++ids);
        return m;
    }
    // What of these is new here.
    std::uint32_t import(std::vector<conversation::HistoryMessage> batch) {
        HistoryItem item;
        item.offer = offer();
        const auto size = batch.size();
        REQUIRE(history.take_conversations({{pair.id, {anna, bernd}, "", 0}}));
        REQUIRE(history.import(item, batch));
        CHECK(item.taken == size);
        return item.imported;
    }
    std::optional<MessageRow> find(const conversation::HistoryMessage& m) {
        auto tx = core.box->begin();
        REQUIRE(tx);
        auto row = find_message(*tx, m.device, m.id);
        REQUIRE(row);
        return std::move(*row);
    }
    void keep(StoredMessage m) {
        REQUIRE(core.transact([&](container::Transaction& tx) -> Result<void> {
            auto row = put_message(tx, m, core.expiry_day(m.sent, m.received));
            if (!row) return pass(row);
            return {};
        }));
    }
    StoredMessage stored(const conversation::HistoryMessage& m, MessageState state = MessageState::opened) {
        StoredMessage out;
        out.conversation = m.conversation;
        out.user = m.user;
        out.device = m.device;
        out.id = m.id;
        out.sent = m.sent;
        out.received = m.received;
        out.conv_epoch = m.conv_epoch;
        out.kind = m.kind;
        out.body = m.body;
        out.state = state;
        return out;
    }
    // A group of Bernd and others, whose creation this device knows.
    ConversationId group(std::vector<UserId> others) {
        const auto cert = test::certify(org, bernd, bernd_key, 1);
        const conversation::EventMaker maker{bernd, cert.device, bernd_key.secret, core.directory->head(), core.now()};
        const auto event = conversation::create_group(maker, std::move(others), home.random);
        std::optional<conversation::ConversationState> state;
        REQUIRE(conversation::apply(state, event, {true, &cert, nullptr, conversation::ActorFacts::Head::verified}) ==
                conversation::Applied::applied);
        core.conversations[state->id] = *state;
        return state->id;
    }
};

}  // namespace nimes::agent::engine
