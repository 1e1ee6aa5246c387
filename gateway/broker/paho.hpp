// What Paho MQTT C++ 1.2 lacks for one connection of the link: a bound in bytes, and an end without late callbacks.
//
// Threads: the link's own. Errors: Paho's exceptions pass through. Only link.cpp includes this.
#pragma once

#include <mqtt/async_client.h>

#include <deque>
#include <utility>

namespace nimes::gateway::broker {

// What Paho may hold unsent. Its own queue knows no bytes: the rest waits in ours, which is bounded.
inline constexpr std::size_t kInFlightBytes = 8 * 1024 * 1024;
inline constexpr std::size_t kInFlight = 10'000;

// Publishes that Paho has taken over and not finished, oldest first.
struct InFlight {
    std::deque<std::pair<mqtt::delivery_token_ptr, std::size_t>> tokens;
    std::size_t bytes = 0;

    void add(mqtt::delivery_token_ptr token, std::size_t size) {
        tokens.emplace_back(std::move(token), size);
        bytes += size;
    }
    // Forgets the oldest ones that are finished, well or badly.
    void forget() {
        while (!tokens.empty() && tokens.front().first->is_complete()) {
            bytes -= tokens.front().second;
            tokens.pop_front();
        }
    }
    [[nodiscard]] bool full() const { return bytes >= kInFlightBytes || tokens.size() >= kInFlight; }
};

// However a connection ends: no callback reaches us once its client is being destroyed.
class Callbacks {
  public:
    Callbacks(mqtt::async_client& client, mqtt::callback& callback) : client_(client) {
        client_.set_callback(callback);
    }
    ~Callbacks() {
        try {
            client_.disable_callbacks();
        } catch (const mqtt::exception&) {
            // Refused only for a client that is none.
        }
    }
    Callbacks(const Callbacks&) = delete;
    Callbacks& operator=(const Callbacks&) = delete;

  private:
    mqtt::async_client& client_;
};

}  // namespace nimes::gateway::broker
