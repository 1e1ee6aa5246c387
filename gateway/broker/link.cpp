#include "broker/link.hpp"

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "broker/paho.hpp"
#include "nimes/batch.hpp"
#include "nimes/token.hpp"
#include "nimes/topics.hpp"

namespace nimes::gateway::broker {
namespace {

constexpr unsigned kKeepaliveSeconds = 30;
constexpr int kBuffered = 100'000;
// A packet of a device may be as large as a whole batch: MQTT's own bytes must still fit.
constexpr std::size_t kBatchBytes = UpBatch::kFull;
constexpr Millis kLastWords = 2 * kSecond;
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kDisconnectTimeout = std::chrono::milliseconds(1'000);
constexpr const char* kFigures[] = {"$SYS/broker/publish/messages/dropped", "$SYS/broker/clients/connected"};

struct Outgoing {
    enum class Kind : std::uint8_t { packets, mirror } kind = Kind::packets;
    Bytes payload;  // of packets: as they stand in a DownBatch
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
    std::optional<Outgoing> next();
    bool publish(mqtt::async_client& client, InFlight& in_flight, const Outgoing& out);
    bool over(bool last_words);
    bool done(mqtt::token& token);
    bool room_for(std::size_t bytes);
    bool anything() const { return !mirror_parts.empty() || !outgoing.empty() || !done_batches.empty(); }
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
    std::deque<Bytes> mirror_parts;  // goes first, and always fits: a revocation waits behind no catch-up
    std::deque<Outgoing> outgoing;
    std::size_t outgoing_bytes = 0;
    std::vector<std::uint64_t> done_batches;
    bool stopping = false;
    Millis stop_until = 0;  // boot clock
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
        if (!impl_->stopping) impl_->stop_until = impl_->clock.boot() + kLastWords;
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

bool Link::linked() const { return impl_->up; }
std::uint64_t Link::dropped() const { return impl_->dropped; }

bool Link::Impl::room_for(std::size_t bytes) {
    if (up && outgoing_bytes + bytes <= options.queue_bytes) {
        outgoing_bytes += bytes;
        return true;
    }
    ++dropped;
    return false;
}

void Link::send(const DeviceId& device, ByteView down) {
    const auto size = down.size() + DevicePacket::kOverhead;
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->room_for(size)) return;
    auto& queue = impl_->outgoing;
    const bool fits = !queue.empty() && queue.back().kind == Outgoing::Kind::packets &&
                      queue.back().payload.size() + size <= kBatchBytes;
    if (!fits) queue.push_back({Outgoing::Kind::packets, {}});
    append_packet(queue.back().payload, device, down);
}

void Link::control(Bytes part) {
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->up) return void(++impl_->dropped);
        impl_->mirror_parts.push_back(std::move(part));
    }
    impl_->wake.notify_one();
}

void Link::done(std::uint64_t batch) {
    const std::lock_guard lock(impl_->mutex);
    // Without a connection the plugin has taken its batches back; beyond the bound it hands them out again.
    if (impl_->up && impl_->done_batches.size() < DownBatch::kMaxDone) impl_->done_batches.push_back(batch);
}

void Link::flush() { impl_->wake.notify_one(); }

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
        mirror_parts.clear();
        outgoing_bytes = 0;
        done_batches.clear();
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
    // Batches last: the plugin hands out what it has gathered at once.
    for (const auto filter : {topic::kEdgeSubscription, topic::kGatewaySubscription, topic::kBatchSubscription}) {
        const auto subscribed = client.subscribe(std::string(filter), 1);
        if (!done(*subscribed)) return false;
        const auto response = subscribed->get_subscribe_response();
        for (const auto code : response.get_reason_codes())
            if (code > mqtt::ReasonCode::GRANTED_QOS_2) return false;
    }
    for (const auto* figure : kFigures) client.subscribe(figure, 0);
    return true;
}

// With `last_words` a stop still leaves time for what was handed in before it.
bool Link::Impl::over(bool last_words) {
    const std::lock_guard lock(mutex);
    return lost || (stopping && (!last_words || clock.boot() >= stop_until));
}

// Waits for the broker's answer; false without one in time, or when nobody wants it any more.
bool Link::Impl::done(mqtt::token& token) {
    const auto until = clock.boot() + options.connect_timeout;
    while (!token.wait_for(kLook))
        if (over(false) || clock.boot() >= until) return false;
    return token.get_return_code() == 0;
}

void Link::Impl::drain(mqtt::async_client& client) {
    InFlight in_flight;
    while (const auto out = next())
        if (!publish(client, in_flight, *out)) return;
}

// The next packet to publish, once there is one; nullopt at the end. What is done goes with the packets.
std::optional<Outgoing> Link::Impl::next() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return stopping || lost || anything(); });
    if (lost || (stopping && (!anything() || clock.boot() >= stop_until))) return std::nullopt;
    Outgoing out;
    if (!mirror_parts.empty()) {
        out = {Outgoing::Kind::mirror, std::move(mirror_parts.front())};
        mirror_parts.pop_front();
        return out;
    }
    if (!outgoing.empty()) {
        out = std::move(outgoing.front());
        outgoing.pop_front();
        outgoing_bytes -= out.payload.size();
    }
    auto batch = DownBatch::begin(done_batches);
    done_batches.clear();
    batch.insert(batch.end(), out.payload.begin(), out.payload.end());
    out.payload = std::move(batch);
    return out;
}

// Waits while the broker takes less than we have; false when the connection ended meanwhile.
bool Link::Impl::publish(mqtt::async_client& client, InFlight& in_flight, const Outgoing& out) {
    in_flight.forget();
    while (in_flight.full()) {
        if (over(true)) return false;
        try {
            in_flight.tokens.front().first->wait_for(kLook);
        } catch (const mqtt::exception&) {
            ++dropped;
        }
        in_flight.forget();
    }
    try {
        const bool mirror = out.kind == Outgoing::Kind::mirror;
        const std::string to(mirror ? topic::kControl : topic::kControlDown);
        in_flight.add(client.publish(to, out.payload.data(), out.payload.size(), mirror ? 1 : 0, false),
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
    constexpr std::string_view kUp = "nimes/up/";
    if (topic.starts_with(kUp)) {
        handler.batch(to_bytes(payload));
    } else if (topic.starts_with(kEdge)) {
        if (topic.ends_with("/presence")) {
            for (; payload.size() >= Presence::kBytes; payload = payload.subspan(Presence::kBytes))
                if (const auto presence = Presence::parse(payload.first(Presence::kBytes))) handler.presence(*presence);
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
