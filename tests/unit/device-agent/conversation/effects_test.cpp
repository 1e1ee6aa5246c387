// What acts make of the messages they are about: who may, and the same in any order.
#include "conversation/effects.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::conversation;

namespace {

template <class IdType>
IdType made(std::uint8_t n) {
    IdType out;
    out.bytes.fill(n);
    return out;
}

// Author 1 (devices 11, 12), poster 2 (device 21), administrator 3 (device 31), reader 4 (device 41); 5 is a stranger.
const auto kHere = made<ConversationId>(99);
const Roster kRoster{{made<UserId>(1), MemberRole::poster},
                     {made<UserId>(2), MemberRole::poster},
                     {made<UserId>(3), MemberRole::administrator},
                     {made<UserId>(4), MemberRole::reader}};
const MessageRef kMessage{made<DeviceId>(11), made<MessageId>(1)};

Act act(std::uint8_t device, Meaning meaning, Millis sent = 100, ConversationId where = kHere) {
    static std::uint8_t next = 100;
    return {where, made<UserId>(device / 10), made<DeviceId>(device), made<MessageId>(next++),
            sent,  std::move(meaning)};
}

// As the agent does it: of each slot one act is kept, then all are folded.
Face face_of(const Meaning& meaning, std::vector<Act> acts) {
    std::map<Bytes, Act> kept;
    for (auto& a : acts) {
        const auto slot = slot_of(a);
        const auto at = kept.find(slot);
        if (at == kept.end()) kept.emplace(slot, std::move(a));
        else if (supersedes(a, at->second)) at->second = std::move(a);
    }
    std::vector<Act> held;
    for (auto& [slot, a] : kept) held.push_back(std::move(a));
    return fold({kHere, made<UserId>(1), kMessage.device, kMessage.message, meaning}, held, kRoster);
}

template <class... Acts>
std::vector<Act> list(Acts&&... acts) {
    std::vector<Act> out;
    (out.push_back(std::forward<Acts>(acts)), ...);
    return out;
}

}  // namespace

TEST_CASE("acts: only the author's device edits its text, and the highest number counts in any order") {
    for (const bool turned : {false, true}) {
        auto acts =
            list(act(11, Edit{kMessage.message, "eins", 1}), act(11, Edit{kMessage.message, "zwei", 2}),
                 act(12, Edit{kMessage.message, "anderes Gerät", 7}), act(21, Edit{kMessage.message, "fremd", 8}));
        if (turned) std::reverse(acts.begin(), acts.end());
        const auto face = face_of(Text{"null"}, std::move(acts));
        CHECK(face.text == "zwei");
        CHECK(face.edits == 2);
    }
    CHECK_FALSE(face_of(Poll{"q", {"a", "b"}, 0}, list(act(11, Edit{kMessage.message, "x", 1}))).text);
    const auto elsewhere = made<ConversationId>(5);
    CHECK_FALSE(face_of(Text{"null"}, list(act(11, Edit{kMessage.message, "x", 1}, 1, elsewhere))).text);
}

TEST_CASE("acts: the author's user and administrators delete, nobody else does") {
    CHECK(face_of(Text{"x"}, list(act(12, Delete{kMessage}))).deleted);
    CHECK(face_of(Text{"x"}, list(act(31, Delete{kMessage}))).deleted);
    CHECK_FALSE(face_of(Text{"x"}, list(act(21, Delete{kMessage}))).deleted);
    CHECK_FALSE(face_of(Text{"x"}, list(act(31, Delete{kMessage}, 1, made<ConversationId>(5)))).deleted);
    const auto recalled = face_of(Text{"x"}, list(act(11, Delete{kMessage, true}), act(11, Delete{kMessage, false})));
    CHECK(recalled.report_to == std::set<UserId>{made<UserId>(1)});
}

