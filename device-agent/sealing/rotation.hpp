// Must the chain be replaced before the next message? (FORMATS.md 2.8)
//
// The engine gathers what happened since the chain was opened; here is the rule. Pure; thread safe.
#pragma once

#include "sealing/chain.hpp"

namespace nimes::agent::sealing {

struct SinceOpened {
    bool user_removed = false;         // or the roster gained an epoch that is not only additions
    bool granted_device_gone = false;  // a device that holds the chain was revoked or expired
    bool clone_alarm = false;          // or the device was restored
    bool forked = false;
    Millis peer_chain_opened = 0;  // of two: when the peer's newest chain was accepted; 0: none newer

    // Somebody holds the chain who must not read on.
    [[nodiscard]] bool must_shut_out() const { return user_removed || granted_device_gone || clone_alarm || forked; }
};

// "" when it may go on; else the reason, for logs and tests.
std::string_view must_rotate(const SendingChain& chain, const SinceOpened& since, bool pair, Millis now);

}  // namespace nimes::agent::sealing
