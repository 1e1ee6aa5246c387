// A person's history on its way from the old device to the new one: nimes.v1.HistoryBundle, written and read record by
// record (FORMATS.md 2.9).
//
// The bundle is authentic, for the old device sealed and signed it, and still hostile: that device may be somebody
// else's by now. The reader takes it in pieces of any size and holds one record at a time; it judges form, order,
// counts, and that every conversation can be one of this person's. What the receiver knows better (times, rosters, what
// is here already) is the engine's to judge. Pure. Threads: one for each reader. Errors: Errc::malformed, too_large,
// unknown_version, and what `take` answers; after an error a reader takes nothing more.
#pragma once

#include <functional>
#include <map>
#include <variant>

#include "conversation/content.hpp"

namespace nimes::agent::conversation {

inline constexpr std::uint64_t kMaxHistoryBytes = 32 << 20;
inline constexpr std::size_t kMaxHistoryRecord = 72 << 10;  // a content has 63,488 bytes at most
inline constexpr std::uint32_t kMaxHistoryMessages = 100'000;
inline constexpr std::uint32_t kMaxHistoryConversations = 5'000;

struct HistoryHead {
    UserId user;
    DeviceId old_device;
    DeviceId new_device;
    Millis from = 0;
    std::uint32_t conversations = 0;
    std::uint32_t messages = 0;
};

struct HistoryConversation {
    ConversationId id;
    std::vector<UserId> pair;  // both users; empty: a group
    std::string title;
    std::uint32_t expires_after_s = 0;
};

struct HistoryMessage {
    ConversationId conversation;
    UserId user;
    DeviceId device;
    MessageId id;
    Millis sent = 0;
    Millis received = 0;
    std::uint64_t conv_epoch = 0;
    std::uint8_t kind = 0;
    Bytes body;
    Millis shown = 0;
};

using HistoryRecord = std::variant<HistoryHead, HistoryConversation, HistoryMessage>;

// May a content of this kind be in a bundle? Deletions and what they left are not, and what is never stored.
[[nodiscard]] bool history_takes(const Meaning& meaning);

// One record as it stands in the bundle; a bundle is the bytes of all its records. The caller wipes it.
Bytes encode(const HistoryRecord& record);

class HistoryReader {
  public:
    using Take = std::function<Result<void>(HistoryRecord&&)>;

    // The head must name these: whose history, from where to where.
    struct Expected {
        UserId user;
        DeviceId old_device;
        DeviceId new_device;
    };
    HistoryReader(Expected expected, Take take) : expected_(expected), take_(std::move(take)) {}
    ~HistoryReader() { sodium_memzero(buffer_.data(), buffer_.size()); }

    Result<void> feed(ByteView piece);
    // Errc::malformed unless everything that the head announced came, and nothing is left over.
    Result<void> finish() const;

  private:
    Result<std::size_t> one(ByteView bytes);
    Result<void> record(ByteView bytes);
    Result<void> judge(const HistoryHead& head);
    Result<void> judge(const HistoryConversation& conversation);
    Result<void> judge(const HistoryMessage& message);

    const Expected expected_;
    const Take take_;
    Bytes buffer_;  // the beginning of a record whose end has not come
    std::uint64_t fed_ = 0;
    std::optional<HistoryHead> head_;
    std::map<ConversationId, std::vector<UserId>> conversations_;
    std::uint32_t messages_ = 0;
};

}  // namespace nimes::agent::conversation
