#include "sealing/rotation.hpp"

namespace nimes::agent::sealing {
namespace {

constexpr Millis kPingPong = 10 * kMinute;

}  // namespace

std::string_view must_rotate(const SendingChain& chain, const SinceOpened& since, bool pair, Millis now) {
    if (since.user_removed) return "a user was removed";
    if (since.granted_device_gone) return "a device was revoked or expired";
    if (chain.index > chain.max_index) return "the chain is at its end";
    if (now >= chain.expires) return "the chain is too old";
    if (pair && since.peer_chain_opened > chain.created && now >= chain.created + kPingPong)
        return "the peer opened a new chain";
    if (since.clone_alarm) return "a clone alarm";
    if (since.forked) return "a fork";
    return {};
}

}  // namespace nimes::agent::sealing
