// When a device publishes, distrusts and erases its own seal keys, by a clock that the test turns.
#include "sealing/seal_key_rules.hpp"
#include "devices.hpp"
#include "sealing/one_time_pool.hpp"

using namespace nimes;
using namespace nimes::agent::sealing;

namespace {

struct Device {
    Pair p;
    SealBook book;
    Millis now = utc_day(test::kNow) * kDay + 10 * kHour;
    std::vector<OwnSealKey> keys;

    std::uint32_t publish() {
        const auto batch_no = next_batch_no(book, now);
        const auto first = first_key_id(book, now);
        for (auto& key : make_batch(p.bernd_key.secret, p.bernd_cert.device, first, now, p.random, batch_no))
            keys.push_back(std::move(key));
        for (auto& key :
             make_one_time_keys(p.bernd_key.secret, p.bernd_cert.device, first + 32, batch_no, 4, now, p.random))
            keys.push_back(std::move(key));
        begin_publication(book, batch_no, first, 36);
        published(book, now);
        return first;
    }
    const OwnSealKey& key(std::uint32_t id) const {
        for (const auto& key : keys)
            if (key.record.key_id == id) return key;
        throw std::out_of_range("no such key");
    }
    void drain(Millis at) { book.drained = at; }
};

}  // namespace

TEST_CASE("a day key goes a day after its day, once the mailbox was drained since, and not before") {
    Device d;
    const auto first = d.publish();
    const auto end = d.key(first).record.not_after;
    d.drain(end + kDay + 2);
    CHECK_FALSE(over(d.book, d.key(first), end + kDay));
    CHECK(over(d.book, d.key(first), end + kDay + 1));
    d.drain(end + kDay);  // what came in that day may still wait
    CHECK_FALSE(over(d.book, d.key(first), end + 40 * kDay));
    d.drain(end + kDay + 1);
    CHECK(over(d.book, d.key(first), end + 40 * kDay));
    CHECK_FALSE(over(d.book, d.key(first + 1), end + kDay + 1));  // tomorrow's
}

TEST_CASE("the keys of a replaced batch go a day after that, once the mailbox was drained since; the newest stay") {
    Device d;
    const auto old = d.publish();
    d.now += kDay;
    const auto replaced = d.now;
    const auto fresh = d.publish();
    CHECK(d.book.replaced(old + 31) == replaced);
    CHECK(d.book.replaced(fresh) == 0);
    d.drain(replaced + kDay + 1);
    for (const auto id : {old + 31, old + 33}) {  // a day key of next month, and a one-time key
        CHECK_FALSE(over(d.book, d.key(id), replaced + kDay));
        CHECK(over(d.book, d.key(id), replaced + kDay + 1));
    }
    CHECK_FALSE(over(d.book, d.key(fresh + 31), replaced + kDay + 1));
    CHECK_FALSE(over(d.book, d.key(fresh + 33), replaced + kDay + 1));
    d.drain(replaced + kDay);
    CHECK_FALSE(over(d.book, d.key(old + 31), replaced + 9 * kDay));
}

TEST_CASE("keys that were tried and not heard of again replace nothing") {
    Device d;
    const auto old = d.publish();
    d.now += kDay;
    begin_publication(d.book, next_batch_no(d.book, d.now), first_key_id(d.book, d.now), 36);
    CHECK(d.book.replaced(old) == 0);
    CHECK(publish_due(d.book, d.now) == Publish::again);
    published(d.book, d.now + kHour);
    CHECK(d.book.replaced(old) == d.now + kHour);
    CHECK(publish_due(d.book, d.now + kHour) == Publish::nothing);
}

TEST_CASE("no clock that jumped erases: the newest head bounds the time for it") {
    Device d;
    const auto first = d.publish();
    const auto head = d.now;
    CHECK(erasing_time(head + 400 * kDay, head + 400 * kDay, head) == head + kHour);
    CHECK(erasing_time(head - kDay, head, head) == head - kDay);
    CHECK(erasing_time(head + kMinute, head + 2 * kMinute, head) == head + kMinute);
    d.drain(erasing_time(head + 400 * kDay, head + 400 * kDay, head));
    CHECK_FALSE(over(d.book, d.key(first), erasing_time(head + 400 * kDay, head + 400 * kDay, head)));
}

TEST_CASE("a batch a day, numbered by its day; a restored device names no key twice") {
    Device d;
    CHECK(publish_due(d.book, d.now) == Publish::batch);
    const auto before = d.book;
    const auto first = d.publish();
    CHECK(d.book.batch() == utc_day(d.now));
    CHECK(d.key(first).record.batch_no == utc_day(d.now));
    CHECK(publish_due(d.book, d.now + 13 * kHour) == Publish::nothing);
    CHECK(publish_due(d.book, d.now + 14 * kHour) == Publish::batch);  // midnight
    CHECK(first_key_id(d.book, d.now) == first + 36);
    CHECK(first_key_id(before, d.now + kMinute) > first + 35);  // restored from before, a minute later
    CHECK(refill(kFewOneTimeKeys) == 0);
    CHECK(refill(kFewOneTimeKeys - 1) == kOneTimeKeys - kFewOneTimeKeys + 1);
    const auto again = SealBook::parse(d.book.encode()).value();
    CHECK(again.encode() == d.book.encode());
    CHECK(again.publications == d.book.publications);
    CHECK_FALSE(SealBook::parse(Bytes{1, 2, 3}));
}

