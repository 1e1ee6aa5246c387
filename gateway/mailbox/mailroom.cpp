#include "mailbox/mailroom.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "mailbox/answers.hpp"
#include "mailbox/delivery.hpp"
#include "mailbox/expiry.hpp"
#include "mailbox/round.hpp"
#include "nimes/batch.hpp"

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kQueueBytes = 64 * 1024 * 1024;
constexpr std::size_t kTaskBytes = 256;  // what one costs beside its packet
constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kPatience = std::chrono::seconds(10);

struct Task {
    enum class Kind : std::uint8_t { batch, packet, linked, connected, gone, head, purge, shut, appoint } kind;
    DeviceId device;
    std::uint64_t connection = 0;  // of a batch: its broker
    Bytes bytes;
    std::function<void(const Result<void>&)> answer{};
    std::vector<DeviceId> devices{};  // of a purge
};

// As if a device had sent it. Its id follows from it: repeated, it is the same one.
Waiting of_organisation(const Task& task) {
    const auto event = ConvEvent::parse(task.bytes);
    Waiting out{event->actor_device, {}, task.answer};
    out.submit.id = MessageId::from(event->state().view().first(MessageId::size));
    out.submit.conversation = event->conversation;
    out.submit.kind = Payload::event;
    out.submit.payload = task.bytes;
    return out;
}

Options starting(Options options, Millis now) {
    options.started = now;
    return options;
}

}  // namespace

struct Mailroom::Impl {
    Impl(const Needs& n, Options o)
        : needs(n),
          options(starting(o, n.clock.now())),
          round(n.outlet),
          committer(n.store, n.people, n.media, options),
          delivery(n.store, committer, n.people, round, options, n.metrics),
          expiry(n.store, committer, options) {
        for (const auto& name : n.brokers)
            relays.push_back({n.metrics.broker_relay_dropped.of(name), n.metrics.broker_relay_waiting_bytes.of(name)});
    }

    void push(Task task);
    void run();
    void work(std::vector<Task> tasks);
    void unpack(ByteView batch, std::size_t broker, std::vector<Waiting>& waiting, Millis now);
    void receive(const DeviceId& device, ByteView packet, std::vector<Waiting>& waiting, Millis now);
    void commit(const std::vector<Waiting>& waiting, Millis now);
    void ring(const std::vector<Outcome>& outcomes);
    void ring_left();
    Outcome signal(const Waiting& signal, Millis now);
    void tick();

    const Needs needs;
    const Options options;
    Round round;
    Committer committer;
    Delivery delivery;
    Expiry expiry;
    struct Relay {
        operations::FollowedCounter dropped;
        operations::Gauge waiting;
    };
    std::vector<Relay> relays;  // figures of each broker's plugin: every batch brings them
    std::vector<std::pair<std::size_t, std::uint64_t>> done;  // up batches of this round, with their brokers

    std::mutex mutex;
    std::condition_variable wake;
    std::vector<Task> queue;
    std::size_t queued_bytes = 0;
    bool stopping = false;
    std::thread thread;
};

Mailroom::Mailroom(const Needs& needs, Options options) : impl_(std::make_unique<Impl>(needs, options)) {}
Mailroom::~Mailroom() { stop(); }

void Mailroom::start() {
    impl_->thread = std::thread([this] { impl_->run(); });
}

void Mailroom::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

void Mailroom::batch(Bytes up, std::size_t broker) { impl_->push({Task::Kind::batch, {}, broker, std::move(up)}); }
void Mailroom::packet(const DeviceId& device, Bytes up) { impl_->push({Task::Kind::packet, device, 0, std::move(up)}); }
void Mailroom::linked() { impl_->push({Task::Kind::linked, {}, 0, {}}); }
void Mailroom::connected(const DeviceId& device, std::uint64_t connection) {
    impl_->push({Task::Kind::connected, device, connection, {}});
}
void Mailroom::gone(const DeviceId& device, std::uint64_t connection) {
    impl_->push({Task::Kind::gone, device, connection, {}});
}
std::uint32_t Mailroom::reconnect_spread_ms() const { return impl_->delivery.spread_ms(); }
void Mailroom::head_moved() { impl_->push({Task::Kind::head, {}, 0, {}}); }
void Mailroom::purge(std::vector<DeviceId> devices, std::function<void(const Result<void>&)> done) {
    impl_->push({Task::Kind::purge, {}, 0, {}, std::move(done), std::move(devices)});
}

