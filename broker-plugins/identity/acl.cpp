#include "identity/acl.hpp"

#include "nimes/topics.hpp"

namespace nimes::plugin {
namespace {

constexpr int kMaxQos = 1;

bool is_device_topic(std::string_view topic, std::string_view level) {
    constexpr std::size_t kDevice = 26;
    return topic.size() == 2 + kDevice + 1 + level.size() && topic.starts_with("n/") && topic.ends_with(level) &&
           topic[2 + kDevice] == '/' && device_from_text(topic.substr(2, kDevice)).has_value();
}

bool is_edge_topic(std::string_view topic, std::string_view broker) {
    return topic == topic::edge_presence(broker) || topic == topic::edge_state(broker);
}

bool device_may(const DeviceId& device, const Ask& ask) {
    switch (ask.act) {
        case Act::write:
            return ask.topic == topic::up(device);
        case Act::read:
        case Act::subscribe:
        case Act::unsubscribe:
            return ask.topic == topic::down(device);
    }
    return false;
}

bool gateway_may(const Ask& ask, std::string_view broker) {
    switch (ask.act) {
        case Act::write:
            return ask.topic == topic::kControl || ask.topic == topic::kControlDown;
        case Act::read:
            return ask.topic == topic::up_batch(broker) || is_device_topic(ask.topic, "up") ||
                   is_edge_topic(ask.topic, broker) || ask.topic.starts_with("$SYS/broker/");
        case Act::subscribe:
        case Act::unsubscribe:
            return ask.topic == topic::kBatchSubscription || ask.topic == topic::kGatewaySubscription ||
                   ask.topic == topic::kEdgeSubscription || ask.topic.starts_with("$SYS/broker/");
    }
    return false;
}

}  // namespace

bool allowed(const Who& who, const Ask& ask, std::string_view broker) {
    if (ask.act == Act::write && (ask.retain || ask.qos > kMaxQos || ask.payload > topic::kMaxPacket)) return false;
    return who.gateway ? gateway_may(ask, broker) : device_may(who.device, ask);
}

}  // namespace nimes::plugin
