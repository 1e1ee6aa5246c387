// Mailboxes: one per device, three lanes each, entries in sequence (LAYOUT.md).
//
// An entry is small: it points at a body that is stored once for all recipients; a grant's entry adds the 92 bytes that
// are this device's alone. Sequence numbers rise in each lane and are never used again, not even by a store that was
// put back to an older state: their high bits are the second in which the process started that gave them, as long as
// that is later than what is stored; their low 20 bits count on. So a process numbers by one, and how many wait in a
// lane follows from its first and its newest: two numbers in memory, read when a mailbox is first used. What was
// acknowledged is erased with the next commit, without a sync of its own: a crash forgets it, and the device says it
// again in its next Hello. Used from the mailroom's thread only. Planned entries count at once; when their commit
// fails, forget() goes back to what is stored.
#pragma once

#include <array>
#include <map>
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

    // Puts an entry into `into`, a batch of this mailbox, and answers its number; 0 when the mailbox is full.
    Result<std::uint64_t> plan(const DeviceId& device, Lane lane, const BodyRef& body, Millis expires, ByteView wrap,
                               store::Batch& into);
    // Once after the last plan() of a commit: the numbers that come next.
    void plan_next(const DeviceId& device, store::Batch& into);
    // The number of the entry that a crash left of this very message; 0 when there is none. Reads the lane.
    Result<std::uint64_t> find(const DeviceId& device, Lane lane, const BodyRef& body);
    // What was acknowledged or has expired since: to be committed with whatever comes next.
    std::vector<store::Batch> take_erased();
    // Entries of the lane from `from` on, ascending.
    Result<std::vector<Entry>> entries(const DeviceId& device, Lane lane, std::uint64_t from, std::size_t limit);
    // Behind the newest number that was given in this lane.
    Result<std::uint64_t> next(const DeviceId& device, Lane lane);
    // The newest that waits; 0 when nothing does: what expired is not waited for.
    Result<std::uint64_t> newest(const DeviceId& device, Lane lane);
    // Nothing was given between the two.
    static bool follows(std::uint64_t next, std::uint64_t sequence);
    // Everything up to the mark is stored on the device: goes.
    Result<void> acknowledge(const DeviceId& device, const Mark& mark);
    Result<std::size_t> waiting(const DeviceId& device);
    // Entries whose time has passed go, from the front of each lane. Answers how many.
    Result<std::size_t> expire(const DeviceId& device, Millis now);
    Result<void> purge(std::span<const DeviceId> devices);

    void forget();
    // Between two commits, when nothing is planned: what is in memory stays bounded.
    void rest();

  private:
    struct Box {
        std::array<std::uint64_t, 4> next{1, 1, 1, 1};  // by lane
        std::array<std::uint64_t, 4> stored_next{1, 1, 1, 1};
        std::array<std::uint64_t, 4> first{1, 1, 1, 1};
        [[nodiscard]] std::size_t entries() const;
    };
    Result<Box*> open(const DeviceId& device);
    [[nodiscard]] std::uint64_t number_on(std::uint64_t next) const;
    Result<std::uint64_t> first_from(const DeviceId& device, const Box& box, Lane lane, std::uint64_t from);
    Result<std::size_t> remove_below(const DeviceId& device, Box& box, Lane lane, std::uint64_t until);

    store::Store& store_;
    const Options& options_;
    std::unordered_map<DeviceId, Box> boxes_;
    std::map<DeviceId, store::Batch> erased_;
};

}  // namespace nimes::gateway::mailbox
