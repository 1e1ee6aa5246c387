// The store is lost and comes back as it was an hour ago: what devices and gateway need to notice it.
#include "../mailbox/post.hpp"
#include "../store/folder.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::mailbox;

namespace {

// A gateway whose folder can be copied and put back.
struct Office {
    folders::Folder folder;
    std::unique_ptr<store::Store> store;
    FakePeople people;
    FakeMedia media;
    FakeOutlet outlet;
    Options options;
    operations::Metrics metrics{"test", "test"};
    std::optional<Committer> committer;
    std::optional<Delivery> delivery;
    Millis now = kStart;

    Office() { start(); }
    void start() {
        store = folders::open(folder.path / "store");
        options.started = now;
        committer.emplace(*store, people, media, options);
        delivery.emplace(*store, *committer, people, outlet, options, metrics);
    }
    void stop() {
        delivery.reset();
        committer.reset();
        store.reset();
    }
    void checkpoint() const { std::filesystem::copy(folder.path / "store", folder.path / "checkpoint"); }
    void restore() {
        stop();
        std::filesystem::remove_all(folder.path / "store");
        std::filesystem::rename(folder.path / "checkpoint", folder.path / "store");
        now += kHour;
        start();
    }
    // From device 10 to user 2.
    Outcome submit(std::uint8_t id) {
        now += kSecond;
        v1::Up up;
        *up.mutable_submit() = Post::pair_message(id, 1, 2, id);
        auto decoded = decode_up(made<DeviceId>(10), as_bytes(up.SerializeAsString()));
        const Waiting waiting{made<DeviceId>(10), std::get<Submit>(std::get<Command>(decoded))};
        auto outcome = committer->commit(std::span(&waiting, 1), now).front();
        REQUIRE(outcome.accepted);
        delivery->offer(outcome, now);
        delivery->flush();
        return outcome;
    }
    v1::Welcome hello(std::uint8_t device, std::uint64_t held = 0) {
        const auto before = outlet.sent[made<DeviceId>(device)].size();
        delivery->hello(made<DeviceId>(device), Hello{{{Lane::chat, held}}, 0}, now);
        const auto& sent = outlet.sent[made<DeviceId>(device)];
        REQUIRE(sent.size() > before);
        REQUIRE(sent[before].has_welcome());
        return sent[before].welcome();
    }
    v1::Gap newest_gap() {
        const auto welcome = hello(10);
        REQUIRE(welcome.gaps_size() > 0);
        return welcome.gaps(welcome.gaps_size() - 1);
    }
    std::uint64_t last_sequence(std::uint8_t device) {
        std::uint64_t out = 0;
        for (const auto& down : outlet.sent[made<DeviceId>(device)])
            for (const auto& e : down.deliver().envelopes()) out = e.sequence();
        return out;
    }
    std::vector<std::string> ids(std::uint8_t device) {
        std::vector<std::string> out;
        for (const auto& down : outlet.sent[made<DeviceId>(device)])
            for (const auto& e : down.deliver().envelopes()) out.push_back(e.message_id());
        return out;
    }
    // What a handset that holds `mark` takes of all that went out to it, and what it holds then.
    std::pair<std::vector<std::string>, std::uint64_t> taken(std::uint8_t device, std::uint64_t mark) {
        std::vector<std::string> out;
        for (const auto& down : outlet.sent[made<DeviceId>(device)])
            for (const auto& e : down.deliver().envelopes()) {
                const auto before = e.has_after() ? e.after() : e.sequence() - 1;
                if (e.sequence() <= mark || before > mark) continue;
                mark = e.sequence();
                out.push_back(e.message_id());
            }
        return {out, mark};
    }
};

}  // namespace

TEST_CASE("restored from an hour ago: no number comes twice, so nothing new is taken for what a device has") {
    Office office;
    office.hello(20);
    for (std::uint8_t id = 1; id <= 3; ++id) office.submit(id);
    office.checkpoint();
    for (std::uint8_t id = 4; id <= 9; ++id) office.submit(id);
    const auto held = office.last_sequence(20);
    office.delivery->acknowledge(made<DeviceId>(20), Ack{{{Lane::chat, held}}}, office.now);

    office.restore();
    office.submit(10);  // before the device comes back
    office.hello(20, held);
    CHECK(office.last_sequence(20) > held);
    office.submit(11);
    const auto [ids, mark] = office.taken(20, held);
    CHECK(ids == std::vector{raw(made<MessageId>(10)), raw(made<MessageId>(11))});
    CHECK(*office.committer->mailboxes().waiting(made<DeviceId>(20)) == 2);
    office.delivery->acknowledge(made<DeviceId>(20), Ack{{{Lane::chat, mark}}}, office.now);
    CHECK(*office.committer->mailboxes().waiting(made<DeviceId>(20)) == 0);
}

