// A history at the new device: which offers are filed, what is imported, what never is; and what the old one chooses.
#include "history_fixture.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::HistoryConversation;
using conversation::HistoryMessage;
using conversation::HistoryRecord;
using conversation::Meaning;
using sealing::Outcome;

}  // namespace

TEST_CASE("an offer is filed once, and a repeat of it never again") {
    Device d;
    const auto offer = d.offer();
    CHECK(d.take(offer) == Outcome::opened);
    CHECK(d.take(offer) == Outcome::dropped);
    auto item = d.history.find(d.old_cert.device);
    REQUIRE(item);
    CHECK(item->offer.key.equals(offer.key.view()));
    item->stage = HistoryItem::Stage::done;
    REQUIRE(d.core.transact([&](Transaction& tx) { return d.history.put(tx, *item); }));
    CHECK_FALSE(d.history.find(d.old_cert.device));
    CHECK(d.take(offer) == Outcome::dropped);
    CHECK_FALSE(d.history.find(d.old_cert.device));
}

TEST_CASE("a flood of offers ends") {
    Device d;
    int filed = 0;
    for (std::uint8_t i = 1; i < 100; ++i) filed += d.take(d.offer(i)) == Outcome::opened ? 1 : 0;
    CHECK(filed == 8);
}

TEST_CASE("an offer waits until the own entry is as it is now, and is judged by that") {
    Device d;
    d.core.stale.insert(d.anna);
    CHECK(d.take(d.offer()) == Outcome::held);
    CHECK(d.core.wanted_users.contains(d.anna));
    d.core.stale.clear();
    d.show_entry({test::revoke_by_admin(d.org, d.anna, d.old_cert.device, 3)});
    CHECK(d.take(d.offer()) == Outcome::dropped);
    CHECK(d.core.failures.refused == 1);
}

TEST_CASE("an offer that policy or its own words forbid is dropped and counted") {
    Device d;
    d.core.provisioning->policy.rules.history_allowed = false;
    CHECK(d.take(d.offer()) == Outcome::dropped);
    d.core.provisioning->policy.rules.history_allowed = true;
    auto offer = d.offer();
    offer.new_cert.bytes[0] ^= 1;
    offer.signature = sign_history_offer(d.old_key.secret, offer.body());
    CHECK(d.take(offer) == Outcome::dropped);
    offer = d.offer();
    offer.signature = sign_history_offer(d.bernd_key.secret, offer.body());
    CHECK(d.take(offer) == Outcome::dropped);
    d.home.clock.wall += HistoryOffer::kMaxLife;
    offer.signature = sign_history_offer(d.old_key.secret, offer.body());
    CHECK(d.take(offer) == Outcome::dropped);
    CHECK(d.core.failures.refused == 4);
}

TEST_CASE("what is imported says who attests it, owes nobody a receipt, and dies when the original does") {
    Device d;
    const auto m = d.message(d.bernd);
    REQUIRE(d.import({m}) == 1);
    const auto row = d.find(m);
    REQUIRE(row);
    CHECK(row->message.attested_by == d.old_cert.device);
    CHECK(row->message.state == MessageState::opened);
    CHECK(row->message.receipt == ReceiptDue::none);
    CHECK(row->message.sent == m.sent);
    CHECK(row->message.body == m.body);
    CHECK(row->expiry_day == d.core.expiry_day(m.sent, m.received));
    CHECK(d.core.newest_message == row->row);
    const auto back = StoredMessage::parse(row->message.encode());
    REQUIRE(back);
    CHECK(back->attested_by == row->message.attested_by);
}

TEST_CASE("importing again changes nothing, and what was here stays as it was") {
    Device d;
    const auto m = d.message(d.bernd), other = d.message(d.bernd);
    auto mine = d.stored(other);
    mine.body = conversation::encode(conversation::Text{"as it was opened here"})->bytes;
    d.keep(mine);
    CHECK(d.import({m, other}) == 1);
    const auto first = d.find(m);
    CHECK(d.import({m, other}) == 0);
    CHECK(d.find(m)->row == first->row);
    CHECK(d.find(other)->message.attested_by.is_zero());
    CHECK(d.find(other)->message.body == mine.body);
}

TEST_CASE("a message that was awaited here is there once it is imported") {
    Device d;
    const auto m = d.message(d.bernd);
    auto awaited = d.stored(m, MessageState::awaited);
    awaited.body.clear();
    d.keep(awaited);
    CHECK(d.import({m}) == 1);
    CHECK(d.find(m)->message.state == MessageState::opened);
}

