// A person's history as a bundle: what is written is read, in pieces of any size, and what lies is refused.
#include "conversation/history_bundle.hpp"

#include "conversation/history_offer.hpp"
#include "nimes/v1/history.pb.h"
#include "unit/device-agent/conversation/team.hpp"

namespace nimes::agent::conversation {
namespace {

DeviceId device(std::uint8_t n) {
    DeviceId out;
    out.bytes.fill(n);
    return out;
}

struct History {
    UserId anna = test::user(1), bernd = test::user(2);
    HistoryReader::Expected expected{anna, device(1), device(2)};
    HistoryHead head{anna, device(1), device(2), 1'000, 2, 3};
    HistoryConversation pair{pair_id(anna, bernd), {anna, bernd}, "", 0};
    HistoryConversation group = [] {
        HistoryConversation c{{}, {}, "Streife", 60};
        c.id.bytes.fill(9);
        return c;
    }();

    HistoryMessage message(const HistoryConversation& in, const UserId& from, Meaning meaning = Text{"Bin vor Ort"}) {
        const auto body = encode(meaning);
        REQUIRE(body);
        HistoryMessage m{in.id, from, device(7), {}, 2'000, 2'001, 4, body->kind, body->bytes, 0};
        m.id.bytes.fill(++ids);
        return m;
    }
    std::vector<HistoryRecord> records() {
        std::vector<HistoryRecord> out;
        out.emplace_back(head);
        out.emplace_back(pair);
        out.emplace_back(group);
        out.emplace_back(message(pair, bernd));
        out.emplace_back(message(group, test::user(3)));
        out.emplace_back(message(group, anna, Reaction{{device(7), {}}, "x", false}));
        return out;
    }
    static Bytes bundle(const std::vector<HistoryRecord>& records) {
        Bytes out;
        for (const auto& r : records) {
            const auto one = encode(r);
            out.insert(out.end(), one.begin(), one.end());
        }
        return out;
    }
    // What is wrong with it, if anything is; `got` counts what was handed on.
    Result<void> read(ByteView bytes, std::size_t piece = 65'536) {
        got = 0;
        HistoryReader reader(expected, [this](HistoryRecord&& r) -> Result<void> {
            ++got;
            last = std::move(r);
            return {};
        });
        for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size())))
            if (auto ok = reader.feed(bytes.first(std::min(piece, bytes.size()))); !ok) return ok;
        return reader.finish();
    }
    Errc fault(const std::vector<HistoryRecord>& records) {
        const auto done = read(bundle(records));
        REQUIRE(!done);
        return done.error().code;
    }

    std::uint8_t ids = 0;
    std::size_t got = 0;
    HistoryRecord last;
};

}  // namespace

TEST_CASE("a history is read as it was written, in pieces of any size") {
    History h;
    auto records = h.records();
    const auto bytes = h.bundle(records);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, bytes.size()}) {
        REQUIRE(h.read(bytes, piece));
        CHECK(h.got == 6);
    }
    const auto& wrote = std::get<HistoryMessage>(records.back());
    const auto& read = std::get<HistoryMessage>(h.last);
    CHECK(read.conversation == wrote.conversation);
    CHECK(read.user == wrote.user);
    CHECK(read.device == wrote.device);
    CHECK(read.id == wrote.id);
    CHECK(read.sent == wrote.sent);
    CHECK(read.received == wrote.received);
    CHECK(read.conv_epoch == wrote.conv_epoch);
    CHECK(read.kind == wrote.kind);
    CHECK(read.body == wrote.body);
    // It is the protobuf message that the text names.
    v1::HistoryBundle packed;
    REQUIRE(packed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    CHECK(packed.records_size() == 6);
    CHECK(packed.records(2).conversation().title() == "Streife");
}

TEST_CASE("a history that is cut anywhere is not whole") {
    History h;
    const auto bytes = h.bundle(h.records());
    for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(h.read(ByteView(bytes).first(n)));
    auto longer = bytes;
    longer.push_back(0x0a);
    CHECK_FALSE(h.read(longer));
}