TEST_CASE("a batch that others published is an alarm: by its number, and by its keys under the same number") {
    Device d;
    const auto old = d.publish();
    d.now += kDay;
    const auto first = d.publish();
    const auto today = d.book.batch();
    CHECK(judge_batch_no(d.book, today) == Shown::ours);
    CHECK(judge_batch_no(d.book, today - 1) == Shown::older);
    CHECK(judge_batch_no(d.book, today + 1) == Shown::foreign);

    const auto& mine = d.key(first).record;
    CHECK(judge_record(d.book, mine, &mine) == Shown::ours);
    auto theirs = mine;
    theirs.key.bytes[0] ^= 1;
    CHECK(judge_record(d.book, theirs, &mine) == Shown::foreign);
    theirs.key_id += 1'000;
    CHECK(judge_record(d.book, theirs, nullptr) == Shown::foreign);
    const auto& yesterdays = d.key(old).record;
    CHECK(judge_record(d.book, yesterdays, &yesterdays) == Shown::older);
    CHECK(judge_record(d.book, yesterdays, nullptr) == Shown::older);  // erased since

    REQUIRE(note_foreign(d.book, today, theirs.key_id, d.now));
    CHECK_FALSE(note_foreign(d.book, today, theirs.key_id, d.now + 1));  // once
    CHECK(d.book.clone_alarm == d.now);
    CHECK(publish_due(d.book, d.now) == Publish::batch);  // at once, so that senders leave the copy's keys
    published(d.book, d.now);
    CHECK(note_foreign(d.book, today, theirs.key_id + 1, d.now + 2));
}

TEST_CASE("after a copy published ahead, the own batch takes its number, at most tomorrow's") {
    Device d;
    (void)d.publish();
    const auto today = utc_day(d.now);
    REQUIRE(note_foreign(d.book, today + 1, 0, d.now));
    CHECK(next_batch_no(d.book, d.now) == today + 1);
    d.book.foreign = today + 9;
    CHECK(next_batch_no(d.book, d.now) == today + 1);
    d.book.foreign = 0;
    CHECK(next_batch_no(d.book, d.now) == today);
}

TEST_CASE("a wrap under a key replaced more than 48 h ago is told, once a day") {
    Device d;
    const auto old = d.publish();
    d.now += kDay;
    const auto replaced = d.now;
    const auto fresh = d.publish();
    CHECK_FALSE(note_wrap(d.book, old, replaced + 2 * kDay));
    CHECK_FALSE(note_wrap(d.book, fresh, replaced + 9 * kDay));
    CHECK(note_wrap(d.book, old, replaced + 2 * kDay + 1));
    CHECK_FALSE(note_wrap(d.book, old, replaced + 3 * kDay));
    CHECK(note_wrap(d.book, old, replaced + 3 * kDay + 1));
    CHECK(note_wrap(d.book, 1, replaced + 9 * kDay));  // of a batch longer ago than is remembered
}

TEST_CASE("a one-time key of another serves one wrap, of a fresh record, of a batch that was not replaced") {
    Device d;
    const auto first = d.publish() + 32;
    const auto& record = d.key(first).record;
    const auto& device = d.p.bernd_cert.device;
    const auto& identity = d.p.bernd_key.public_key;
    const auto floor = record.batch_no;
    OneTimePool pool;
    CHECK_FALSE(pool.take(device, floor, d.now));
    REQUIRE(pool.put(record, device, identity, floor, d.now));
    CHECK(pool.holds(device, floor, d.now + kDay));
    CHECK_FALSE(pool.holds(device, floor, d.now + kDay + 1));  // fetched too long ago
    CHECK_FALSE(pool.holds(device, floor + 1, d.now));         // its batch was replaced
    CHECK(pool.take(device, floor, d.now) == record);
    CHECK_FALSE(pool.take(device, floor, d.now));
    CHECK_FALSE(pool.put(record, device, identity, floor, d.now));  // shown once more: it was used
    const auto& next = d.key(first + 1).record;
    CHECK_FALSE(pool.put(next, device, d.p.anna_key.public_key, floor, d.now));
    CHECK_FALSE(pool.put(next, d.p.anna_cert.device, identity, floor, d.now));
    CHECK_FALSE(pool.put(next, device, identity, floor + 1, d.now));
    CHECK_FALSE(pool.put(d.key(first - 1).record, device, identity, floor, d.now));  // a day key
    REQUIRE(pool.put(next, device, identity, floor, d.now));
    CHECK_FALSE(pool.take(device, floor + 1, d.now));
    CHECK_FALSE(pool.take(device, floor, d.now));  // refused once, gone
    REQUIRE(pool.put(d.key(first + 2).record, device, identity, floor, d.now));
    CHECK_FALSE(pool.take(device, floor, record.not_after));
}
