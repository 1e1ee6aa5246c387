// The other way: bytes that somebody authentic sealed, who may still be hostile or newer than we are.
#include "conversation/content.hpp"
#include "nimes/v1/content.pb.h"

namespace nimes::agent::conversation {
namespace {

// Collects what does not fit: a field of another length makes the whole content malformed.
struct Fields {
    bool fit = true;

    template <class IdType>
    IdType id(const std::string& bytes) {
        if (bytes.size() == IdType::size) return IdType::from(as_bytes(bytes));
        fit = false;
        return {};
    }
    MessageRef message(const v1::MessageRef& in) { return {id<DeviceId>(in.device()), id<MessageId>(in.message_id())}; }
    MediaRef media(const v1::MediaRef& in) {
        MediaRef out;
        if (in.key().size() == Key::size) out.key = Key(as_bytes(in.key()));
        else fit = false;
        out.blob = id<BlobId>(in.blob());
        out.plain_length = in.plain_length();
        out.padded_length = in.padded_length();
        out.digest = id<Digest>(in.digest());
        return out;
    }
};

Meaning read(Fields& fields, const v1::Text& in) {
    Text out{in.text(), {}, {}, {in.expires_after_s(), in.view_once()}};
    if (in.has_reply_to()) out.reply_to = fields.message(in.reply_to());
    for (const auto& user : in.mentions()) out.mentions.push_back(fields.id<UserId>(user));
    return out;
}
Meaning read(Fields& fields, const v1::Media& in) {
    Media out;
    out.ref = fields.media(in.ref());
    out.caption = in.caption();
    out.preview = to_bytes(as_bytes(in.preview()));
    out.media_type = in.media_type();
    out.width = in.width();
    out.height = in.height();
    out.duration_ms = in.duration_ms();
    out.captured = in.captured_ms();
    out.file_name = in.file_name();
    out.lifetime = {in.expires_after_s(), in.view_once()};
    return out;
}
Meaning read(Fields& fields, const v1::Receipt& in) {
    Receipt out;
    fields.fit = in.state() == v1::Receipt::STATE_READ || in.state() == v1::Receipt::STATE_DELIVERED;
    out.read = in.state() == v1::Receipt::STATE_READ;
    for (const auto& item : in.items()) {
        const auto ref = fields.message(item.message());
        Receipt::Item added{ref.device, ref.message, {}};
        if (item.digest().size() == added.digest.size())
            std::copy_n(as_bytes(item.digest()).begin(), added.digest.size(), added.digest.begin());
        else fields.fit = false;
        out.items.push_back(added);
    }
    return out;
}
Meaning read(Fields& fields, const v1::Reaction& in) {
    return Reaction{fields.message(in.message()), in.emoji(), in.withdrawn()};
}
Meaning read(Fields& fields, const v1::Edit& in) {
    return Edit{fields.id<MessageId>(in.message_id()), in.text(), in.number()};
}
Meaning read(Fields& fields, const v1::Delete& in) { return Delete{fields.message(in.message()), in.report()}; }
Meaning read(Fields& fields, const v1::ConversationEvent& in) {
    return EventNotice{in.epoch(), fields.id<Digest>(in.state()), to_bytes(as_bytes(in.event()))};
}
Meaning read(Fields& fields, const v1::ConversationInfo& in) {
    Info out{in.title(), {}, in.expires_after_s()};
    if (in.has_picture()) out.picture = fields.media(in.picture());
    return out;
}
Meaning read(Fields&, const v1::Poll& in) {
    return Poll{in.question(), {in.options().begin(), in.options().end()}, in.ends_ms()};
}
Meaning read(Fields& fields, const v1::Vote& in) {
    return Vote{fields.message(in.poll()), {in.choices().begin(), in.choices().end()}};
}
Meaning read(Fields& fields, const v1::RecallReport& in) {
    fields.fit = in.state() <= 3;
    return RecallReport{fields.message(in.message()), static_cast<Recalled>(in.state())};
}
Meaning read(Fields&, const v1::Position& in) {
    return Position{in.latitude_e7(), in.longitude_e7(), in.accuracy_m(), in.taken_ms(), in.label()};
}

Result<Meaning> read(Fields& fields, const v1::Content& content) {
    switch (content.kind_case()) {
        case v1::Content::kText:
            return read(fields, content.text());
        case v1::Content::kMedia:
            return read(fields, content.media());
        case v1::Content::kReceipt:
            return read(fields, content.receipt());
        case v1::Content::kReaction:
            return read(fields, content.reaction());
        case v1::Content::kEdit:
            return read(fields, content.edit());
        case v1::Content::kDeleteForAll:
            return read(fields, content.delete_for_all());
        case v1::Content::kEvent:
            return read(fields, content.event());
        case v1::Content::kInfo:
            return read(fields, content.info());
        case v1::Content::kPoll:
            return read(fields, content.poll());
        case v1::Content::kVote:
            return read(fields, content.vote());
        case v1::Content::kRecallReport:
            return read(fields, content.recall_report());
        case v1::Content::kSignal:
            return Meaning(Signal{});
        case v1::Content::kPosition:
            return read(fields, content.position());
        case v1::Content::KIND_NOT_SET:
            break;
    }
    return fail(Errc::malformed, "a content that says nothing");
}

}  // namespace

Result<Meaning> decode(std::uint8_t kind, ByteView body) {
    if (kind == 0) return fail(Errc::malformed, "no kind");
    if (kind > static_cast<std::uint8_t>(ContentKind::position)) return Meaning(Unknown{kind});
    v1::Content content;
    if (!content.ParseFromArray(body.data(), static_cast<int>(body.size())) || content.kind_case() != kind)
        return fail(Errc::malformed, "kind and content differ");
    // What a newer version signals is not ours to know, and is no fault.
    if (content.has_signal() && content.signal().what() != 1) return Meaning(Unknown{kind});
    Fields fields;
    auto meaning = read(fields, content);
    if (!meaning) return meaning;
    if (!fields.fit) return fail(Errc::malformed, "a field of a content");
    if (const auto ok = check(*meaning); !ok) return fail(ok.error().code, ok.error().detail);
    return meaning;
}

}  // namespace nimes::agent::conversation
