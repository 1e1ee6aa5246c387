// The C boundary to Mosquitto 2.0: translates events, and lets no exception through. Everything else is identity.cpp.
#include <mosquitto_broker.h>
// clang-format off: mosquitto_plugin.h uses types that mosquitto_broker.h declares
#include <mosquitto_plugin.h>
// clang-format on
#include <mosquitto.h>

#include <cstring>
#include <memory>

#include "identity/identity.hpp"
#include "nimes/crypto.hpp"
#include "nimes/topics.hpp"

#define NIMES_EXPORT __attribute__((visibility("default")))

namespace nimes::plugin {
namespace {

class Mosquitto final : public BrokerPort {
  public:
    void kick(const std::string& client_id) override { mosquitto_kick_client_by_clientid(client_id.c_str(), false); }

    void publish(const std::string& topic, ByteView payload) override {
        void* copy = mosquitto_malloc(payload.size());  // the broker takes it over, if it takes it
        if (copy == nullptr) return;
        std::memcpy(copy, payload.data(), payload.size());
        const auto size = static_cast<int>(payload.size());
        if (mosquitto_broker_publish(nullptr, topic.c_str(), size, copy, 0, false, nullptr) != MOSQ_ERR_SUCCESS)
            mosquitto_free(copy);
    }

    void log(Level level, const std::string& text) override {
        constexpr int kLevels[] = {MOSQ_LOG_INFO, MOSQ_LOG_WARNING, MOSQ_LOG_ERR};
        mosquitto_log_printf(kLevels[static_cast<std::size_t>(level)], "%s", text.c_str());
    }
};

struct Plugin {
    mosquitto_plugin_id_t* id = nullptr;
    SystemClock clock;
    Mosquitto port;
    std::unique_ptr<Identity> identity;
};

Identity& identity(void* userdata) { return *static_cast<Plugin*>(userdata)->identity; }

std::optional<std::string_view> view(const char* text) {
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
}

// Runs `body`; whatever it throws becomes `refusal`.
template <class Body>
int guarded(int refusal, Body body) noexcept {
    try {
        return body();
    } catch (...) {
        return refusal;
    }
}

int on_auth(int, void* event_data, void* userdata) noexcept {
    return guarded(MOSQ_ERR_AUTH, [&] {
        const auto* event = static_cast<mosquitto_evt_basic_auth*>(event_data);
        const auto client_id = view(mosquitto_client_id(event->client));
        Connect connect;
        connect.client_id = client_id.value_or("");
        connect.username = view(event->username);
        connect.password = view(event->password);
        connect.protocol_version = mosquitto_client_protocol_version(event->client);
        connect.keepalive = mosquitto_client_keepalive(event->client);
        return identity(userdata).on_auth(event->client, connect) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
    });
}

std::optional<Act> act_of(int access) {
    switch (access) {
        case MOSQ_ACL_READ:
            return Act::read;
        case MOSQ_ACL_WRITE:
            return Act::write;
        case MOSQ_ACL_SUBSCRIBE:
            return Act::subscribe;
        case MOSQ_ACL_UNSUBSCRIBE:
            return Act::unsubscribe;
        default:
            return std::nullopt;
    }
}

int on_acl(int, void* event_data, void* userdata) noexcept {
    return guarded(MOSQ_ERR_ACL_DENIED, [&] {
        const auto* event = static_cast<mosquitto_evt_acl_check*>(event_data);
        const auto act = act_of(event->access);
        const auto topic = view(event->topic);
        if (!act || !topic) return static_cast<int>(MOSQ_ERR_ACL_DENIED);
        const Ask ask{*act, *topic, event->payloadlen, event->retain, event->qos};
        return static_cast<int>(identity(userdata).on_acl(event->client, ask) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED);
    });
}

// Always success: anything else would disconnect the sender. The answer is the next state report.
int on_control(int, void* event_data, void* userdata) noexcept {
    return guarded(MOSQ_ERR_SUCCESS, [&] {
        const auto* event = static_cast<mosquitto_evt_control*>(event_data);
        identity(userdata).on_control(event->client,
                                      {static_cast<const std::uint8_t*>(event->payload), event->payloadlen});
        return static_cast<int>(MOSQ_ERR_SUCCESS);
    });
}

int on_down(int, void* event_data, void* userdata) noexcept {
    return guarded(MOSQ_ERR_SUCCESS, [&] {
        const auto* event = static_cast<mosquitto_evt_control*>(event_data);
        identity(userdata).on_down(event->client,
                                   {static_cast<const std::uint8_t*>(event->payload), event->payloadlen});
        return static_cast<int>(MOSQ_ERR_SUCCESS);
    });
}

// For QoS 0 "denied" means: the broker forgets its copy, and tells nobody.
int on_message(int, void* event_data, void* userdata) noexcept {
    return guarded(MOSQ_ERR_ACL_DENIED, [&] {
        const auto* event = static_cast<mosquitto_evt_message*>(event_data);
        const ByteView payload{static_cast<const std::uint8_t*>(event->payload), event->payloadlen};
        const bool taken = identity(userdata).on_message(event->client, payload, event->qos);
        return static_cast<int>(taken ? MOSQ_ERR_ACL_DENIED : MOSQ_ERR_SUCCESS);
    });
}

int on_disconnect(int, void* event_data, void* userdata) noexcept {
    return guarded(MOSQ_ERR_SUCCESS, [&] {
        identity(userdata).on_disconnect(static_cast<mosquitto_evt_disconnect*>(event_data)->client);
        return static_cast<int>(MOSQ_ERR_SUCCESS);
    });
}

int on_reload(int, void*, void* userdata) noexcept {
    return guarded(MOSQ_ERR_PLUGIN_DEFER, [&] {
        identity(userdata).on_reload();
        return static_cast<int>(MOSQ_ERR_PLUGIN_DEFER);  // success would stop other plugins' reloads
    });
}

int on_tick(int, void*, void* userdata) noexcept {
    return guarded(MOSQ_ERR_SUCCESS, [&] {
        identity(userdata).on_tick();
        return static_cast<int>(MOSQ_ERR_SUCCESS);
    });
}

struct Registration {
    int event;
    int (*callback)(int, void*, void*) noexcept;
    const char* control_topic = nullptr;
};
constexpr Registration kRegistrations[] = {
    {MOSQ_EVT_BASIC_AUTH, on_auth},
    {MOSQ_EVT_ACL_CHECK, on_acl},
    {MOSQ_EVT_MESSAGE, on_message},
    {MOSQ_EVT_CONTROL, on_control, topic::kControl.data()},
    {MOSQ_EVT_CONTROL, on_down, topic::kControlDown.data()},
    {MOSQ_EVT_DISCONNECT, on_disconnect},
    {MOSQ_EVT_RELOAD, on_reload},
    {MOSQ_EVT_TICK, on_tick},
};

int start(mosquitto_plugin_id_t* id, void** userdata, const mosquitto_opt* options, int count) {
    OptionPairs pairs;
    for (int i = 0; i < count; ++i)
        pairs.emplace_back(options[i].key, options[i].value == nullptr ? "" : options[i].value);
    auto parsed = parse_options(pairs);
    if (!parsed || !crypto_init()) {
        mosquitto_log_printf(MOSQ_LOG_ERR, "identity: %s",
                             parsed ? "libsodium does not start" : parsed.error().text().c_str());
        return MOSQ_ERR_INVAL;  // the broker does not start: failing closed costs nothing
    }
    auto plugin = std::make_unique<Plugin>();
    plugin->id = id;
    plugin->identity = std::make_unique<Identity>(std::move(*parsed), plugin->clock, plugin->port);
    for (const auto& r : kRegistrations)
        if (const int rc = mosquitto_callback_register(id, r.event, r.callback, r.control_topic, plugin.get());
            rc != MOSQ_ERR_SUCCESS)
            return rc;
    *userdata = plugin.release();
    return MOSQ_ERR_SUCCESS;
}

void stop(void* userdata) {
    const std::unique_ptr<Plugin> plugin(static_cast<Plugin*>(userdata));
    if (!plugin) return;
    for (const auto& r : kRegistrations)
        mosquitto_callback_unregister(plugin->id, r.event, r.callback, r.control_topic);
}

}  // namespace
}  // namespace nimes::plugin

extern "C" {

NIMES_EXPORT int mosquitto_plugin_version(int supported_version_count, const int* supported_versions) {
    for (int i = 0; i < supported_version_count; ++i)
        if (supported_versions[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
    return -1;
}

NIMES_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** userdata,
                                       struct mosquitto_opt* options, int option_count) {
    return nimes::plugin::guarded(MOSQ_ERR_UNKNOWN,
                                  [&] { return nimes::plugin::start(identifier, userdata, options, option_count); });
}

NIMES_EXPORT int mosquitto_plugin_cleanup(void* userdata, struct mosquitto_opt*, int) {
    return nimes::plugin::guarded(MOSQ_ERR_UNKNOWN, [&] {
        nimes::plugin::stop(userdata);
        return static_cast<int>(MOSQ_ERR_SUCCESS);
    });
}

}  // extern "C"
