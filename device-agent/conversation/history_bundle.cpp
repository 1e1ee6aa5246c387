#include "conversation/history_bundle.hpp"

#include <algorithm>

#include "nimes/conversation_event.hpp"
#include "nimes/v1/history.pb.h"

namespace nimes::agent::conversation {
namespace {

constexpr std::uint8_t kRecordsTag = 1 << 3 | 2;  // field 1, with a length: protobuf's own framing
constexpr std::size_t kMostLengthBytes = 3;
constexpr std::uint32_t kVersion = 1;

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

void put(v1::HistoryRecord& out, const HistoryHead& h) {
    auto& head = *out.mutable_head();
    head.set_version(kVersion);
    head.set_user(raw(h.user.view()));
    head.set_old_device(raw(h.old_device.view()));
    head.set_new_device(raw(h.new_device.view()));
    head.set_from_ms(h.from);
    head.set_conversations(h.conversations);
    head.set_messages(h.messages);
}
void put(v1::HistoryRecord& out, const HistoryConversation& c) {
    auto& conversation = *out.mutable_conversation();
    conversation.set_conversation(raw(c.id.view()));
    for (const auto& user : c.pair) conversation.add_users(raw(user.view()));
    conversation.set_title(c.title);
    conversation.set_expires_after_s(c.expires_after_s);
}
void put(v1::HistoryRecord& out, const HistoryMessage& m) {
    auto& message = *out.mutable_message();
    message.set_conversation(raw(m.conversation.view()));
    message.set_user(raw(m.user.view()));
    message.set_device(raw(m.device.view()));
    message.set_message_id(raw(m.id.view()));
    message.set_sent_ms(m.sent);
    message.set_received_ms(m.received);
    message.set_conv_epoch(m.conv_epoch);
    message.set_kind(m.kind);
    message.set_body(raw(m.body));
    message.set_shown_ms(m.shown);
}

template <class IdType>
bool read_id(const std::string& from, IdType& into) {
    into = IdType::from(as_bytes(from));
    return from.size() == IdType::size;
}

Result<HistoryRecord> read(const v1::HistoryHead& in) {
    HistoryHead out;
    if (in.version() != kVersion) return fail(Errc::unknown_version, "a history bundle");
    if (!read_id(in.user(), out.user) || !read_id(in.old_device(), out.old_device) ||
        !read_id(in.new_device(), out.new_device))
        return fail(Errc::malformed, "a history's head");
    out.from = in.from_ms();
    out.conversations = in.conversations();
    out.messages = in.messages();
    return HistoryRecord(out);
}
Result<HistoryRecord> read(const v1::HistoryConversation& in) {
    HistoryConversation out;
    bool whole = read_id(in.conversation(), out.id) && (in.users_size() == 0 || in.users_size() == 2);
    for (const auto& user : in.users()) whole = whole && read_id(user, out.pair.emplace_back());
    if (!whole || in.title().size() > kMaxTitle || !valid_utf8(in.title()))
        return fail(Errc::malformed, "a history's conversation");
    out.title = in.title();
    out.expires_after_s = in.expires_after_s();
    return HistoryRecord(std::move(out));
}
Result<HistoryRecord> read(v1::HistoryMessage& in) {
    HistoryMessage out;
    const bool whole = read_id(in.conversation(), out.conversation) && read_id(in.user(), out.user) &&
                       read_id(in.device(), out.device) && read_id(in.message_id(), out.id) && in.kind() <= 255;
    if (!whole) return fail(Errc::malformed, "a history's message");
    out.sent = in.sent_ms();
    out.received = in.received_ms();
    out.conv_epoch = in.conv_epoch();
    out.kind = static_cast<std::uint8_t>(in.kind());
    out.body = to_bytes(as_bytes(in.body()));
    sodium_memzero(in.mutable_body()->data(), in.mutable_body()->size());
    out.shown = in.shown_ms();
    return HistoryRecord(std::move(out));
}

}  // namespace

bool history_takes(const Meaning& meaning) {
    return !std::holds_alternative<Delete>(meaning) && !std::holds_alternative<RecallReport>(meaning) &&
           !std::holds_alternative<EventNotice>(meaning) && !std::holds_alternative<Signal>(meaning);
}

Bytes encode(const HistoryRecord& record) {
    v1::HistoryRecord packed;
    std::visit([&](const auto& r) { put(packed, r); }, record);
    Bytes out;
    out.push_back(kRecordsTag);
    auto length = packed.ByteSizeLong();
    for (auto left = length; left > 0; left >>= 7)
        out.push_back(static_cast<std::uint8_t>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
    const auto at = out.size();
    out.resize(at + length);
    (void)packed.SerializeToArray(out.data() + at, static_cast<int>(length));
    if (packed.has_message()) {
        auto& body = *packed.mutable_message()->mutable_body();
        sodium_memzero(body.data(), body.size());
    }
    return out;
}

Result<void> HistoryReader::feed(ByteView piece) {
    fed_ += piece.size();
    if (fed_ > kMaxHistoryBytes) return fail(Errc::too_large, "a history has 32 MiB at most");
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    std::size_t at = 0;
    for (;;) {
        const auto took = one(ByteView(buffer_).subspan(at));
        if (!took) return fail(took.error().code, took.error().detail);
        if (*took == 0) break;
        at += *took;
    }
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at), buffer_.end(), buffer_.begin());
    sodium_memzero(buffer_.data() + (buffer_.size() - at), at);
    buffer_.resize(buffer_.size() - at);
    return {};
}

