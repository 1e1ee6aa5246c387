#include <thread>

#include "world.hpp"

using namespace nimes;
using namespace nimes::gateway::enrolment;
using namespace nimes::gateway::enrolment::test;

namespace {

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "ok" : std::string(result.error().row().name);
}

}  // namespace

TEST_CASE("a first device needs the code and its own signature, and every step may be repeated") {
    World w;
    const auto key = key_pair(1);
    const auto code = w.ask(kAnna);
    const auto offer = w.begin(kAnna, code, key);
    REQUIRE(offer);
    CHECK(w.begin(kAnna, code.substr(0, 4) + "-" + code.substr(4), key)->ticket == offer->ticket);

    const auto body = DeviceCert::parse_body(offer->body);
    REQUIRE(body);
    CHECK(body->admission == Admission::first);
    CHECK(body->identity == key.public_key);
    const auto done = w.finish(*offer, key);
    REQUIRE(done);
    REQUIRE(done->certificate);
    CHECK(done->person == to_bytes(w.roster.people[kAnna].view()));
    w.open();
    CHECK(w.finish(*offer, key)->certificate->encode() == done->certificate->encode());
    CHECK(w.roster.entries[body->user].size() == 1);
}

TEST_CASE("strangers get the answer that everybody gets, and no mail") {
    World w;
    const std::vector<std::string> strangers{"eve@elsewhere.example",
                                             "eve@elsewhere.example@polizei.example",
                                             "eve@polizei.example@elsewhere.example",
                                             "e.nobody@polizei.example",
                                             "a.meyer@sub.polizei.example",
                                             "a.meyer@polizei.example\r\nBcc: eve@x.example",
                                             "",
                                             "\"a.meyer\"@polizei.example"};
    for (const auto& text : strangers) CHECK(code_of(w.room->request_code(text, kPeer)) == "ok");
    w.ask(kBernd);  // worked on after the strangers: once this one is there, theirs would be
    CHECK(w.post.sent == std::vector{std::pair<std::string, std::string>(kBernd, w.post.sent[0].second)});
    for (const auto& text : strangers) CHECK(code_of(w.begin(text, "12345678", key_pair(1))) == "ERR_CODE_WRONG");
}

TEST_CASE("mail goes to the folded address that was checked") {
    World w;
    w.ask("A.Meyer@POLIZEI.example");
    CHECK(w.post.sent[0].first == kAnna);
}

TEST_CASE("five wrong codes use the code up, also across a restart") {
    World w;
    const auto code = w.ask(kAnna);
    const auto key = key_pair(1);
    for (int i = 0; i < 3; ++i) CHECK(code_of(w.begin(kAnna, wrong(code), key)) == "ERR_CODE_WRONG");
    w.open();
    CHECK(code_of(w.begin(kAnna, "", key)) == "ERR_CODE_WRONG");
    // Another answer would tell a stranger that there is a code, and so who is on the roster.
    CHECK(code_of(w.begin(kAnna, wrong(code), key)) == "ERR_CODE_WRONG");
    CHECK(code_of(w.begin(kAnna, code, key)) == "ERR_CODE_WRONG");
    CHECK(w.begin(kAnna, w.ask(kAnna), key));
}

TEST_CASE("a code serves one person, one key, once, for half an hour, and only while it is the newest") {
    World w;
    const auto first = w.ask(kAnna);
    CHECK(code_of(w.begin(kBernd, first, key_pair(1))) == "ERR_CODE_WRONG");
    const auto second = w.ask(kAnna);
    if (first != second) CHECK(code_of(w.begin(kAnna, first, key_pair(1))) == "ERR_CODE_WRONG");
    REQUIRE(w.begin(kAnna, second, key_pair(1)));
    CHECK(code_of(w.begin(kAnna, second, key_pair(2))) == "ERR_CODE_WRONG");

    const auto late = w.ask(kBernd);
    w.clock.time += 30 * kMinute;
    CHECK(code_of(w.begin(kBernd, late, key_pair(3))) == "ERR_CODE_WRONG");
    CHECK(w.room->expire());
    const auto codes = w.store.scan({nimes::gateway::store::Family::enrolment, "codes"}, "", "", 10);
    REQUIRE(codes);
    CHECK(codes->empty());
}

