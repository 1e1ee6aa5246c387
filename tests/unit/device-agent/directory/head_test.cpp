// Which heads a thin client follows, and which prove that the directory lies.
#include <catch2/catch.hpp>

#include "unit/device-agent/directory/fake_directory.hpp"

using namespace nimes;
using namespace nimes::agent::directory;
using test::FakeDirectory;
using test::kNow;
using test::raw;

namespace {

// Another head of the same revision, signed as validly.
DirectoryHead twin(const FakeDirectory& directory, DirectoryHead head) {
    head.map_root.bytes[0] ^= 1;
    return directory.signed_head(head);
}

}  // namespace

TEST_CASE("a client follows each newer head with its proof, and remembers those before") {
    FakeDirectory directory;
    auto client = directory.client();
    for (int n = 0; n < 9; ++n) {
        directory.now += kHour;
        directory.publish();
        if (n % 3 != 2) continue;
        auto answer = directory.head_answer(client.head().revision);
        answer.add_changed_users(raw(test::user(7).view()));
        answer.add_changed_users("short");
        const auto step = client.take_head(answer, directory.now);
        REQUIRE(step);
        CHECK(step->moved);
        CHECK(step->changed == std::vector{test::user(7)});
    }
    CHECK(client.head() == directory.heads.back());
    CHECK_FALSE(client.take_head(directory.head_answer(10), directory.now)->moved);
    CHECK(client.known(4));
    CHECK_FALSE(client.known(5));  // never taken
    CHECK(client.head_fresh(directory.now + kDay - 1));
    CHECK_FALSE(client.head_fresh(directory.now + kDay));
}

TEST_CASE("a head is refused for each thing alone, and then nothing moves") {
    FakeDirectory directory;
    auto client = directory.client();
    const auto held = client.head();
    directory.publish();
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(1), kNow));
    const auto start = client.head();
    directory.now += kHour;
    directory.publish();
    const auto good = directory.head_answer(start.revision);
    const auto code = [&](const v1::HeadAnswer& answer, Millis now) {
        const auto step = client.take_head(answer, now);
        CHECK(client.head() == start);
        return step ? Errc::internal : step.error().code;
    };

    auto forged = good;
    (*forged.mutable_head())[159] = static_cast<char>(forged.head()[159] ^ 1);
    CHECK(code(forged, directory.now) == Errc::signature_invalid);
    CHECK(code(good, directory.now - 10 * kMinute - 1) == Errc::proof_invalid);
    auto cut = good;
    cut.mutable_head()->pop_back();
    CHECK(code(cut, directory.now) == Errc::malformed);
    auto bent = good;
    (*bent.mutable_inclusion(0))[0] = static_cast<char>(bent.inclusion(0)[0] ^ 1);
    CHECK(code(bent, directory.now) == Errc::directory_fork);
    bent = good;
    (*bent.mutable_consistency(0))[0] = static_cast<char>(bent.consistency(0)[0] ^ 1);
    CHECK(code(bent, directory.now) == Errc::directory_fork);
    bent = good;
    bent.mutable_inclusion(0)->pop_back();
    CHECK(code(bent, directory.now) == Errc::malformed);
    bent = good;
    while (bent.inclusion_size() <= 128) bent.add_inclusion(good.inclusion(0));
    CHECK(code(bent, directory.now) == Errc::malformed);
    auto earlier = directory.heads.back();
    earlier.ts = start.ts - 1;
    CHECK(code(directory.head_answer(start.revision, directory.signed_head(earlier)), directory.now) ==
          Errc::directory_fork);
    CHECK(code(directory.head_answer(3, held), directory.now) == Errc::head_stale);

    // None of these were two signed heads of one revision: the honest answer still counts.
    CHECK_FALSE(client.forked());
    CHECK(client.take_head(good, directory.now));
}