void Mailroom::shut(std::vector<DeviceId> devices) {
    impl_->push({Task::Kind::shut, {}, 0, {}, {}, std::move(devices)});
}

Result<void> Mailroom::appoint(const ConvEvent& event) {
    auto done = std::make_shared<std::promise<Result<void>>>();
    auto outcome = done->get_future();
    impl_->push({Task::Kind::appoint, {}, 0, event.encode(), [done](const auto& r) { done->set_value(r); }});
    if (outcome.wait_for(kPatience) == std::future_status::ready) return outcome.get();
    return fail(Errc::timed_out, "the mailroom is busy: look at the group before you try again");
}

void Mailroom::Impl::push(Task task) {
    const auto cost = task.bytes.size() + kTaskBytes;
    {
        const std::lock_guard lock(mutex);
        const bool repeats = task.kind == Task::Kind::batch || task.kind == Task::Kind::packet;
        if (repeats && stopping) return;  // its plugin or sender keeps it for the next gateway
        if (repeats && queued_bytes + cost > kQueueBytes) {
            needs.metrics.messages_rejected.with({row(Errc::unavailable).name}).add();
            return;
        }
        queued_bytes += cost;
        queue.push_back(std::move(task));
    }
    wake.notify_one();
}

void Mailroom::Impl::run() {
    auto next_tick = std::chrono::steady_clock::now() + kTick;
    for (;;) {
        std::vector<Task> tasks;
        bool ending = false;
        {
            std::unique_lock lock(mutex);
            wake.wait_until(lock, next_tick, [this] { return stopping || !queue.empty(); });
            tasks.swap(queue);
            queued_bytes = 0;
            ending = stopping && tasks.empty();
        }
        if (ending) return;
        work(std::move(tasks));
        if (std::chrono::steady_clock::now() < next_tick) continue;
        tick();
        next_tick = std::chrono::steady_clock::now() + kTick;
    }
}

void Mailroom::Impl::work(std::vector<Task> tasks) {
    const auto now = needs.clock.now();
    std::vector<Waiting> waiting;
    done.clear();
    bool head = false;
    for (const auto& task : tasks) {
        switch (task.kind) {
            case Task::Kind::batch:
                unpack(task.bytes, task.connection, waiting, now);
                break;
            case Task::Kind::packet:
                receive(task.device, task.bytes, waiting, now);
                break;
            case Task::Kind::appoint:
                waiting.push_back(of_organisation(task));
                break;
            case Task::Kind::linked:
                delivery.linked(now);
                break;
            case Task::Kind::connected:
                delivery.connected(task.device, task.connection, now);
                break;
            case Task::Kind::gone:
                delivery.gone(task.device, task.connection);
                break;
            case Task::Kind::head:
                head = true;
                break;
            case Task::Kind::shut:
                for (const auto& device : task.devices) delivery.end(device);
                break;
            case Task::Kind::purge:
                for (const auto& device : task.devices) delivery.end(device);
                task.answer(committer.mailboxes().purge(task.devices));
                break;
        }
    }
    std::vector<Waiting> signals;
    const auto is_signal = [](const Waiting& w) { return w.submit.kind == Payload::signal; };
    std::copy_if(waiting.begin(), waiting.end(), std::back_inserter(signals), is_signal);
    std::erase_if(waiting, is_signal);
    if (!waiting.empty()) commit(waiting, now);
    for (const auto& w : signals) round.send(w.sender, encode_outcome(signal(w, now)));
    if (head) delivery.head_moved();
    ring_left();
    for (const auto& [broker, batch] : done) round.done(broker, batch);
    round.flush();
}

