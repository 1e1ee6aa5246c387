#include "broker/link.hpp"

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "broker/paho.hpp"
#include "nimes/token.hpp"
#include "nimes/topics.hpp"

namespace nimes::gateway::broker {
namespace {

constexpr unsigned kKeepaliveSeconds = 30;
constexpr int kBuffered = 100'000;
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kDisconnectTimeout = std::chrono::milliseconds(1'000);
constexpr const char* kFigures[] = {"$SYS/broker/publish/messages/dropped", "$SYS/broker/clients/connected"};

struct Outgoing {
    std::string topic;
    Bytes payload;
    int qos = 0;
};

std::string dialled(const LinkOptions& options) {
    const auto& url = options.dial.empty() ? options.url : options.dial;
    constexpr std::string_view kScheme = "mqtts://";
    return url.starts_with(kScheme) ? "ssl://" + url.substr(kScheme.size()) : url;
}

Millis uniform(Millis bound, RandomSource& random) {
    ByteArray<8> bytes{};
    random.fill(bytes);
    return Reader(bytes).u64() % (bound + 1);
}

}  // namespace

struct Link::Impl final : mqtt::callback {
    Impl(LinkOptions o, const SigningKeyPair& k, Handler& h, const Clock& c, RandomSource& r)
        : options(std::move(o)), key(k), handler(h), clock(c), random(r) {}

    void run();
    void serve();
    bool connect(mqtt::async_client& client);
    void drain(mqtt::async_client& client);
    bool publish(mqtt::async_client& client, InFlight& in_flight, const Outgoing& out);
    bool over();
    bool done(mqtt::token& token);
    void queue(Outgoing out);
    void route(const std::string& topic, ByteView payload);
    void connection_lost(const std::string&) override;
    void message_arrived(mqtt::const_message_ptr message) override;

    const LinkOptions options;
    const SigningKeyPair& key;
    Handler& handler;
    const Clock& clock;
    RandomSource& random;
    Audience audience;

    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Outgoing> outgoing;
    std::size_t outgoing_bytes = 0;
    bool stopping = false;
    bool lost = false;
    std::atomic<bool> up = false;
    std::atomic<std::uint64_t> dropped = 0;
    std::thread thread;
};

Link::Link(LinkOptions options, const SigningKeyPair& key, Handler& handler, const Clock& clock, RandomSource& random)
    : impl_(std::make_unique<Impl>(std::move(options), key, handler, clock, random)) {}
Link::~Link() { stop(); }

Result<void> Link::start() {
    const auto audience = audience_of(impl_->options.url);
    if (!audience) return fail(Errc::bad_config, "broker.url must be mqtts://host:port");
    impl_->audience = *audience;
    impl_->thread = std::thread([this] { impl_->run(); });
    return {};
}

void Link::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

void Link::send(const DeviceId& device, Bytes down) { impl_->queue({topic::down(device), std::move(down), 0}); }
void Link::control(Bytes part) { impl_->queue({std::string(topic::kControl), std::move(part), 1}); }
bool Link::linked() const { return impl_->up; }
std::uint64_t Link::dropped() const { return impl_->dropped; }

void Link::Impl::queue(Outgoing out) {
    {
        const std::lock_guard lock(mutex);
        if (!up || outgoing_bytes + out.payload.size() > options.queue_bytes) {
            ++dropped;
            return;
        }
        outgoing_bytes += out.payload.size();
        outgoing.push_back(std::move(out));
    }
    wake.notify_one();
}

void Link::Impl::run() {
    auto window = options.first_wait;
    for (;;) {
        const auto began = clock.boot();
        try {
            serve();
        } catch (const std::exception&) {
            // Paho's own: the connection is over, which is dealt with below.
        }
        if (up.exchange(false)) handler.unlinked();
        if (clock.boot() - began > options.longest_wait) window = options.first_wait;
        std::unique_lock lock(mutex);
        outgoing.clear();
        outgoing_bytes = 0;
        wake.wait_for(lock, std::chrono::milliseconds(uniform(window, random)), [this] { return stopping; });
        if (stopping) return;
        window = std::min(window * 2, options.longest_wait);
    }
}

// One connection, from its making to its end. A client of its own each time: nothing of an old one is carried over.
void Link::Impl::serve() {
    const auto id = to_text(key_actor(key.public_key));
    mqtt::create_options create(MQTTVERSION_5, kBuffered);
    mqtt::async_client client(dialled(options), id + "-" + std::to_string(options.number), create, nullptr);
    {
        const std::lock_guard lock(mutex);
        lost = false;
    }
    const Callbacks callbacks(client, *this);
    if (connect(client)) {
        drain(client);
        try {
            client.disconnect(kDisconnectTimeout)->wait_for(2 * kDisconnectTimeout);
        } catch (const mqtt::exception&) {
            // It was gone already.
        }
    }
}

bool Link::Impl::connect(mqtt::async_client& client) {
    mqtt::ssl_options tls;
    tls.set_trust_store(options.ca.string());
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);

