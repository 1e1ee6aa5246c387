#include "plain.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace nimes::load {
namespace {

constexpr std::size_t kHandshakes = 45;

class Client final : public Connection::Events {
  public:
    Client(Loop& loop, SSL_CTX* tls, Traffic& traffic, std::string id, std::string filter)
        : connection(loop, tls, *this, traffic), id_(std::move(id)), filter_(std::move(filter)) {}

    // Answers the packet id. The payload begins with the time, so that the receiver can tell how old it is.
    void publish(const std::string& topic, Bytes& payload) {
        const auto now = static_cast<std::uint64_t>(micros_now());
        std::memcpy(payload.data(), &now, sizeof now);
        if (++next_ == 0) next_ = 1;
        sent_at_[next_] = static_cast<Micros>(now);
        ++outstanding;
        mqtt::put_publish(connection.out(), topic, payload, 1, next_);
        connection.flush_later();
    }

    std::function<void(Micros sent)> on_accepted, on_message;
    std::function<void()> on_ready;
    std::size_t outstanding = 0;
    std::string failed;
    std::uint32_t session_expiry_s = 0;
    Connection connection;

  private:
    void on_open() override {
        mqtt::Connect connect;
        connect.client = id_;
        connect.session_expiry_s = session_expiry_s;
        mqtt::put_connect(connection.out(), connect);
        connection.flush_later();
    }
    void on_frame(const mqtt::Frame& frame) override {
        switch (frame.type) {
            case mqtt::Type::connack:
                if (filter_.empty()) return on_ready();
                mqtt::put_subscribe(connection.out(), 1, filter_, 1);
                return connection.flush_later();
            case mqtt::Type::suback:
                return on_ready();
            case mqtt::Type::puback:
                --outstanding;
                if (const auto id = mqtt::id_of(frame); id && on_accepted) on_accepted(sent_at_[*id]);
                return;
            case mqtt::Type::publish:
                return message(frame);
            default:
                return;
        }
    }
    void message(const mqtt::Frame& frame) {
        const auto publish = mqtt::parse_publish(frame);
        if (!publish || publish->payload.size() < sizeof(std::uint64_t)) return;
        if (publish->qos > 0) mqtt::put_puback(connection.out(), publish->id);
        connection.flush_later();
        std::uint64_t sent = 0;
        std::memcpy(&sent, publish->payload.data(), sizeof sent);
        if (on_message) on_message(static_cast<Micros>(sent));
    }
    void on_closed(const std::string& why) override { failed = why; }

    const std::string id_, filter_;
    std::uint16_t next_ = 0;
    std::unordered_map<std::uint16_t, Micros> sent_at_;
};

std::string topic_of(std::size_t i) {
    auto digits = std::to_string(i);
    return "n/" + std::string(26 - digits.size(), '0') + digits + "/down";
}

struct Crowd {
    Loop loop;
    TlsContext tls;
    Traffic traffic;
    std::vector<std::unique_ptr<Client>> publishers, subscribers;

    bool run(const std::function<bool()>& done, double seconds) {
        return loop.run(done, micros_now() + micros(seconds));
    }

    Result<void> connect(const PlainPlan& plan, std::vector<std::unique_ptr<Client>>& clients, const Timing& timing) {
        std::size_t ready = 0, begun = 0;
        for (const auto& client : clients) client->on_ready = [&] { ++ready; };
        const auto step = [&] {
            for (; begun < clients.size() && begun - ready < kHandshakes; ++begun) {
                Endpoint to{plan.host, plan.port, {}};
                if (plan.sources > 0) to.source = "127.0.0." + std::to_string(2 + begun % plan.sources);
                if (auto ok = clients[begun]->connection.open(to); !ok) clients[begun]->failed = ok.error().text();
            }
            return ready == clients.size();
        };
        if (run(step, timing.patience_seconds)) return {};
        for (const auto& client : clients)
            if (!client->failed.empty()) return fail(Errc::unavailable, client->failed);
        return fail(Errc::timed_out, "clients cannot connect");
    }

