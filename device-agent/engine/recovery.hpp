// What happens when something cannot be opened (FORMATS.md 2.9): its key is asked for, and whoever is asked grants the
// chain anew and sends the missed messages again, to that device alone.
//
// The one who misses (recovery_missed.cpp, recovery_ask.cpp): a held message of an unknown chain is shown as awaited
// after a minute, and its chain asked for; a gap in what a device said is asked for too. The one who is asked
// (recovery_answer.cpp): judges the request like everything hostile, grants at the present index, and sends again what
// that person was allowed to read. Call with the core's lock held. Errors are the store's.
#pragma once

#include "engine/compose.hpp"
#include "nimes/control.hpp"
#include "nimes/v1/transport.pb.h"
#include "sealing/grant_opener.hpp"

namespace nimes::agent::engine {

class Recovery {
  public:
    Recovery(Core& core, Compose& compose) : core_(core), compose_(compose) {}

    static constexpr Millis kPatience = kMinute;     // before anything is asked for
    static constexpr std::uint32_t kAsksAtMost = 3;  // for one chain and device, in a day
    static constexpr std::size_t kAtOnce = 50;       // requests, and gaps looked at

    // Asks for what has been missed for long enough; true when the outbox grew.
    Result<bool> ask();
    // A sealed request of another device.
    Result<sealing::Outcome> requested(container::Transaction& tx, const KeyRequest& request, const UserId& claimed);
    // Devices that the gateway named as not reached by this message: they get it now.
    Result<void> send_again(const MessageId& id, const std::vector<DeviceId>& devices);

  private:
    struct Wanted {
        UserId user;
        DeviceId owner;
        ConversationId conversation;
        ChainId chain;
        RequestKind kind = RequestKind::chain;
        std::uint32_t have_index = 0;
        std::vector<v1::Envelope> envelopes;  // that wait for it

        [[nodiscard]] Bytes key() const;
    };
    // recovery_missed.cpp
    Result<std::vector<Wanted>> missed_chains(container::Transaction& tx);
    Result<std::vector<Wanted>> missed_messages(container::Transaction& tx);
    Result<void> know_pair(container::Transaction& tx, const v1::Envelope& envelope);
    // recovery_ask.cpp
    Result<bool> ask_for(container::Transaction& tx, const Wanted& wanted);
    Result<bool> may_ask(container::Transaction& tx, const Wanted& wanted);
    Result<void> show_awaited(container::Transaction& tx, const v1::Envelope& envelope);
    // recovery_answer.cpp
    Result<bool> seen_before(container::Transaction& tx, const KeyRequest& request);

    Core& core_;
    Compose& compose_;
};

// What lies in Table::held: when it came (this device's time), and the envelope.
struct HeldItem {
    Millis since = 0;
    v1::Envelope envelope;

    [[nodiscard]] Bytes encode() const;
    static Result<HeldItem> parse(ByteView bytes);
};

}  // namespace nimes::agent::engine
