// The last things that befell this device's connection, so that somebody can say afterwards why nothing came.
//
// It knows times, kinds, codes and counts: nobody's name, address, id or text, and no network's name. A ring of 512
// events in HOME/flight, 16 KiB that are taken when it is made, so that it goes on when the disk is full; an event torn
// by a crash is left out. Without a file (not opened, or none to be had) the ring lives in memory alone.
// Threads: any. Errors: none; a recorder that fails must not take the flight with it.
#pragma once

#include <deque>
#include <filesystem>
#include <mutex>
#include <vector>

#include "nimes/time.hpp"

namespace nimes::agent::engine {

enum class Flight : std::uint8_t {
    connected = 1,  // value: seconds since the last try began to fail, or 0
    ended = 2,      // a connection; cause and code as transport::Disconnected, value: seconds it had lived
    failed = 3,     // an attempt; cause and code as transport::Disconnected, value: ms until the next
    welcomed = 4,   // by the gateway; value: seconds that our clock is behind (two's complement)
    unheard = 5,    // the broker is there, and nobody reads what we send
    refused = 6,    // an item of the outbox; code: the error
    network = 7,    // the operating system says that it changed
    silent = 8,     // the path fell; value: seconds of silence that it survives as far as is known
    shut_out = 9,   // code: device_revoked or device_suspended
    told = 10,      // HTTPS failed; code: the error
};

struct FlightEvent {
    Millis at = 0;  // our clock
    Flight what = Flight::connected;
    std::uint8_t cause = 0;
    std::uint16_t code = 0;
    std::uint32_t value = 0;
    bool operator==(const FlightEvent&) const = default;
};

class FlightRecorder {
  public:
    static constexpr std::size_t kEvents = 512;

    FlightRecorder() = default;
    ~FlightRecorder();
    FlightRecorder(const FlightRecorder&) = delete;
    FlightRecorder& operator=(const FlightRecorder&) = delete;

    // Goes on in the home's file.
    void open(const std::filesystem::path& home);
    void note(const FlightEvent& event);
    // Oldest first.
    [[nodiscard]] std::vector<FlightEvent> events() const;

  private:
    void write(const FlightEvent& event);
    mutable std::mutex mutex_;
    std::deque<FlightEvent> events_;
    std::uint64_t next_ = 1;  // number of the next event: its place is the number modulo kEvents
    int file_ = -1;
};

}  // namespace nimes::agent::engine
