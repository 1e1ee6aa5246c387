#include "engine/turn.hpp"

#include <catch2/catch.hpp>

using namespace nimes;
using namespace nimes::agent::engine;

namespace {

v1::Envelope envelope(std::uint64_t sequence) {
    v1::Envelope out;
    out.set_sequence(sequence);
    return out;
}
v1::Envelope envelope(std::uint64_t sequence, std::uint64_t after) {
    auto out = envelope(sequence);
    out.set_after(after);
    return out;
}

}  // namespace

TEST_CASE("a message that got lost on the way: nothing behind it is taken, for that would be acknowledged for both") {
    CHECK(turn_of(envelope(5), 4) == Turn::next);
    CHECK(turn_of(envelope(6), 4) == Turn::gap);
    CHECK(turn_of(envelope(4), 4) == Turn::held);
    CHECK(turn_of(envelope(1), 0) == Turn::next);
}

TEST_CASE("numbers leap where nothing lies between: over what expired, and when another process numbers on") {
    CHECK(turn_of(envelope(9, 4), 4) == Turn::next);
    CHECK(turn_of(envelope(9, 4), 6) == Turn::next);
    CHECK(turn_of(envelope(9, 5), 4) == Turn::gap);
    CHECK(turn_of(envelope(9, 0), 9) == Turn::held);
}

TEST_CASE("a gap is said once, and again when it is another one") {
    Gaps gaps;
    CHECK_FALSE(gaps.take());
    gaps.found(2, 4);
    gaps.found(2, 4);
    CHECK(gaps.take());
    gaps.found(2, 4);
    CHECK_FALSE(gaps.take());
    gaps.found(2, 7);
    CHECK(gaps.take());
    gaps.found(3, 7);
    CHECK(gaps.take());
}