TEST_CASE("messages that are over, or from a time to come, are not imported") {
    Device d;
    auto old = d.message(d.bernd);
    old.sent = old.received = d.core.now() - d.core.provisioning->policy.retention;
    auto future = d.message(d.bernd);
    future.sent = d.core.now() + 11 * kMinute;
    auto late = d.message(d.bernd);  // "received" would keep it for longer than it may live
    late.sent = d.core.now() - d.core.provisioning->policy.retention;
    late.received = d.core.now();
    const auto once = d.message(d.bernd, conversation::Text{"once", {}, {}, {0, true}});
    auto vanished = d.message(d.bernd, conversation::Text{"brief", {}, {}, {60, false}});
    vanished.shown = d.core.now() - kMinute;
    CHECK(d.import({old, future, late, once, vanished}) == 0);
    auto vanishing = d.message(d.bernd, conversation::Text{"brief", {}, {}, {60, false}});
    vanishing.shown = d.core.now() - 30 * kSecond;
    CHECK(d.import({vanishing}) == 1);
    CHECK(d.find(vanishing)->message.shown == vanishing.shown);
    auto tx = d.core.box->begin();
    REQUIRE(tx);
    CHECK(messages_due(*tx, Due::vanish, 10)->size() == 1);
}

TEST_CASE("of a group that this device knows, only what was said while both were in it") {
    Device d;
    const auto ours = d.group({d.anna}), theirs = d.group({d.clara});
    const auto in = [&](const ConversationId& id, const UserId& from, std::uint64_t epoch) {
        auto m = d.message(from);
        m.conversation = id;
        m.conv_epoch = epoch;
        return m;
    };
    CHECK(d.import({in(ours, d.bernd, 1)}) == 1);
    CHECK(d.import({in(ours, d.clara, 1)}) == 0);    // never in it
    CHECK(d.import({in(theirs, d.bernd, 1)}) == 0);  // Anna never was
    CHECK(d.import({in(ours, d.bernd, 9)}) == 0);    // of no epoch that was
}

TEST_CASE("imported acts change what was imported, and nothing that this device opened itself") {
    Device d;
    const auto m = d.message(d.bernd), live = d.message(d.bernd);
    d.keep(d.stored(live));
    const auto edit = [&](const HistoryMessage& of) {
        auto e = d.message(d.bernd, conversation::Edit{of.id, "changed", 1});
        e.device = of.device;
        return e;
    };
    CHECK(d.import({m, edit(m), edit(live)}) == 2);
    const auto face_of = [&](const HistoryMessage& of) {
        auto tx = d.core.box->begin();
        REQUIRE(tx);
        const auto meaning = conversation::decode(of.kind, of.body);
        const auto row = find_message(*tx, of.device, of.id);
        auto face = Acts(d.core).face(*tx, (*row)->message, *meaning);
        REQUIRE(face);
        return std::move(*face);
    };
    CHECK(face_of(m).text == "changed");
    CHECK_FALSE(face_of(live).text);
}

