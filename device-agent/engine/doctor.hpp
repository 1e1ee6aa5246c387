// Why does nothing arrive? Facts in, findings in plain words out, each with what to do next.
//
// judge() knows no network and no clock: what was found out is in Facts. A finding says nothing of anybody: no name, no
// address, no id, so that it can be read out over the phone. Pure; thread safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/flight_recorder.hpp"
#include "nimes/error.hpp"
#include "transport/probe.hpp"

namespace nimes::agent::engine {

struct Facts {
    bool enrolled = false;
    std::optional<Errc> shut_out;
    std::optional<Error> locked;  // why; what is behind the lock is not known then

    std::optional<std::uint64_t> free_bytes;  // where the home is
    std::optional<Errc> write_error;          // storing something just now failed

    transport::Reached gateway = transport::Reached::nothing;
    std::optional<Errc> status_error;          // of /v1/status; only when the gateway's TLS was reached
    std::optional<std::int64_t> clock_offset;  // the server's clock minus ours, ms
    std::optional<Errc> token_error;           // what the gateway said to our token
    bool token_asked = false;
    std::vector<transport::Reached> brokers;

    bool connected = false;
    bool welcomed = false;  // by the gateway, in this connection
    bool unheard = false;   // the broker says that nobody reads what we send
    bool synced = false;

    struct Stuck {
        Error error;
        std::size_t items = 0;
    };
    std::size_t outbox = 0;
    std::vector<Stuck> stuck;
    std::size_t held = 0;
    std::uint64_t undecryptable = 0;
    bool seal_keys_due = false;
    std::optional<Millis> head_age;
    std::size_t alarms = 0;
};

enum class Verdict : std::uint8_t { good, note, bad, unknown };
std::string_view name(Verdict verdict);

struct Finding {
    std::string
        check;  // home, disk, gateway, clock, token, broker, connection, outbox, held, seal_keys, directory, alarms
    Verdict verdict = Verdict::good;
    std::string what;
    std::string next{};  // "": nothing to do
    std::optional<Errc> code{};
};

std::vector<Finding> judge(const Facts& facts);

// One event of the flight recorder, without its time.
std::string in_words(const FlightEvent& event);

}  // namespace nimes::agent::engine
