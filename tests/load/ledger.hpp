// What was said by whom and what came to whom: the oracle of a run, shared by all devices of one process.
//
// Every message has a number that rises by one for each sender; its id carries both. At the end settle() counts what
// was accepted and did not arrive. Threads: one. Errors: none; what is wrong is counted.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "report.hpp"

namespace nimes::load {

enum class Kind : std::uint8_t { message = 0, grant = 1, event = 2 };

class Ledger {
  public:
    Ledger(std::size_t devices, std::uint32_t run) : run_(run), senders_(devices), receivers_(devices) {}

    Counts counts;
    Histogram accept_time;                                  // message handed to the network → Accepted is here
    Histogram deliver_time;                                 // … → the envelope is here
    std::function<void(std::uint32_t sender)> on_accepted;  // of a message: room for the next one
    std::function<void(std::uint32_t receiver, std::uint32_t sender, std::uint32_t number)> on_delivered;

    // The id of the next submission of this sender; `receivers` shall have it (messages only).
    MessageId next(std::uint32_t sender, Kind kind, const std::vector<std::uint32_t>* receivers, Micros now);
    void accepted(const MessageId& id, Micros now);
    void rejected(const MessageId& id, const std::string& code);
    // Came under a new sequence number.
    void delivered(std::uint32_t receiver, const MessageId& id, Micros now);
    // Histograms begin anew: what was before was warm-up.
    void measure_from_here();
    // Was shut out for good: nothing that it has not got is missed.
    void leave(std::uint32_t receiver);
    [[nodiscard]] bool has_left(std::uint32_t receiver) const { return left_.contains(receiver); }
    // Counts what is lost, once nothing is under way any more.
    void settle();
    // Deliveries of what was accepted, and those that came; of devices that have not left.
    [[nodiscard]] std::uint64_t expected() const;
    [[nodiscard]] std::uint64_t arrived() const { return counts.delivered - delivered_to_left_; }

    [[nodiscard]] const std::map<std::string, std::uint64_t>& rejections() const { return rejections_; }

  private:
    struct Sender {
        std::vector<Micros> sent;  // by number
        std::vector<bool> accepted;
        std::vector<std::uint32_t> receivers;
        std::uint64_t accepted_count = 0;
    };
    // What one receiver has of one sender: everything below `next` but what is missing.
    struct Track {
        std::uint32_t next = 0;
        std::set<std::uint32_t> missing;
        [[nodiscard]] bool has(std::uint32_t n) const { return n < next && !missing.contains(n); }
    };
    struct Where {
        std::uint32_t sender = 0, number = 0;
        Kind kind = Kind::message;
    };
    [[nodiscard]] std::optional<Where> where(const MessageId& id) const;

    const std::uint32_t run_;
    Micros measured_from_ = 0;
    std::vector<Sender> senders_;
    std::vector<std::unordered_map<std::uint32_t, Track>> receivers_;
    std::unordered_set<std::uint32_t> left_;
    std::uint64_t delivered_to_left_ = 0;
    std::uint32_t others_ = 0;  // grants and events: their numbers count for nobody
    std::map<std::string, std::uint64_t> rejections_;
};

}  // namespace nimes::load