    Result<void> start(const PlainPlan& plan, std::size_t n_publishers, const Timing& timing) {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (!plan.ca.empty()) {
            auto made = make_tls(plan.ca);
            if (!made) return pass(made);
            tls = std::move(*made);
        }
        for (std::size_t i = 0; i < n_publishers; ++i)
            publishers.push_back(
                std::make_unique<Client>(loop, tls.get(), traffic, "publisher-" + std::to_string(i), ""));
        for (std::size_t i = 0; i < plan.pairs; ++i)
            subscribers.push_back(
                std::make_unique<Client>(loop, tls.get(), traffic, "subscriber-" + std::to_string(i), topic_of(i)));
        if (plan.durable)
            for (const auto& subscriber : subscribers) subscriber->session_expiry_s = 3'600;
        if (auto ok = connect(plan, subscribers, timing); !ok) return ok;
        return connect(plan, publishers, timing);
    }
};

}  // namespace

Result<PlainResult> run_plain_pairs(const PlainPlan& plan, const Timing& timing) {
    Crowd crowd;
    if (auto ok = crowd.start(plan, plan.pairs, timing); !ok) return pass(ok);
    PlainResult out;
    Bytes payload(plan.bytes, 7);
    std::uint64_t accepted = 0, delivered = 0, sent = 0;
    Micros from = 0;
    bool sending = true;
    std::vector<std::string> topics;
    for (std::size_t i = 0; i < plan.pairs; ++i) topics.push_back(topic_of(i));
    const auto say = [&](std::size_t i) {
        ++sent;
        crowd.publishers[i]->publish(topics[i], payload);
    };
    for (std::size_t i = 0; i < plan.pairs; ++i) {
        crowd.publishers[i]->on_accepted = [&, i](Micros at) {
            ++accepted;
            if (from != 0 && at >= from) out.accept_time.add(micros_now() - at);
            if (sending && plan.rate <= 0) say(i);
        };
        crowd.subscribers[i]->on_message = [&](Micros at) {
            ++delivered;
            if (from != 0 && at >= from) out.deliver_time.add(micros_now() - at);
        };
    }
    std::function<void()> beat = [&, gap = static_cast<Micros>(1e6 / std::max(plan.rate, 1e-3)), due = micros_now(),
                                  next = std::size_t{0}]() mutable {
        for (; sending && due <= micros_now(); due += gap) say(next++ % plan.pairs);
        if (sending) crowd.loop.at(due, [&beat] { beat(); });
    };
    if (plan.rate > 0) beat();
    else
        for (std::size_t i = 0; i < plan.pairs; ++i)
            for (std::size_t k = 0; k < plan.window; ++k) say(i);

    const auto never = [] { return false; };
    crowd.run(never, timing.warm_seconds);
    const auto accepted_before = accepted, delivered_before = delivered;
    const auto cpu = cpu_seconds();
    from = micros_now();
    crowd.run(never, timing.seconds);
    out.window = {static_cast<double>(micros_now() - from) / 1e6, accepted - accepted_before,
                  delivered - delivered_before, cpu_seconds() - cpu};
    sending = false;
    if (!crowd.run([&] { return accepted == sent && delivered == sent; }, timing.patience_seconds))
        return fail(Errc::timed_out, "the peer lost messages");
    return out;
}

Result<FanoutTimes> run_plain_fanout(const PlainPlan& plan, std::size_t rounds, const Timing& timing) {
    Crowd crowd;
    if (auto ok = crowd.start(plan, 1, timing); !ok) return pass(ok);
    Bytes payload(plan.bytes, 7);
    FanoutTimes out;
    auto& publisher = *crowd.publishers.front();
    std::vector<std::string> topics;
    for (std::size_t i = 0; i < plan.pairs; ++i) topics.push_back(topic_of(i));
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto began = micros_now();
        std::size_t next = 0, reached = 0;
        Micros half = 0;
        publisher.on_accepted = [&](Micros) {
            if (next < plan.pairs) publisher.publish(topics[next++], payload);
        };
        for (const auto& subscriber : crowd.subscribers)
            subscriber->on_message = [&](Micros) {
                if (++reached == plan.pairs / 2) half = micros_now();
            };
        while (next < std::min(plan.window, plan.pairs)) publisher.publish(topics[next++], payload);
        if (!crowd.run([&] { return reached >= plan.pairs && publisher.outstanding == 0; }, timing.patience_seconds))
            return fail(Errc::timed_out, "the peer lost messages");
        const auto ms = [&](Micros t) { return static_cast<double>(t - began) / 1'000.0; };
        out.accepted.push_back(ms(micros_now()));
        out.median.push_back(ms(half));
        out.last.push_back(ms(micros_now()));
        crowd.run([] { return false; }, 0.3);
    }
    return out;
}

}  // namespace nimes::load
