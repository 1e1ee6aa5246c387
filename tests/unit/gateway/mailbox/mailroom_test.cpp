#include <condition_variable>
#include <mutex>

#include "mailbox/mailroom.hpp"
#include "nimes/batch.hpp"
#include "post.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::mailbox;

namespace {

struct Gathering final : Outlet {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<DeviceId, std::vector<v1::Down>> sent;
    std::vector<std::pair<std::size_t, std::uint64_t>> finished;
    void done(std::size_t broker, std::uint64_t batch) override { finished.emplace_back(broker, batch); }
    void flush() override {}
    void send(const DeviceId& device, ByteView down) override {
        v1::Down parsed;
        (void)parsed.ParseFromArray(down.data(), static_cast<int>(down.size()));
        const std::lock_guard lock(mutex);
        sent[device].push_back(parsed);
        changed.notify_all();
    }
    // Waits until the device was sent `n` packets.
    std::vector<v1::Down> wait(std::uint8_t device, std::size_t n) {
        std::unique_lock lock(mutex);
        REQUIRE(
            changed.wait_for(lock, std::chrono::seconds(20), [&] { return sent[made<DeviceId>(device)].size() >= n; }));
        return sent[made<DeviceId>(device)];
    }
};

Bytes packet(const v1::Up& up) { return to_bytes(as_bytes(up.SerializeAsString())); }
Bytes submit_packet(const v1::Submit& s) {
    v1::Up up;
    *up.mutable_submit() = s;
    return packet(up);
}

struct Running {
    store::MemoryStore store;
    FakePeople people;
    FakeMedia media;
    Gathering outlet;
    SystemClock clock;
    operations::Metrics metrics{"test", "test"};
    operations::Log log{clock, operations::Level::error};
    Mailroom room{{store, people, media, outlet, clock, metrics, log}, {}};

    Running() { room.start(); }
};

}  // namespace

TEST_CASE("the mailroom answers, delivers, refuses and purges from its own thread") {
    Running running;
    auto& [store, people, media, outlet, clock, metrics, log, room] = running;

    v1::Up hello;
    hello.mutable_hello();
    room.packet(made<DeviceId>(20), packet(hello));
    CHECK(outlet.wait(20, 1)[0].has_welcome());

    room.packet(made<DeviceId>(10), submit_packet(Post::pair_message(1, 1, 2)));
    CHECK(outlet.wait(10, 1)[0].accepted().message_id() == raw(made<MessageId>(1)));
    CHECK(outlet.wait(20, 2)[1].deliver().envelopes_size() == 1);

    room.packet(made<DeviceId>(30), submit_packet(Post::pair_message(2, 1, 2)));
    CHECK(outlet.wait(30, 1)[0].rejected().code() == "ERR_NOT_A_MEMBER");
    room.packet(made<DeviceId>(30), Bytes{0xff, 0xff});  // counted, not answered

    people.head.revision = 2;
    room.head_moved();
    CHECK(outlet.wait(20, 3)[2].head().revision() == 2);

    bool purged = false;
    room.purge({made<DeviceId>(20)}, [&](const Result<void>& gone) { purged = gone.has_value(); });
    room.stop();
    CHECK(purged);
    CHECK(store.scan(Mailboxes::partition(made<DeviceId>(20)), {}, {}, 10)->empty());
    CHECK(metrics.text().find("nimes_messages_accepted_total 1") != std::string::npos);
}

TEST_CASE("a device that is shut out gets nothing more, though its broker has not cut it yet") {
    Running running;
    auto& [store, people, media, outlet, clock, metrics, log, room] = running;
    v1::Up hello;
    hello.mutable_hello();
    for (const auto device : {std::uint8_t{20}, std::uint8_t{21}}) {
        room.packet(made<DeviceId>(device), packet(hello));
        outlet.wait(device, 1);
    }
    room.packet(made<DeviceId>(10), submit_packet(Post::pair_message(1, 1, 2)));
    for (const auto device : {std::uint8_t{20}, std::uint8_t{21}}) outlet.wait(device, 2);
    room.shut({made<DeviceId>(20)});
    room.packet(made<DeviceId>(10), submit_packet(Post::pair_message(2, 1, 2)));
    outlet.wait(21, 3);
    room.stop();
    CHECK(outlet.wait(20, 2).size() == 2);
}