TEST_CASE("only the history of this person, from that device, for this one") {
    History h;
    const auto with = [&](auto change) {
        auto records = h.records();
        change(std::get<HistoryHead>(records.front()));
        return h.fault(records);
    };
    CHECK(with([](HistoryHead& x) { x.user = test::user(2); }) == Errc::forbidden);
    CHECK(with([](HistoryHead& x) { x.old_device = device(3); }) == Errc::forbidden);
    CHECK(with([](HistoryHead& x) { x.new_device = device(3); }) == Errc::forbidden);
    CHECK(with([](HistoryHead& x) { x.from = 2'001; }) == Errc::malformed);
}

TEST_CASE("counts that lie are found out, and bound what is read") {
    History h;
    const auto with = [&](auto change) {
        auto records = h.records();
        change(std::get<HistoryHead>(records.front()));
        return h.fault(records);
    };
    CHECK(with([](HistoryHead& x) { x.messages = 2; }) == Errc::malformed);
    CHECK(h.got == 5);
    CHECK(with([](HistoryHead& x) { x.messages = 4; }) == Errc::malformed);
    CHECK(with([](HistoryHead& x) { x.conversations = 1; }) == Errc::malformed);
    CHECK(h.got == 2);
    CHECK(with([](HistoryHead& x) { x.conversations = 3; }) == Errc::malformed);
    CHECK(with([](HistoryHead& x) { x.messages = 10'000'000; }) == Errc::too_large);
    CHECK(h.got == 0);
    CHECK(with([](HistoryHead& x) { x.conversations = 10'000'000; }) == Errc::too_large);
}

TEST_CASE("ten million records are given up after as many as were announced") {
    History h;
    auto records = h.records();
    const auto head = h.bundle({records.begin(), records.begin() + 3});
    const auto one = encode(records[3]);
    HistoryReader reader(h.expected, [](HistoryRecord&&) -> Result<void> { return {}; });
    REQUIRE(reader.feed(head));
    std::size_t fed = 0;
    while (fed < 10'000'000 && reader.feed(one)) ++fed;
    CHECK(fed == 3);
}

TEST_CASE("lengths that lie cost no memory") {
    History h;
    const auto refused = [&](const Bytes& bytes) {
        const auto done = h.read(bytes);
        REQUIRE(!done);
        return done.error().code;
    };
    CHECK(refused({0x0a, 0xff, 0xff, 0x7f}) == Errc::too_large);        // 2 MiB
    CHECK(refused({0x0a, 0x80, 0x80, 0x80, 0x01}) == Errc::too_large);  // more bytes than a length has
    CHECK(refused({0x12, 0x00}) == Errc::malformed);                    // another field
    CHECK(refused({0x0a, 0x00}) == Errc::malformed);                    // a record of nothing
    const Bytes whole(kMaxHistoryBytes + 1);
    HistoryReader reader(h.expected, [](HistoryRecord&&) -> Result<void> { return {}; });
    const auto done = reader.feed(whole);
    REQUIRE(!done);
    CHECK(done.error().code == Errc::too_large);
}

TEST_CASE("records out of their place") {
    History h;
    auto records = h.records();
    std::swap(records[0], records[1]);
    CHECK(h.fault(records) == Errc::malformed);
    records = h.records();
    std::swap(records[2], records[3]);
    CHECK(h.fault(records) == Errc::malformed);
    records = h.records();
    records[1] = h.head;
    CHECK(h.fault(records) == Errc::malformed);
    records = h.records();
    records[2] = h.pair;  // twice the same
    CHECK(h.fault(records) == Errc::malformed);
}

TEST_CASE("another person's conversation is refused as a whole") {
    History h;
    const auto clara = test::user(3);
    h.pair = {pair_id(h.bernd, clara), {h.bernd, clara}, "", 0};
    CHECK(h.fault(h.records()) == Errc::forbidden);
    h.pair = {pair_id(h.bernd, clara), {h.anna, h.bernd}, "", 0};  // the id is of others
    CHECK(h.fault(h.records()) == Errc::forbidden);
}

TEST_CASE("a message that cannot be is refused") {
    History h;
    const auto with = [&](auto change) {
        auto records = h.records();
        change(std::get<HistoryMessage>(records[3]));
        return h.fault(records);
    };
    CHECK(with([](HistoryMessage& m) { m.user = test::user(3); }) == Errc::forbidden);  // not one of the two
    CHECK(with([](HistoryMessage& m) { m.device = device(2); }) == Errc::forbidden);    // in our own name
    CHECK(with([](HistoryMessage& m) { m.conversation = {}; }) == Errc::malformed);
    CHECK(with([](HistoryMessage& m) { m.kind = 2; }) == Errc::malformed);
    CHECK(with([](HistoryMessage& m) { m.body = Bytes(100, 0xff); }) == Errc::malformed);
    const auto of_kind = [&](const Meaning& meaning) {
        const auto body = encode(meaning);
        REQUIRE(body);
        return with([&](HistoryMessage& m) {
            m.kind = body->kind;
            m.body = body->bytes;
        });
    };
    CHECK(of_kind(Delete{{device(7), {}}, true}) == Errc::malformed);
    CHECK(of_kind(RecallReport{{device(7), {}}, Recalled::erased}) == Errc::malformed);
    CHECK(of_kind(Signal{}) == Errc::malformed);
    CHECK(of_kind(EventNotice{}) == Errc::malformed);
}

namespace {

// Anna's old device and her new one, which the old one vouched for.
struct Handover {
    test::Organisation org;
    UserId anna = test::user(1), bernd = test::user(2);
    SigningKeyPair old_key = test::key_pair(11), new_key = test::key_pair(12), bernd_key = test::key_pair(13);
    DeviceCert old_cert = test::certify(org, anna, old_key, 1);
    DeviceCert new_cert = test::certify(org, anna, new_key, 2, Admission::vouched, &old_key);
    DirectoryEntry entry{anna, {old_cert, new_cert}, {}};
    HistoryFacts facts{new_cert, &entry, true, test::kNow};
    HistoryOffer offer = [this] {
        HistoryOffer o;
        o.user = anna;
        o.old_device = old_cert.device;
        o.new_device = new_cert.device;
        o.new_cert = cert_hash(new_cert);
        o.plain_length = 1'000;
        o.padded_length = padme(1'000);
        o.issued = test::kNow - kMinute;
        o.expires = o.issued + HistoryOffer::kMaxLife;
        return o;
    }();

    Result<void> judge() { return judge_by(old_key); }
    Result<void> judge_by(const SigningKeyPair& key) {
        offer.signature = sign_history_offer(key.secret, offer.body());
        return judge_history_offer(offer, facts);
    }
    Errc refused() {
        const auto done = judge();
        REQUIRE(!done);
        return done.error().code;
    }
};

}  // namespace

TEST_CASE("an offer of an own device for this certificate is taken") {
    Handover h;
    REQUIRE(h.judge());
    CHECK(history_code_text(history_code(h.old_cert.device, h.new_cert.device, cert_hash(h.new_cert))).size() == 12);
}

TEST_CASE("an offer is refused for each thing that is wrong with it") {
    Handover h;
    SECTION("another person's") {
        h.offer.user = h.bernd;
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("of another person's device") {
        h.offer.old_device = device_id(h.bernd, h.bernd_key.public_key);
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("of this device itself") {
        h.offer.old_device = h.new_cert.device;
        CHECK(h.judge_by(h.new_key).error().code == Errc::forbidden);
    }
    SECTION("for another device") {
        h.offer.new_device = h.old_cert.device;
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("for another certificate") {
        h.offer.new_cert = cert_hash(h.old_cert);
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("of a revoked device") {
        h.entry.revokes.push_back(test::revoke_by_admin(h.org, h.anna, h.old_cert.device, 3));
        CHECK(h.refused() == Errc::device_revoked);
    }
    SECTION("of a device whose time is over") {
        h.entry.certs[0].not_after = test::kNow;
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("signed by somebody else") { CHECK(h.judge_by(h.bernd_key).error().code == Errc::signature_invalid); }
    SECTION("too old") {
        h.facts.now = h.offer.expires;
        CHECK(h.refused() == Errc::timed_out);
        h.facts.now = h.offer.expires - 1;
        CHECK(h.judge());
    }
    SECTION("from the future") {
        h.offer.issued = test::kNow + 10 * kMinute + 1;
        h.offer.expires = h.offer.issued + kMinute;
        CHECK(h.refused() == Errc::timed_out);
    }
    SECTION("longer than an hour") {
        h.offer.expires += 1;
        CHECK(h.refused() == Errc::timed_out);
    }
    SECTION("lengths that cannot be") {
        h.offer.plain_length = 0;
        h.offer.padded_length = 0;
        CHECK(h.refused() == Errc::malformed);
        h.offer.plain_length = 1'000;
        h.offer.padded_length = 1'000;
        CHECK(h.refused() == Errc::malformed);
        h.offer.plain_length = kMaxHistoryBytes + 1;
        h.offer.padded_length = padme(h.offer.plain_length);
        CHECK(h.refused() == Errc::malformed);
    }
    SECTION("against policy") {
        h.facts.allowed = false;
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("of a private device") {
        h.entry.certs[0].role = DeviceRole::personal;
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("to a private device") {
        h.new_cert.role = DeviceRole::personal;
        h.offer.new_cert = cert_hash(h.new_cert);
        CHECK(h.refused() == Errc::forbidden);
    }
    SECTION("with one bit turned") {
        REQUIRE(h.judge());
        const auto bytes = h.offer.encode();
        for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 5) {
            auto turned = bytes;
            turned[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
            const auto offer = HistoryOffer::parse(turned);
            CHECK_FALSE((offer && judge_history_offer(*offer, h.facts)));
        }
    }
}

TEST_CASE("codes are the same however they are typed, and nothing else is") {
    CHECK(same_history_code("abcd efgh-2345", "abcdefgh2345"));
    CHECK(same_history_code("ABCDEFGH2345", "abcdefgh2345"));
    CHECK_FALSE(same_history_code("abcdefgh2344", "abcdefgh2345"));
    CHECK_FALSE(same_history_code("abcdefgh234", "abcdefgh2345"));
    CHECK_FALSE(same_history_code("", "abcdefgh2345"));
}

}  // namespace nimes::agent::conversation
