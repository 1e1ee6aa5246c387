// The post between handsets, as a file: what left a handset, what it was told, what it acknowledged. It is written
// outside the homes and survives the process that wrote it, as a gateway would.
//
// Envelopes are made as the gateway makes them: one submission by its sender and id however often it comes, a grant
// parted by device, sequences of one lane without a gap. Threads: one.
#pragma once

#include <filesystem>
#include <set>

#include "nimes/v1/transport.pb.h"
#include "town.hpp"

namespace nimes::test {

class Post {
  public:
    // Reads what is in the file and goes on.
    Post(const Town& town, std::filesystem::path file);

    // One Up leaves `from`. False: the same id came before with other bytes.
    bool submit(std::size_t from, const Bytes& up, Millis now);
    // What lies there for `to` beyond what it acknowledged.
    [[nodiscard]] std::vector<v1::Envelope> mailbox(std::size_t to) const;
    // The same from the start.
    [[nodiscard]] std::vector<v1::Envelope> everything(std::size_t to) const;
    void acknowledge(std::size_t by, std::uint64_t sequence);
    [[nodiscard]] std::uint64_t acknowledged(std::size_t by) const;
    [[nodiscard]] bool has(std::size_t from, const MessageId& id) const;
    // A note of the test's own: what a person was told.
    void note(const std::string& text);
    [[nodiscard]] bool noted(const std::string& text) const { return notes_.contains(text); }
    // Submissions as they came, repeats included.
    [[nodiscard]] const std::vector<std::pair<std::size_t, Bytes>>& submissions() const { return submissions_; }

    bool loses_grants = false;  // those for everybody; one that is made again for one device arrives

  private:
    enum class Kind : std::uint8_t { up = 1, acknowledgement, note };
    void append(Kind kind, std::size_t who, ByteView bytes);
    void read(Kind kind, std::size_t who, ByteView bytes);
    void deliver(std::size_t from, const v1::Submit& submit, Millis now, bool grants_lost);

    const Town& town_;
    std::filesystem::path file_;
    std::vector<std::pair<std::size_t, Bytes>> submissions_;
    std::map<std::pair<std::size_t, MessageId>, Bytes> first_;
    std::map<std::size_t, std::vector<v1::Envelope>> boxes_;
    std::map<std::size_t, std::uint64_t> held_;
    std::set<std::string> notes_;
};

}  // namespace nimes::test
