// The topics of nimes, and nothing else exists for a device (asyncapi.yaml).
//   n/<device>/up     device → plugin     nimes.v1.Up
//   n/<device>/down   plugin → device     nimes.v1.Down
//   nimes/up/<broker>                     plugin → gateway: UpBatch, what devices sent
//   $CONTROL/nimes/v1/down                gateway → plugin: DownBatch, what devices shall have
//   $CONTROL/nimes/v1                     gateway → plugin: MirrorPart
//   nimes/edge/<broker>/presence, …/state plugin → gateway: Presence, EdgeState
// <device> is 26 characters of lower-case base32. Pure; thread safe.
#pragma once

#include <string>

#include "nimes/encoding.hpp"

namespace nimes::topic {

inline constexpr std::string_view kControl = "$CONTROL/nimes/v1";
inline constexpr std::string_view kControlDown = "$CONTROL/nimes/v1/down";
inline constexpr std::string_view kBatchSubscription = "$share/gateway/nimes/up/+";
inline constexpr std::string_view kGatewaySubscription = "$share/gateway/n/+/up";  // of QoS 1: not batched
inline constexpr std::string_view kEdgeSubscription = "nimes/edge/+/+";
inline constexpr std::size_t kMaxPacket = 98'304;

inline std::string up(const DeviceId& device) { return "n/" + to_text(device) + "/up"; }
inline std::string down(const DeviceId& device) { return "n/" + to_text(device) + "/down"; }
inline std::string up_batch(std::string_view broker) { return "nimes/up/" + std::string(broker); }
inline std::string edge_presence(std::string_view broker) { return "nimes/edge/" + std::string(broker) + "/presence"; }
inline std::string edge_state(std::string_view broker) { return "nimes/edge/" + std::string(broker) + "/state"; }

// The device of "n/<device>/up"; Errc::malformed for any other topic.
Result<DeviceId> device_of_up(std::string_view topic);

}  // namespace nimes::topic