TEST_CASE("a medium that is known already is not named anew by a history") {
    Device d;
    const auto with_key = [&](std::uint8_t key) {
        conversation::Media medium;
        medium.ref.blob.bytes.fill(4);
        medium.ref.key = Key(Bytes(32, key));
        medium.ref.plain_length = 1'000;
        medium.ref.padded_length = padme(1'000);
        return medium;
    };
    const auto key_now = [&] {
        auto tx = d.core.box->begin();
        REQUIRE(tx);
        BlobId blob;
        blob.bytes.fill(4);
        auto row = tx->get(Table::media, to_bytes(blob.view()));
        REQUIRE((row && *row));
        return MediumItem::parse((*row)->value)->key.copy();
    };
    CHECK(d.import({d.message(d.bernd, with_key(1))}) == 1);
    CHECK(key_now().equals(Bytes(32, 1)));
    CHECK(d.import({d.message(d.bernd, with_key(2))}) == 1);
    CHECK(key_now().equals(Bytes(32, 1)));
}

TEST_CASE("titles of groups that are gone are kept with the history") {
    Device d;
    HistoryConversation group;
    group.id.bytes.fill(9);
    group.title = "Streife";
    REQUIRE(d.history.take_conversations({group}));
    CHECK(d.core.wanted_events.contains(group.id));
    d.core.infos.clear();
    auto tx = d.core.box->begin();
    REQUIRE(tx);
    REQUIRE(load_history_titles(d.core, *tx));
    CHECK(d.core.infos.at(group.id).title == "Streife");
}

TEST_CASE("the old device chooses what the person may read, and the new one reads all of it") {
    Device d;
    d.core.conversations[d.pair.id] = d.pair;
    const auto said = d.message(d.bernd);
    d.keep(d.stored(said));
    auto own = d.message(d.anna);
    d.keep(d.stored(own, MessageState::sent));
    const auto reaction = d.message(d.bernd, conversation::Reaction{{own.device, own.id}, "x", false});
    d.keep(d.stored(reaction));
    const auto lost = d.message(d.bernd, conversation::Reaction{{own.device, {}}, "x", false});  // on what is not there
    d.keep(d.stored(lost));
    for (const auto state :
         {MessageState::withheld, MessageState::sending, MessageState::refused, MessageState::deleted,
          MessageState::vanished, MessageState::unreadable, MessageState::awaited})
        d.keep(d.stored(d.message(d.bernd), state));
    d.keep(d.stored(d.message(d.bernd, conversation::Text{"once", {}, {}, {0, true}})));
    d.keep(d.stored(d.message(d.bernd, conversation::Delete{{own.device, {}}, false})));
    auto old = d.message(d.bernd);
    old.sent = old.received = d.core.now() - 2 * kDay;
    d.keep(d.stored(old));
    const auto theirs = d.group({d.clara});
    auto foreign = d.message(d.bernd);
    foreign.conversation = theirs;
    foreign.conv_epoch = 1;
    d.keep(d.stored(foreign));

    DeviceId newest;
    newest.bytes.fill(8);
    const auto chosen = d.history.choose({d.anna, d.new_cert.device, newest, d.core.now() - kDay, 0, 0});
    REQUIRE(chosen);
    CHECK(chosen->messages == 3);
    CHECK(chosen->conversations == 1);
    CHECK_FALSE(chosen->cut);
    std::vector<MessageId> got;
    conversation::HistoryReader reader({d.anna, d.new_cert.device, newest}, [&](HistoryRecord&& r) -> Result<void> {
        if (const auto* m = std::get_if<HistoryMessage>(&r)) got.push_back(m->id);
        return {};
    });
    REQUIRE(reader.feed(chosen->bundle));
    REQUIRE(reader.finish());
    CHECK(got == std::vector{said.id, own.id, reaction.id});  // acts behind what they act on
}

TEST_CASE("what does not fit is the oldest") {
    Device d;
    d.core.conversations[d.pair.id] = d.pair;
    const conversation::Text big{std::string(conversation::kMaxText, 'x')};
    const auto count = conversation::kMaxHistoryBytes / conversation::kMaxText + 10;
    std::vector<HistoryMessage> all;
    REQUIRE(d.core.transact([&](Transaction& tx) -> Result<void> {
        for (std::size_t i = 0; i < count; ++i) {
            auto m = d.message(d.bernd, big);
            m.id.bytes[0] = static_cast<std::uint8_t>(i >> 8);
            m.id.bytes[1] = static_cast<std::uint8_t>(i);
            auto row = put_message(tx, d.stored(m), d.core.expiry_day(m.sent, m.received));
            if (!row) return pass(row);
            m.body.clear();
            all.push_back(std::move(m));
        }
        return {};
    }));
    DeviceId newest;
    newest.bytes.fill(8);
    const auto chosen = d.history.choose({d.anna, d.new_cert.device, newest, 0, 0, 0});
    REQUIRE(chosen);
    CHECK(chosen->cut);
    CHECK(chosen->bundle.size() <= conversation::kMaxHistoryBytes);
    CHECK(chosen->messages > count / 2);
    std::vector<MessageId> got;
    conversation::HistoryReader reader({d.anna, d.new_cert.device, newest}, [&](HistoryRecord&& r) -> Result<void> {
        if (const auto* m = std::get_if<HistoryMessage>(&r)) got.push_back(m->id);
        return {};
    });
    REQUIRE(reader.feed(chosen->bundle));
    REQUIRE(reader.finish());
    REQUIRE_FALSE(got.empty());
    CHECK(got.back() == all.back().id);
    CHECK(got.front() != all.front().id);
}

}  // namespace nimes::agent::engine