TEST_CASE("two signed heads of one revision are a fork, however old, and stop every newer head") {
    FakeDirectory directory;
    auto client = directory.client();
    const auto first = directory.heads[0];
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(1), kNow));
    directory.publish();
    const auto newer = directory.head_answer(2);

    auto unsigned_twin = twin(directory, first);
    unsigned_twin.signature = first.signature;
    CHECK(client.take_head(directory.head_answer(2, unsigned_twin), kNow).error().code == Errc::head_stale);
    CHECK_FALSE(client.forked());

    SECTION("of the revision held") {
        const auto shown = directory.head_answer(2, twin(directory, directory.heads[1]));
        CHECK(client.take_head(shown, kNow).error().code == Errc::directory_fork);
    }
    SECTION("of a revision held before") {
        const auto shown = directory.head_answer(2, twin(directory, first));
        CHECK(client.take_head(shown, kNow).error().code == Errc::directory_fork);
    }
    SECTION("as an old head that was asked for") {
        auto shown = directory.old_head_answer(1);
        shown.set_head(raw(twin(directory, first).encode()));
        CHECK(client.take_old_head(shown, 1).error().code == Errc::directory_fork);
    }
    SECTION("before a restart") { client.restore_fork(); }

    CHECK(client.forked());
    CHECK(client.take_head(newer, kNow).error().code == Errc::directory_fork);
    CHECK(client.head() == directory.heads[1]);
    CHECK(client.take_head(directory.head_answer(2, directory.heads[1]), kNow));  // what is held still serves
}

TEST_CASE("an old head counts only with its place in the log") {
    FakeDirectory directory;
    for (int n = 0; n < 6; ++n) directory.publish();
    auto client = directory.client();
    using Named = HeldDirectory::Named;
    const auto& old = directory.heads[2];
    CHECK(client.judge_named(3, old.hash()) == Named::unknown);
    auto bent = directory.old_head_answer(3);
    (*bent.mutable_inclusion(0))[0] = static_cast<char>(bent.inclusion(0)[0] ^ 1);
    CHECK(client.take_old_head(bent, 3).error().code == Errc::directory_fork);
    CHECK(client.take_old_head(directory.old_head_answer(4), 3).error().code == Errc::proof_invalid);
    auto forged = directory.old_head_answer(3);
    (*forged.mutable_head())[159] = static_cast<char>(forged.head()[159] ^ 1);
    CHECK(client.take_old_head(forged, 3).error().code == Errc::signature_invalid);
    CHECK(client.judge_named(3, old.hash()) == Named::unknown);

    REQUIRE(client.take_old_head(directory.old_head_answer(3), 3));
    CHECK(client.judge_named(3, old.hash()) == Named::verified);
    CHECK(client.judge_named(3, directory.heads[3].hash()) == Named::failed);
    const auto last = old.ts + kDay + 10 * kMinute;
    CHECK(client.judge_named(3, old.hash(), last) == Named::verified);
    CHECK(client.judge_named(3, old.hash(), last + 1) == Named::failed);
    CHECK(client.judge_named(4, directory.heads[3].hash(), last + 1) == Named::unknown);
}

TEST_CASE("heads are kept for 90 days, and come back from the container in any order") {
    FakeDirectory directory;
    auto client = directory.client();
    directory.now += 90 * kDay;
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(1), directory.now));
    CHECK(client.known(1));
    directory.now += 1;
    directory.publish();
    REQUIRE(client.take_head(directory.head_answer(2), directory.now));
    CHECK_FALSE(client.known(1));

    HeldDirectory restarted(directory.org.keys, directory.secret.view(), directory.heads[1]);
    REQUIRE(restarted.restore_head(client.encode_head()));
    CHECK(restarted.head() == directory.heads[2]);
    REQUIRE(restarted.restore_head(directory.heads[1].encode()));  // the head held never falls
    CHECK(restarted.head() == directory.heads[2]);
    CHECK(restarted.known(2));
    CHECK(restarted.known(3)->hash == directory.heads[2].hash());
    REQUIRE(restarted.restore_head(directory.heads[0].encode()));
    CHECK_FALSE(restarted.known(1));
    auto cut = client.encode_head();
    cut.pop_back();
    CHECK_FALSE(restarted.restore_head(cut));
}
