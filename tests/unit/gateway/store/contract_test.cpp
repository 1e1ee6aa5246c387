// The contract of store.hpp, held by every implementation.
#include "stores.hpp"

using namespace stores;

TEMPLATE_TEST_CASE("what was put is read, in its own partition only", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    REQUIRE(store.commit(Batch(mailbox("a")).put("k", as_bytes("1")), Sync::yes));
    CHECK(text(store.get(mailbox("a"), "k")) == "1");
    CHECK(text(store.get(mailbox("b"), "k")) == "(absent)");
    CHECK(text(store.get(mailbox(""), "k")) == "(absent)");
    CHECK(text(store.get({Family::audit, "a"}, "k")) == "(absent)");
    CHECK(text(store.get(mailbox("a"), "")) == "(absent)");

    REQUIRE(store.commit(Batch(mailbox("a")).put("k", as_bytes("")).erase("never there"), Sync::no));
    CHECK(text(store.get(mailbox("a"), "k")).empty());
    REQUIRE(store.commit(Batch(mailbox("a")).erase("k"), Sync::no));
    CHECK(text(store.get(mailbox("a"), "k")) == "(absent)");
}

TEMPLATE_TEST_CASE("partitions whose names and keys run together stay apart", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    REQUIRE(store.commit(Batch(mailbox("ab")).put("c", as_bytes("1")), Sync::no));
    REQUIRE(store.commit(Batch(mailbox("a")).put("bc", as_bytes("2")), Sync::no));
    REQUIRE(store.commit(Batch(mailbox("")).put("abc", as_bytes("3")), Sync::no));
    const std::string high(kMaxPartitionName, '\xff');
    REQUIRE(store.commit(Batch(mailbox(high)).put("\xff", as_bytes("4")), Sync::no));
    CHECK(records(store.scan(mailbox("ab"), "", "", 9)) == "c=1");
    CHECK(records(store.scan(mailbox("a"), "", "", 9)) == "bc=2");
    CHECK(records(store.scan(mailbox(""), "", "", 9)) == "abc=3");
    CHECK(records(store.scan(mailbox(high), "", "", 9)) == "\xff=4");
    REQUIRE(store.drop(mailbox(high)));
    REQUIRE(store.drop(mailbox("a")));
    CHECK(records(store.scan(mailbox("ab"), "", "", 9)) == "c=1");
    CHECK(records(store.scan(mailbox(high), "", "", 9)).empty());
}

TEMPLATE_TEST_CASE("writes of a batch act in their order", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    Batch batch(mailbox("a"));
    batch.put("a", as_bytes("1")).put("b", as_bytes("1")).put("c", as_bytes("1"));
    batch.erase_range("b", "").put("c", as_bytes("2")).erase("a").put("a", as_bytes("3")).put("a", as_bytes("4"));
    REQUIRE(store.commit(batch, Sync::no));
    CHECK(records(store.scan(mailbox("a"), "", "", 9)) == "a=4 c=2");
}

TEMPLATE_TEST_CASE("ranges are half open, ascending, limited", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const auto where = mailbox("m");
    Batch batch(where);
    for (const auto* key : {"b", "d", "a", "c"}) batch.put(key, as_bytes(key));
    REQUIRE(store.commit(batch, Sync::no));
    REQUIRE(store.commit(Batch(mailbox("n")).put("a", as_bytes("no")), Sync::no));

    CHECK(records(store.scan(where, "", "", 9)) == "a=a b=b c=c d=d");
    CHECK(records(store.scan(where, "b", "d", 9)) == "b=b c=c");
    CHECK(records(store.scan(where, "b", "", 2)) == "b=b c=c");
    CHECK(records(store.scan(where, "aa", "b", 9)).empty());
    CHECK(records(store.scan(where, "d", "b", 9)).empty());
    CHECK(records(store.scan(where, "", "", 0)).empty());

    const auto last = [&](const char* from, const char* until) {
        const auto found = store.last(where, from, until);
        REQUIRE(found.has_value());
        return *found ? (*found)->key : std::string("(none)");
    };
    CHECK(last("", "") == "d");
    CHECK(last("", "d") == "c");
    CHECK(last("b", "c") == "b");
    CHECK(last("e", "") == "(none)");
    CHECK(last("c", "b") == "(none)");

    REQUIRE(store.commit(Batch(where).erase_range("b", "d"), Sync::no));
    CHECK(records(store.scan(where, "", "", 9)) == "a=a d=d");
    REQUIRE(store.commit(Batch(where).erase_range("d", "b"), Sync::no));
    CHECK(records(store.scan(where, "", "", 9)) == "a=a d=d");
}

