// The connection of a handset that is locked: what arrives is stored as it came, and acknowledged; nothing is opened.
//
// Events of the session are kept until handle() is called, with the core's lock held. Threads: start() and stop() from
// one; the session's thread reports. Ownership: the core must outlive it.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "engine/core.hpp"
#include "engine/turn.hpp"
#include "nimes/v1/transport.pb.h"
#include "transport/packet_session.hpp"

namespace nimes::agent::engine {

class DoorLink {
  public:
    using SessionMaker = std::function<std::unique_ptr<transport::PacketSession>(transport::MqttSink)>;
    DoorLink(Core& core, const SessionMaker& make);
    ~DoorLink() { stop(); }

    Result<void> start() { return session_->start(); }
    void stop() { session_->stop(); }
    // True when the broker refused this device: the gateway knows why.
    [[nodiscard]] bool handle();
    [[nodiscard]] bool connected() const { return session_->connected(); }

  private:
    static constexpr std::size_t kMaxQueue = 1'000;
    void push(transport::MqttEvent event);
    void say_hello();
    void on_down(const v1::Down& down);
    void on_deliver(const v1::Deliver& deliver);

    Core& core_;
    std::map<std::uint8_t, std::uint64_t> marks_;
    Gaps gaps_;
    std::mutex queue_mutex_;
    std::deque<transport::MqttEvent> queue_;
    std::unique_ptr<transport::PacketSession> session_;
};

// Once the container is open: what was put aside takes the way of everything that arrives.
Result<void> take_arrivals(Core& core, const std::function<Result<void>(const v1::Deliver&)>& deliver);

}  // namespace nimes::agent::engine
