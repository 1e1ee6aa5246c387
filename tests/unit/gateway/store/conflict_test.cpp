// Compare-and-set: one winner, whoever else writes.
#include <atomic>
#include <thread>

#include "stores.hpp"

using namespace stores;

TEMPLATE_TEST_CASE("a batch is applied only on what it expects", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const auto where = mailbox("m");
    const auto conflict = [&](const Batch& batch) {
        const auto result = store.commit(batch, Sync::no);
        return !result && result.error().code == Errc::storage_conflict;
    };
    CHECK(conflict(Batch(where).expect("k", bytes("0")).put("k", as_bytes("1"))));
    REQUIRE(store.commit(Batch(where).expect("k", std::nullopt).put("k", as_bytes("1")), Sync::no));
    CHECK(conflict(Batch(where).expect("k", std::nullopt).put("k", as_bytes("2"))));
    CHECK(conflict(Batch(where).expect("k", bytes("")).put("k", as_bytes("2"))));
    CHECK(conflict(Batch(where).expect("k", bytes("1")).expect("other", bytes("")).put("k", as_bytes("2"))));
    CHECK(text(store.get(where, "k")) == "1");
    REQUIRE(store.commit(Batch(where).expect("k", bytes("1")).put("k", as_bytes("2")), Sync::no));
    CHECK(text(store.get(where, "k")) == "2");
    REQUIRE(store.commit(Batch(where).expect("k", bytes("2")), Sync::no));
}

TEMPLATE_TEST_CASE("after a conflict the batches before stand and those after do not", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const Batch batches[] = {Batch(mailbox("a")).put("k", as_bytes("1")),
                             Batch(mailbox("b")).expect("k", bytes("x")).put("k", as_bytes("1")),
                             Batch(mailbox("c")).put("k", as_bytes("1"))};
    const auto result = store.commit(batches, Sync::yes);
    REQUIRE(!result);
    CHECK(result.error().code == Errc::storage_conflict);
    CHECK(text(store.get(mailbox("a"), "k")) == "1");
    CHECK(text(store.get(mailbox("b"), "k")) == "(absent)");
    CHECK(text(store.get(mailbox("c"), "k")) == "(absent)");
}

TEMPLATE_TEST_CASE("expectations see what the batches before have made", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const auto where = mailbox("m");
    REQUIRE(store.commit(Batch(where).put("a", as_bytes("0")).put("b", as_bytes("0")), Sync::no));
    const Batch batches[] = {
        Batch(where).put("a", as_bytes("1")).erase("b"),
        Batch(where).expect("a", bytes("1")).expect("b", std::nullopt).put("b", as_bytes("2")).put("c", as_bytes("")),
        Batch(where).expect("b", bytes("2")).erase_range("a", "c"),
        Batch(where).expect("a", std::nullopt).expect("b", std::nullopt).expect("c", bytes("")).put("d", as_bytes("4")),
        Batch(mailbox("n")).expect("a", std::nullopt).put("a", as_bytes("5")),
    };
    REQUIRE(store.commit(batches, Sync::no));
    CHECK(records(store.scan(where, "", "", 9)) == "c= d=4");
    CHECK(text(store.get(mailbox("n"), "a")) == "5");
}

TEMPLATE_TEST_CASE("of many that count in one record none is lost", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    constexpr std::uint64_t kThreads = 4;
    constexpr std::uint64_t kRounds = 50;
    const auto where = mailbox("m");
    std::atomic<bool> broken = false;
    const auto count = [&] {
        for (std::uint64_t done = 0; done < kRounds && !broken;) {
            const auto held = store.get(where, "n");
            if (!held) broken = true;
            else {
                const auto n = *held ? *u64_of(as_text(**held)) : 0;
                const auto next = key_u64(n + 1);
                const auto result = store.commit(Batch(where).expect("n", *held).put("n", as_bytes(next)), Sync::yes);
                if (result) ++done;
                else if (result.error().code != Errc::storage_conflict) broken = true;
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < kThreads; ++i) threads.emplace_back(count);
    for (auto& thread : threads) thread.join();
    REQUIRE(!broken);
    CHECK(text(store.get(where, "n")) == key_u64(kThreads * kRounds));
}

// Without a lock from the look to the write, a blind put between them is lost under the winner's.
TEMPLATE_TEST_CASE("a blind put is never lost between another's look and write", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const auto where = mailbox("m");
    std::atomic<bool> stop = false;
    std::atomic<bool> broken = false;
    // The counter writes "seen" = the blind value that it expected; so "seen" never runs ahead, and a blind value, once
    // there, can only be replaced by a greater one.
    std::thread copier([&] {
        while (!stop) {
            const auto held = store.get(where, "blind").value();
            if (!held) continue;
            const auto done = store.commit(Batch(where).expect("blind", held).put("blind", *held), Sync::no);
            if (!done && done.error().code != Errc::storage_conflict) broken = true;
        }
    });
    for (std::uint64_t i = 1; i <= 2'000; ++i) {
        const auto value = key_u64(i);
        if (!store.commit(Batch(where).put("blind", as_bytes(value)), Sync::no)) broken = true;
        if (text(store.get(where, "blind")) != value) broken = true;
    }
    stop = true;
    copier.join();
    CHECK(!broken);
}