TEMPLATE_TEST_CASE("a long range goes as a short one does, and nothing beside it", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const auto count = GENERATE(3U, 100U, 101U, 500U);
    Batch batch(mailbox("m"));
    for (std::uint64_t i = 0; i < count + 2; ++i) batch.put(key_u64(i), as_bytes("x"));
    REQUIRE(store.commit(batch, Sync::no));
    REQUIRE(store.commit(Batch(mailbox("m")).erase_range(key_u64(1), key_u64(count + 1)), Sync::no));
    const auto left = store.scan(mailbox("m"), "", "", 9).value();
    REQUIRE(left.size() == 2);
    CHECK(left[0].key == key_u64(0));
    CHECK(left[1].key == key_u64(count + 1));
}

TEMPLATE_TEST_CASE("partitions are listed while they hold a key, shorter names first", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    for (const auto* name : {"b", "aa", "c", "ab"})
        REQUIRE(store.commit(Batch(mailbox(name)).put("1", as_bytes("")).put("2", as_bytes("")), Sync::no));
    REQUIRE(store.commit(Batch({Family::audit, "z"}).put("1", as_bytes("")), Sync::no));

    using Names = std::vector<std::string>;
    CHECK(store.partitions(Family::mailbox, "", 9).value() == Names{"b", "c", "aa", "ab"});
    CHECK(store.partitions(Family::mailbox, "c", 2).value() == Names{"c", "aa"});
    CHECK(store.partitions(Family::mailbox, "bb", 9).value() == Names{});
    CHECK(store.partitions(Family::bodies, "", 9).value() == Names{});

    REQUIRE(store.commit(Batch(mailbox("aa")).erase("1").erase("2"), Sync::no));
    REQUIRE(store.drop(mailbox("b")));
    REQUIRE(store.drop(mailbox("b")));
    CHECK(store.partitions(Family::mailbox, "", 9).value() == Names{"c", "ab"});
}

TEMPLATE_TEST_CASE("limits are told before anything is written", "", Memory, RocksDb) {
    TestType made;
    auto& store = made.store();
    const std::string name(kMaxPartitionName, 'n');
    const std::string key(kMaxKey, 'k');
    const Bytes value(kMaxValue, 7);
    REQUIRE(store.commit(Batch(mailbox(name)).put(key, value), Sync::no));
    CHECK(store.get(mailbox(name), key).value() == value);

    const auto refused = [&](const Batch& batch) {
        const Batch both[] = {Batch(mailbox("first")).put("k", as_bytes("")), batch};
        const auto result = store.commit(both, Sync::no);
        REQUIRE(!result);
        CHECK(result.error().code == Errc::too_large);
        CHECK(text(store.get(mailbox("first"), "k")) == "(absent)");
    };
    refused(Batch(mailbox(name + "n")).put("k", as_bytes("")));
    refused(Batch(mailbox("m")).put(key + "k", as_bytes("")));
    refused(Batch(mailbox("m")).erase_range("", key + "k"));
    refused(Batch(mailbox("m")).expect(key + "k", std::nullopt));
    refused(Batch(mailbox("m")).put("k", Bytes(kMaxValue + 1)));
}

TEST_CASE("numbers as keys sort as numbers") {
    CHECK(key_u64(0x0102030405060708) == "\x01\x02\x03\x04\x05\x06\x07\x08");
    CHECK(key_u64(255) < key_u64(256));
    CHECK(u64_of(key_u64(~0ULL)) == ~0ULL);
    CHECK(!u64_of("1234567"));
    CHECK(!u64_of("123456789"));
}
