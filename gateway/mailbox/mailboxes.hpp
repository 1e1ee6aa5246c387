// Mailboxes: one per device, three lanes each, entries in sequence (LAYOUT.md).
//
// An entry is small: it points at a body that is stored once for all recipients; a grant's entry adds the 92 bytes that
// are this device's alone. Sequence numbers rise by one in each lane and are never used again, not even by a store that
// was restored to an older state: each process numbers on from what is stored or from its own start in ms times 1,024,
// whichever is later; fewer than a million entries a second in one mailbox never reach the next start. Used from the
// mailroom's thread only. Planned entries count at once; when their commit fails, forget() goes back to what is stored.
#pragma once

#include <array>
#include <unordered_map>

#include "mailbox/ingest.hpp"
#include "mailbox/ports.hpp"
#include "store/store.hpp"

namespace nimes::gateway::mailbox {

// Where a body stands: bucket (hours since 1970), then sender and message id.
struct BodyRef {
    std::uint64_t bucket = 0;
    DeviceId sender;
    MessageId id;
    [[nodiscard]] store::Partition partition() const;
    [[nodiscard]] std::string key() const;
};

struct Body {
    Payload kind = Payload::message;
    Millis received = 0;
    UserId sender_user;
    ConversationId conversation;
    std::vector<UserId> pair;
    Bytes payload;  // of a grant: the shared 432 bytes
    [[nodiscard]] Bytes encode() const;
    static Result<Body> parse(ByteView bytes);
};

struct Entry {
    std::uint64_t sequence = 0;
    Lane lane = Lane::chat;
    BodyRef body;
    Millis expires = 0;
    Bytes wrap;  // 92 bytes of a grant, else empty
    [[nodiscard]] Bytes encode() const;
    static Result<Entry> parse(std::string_view key, ByteView value);
};

class Mailboxes {
  public:
    Mailboxes(store::Store& store, const Options& options) : store_(store), options_(options) {}

    static store::Partition partition(const DeviceId& device);

    // Puts an entry into `into`, a batch of this mailbox; false when the mailbox is full. An entry of the same message
    // that a crash left from an earlier try is used again: then nothing is added.
    Result<bool> plan(const DeviceId& device, Lane lane, const BodyRef& body, Millis expires, ByteView wrap,
                      store::Batch& into);
    // Entries of the lane from `from` on, ascending.
    Result<std::vector<Entry>> entries(const DeviceId& device, Lane lane, std::uint64_t from, std::size_t limit);
    // The next number that will be given in this lane.
    Result<std::uint64_t> next(const DeviceId& device, Lane lane);
    // That of the newest entry that waits; 0 when none does.
    Result<std::uint64_t> newest(const DeviceId& device, Lane lane);
    // Everything up to the mark is stored on the device: goes.
    Result<void> acknowledge(const DeviceId& device, const Mark& mark);
    Result<std::size_t> waiting(const DeviceId& device);
    // Entries whose time has passed go, from the front of each lane. Answers how many.
    Result<std::size_t> expire(const DeviceId& device, Millis now);
    Result<void> purge(const DeviceId& device);

    void forget() { boxes_.clear(); }

  private:
    struct Box {
        std::array<std::uint64_t, 4> next{1, 1, 1, 1};  // by lane
        std::array<std::uint64_t, 4> first{1, 1, 1, 1};
        std::size_t entries = 0;
    };
    Result<Box*> open(const DeviceId& device);
    Result<std::size_t> remove_below(const DeviceId& device, Lane lane, std::uint64_t until);

    store::Store& store_;
    const Options& options_;
    std::unordered_map<DeviceId, Box> boxes_;
};

}  // namespace nimes::gateway::mailbox