// How many bytes the record at the beginning took; 0: its end has not come.
Result<std::size_t> HistoryReader::one(ByteView bytes) {
    if (bytes.empty()) return std::size_t{0};
    if (bytes.front() != kRecordsTag) return fail(Errc::malformed, "not a history bundle");
    std::size_t length = 0, at = 1;
    for (;; ++at) {
        if (at > kMostLengthBytes) return fail(Errc::too_large, "a record of a history");
        if (at >= bytes.size()) return std::size_t{0};
        length |= static_cast<std::size_t>(bytes[at] & 0x7f) << (7 * (at - 1));
        if (bytes[at] < 0x80) break;
    }
    ++at;
    if (length > kMaxHistoryRecord) return fail(Errc::too_large, "a record of a history");
    if (bytes.size() < at + length) return std::size_t{0};
    if (auto ok = record(bytes.subspan(at, length)); !ok) return pass(ok);
    return at + length;
}

Result<void> HistoryReader::record(ByteView bytes) {
    v1::HistoryRecord in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return fail(Errc::malformed, "a record of a history");
    auto read_one = [&]() -> Result<HistoryRecord> {
        switch (in.kind_case()) {
            case v1::HistoryRecord::kHead:
                return read(in.head());
            case v1::HistoryRecord::kConversation:
                return read(in.conversation());
            case v1::HistoryRecord::kMessage:
                return read(*in.mutable_message());
            case v1::HistoryRecord::KIND_NOT_SET:
                break;
        }
        return fail(Errc::malformed, "a record of a history says nothing");
    };
    auto out = read_one();
    if (!out) return pass(out);
    if (auto ok = std::visit([&](const auto& r) { return judge(r); }, *out); !ok) return ok;
    return take_(std::move(*out));
}

Result<void> HistoryReader::judge(const HistoryHead& head) {
    if (head_) return fail(Errc::malformed, "a history has one head");
    if (head.user != expected_.user || head.old_device != expected_.old_device ||
        head.new_device != expected_.new_device)
        return fail(Errc::forbidden, "a history of another person or device");
    if (head.conversations > kMaxHistoryConversations || head.messages > kMaxHistoryMessages)
        return fail(Errc::too_large, "a history of too many messages");
    head_ = head;
    return {};
}

Result<void> HistoryReader::judge(const HistoryConversation& c) {
    if (!head_ || messages_ > 0) return fail(Errc::malformed, "a conversation out of its place");
    if (conversations_.size() >= head_->conversations) return fail(Errc::malformed, "more than the head announces");
    if (!c.pair.empty()) {
        const bool ours = std::find(c.pair.begin(), c.pair.end(), expected_.user) != c.pair.end();
        if (!ours || pair_id(c.pair[0], c.pair[1]) != c.id)
            return fail(Errc::forbidden, "a conversation of other people");
    }
    if (!conversations_.emplace(c.id, c.pair).second) return fail(Errc::malformed, "a conversation twice");
    return {};
}

Result<void> HistoryReader::judge(const HistoryMessage& m) {
    if (!head_ || conversations_.size() != head_->conversations)
        return fail(Errc::malformed, "a message out of its place");
    if (messages_ >= head_->messages) return fail(Errc::malformed, "more than the head announces");
    ++messages_;
    const auto at = conversations_.find(m.conversation);
    if (at == conversations_.end()) return fail(Errc::malformed, "a message of no conversation");
    const auto& pair = at->second;
    if (!pair.empty() && std::find(pair.begin(), pair.end(), m.user) == pair.end())
        return fail(Errc::forbidden, "a message of somebody who is not in the conversation");
    if (m.device == expected_.new_device) return fail(Errc::forbidden, "a message in this device's own name");
    if (m.sent < head_->from) return fail(Errc::malformed, "a message from before");
    const auto meaning = decode(m.kind, m.body);
    if (!meaning) return fail(meaning.error().code, meaning.error().detail);
    if (!history_takes(*meaning)) return fail(Errc::malformed, "a kind that no history has");
    return {};
}

Result<void> HistoryReader::finish() const {
    if (!head_ || !buffer_.empty() || conversations_.size() != head_->conversations || messages_ != head_->messages)
        return fail(Errc::malformed, "a history that is not whole");
    return {};
}

}  // namespace nimes::agent::conversation