TEST_CASE("everybody is told what changed since the head that they hold, not since another's") {
    Running running;
    auto& [store, people, media, outlet, clock, metrics, log, room] = running;
    v1::Up hello;
    hello.mutable_hello();
    people.head.revision = 1;
    for (const auto first : {std::uint8_t{10}, std::uint8_t{20}}) {
        room.packet(made<DeviceId>(first), packet(hello));
        outlet.wait(first, 1);
    }
    people.head.revision = 2;
    room.packet(made<DeviceId>(30), packet(hello));
    outlet.wait(30, 1);
    people.head.revision = 3;
    people.changed_since = {{1, {made<UserId>(1), made<UserId>(2)}}, {2, {made<UserId>(2)}}};
    room.head_moved();
    for (const auto first : {std::uint8_t{10}, std::uint8_t{20}})
        CHECK(outlet.wait(first, 2)[1].head().changed_users_size() == 2);
    CHECK(outlet.wait(30, 2)[1].head().changed_users_size() == 1);
    CHECK(outlet.wait(30, 2)[1].head().revision() == 3);
    room.stop();
}

TEST_CASE("a signal reaches who is here, is stored for nobody, and a stranger's is refused") {
    Running running;
    auto& [store, people, media, outlet, clock, metrics, log, room] = running;
    v1::Up hello;
    hello.mutable_hello();
    room.packet(made<DeviceId>(20), packet(hello));
    outlet.wait(20, 1);

    auto signal = Post::pair_message(1, 1, 2);
    const auto sealed = signal.message();
    signal.set_signal(sealed);
    room.packet(made<DeviceId>(10), submit_packet(signal));
    CHECK(outlet.wait(10, 1)[0].accepted().message_id() == raw(made<MessageId>(1)));
    const auto got = outlet.wait(20, 2)[1].deliver().envelopes(0);
    CHECK(got.has_signal());
    CHECK(got.sequence() == 0);
    CHECK(got.sender_user() == raw(made<UserId>(1)));

    room.packet(made<DeviceId>(30), submit_packet(signal));
    CHECK(outlet.wait(30, 1)[0].rejected().code() == "ERR_NOT_A_MEMBER");
    signal.set_signal("nothing sealed");
    room.packet(made<DeviceId>(10), submit_packet(signal));
    CHECK(outlet.wait(10, 2)[1].rejected().code() == "ERR_MALFORMED");
    room.stop();
    for (const auto device : std::initializer_list<std::uint8_t>{10, 20, 21})
        CHECK(store.scan(Mailboxes::partition(made<DeviceId>(device)), {}, {}, 10)->empty());
}

TEST_CASE("a batch is done when its messages are stored and answered; a stop does what waits, and takes no more") {
    store::MemoryStore store;
    FakePeople people;
    FakeMedia media;
    Gathering outlet;
    SystemClock clock;
    operations::Metrics metrics("test", "test");
    operations::Log log(clock, operations::Level::error);
    Mailroom room({store, people, media, outlet, clock, metrics, log, nullptr, {"edge-1", "edge-2"}}, {});
    const auto batch = [](std::uint64_t number, std::uint8_t first) {
        auto out = UpBatch::begin();
        for (std::uint8_t i = 0; i < 3; ++i)
            append_packet(out, made<DeviceId>(10),
                          submit_packet(Post::pair_message(static_cast<std::uint8_t>(first + i), 1, 2, i)));
        UpBatch::seal(out, number, 0, 0);
        return out;
    };
    room.batch(batch(7, 1));
    room.batch(batch(8, 4), 1);
    CHECK(outlet.finished.empty());  // nobody works yet
    room.start();
    room.stop();
    room.batch(batch(9, 7));
    CHECK(outlet.finished == std::vector<std::pair<std::size_t, std::uint64_t>>{{0, 7}, {1, 8}});  // each to its broker
    const auto sent = outlet.wait(10, 1);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].bundle().packets_size() == 6);
    CHECK(metrics.text().find("nimes_messages_accepted_total 6") != std::string::npos);
}
