// What a person reads, line by line.
#include "cli/print_event.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace nimes::agent::cli;

namespace {

std::string line(Json event) {
    const Json base{{"sequence", 7}, {"title", "Streife"}, {"from", {{"name", "Meyer, Anna"}}},
                    {"sent_ms", 0},  {"own", false},       {"state", "opened"}};
    Json whole = base;
    whole.update(event);
    std::ostringstream out;
    print_event(out, whole);
    return out.str();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("each kind reads as a sentence") {
    CHECK(has(line({{"kind", "text"}, {"text", "Bin da"}}), "7  "));
    CHECK(has(line({{"kind", "text"}, {"text", "Bin da"}}), "[Streife] Meyer, Anna: Bin da\n"));
    CHECK(has(line({{"kind", "text"}, {"text", "Ja"}, {"reply_to", Json::object()}}), ": (answers) Ja"));
    CHECK(has(line({{"kind", "reaction"}, {"emoji", "👍"}, {"about", {3}}}), "reacts to 3: 👍"));
    CHECK(has(line({{"kind", "reaction"}, {"withdrawn", true}, {"about", {3}}}), "takes a reaction to 3 back"));
    CHECK(has(line({{"kind", "edit"}, {"text", "neu"}, {"about", {3}}}), "changes 3: neu"));
    CHECK(has(line({{"kind", "delete"}}), "deletes a message that is not here"));
    CHECK(has(line({{"kind", "delete"}, {"recall", true}, {"about", {3}}}), "recalls 3"));
    CHECK(has(line({{"kind", "vote"}, {"about", {3}}}), "votes in 3"));
    const auto poll = line({{"kind", "poll"}, {"text", "Wer?"}, {"options", {{{"text", "Anna"}, {"votes", 2}}}}});
    CHECK(has(poll, "asks: Wer?\n      1  Anna  (2)"));
    CHECK(has(poll, "nimes-agent vote 7"));
    const auto place =
        line({{"kind", "position"}, {"position", {{"latitude", 52.5}, {"longitude", -10.25}, {"accuracy_m", 12}}}});
    CHECK(has(place, "is at 52.500000, -10.250000 (within 12 m)"));
    CHECK(has(line({{"kind", "unknown"}, {"kind_number", 99}}), "needs a newer version"));
    CHECK(has(line({{"kind", "media"},
                    {"media", {{"type", "audio/ogg"}, {"bytes", 9}, {"id", "ab"}, {"duration_ms", 12'000}}}}),
              "(audio/ogg, 9 bytes, 12 s; nimes-agent media get ab)"));
}

TEST_CASE("what cannot be shown says why, and what happens next") {
    CHECK(has(line({{"state", "awaited"}, {"text", "geheim"}}), "asked to send it again"));
    CHECK_FALSE(has(line({{"state", "awaited"}, {"text", "geheim"}}), "geheim"));
    CHECK(has(line({{"state", "unreadable"}}), "(unreadable"));
    CHECK(has(line({{"state", "deleted"}, {"text", "weg"}}), "(deleted)"));
    CHECK(has(line({{"state", "vanished"}}), "(vanished)"));
    CHECK(has(line({{"kind", "text"}, {"text", "x"}, {"missing_before", true}}),
              "a message of Meyer, Anna before this one is missing"));
    CHECK(has(line({{"kind", "text"}, {"text", "x"}, {"from", {{"name", ""}}}}), "unproven sender: x"));
}

TEST_CASE("one's own message tells how far it came, and others' words cannot play tricks on the terminal") {
    const auto own =
        line({{"kind", "text"}, {"text", "x"}, {"own", true}, {"receipts", {{{"read", true}}, {{"read", false}}}}});
    CHECK(has(own, "you: x  [delivered 2, read 1]"));
    CHECK(has(line({{"kind", "text"}, {"text", "x"}, {"edits", 1}}), "x  (edited)"));
    const auto evil = line({{"kind", "reaction"}, {"emoji", "\x1b[2J"}, {"about", {1}}});
    CHECK_FALSE(has(evil, "\x1b"));
    const auto poll = line({{"kind", "poll"}, {"text", "q"}, {"options", {{{"text", "a\nAnna: b"}, {"votes", 0}}}}});
    CHECK_FALSE(has(poll, "\nAnna"));
}