TEST_CASE("acts: a user reacts once, the newest counts, and withdrawing takes it away") {
    auto face = face_of(Text{"x"},
                        list(act(21, Reaction{kMessage, "👍", false}, 1), act(21, Reaction{kMessage, "👎", false}, 2)));
    CHECK(face.reactions == std::map<UserId, std::string>{{made<UserId>(2), "👎"}});
    face =
        face_of(Text{"x"}, list(act(21, Reaction{kMessage, "", true}, 2), act(21, Reaction{kMessage, "👍", false}, 1)));
    CHECK(face.reactions.empty());
}

TEST_CASE("acts: readers act in the conversation of two with the author, strangers nowhere") {
    const auto pair = pair_id(made<UserId>(4), made<UserId>(1));
    CHECK(face_of(Text{"x"}, list(act(41, Reaction{kMessage, "👍", false}, 1, pair))).reactions.size() == 1);
    const auto with_another = pair_id(made<UserId>(4), made<UserId>(2));
    CHECK(face_of(Text{"x"}, list(act(41, Reaction{kMessage, "👍", false}, 1, with_another))).reactions.empty());
    const auto strangers = pair_id(made<UserId>(5), made<UserId>(1));
    CHECK(face_of(Text{"x"}, list(act(51, Reaction{kMessage, "👍", false}, 1, strangers))).reactions.empty());
    CHECK(face_of(Text{"x"}, list(act(51, RecallReport{kMessage, Recalled::erased}, 1, strangers))).recalled.empty());
}

TEST_CASE("acts: of a user's votes the last counts, until the poll's end and among its options") {
    const Poll poll{"Wer?", {"a", "b"}, 200};
    auto face = face_of(poll, list(act(11, Vote{kMessage, {0}}, 5), act(12, Vote{kMessage, {1}}, 6)));
    CHECK(face.votes == std::map<UserId, std::vector<std::uint32_t>>{{made<UserId>(1), {1}}});
    CHECK(face_of(poll, list(act(21, Vote{kMessage, {0}}, 201))).votes.empty());
    CHECK(face_of(poll, list(act(21, Vote{kMessage, {2}}, 5))).votes.empty());
    CHECK(face_of(poll, list(act(21, Vote{kMessage, {0}}, 5), act(21, Vote{kMessage, {}}, 6))).votes.empty());
    CHECK(face_of(Text{"kein Umfrage"}, list(act(21, Vote{kMessage, {0}}, 5))).votes.empty());
}

TEST_CASE("acts: read stays read, and a report never goes back") {
    const auto receipt = [](bool read) { return Receipt{read, {{kMessage.device, kMessage.message, {3}}}}; };
    auto face = face_of(Text{"x"}, list(act(21, receipt(true), 1), act(21, receipt(false), 2)));
    REQUIRE(face.receipts.size() == 1);
    CHECK(face.receipts.at(made<DeviceId>(21)).read);
    face = face_of(Text{"x"}, list(act(21, RecallReport{kMessage, Recalled::erased}, 1),
                                   act(21, RecallReport{kMessage, Recalled::delivered}, 2)));
    CHECK(face.recalled.at(made<DeviceId>(21)) == Recalled::erased);
}

TEST_CASE("acts: each names its targets, and of a receipt only the part of one message") {
    Receipt receipt{true, {{made<DeviceId>(1), made<MessageId>(1), {}}, {made<DeviceId>(2), made<MessageId>(2), {7}}}};
    CHECK(targets_of(made<DeviceId>(9), receipt).size() == 2);
    const auto part = about(receipt, {made<DeviceId>(2), made<MessageId>(2)});
    REQUIRE(std::get<Receipt>(part).items.size() == 1);
    CHECK(std::get<Receipt>(part).items[0].digest == ByteArray<16>{7});
    CHECK(targets_of(made<DeviceId>(9), Edit{made<MessageId>(1), "x", 1}) ==
          std::vector<MessageRef>{{made<DeviceId>(9), made<MessageId>(1)}});
    CHECK(targets_of(made<DeviceId>(9), Text{"kein Akt"}).empty());
}