TEST_CASE("nothing in the store tells a code") {
    World w;
    const auto code = w.ask(kAnna);
    const auto names = w.store.partitions(nimes::gateway::store::Family::enrolment, "", 10);
    REQUIRE(names);
    REQUIRE_FALSE(names->empty());
    for (const auto& name : *names) {
        const auto rows = w.store.scan({nimes::gateway::store::Family::enrolment, name}, "", "", 10);
        REQUIRE(rows);
        for (const auto& row : *rows) CHECK(as_text(row.value).find(code) == std::string_view::npos);
    }
}

TEST_CASE("an address gets three codes in half an hour, a network sixty requests") {
    World w;
    for (int i = 0; i < 3; ++i) w.ask(kAnna);
    REQUIRE(w.room->request_code(kAnna, kPeer));  // answered like the others
    w.ask(kBernd);
    CHECK(w.post.count() == 4);
    std::string last = "ok";
    for (int i = 0; i < 60; ++i) last = code_of(w.room->request_code("x@elsewhere.example", "192.0.2.9"));
    CHECK(last == "ERR_RATE_LIMITED");  // the same /24
    CHECK(code_of(w.room->request_code("x@elsewhere.example", "198.51.100.1")) == "ok");
}

TEST_CASE(
    "an organisation's mail server gets so many codes in half an hour, and whoever is late is told nothing else") {
    World w;
    w.policy.codes_per_organisation = 2;
    w.open();
    w.ask(kAnna);
    w.ask(kBernd);
    REQUIRE(w.room->request_code(kAnna, kPeer));
    REQUIRE(w.room->request_code(kBernd, kPeer));
    const auto limited = [&] { return w.metrics.text().find("organisation_limited") != std::string::npos; };
    for (int i = 0; i < 2'000 && !limited(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(limited());
    CHECK(w.post.count() == 2);
    w.clock.time += 30 * kMinute;
    w.ask(kAnna);
}

TEST_CASE("who asks while the organisation's codes are used up has lost none of their own") {
    World w;
    w.policy.codes_per_organisation = 3;
    w.open();
    for (int i = 0; i < 3; ++i) w.ask(kBernd);
    w.clock.time += 15 * kMinute;
    for (int i = 0; i < 3; ++i) REQUIRE(w.room->request_code(kAnna, kPeer));
    const auto limited = [&] {
        return w.metrics.text().find("result=\"organisation_limited\"} 3") != std::string::npos;
    };
    for (int i = 0; i < 2'000 && !limited(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(limited());
    w.clock.time += 15 * kMinute;  // the organisation's half hour is over, hers would have begun in the middle of it
    for (int i = 0; i < 3; ++i) w.ask(kAnna);
    REQUIRE(w.room->request_code(kAnna, kPeer));
    const auto hers = [&] { return w.metrics.text().find("address_limited") != std::string::npos; };
    for (int i = 0; i < 2'000 && !hers(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(hers());
    CHECK(w.post.count() == 6);
}

TEST_CASE("a further device waits for a voucher by another of the same person, and is held") {
    World w;
    const auto phone = key_pair(1), tablet = key_pair(2), other = key_pair(3);
    const auto first = w.enrol_first(kAnna, phone);
    const auto bernd = w.enrol_first(kBernd, other);
    const auto offer = w.begin(kAnna, w.ask(kAnna), tablet);
    REQUIRE(offer);
    const auto body = DeviceCert::parse_body(offer->body);
    CHECK(body->admission == Admission::vouched);
    CHECK(body->not_before == kStart + 15 * kMinute);
    const auto forged = w.finish(*offer, phone);  // by another key than the body's
    CHECK((!forged || !forged->waiting_for));
    CHECK(w.room->pending(first.user)->empty());  // nobody is asked before the tablet itself signed
    CHECK(w.finish(*offer, tablet)->waiting_for == Errc::voucher_needed);
    CHECK(*w.room->pending(first.user) == std::vector<Bytes>{offer->body});
    CHECK(w.room->pending(bernd.user)->empty());

    const auto vouch = [&](const DeviceCert& by, const SigningKeyPair& key) {
        return code_of(
            w.room->vouch(by.user, by.device, body->device, sign_cert_voucher_device(key.secret, offer->body)));
    };
    CHECK(vouch(bernd, other) == "ERR_NOT_FOUND");
    CHECK(vouch(first, other) == "ERR_SIGNATURE_INVALID");
    CHECK_FALSE(w.finish(*offer, tablet)->certificate);
    w.open();
    CHECK(vouch(first, phone) == "ok");
    const auto done = w.finish(*offer, tablet);
    REQUIRE(done);
    REQUIRE(done->certificate);
    CHECK(done->certificate->voucher == first.device);
    CHECK(w.room->pending(first.user)->empty());
}

TEST_CASE("two first devices at once: the second signs a new body and waits for the first's voucher") {
    World w;
    const auto one = key_pair(1), two = key_pair(2);
    const auto offer1 = w.begin(kAnna, w.ask(kAnna), one);
    const auto offer2 = w.begin(kAnna, w.ask(kAnna), two);
    REQUIRE(offer1);
    REQUIRE(offer2);
    REQUIRE(w.finish(*offer1, one)->certificate);
    const auto again = w.finish(*offer2, two);
    REQUIRE(again);
    CHECK_FALSE(again->certificate);
    REQUIRE(again->body.size() == DeviceCert::kBody);
    CHECK(DeviceCert::parse_body(again->body)->admission == Admission::vouched);
    CHECK(w.finish({offer2->ticket, again->body}, two)->waiting_for == Errc::voucher_needed);
}

TEST_CASE("tickets and signatures that are not right lead nowhere") {
    World w;
    const auto key = key_pair(1);
    const auto offer = w.begin(kAnna, w.ask(kAnna), key);
    REQUIRE(offer);
    CHECK(code_of(w.finish({w.random.id<TicketId>(), offer->body}, key)) == "ERR_TICKET_UNKNOWN");
    const auto stranger = w.finish(*offer, key_pair(2));
    CHECK((!stranger || !stranger->certificate));
    CHECK(w.roster.entries.empty());
    w.clock.time += kDay;
    CHECK(code_of(w.finish(*offer, key)) == "ERR_TICKET_UNKNOWN");
}

TEST_CASE("private devices are refused unless policy allows them") {
    World w;
    const Enrolment::Begin request{kAnna, "12345678", key_pair(1).public_key, DeviceRole::personal, 1};
    CHECK(code_of(w.room->begin(request, kPeer)) == "ERR_FORBIDDEN");
    w.policy.private_devices = true;
    w.open();
    CHECK(code_of(w.room->begin(request, kPeer)) == "ERR_CODE_WRONG");
}

TEST_CASE("a try for an address without a code writes as much as one for an address with a code") {
    World w;
    const auto key = key_pair(1);
    const auto rows = [&] { return w.store.scan({gateway::store::Family::enrolment, "codes"}, {}, {}, 10).value(); };
    CHECK(code_of(w.begin("n.iemand@polizei.example", "12345678", key)) == "ERR_CODE_WRONG");
    REQUIRE(rows().size() == 1);
    const auto decoy = rows()[0].value.size();
    (void)w.ask(kAnna);
    CHECK(code_of(w.begin(kAnna, "0000000", key)) == "ERR_CODE_WRONG");
    CHECK(rows()[0].value.size() == decoy);
}

TEST_CASE("who has lost every device waits for an administrator, and for nobody else") {
    World w;
    const auto phone = key_pair(1), fresh = key_pair(2);
    const auto first = w.enrol_first(kAnna, phone);
    w.roster.all_lost[first.user] = true;
    const auto offer = w.begin(kAnna, w.ask(kAnna), fresh);
    REQUIRE(offer);
    const auto body = DeviceCert::parse_body(offer->body).value();
    CHECK(body.admission == Admission::approved);
    CHECK(w.room->waiting()->empty());  // not before the device itself signed
    CHECK(w.room->approve(body.device).error().code == Errc::not_found);
    CHECK(w.finish(*offer, fresh)->waiting_for == Errc::approval_needed);
    CHECK(w.room->pending(first.user)->empty());
    CHECK_FALSE(
        w.room->vouch(first.user, first.device, body.device, sign_cert_voucher_device(phone.secret, offer->body)));
    REQUIRE(w.room->waiting()->size() == 1);
    REQUIRE(w.room->approve(body.device));
    CHECK(w.room->waiting()->empty());
    CHECK(w.finish(*offer, fresh)->certificate);
}
