#include "conversation/content.hpp"

#include "nimes/v1/content.pb.h"

namespace nimes::agent::conversation {
namespace {

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

void put(v1::MessageRef& out, const MessageRef& ref) {
    out.set_device(raw(ref.device.view()));
    out.set_message_id(raw(ref.message.view()));
}
void put(v1::MediaRef& out, const MediaRef& ref) {
    out.set_key(raw(ref.key.view()));
    out.set_blob(raw(ref.blob.view()));
    out.set_plain_length(ref.plain_length);
    out.set_padded_length(ref.padded_length);
    out.set_digest(raw(ref.digest.view()));
}

void put(v1::Content& out, const Text& t) {
    auto& text = *out.mutable_text();
    text.set_text(t.text);
    if (t.reply_to) put(*text.mutable_reply_to(), *t.reply_to);
    for (const auto& user : t.mentions) text.add_mentions(raw(user.view()));
    text.set_expires_after_s(t.lifetime.expires_after_s);
    text.set_view_once(t.lifetime.view_once);
}
void put(v1::Content& out, const Media& m) {
    auto& media = *out.mutable_media();
    put(*media.mutable_ref(), m.ref);
    media.set_caption(m.caption);
    media.set_preview(raw(m.preview));
    media.set_media_type(m.media_type);
    media.set_width(m.width);
    media.set_height(m.height);
    media.set_duration_ms(m.duration_ms);
    media.set_captured_ms(m.captured);
    media.set_file_name(m.file_name);
    media.set_expires_after_s(m.lifetime.expires_after_s);
    media.set_view_once(m.lifetime.view_once);
}
void put(v1::Content& out, const Receipt& r) {
    auto& receipt = *out.mutable_receipt();
    receipt.set_state(r.read ? v1::Receipt::STATE_READ : v1::Receipt::STATE_DELIVERED);
    for (const auto& item : r.items) {
        auto& added = *receipt.add_items();
        put(*added.mutable_message(), MessageRef{item.device, item.message});
        added.set_digest(raw(item.digest));
    }
}
void put(v1::Content& out, const Reaction& r) {
    auto& reaction = *out.mutable_reaction();
    put(*reaction.mutable_message(), r.message);
    reaction.set_emoji(r.emoji);
    reaction.set_withdrawn(r.withdrawn);
}
void put(v1::Content& out, const Edit& e) {
    auto& edit = *out.mutable_edit();
    edit.set_message_id(raw(e.message.view()));
    edit.set_text(e.text);
    edit.set_number(e.number);
}
void put(v1::Content& out, const Delete& d) {
    put(*out.mutable_delete_for_all()->mutable_message(), d.message);
    out.mutable_delete_for_all()->set_report(d.report);
}
void put(v1::Content& out, const EventNotice& e) {
    auto& event = *out.mutable_event();
    event.set_epoch(e.epoch);
    event.set_state(raw(e.state.view()));
    event.set_event(raw(e.event));
}
void put(v1::Content& out, const Info& i) {
    auto& info = *out.mutable_info();
    info.set_title(i.title);
    if (i.picture) put(*info.mutable_picture(), *i.picture);
    info.set_expires_after_s(i.expires_after_s);
}
void put(v1::Content& out, const Poll& p) {
    auto& poll = *out.mutable_poll();
    poll.set_question(p.question);
    for (const auto& option : p.options) poll.add_options(option);
    poll.set_ends_ms(p.ends);
}
void put(v1::Content& out, const Vote& v) {
    put(*out.mutable_vote()->mutable_poll(), v.poll);
    for (const auto choice : v.choices) out.mutable_vote()->add_choices(choice);
}
void put(v1::Content& out, const RecallReport& r) {
    put(*out.mutable_recall_report()->mutable_message(), r.message);
    out.mutable_recall_report()->set_state(static_cast<std::uint32_t>(r.state));
}
void put(v1::Content& out, const Signal&) { out.mutable_signal()->set_what(1); }
void put(v1::Content& out, const Position& p) {
    auto& position = *out.mutable_position();
    position.set_latitude_e7(p.latitude_e7);
    position.set_longitude_e7(p.longitude_e7);
    position.set_accuracy_m(p.accuracy_m);
    position.set_taken_ms(p.taken);
    position.set_label(p.label);
}
void put(v1::Content&, const Unknown&) {}

}  // namespace

Result<Body> encode(const Meaning& meaning) {
    if (const auto ok = check(meaning); !ok) return fail(ok.error().code, ok.error().detail);
    v1::Content content;
    std::visit([&](const auto& m) { put(content, m); }, meaning);
    Body out{static_cast<std::uint8_t>(content.kind_case()), Bytes(content.ByteSizeLong())};
    (void)content.SerializeToArray(out.bytes.data(), static_cast<int>(out.bytes.size()));
    return out;
}

}  // namespace nimes::agent::conversation