TEST_CASE("restored from an hour ago: how many wait is counted right, whatever a device says that it holds") {
    Office office;
    for (std::uint8_t id = 1; id <= 3; ++id) office.submit(id);
    office.checkpoint();
    office.hello(20);
    for (std::uint8_t id = 4; id <= 9; ++id) office.submit(id);
    const auto held = office.last_sequence(20);
    office.restore();
    CHECK(*office.committer->mailboxes().waiting(made<DeviceId>(20)) == 3);
    office.submit(10);
    CHECK(*office.committer->mailboxes().waiting(made<DeviceId>(20)) == 4);
    office.stop();
    office.now += kMinute;
    office.start();
    office.submit(11);
    CHECK(*office.committer->mailboxes().waiting(made<DeviceId>(20)) == 5);
    office.hello(20, held);  // of a time that this store does not know
    CHECK(*office.committer->mailboxes().waiting(made<DeviceId>(20)) == 2);
    CHECK(office.taken(20, held).first == std::vector{raw(made<MessageId>(10)), raw(made<MessageId>(11))});
}

TEST_CASE("restored from an hour ago: what lay there for a device that was away still comes, in its order") {
    Office office;
    for (std::uint8_t id = 1; id <= 3; ++id) office.submit(id);
    office.checkpoint();
    office.restore();
    office.submit(4);
    const auto welcome = office.hello(20);
    REQUIRE(office.ids(20).size() == 4);
    for (std::uint8_t id = 1; id <= 4; ++id) CHECK(office.ids(20)[id - 1u] == raw(made<MessageId>(id)));
    CHECK(welcome.newest(1).sequence() == office.last_sequence(20));
}

TEST_CASE("a device that has everything is in sync at once, after a restart too") {
    Office office;
    office.hello(20);
    office.submit(1);
    const auto held = office.last_sequence(20);
    office.now += kHour;
    office.stop();
    office.start();
    const auto welcome = office.hello(20, held);
    for (const auto& mark : welcome.newest()) CHECK(mark.sequence() <= held);
}

TEST_CASE("restored from an hour ago: the welcome tells when this store accepted nothing, whatever it accepted since") {
    Office office;
    office.submit(1);
    const auto known = office.submit(2).received;
    office.checkpoint();
    const auto lost = office.submit(3).received;
    office.restore();
    const auto restored = office.submit(4).received;  // before the device has heard of it
    const auto gap = office.newest_gap();
    CHECK(gap.after_ms() == known);
    CHECK(lost < gap.until_ms());
    CHECK(gap.until_ms() <= restored);
    CHECK_FALSE(office.submit(3).repeated);  // what was lost is new again
    CHECK(office.submit(2).repeated);
}

TEST_CASE("a gap is told of after further restarts, too; one in which nothing was accepted grows") {
    Office office;
    const auto known = office.submit(1).received;
    office.checkpoint();
    office.submit(2);
    office.restore();
    const auto until = office.newest_gap().until_ms();
    const auto after = office.submit(3).received;
    for (int i = 0; i < 3; ++i) {
        office.stop();
        office.now += kMinute;
        office.start();
    }
    const auto welcome = office.hello(10);
    const auto& gaps = welcome.gaps();
    REQUIRE(gaps.size() == 3);  // the first start of all, the restore, three restarts
    CHECK(gaps[1].after_ms() == known);
    CHECK(gaps[1].until_ms() == until);
    CHECK(gaps[2].after_ms() == after);
    CHECK(gaps[2].until_ms() == office.now);
}

TEST_CASE("a clock that was set back does not put what is accepted into a gap") {
    Office office;
    const auto before = office.submit(1).received;
    office.stop();
    office.now -= kHour;
    office.start();
    const auto gap = office.newest_gap();
    const auto received = office.submit(2).received;
    CHECK(received > before);
    CHECK(received >= gap.until_ms());
}

TEST_CASE("however often the gateway is started after a restore, what was lost stays in a gap") {
    Office office;
    office.submit(1);
    office.checkpoint();
    const auto lost = office.submit(2).received;
    office.restore();
    for (std::uint8_t i = 0; i < 2 * Spans::kMost; ++i) {
        office.submit(static_cast<std::uint8_t>(10 + i));
        office.stop();
        office.now += kSecond;
        office.start();
    }
    const auto welcome = office.hello(10);
    CHECK(welcome.gaps_size() == static_cast<int>(Spans::kMost));
    const auto holds = [&](const v1::Gap& gap) { return gap.after_ms() < lost && lost < gap.until_ms(); };
    CHECK(std::any_of(welcome.gaps().begin(), welcome.gaps().end(), holds));
}