void Mailroom::Impl::unpack(ByteView bytes, std::size_t broker, std::vector<Waiting>& waiting, Millis now) {
    const auto batch = UpBatch::parse(bytes);
    if (!batch) return needs.log.error("edge_batch_malformed");
    const auto& relay = relays.at(broker);
    relay.dropped.follow(static_cast<double>(batch->dropped));
    relay.waiting.set(static_cast<double>(batch->waiting));
    for (const auto& packet : batch->packets) receive(packet.device, packet.bytes, waiting, now);
    done.emplace_back(broker, batch->number);
}

void Mailroom::Impl::receive(const DeviceId& device, ByteView packet, std::vector<Waiting>& waiting, Millis now) {
    auto decoded = decode_up(device, packet);
    if (!std::holds_alternative<Command>(decoded) || !std::holds_alternative<Hello>(std::get<Command>(decoded)))
        delivery.heard(device, now);
    if (const auto* refused = std::get_if<Refused>(&decoded)) {
        needs.metrics.messages_rejected.with({refused->error.row().name}).add();
        if (refused->id) round.send(device, encode_refused(*refused->id, refused->error));
        return;
    }
    auto& command = std::get<Command>(decoded);
    if (const auto* hello = std::get_if<Hello>(&command)) return delivery.hello(device, *hello, now);
    if (const auto* ack = std::get_if<Ack>(&command)) return delivery.acknowledge(device, *ack, now);
    waiting.push_back({device, std::move(std::get<Submit>(command))});
}

void Mailroom::Impl::commit(const std::vector<Waiting>& waiting, Millis now) {
    const auto began = needs.clock.boot();
    const auto outcomes = committer.commit(waiting, now);
    needs.metrics.message_commit_seconds.observe(static_cast<double>(needs.clock.boot() - began) / 1'000.0);

    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto& outcome = outcomes[i];
        if (!outcome.accepted) {
            needs.metrics.messages_rejected.with({outcome.accepted.error().row().name}).add();
        } else {
            (outcome.repeated ? needs.metrics.messages_repeated : needs.metrics.messages_accepted).add();
        }
        if (waiting[i].organisation) waiting[i].organisation(outcome.accepted);
        else round.send(outcome.sender, encode_outcome(outcome));
        delivery.offer(outcome, now);
    }
    delivery.flush();
    if (needs.doorbell != nullptr) ring(outcomes);
}

// Whoever got something and is not here, once.
void Mailroom::Impl::ring(const std::vector<Outcome>& outcomes) {
    std::set<DeviceId> away;
    for (const auto& outcome : outcomes)
        for (const auto& device : outcome.delivered)
            if (!delivery.has_session(device)) away.insert(device);
    for (const auto& device : away) needs.doorbell->waits(device);
}

// What was sent into a connection that was dead already.
void Mailroom::Impl::ring_left() {
    for (const auto& device : delivery.take_left())
        if (needs.doorbell != nullptr && !delivery.has_session(device)) needs.doorbell->waits(device);
}

// What is not stored is said to those who are here, behind everything that was: its chain may have come just now.
Outcome Mailroom::Impl::signal(const Waiting& w, Millis now) {
    Outcome out;
    out.sender = w.sender;
    out.id = w.submit.id;
    out.received = now;
    auto user = needs.people.sender(w.sender);
    auto to = user ? expand(w.submit, w.sender, *user, needs.people, committer.conversations())
                   : Result<Expansion>(pass(user));
    if (!to) {
        needs.metrics.messages_rejected.with({to.error().row().name}).add();
        out.accepted = fail(to.error().code, to.error().detail);
        return out;
    }
    const auto down = encode_signal(w.sender, w.submit, *user, now);
    for (const auto& recipient : to->recipients) delivery.pass_on(recipient.device, down);
    return out;
}

void Mailroom::Impl::tick() {
    const auto now = needs.clock.now();
    delivery.tick(now);
    ring_left();
    round.flush();
    if (const auto gone = expiry.step(now); !gone)
        needs.log.error("mailbox_expiry_failed", {{"code", gone.error().row().name}});
}

}  // namespace nimes::gateway::mailbox