    const auto id = key_actor(key.public_key);
    mqtt::properties properties;
    properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, 0));
    mqtt::connect_options connect;
    connect.set_mqtt_version(MQTTVERSION_5);
    connect.set_clean_start(true);
    connect.set_keep_alive_interval(static_cast<int>(kKeepaliveSeconds));
    connect.set_connect_timeout(std::chrono::milliseconds(options.connect_timeout));
    connect.set_automatic_reconnect(false);
    connect.set_user_name(to_text(id));
    connect.set_password(mint_token(key.secret, id, audience, clock.now(), random));
    connect.set_ssl(tls);
    connect.set_properties(properties);  // last: the other setters of this version lose them

    if (!done(*client.connect(connect))) return false;
    up = true;
    handler.linked();  // before anything can arrive
    for (const auto& filter : {std::string(topic::kGatewaySubscription), std::string(topic::kEdgeSubscription)}) {
        const auto subscribed = client.subscribe(filter, 1);
        if (!done(*subscribed)) return false;
        const auto response = subscribed->get_subscribe_response();
        for (const auto code : response.get_reason_codes())
            if (code > mqtt::ReasonCode::GRANTED_QOS_2) return false;
    }
    for (const auto* figure : kFigures) client.subscribe(figure, 0);
    return true;
}

bool Link::Impl::over() {
    const std::lock_guard lock(mutex);
    return stopping || lost;
}

// Waits for the broker's answer; false without one in time, or when nobody wants it any more.
bool Link::Impl::done(mqtt::token& token) {
    const auto until = clock.boot() + options.connect_timeout;
    while (!token.wait_for(kLook))
        if (over() || clock.boot() >= until) return false;
    return token.get_return_code() == 0;
}

void Link::Impl::drain(mqtt::async_client& client) {
    InFlight in_flight;
    for (;;) {
        Outgoing out;
        {
            std::unique_lock lock(mutex);
            wake.wait(lock, [this] { return stopping || lost || !outgoing.empty(); });
            if (stopping || lost) return;
            out = std::move(outgoing.front());
            outgoing.pop_front();
            outgoing_bytes -= out.payload.size();
        }
        if (!publish(client, in_flight, out)) return;
    }
}

// Waits while the broker takes less than we have; false when the connection ended meanwhile.
bool Link::Impl::publish(mqtt::async_client& client, InFlight& in_flight, const Outgoing& out) {
    in_flight.forget();
    while (in_flight.full()) {
        if (over()) return false;
        try {
            in_flight.tokens.front().first->wait_for(kLook);
        } catch (const mqtt::exception&) {
            ++dropped;
        }
        in_flight.forget();
    }
    try {
        in_flight.add(client.publish(out.topic, out.payload.data(), out.payload.size(), out.qos, false),
                      out.payload.size());
    } catch (const mqtt::exception&) {
        ++dropped;  // the connection is going
    }
    return true;
}

void Link::Impl::connection_lost(const std::string&) {
    {
        const std::lock_guard lock(mutex);
        lost = true;
    }
    wake.notify_all();
}

void Link::Impl::message_arrived(mqtt::const_message_ptr message) {
    try {
        const auto& payload = message->get_payload_ref();
        route(message->get_topic(), payload ? as_bytes(std::string_view(payload.data(), payload.size())) : ByteView{});
    } catch (const std::exception&) {
        // Out of memory, say. The sender repeats what nobody acknowledged; an exception in Paho's C would end us all.
    }
}

void Link::Impl::route(const std::string& topic, ByteView payload) {
    constexpr std::string_view kEdge = "nimes/edge/";
    constexpr std::string_view kSys = "$SYS/";
    if (topic.starts_with(kEdge)) {
        if (topic.ends_with("/presence")) {
            if (const auto presence = Presence::parse(payload)) handler.presence(*presence);
        } else if (const auto state = EdgeState::parse(payload)) {
            handler.edge_state(*state);
        }
    } else if (topic.starts_with(kSys)) {
        const auto text = as_text(payload);
        double value = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{})
            handler.figure(topic, value);
    } else if (const auto device = topic::device_of_up(topic)) {
        handler.packet(*device, to_bytes(payload));
    }
}

}  // namespace nimes::gateway::broker
