#include "conversation/content.hpp"

#include "nimes/v1/content.pb.h"

namespace nimes::agent::conversation {
namespace {

constexpr int kMaxReceipts = 500;

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

Result<void> check_text(std::string_view text, std::size_t most, const char* what) {
    if (text.size() > most) return fail(Errc::too_large, what);
    if (!valid_utf8(text)) return fail(Errc::malformed, what);
    return {};
}

Result<void> check(const Text& t) { return check_text(t.text, kMaxText, "a text has at most 60,000 bytes of UTF-8"); }
Result<void> check(const Info& i) { return check_text(i.title, kMaxTitle, "a title has at most 200 bytes of UTF-8"); }
Result<void> check(const Receipt&) { return {}; }
Result<void> check(const Unknown&) { return fail(Errc::malformed, "an unknown kind is never sent"); }
Result<void> check(const Media& m) {
    if (auto ok = check_text(m.caption, kMaxCaption, "a caption has at most 4,000 bytes of UTF-8"); !ok) return ok;
    if (auto ok = check_text(m.file_name, kMaxTitle, "a file name has at most 200 bytes of UTF-8"); !ok) return ok;
    if (auto ok = check_text(m.media_type, kMaxTitle, "the media type"); !ok) return ok;
    if (m.preview.size() > kMaxPreview) return fail(Errc::too_large, "the preview");
    if (m.padded_length != padme(m.plain_length)) return fail(Errc::malformed, "a medium's padded length");
    return {};
}

void put(v1::Content& out, const Text& t) { out.mutable_text()->set_text(t.text); }
void put(v1::Content& out, const Info& i) { out.mutable_info()->set_title(i.title); }
void put(v1::Content&, const Unknown&) {}
void put(v1::Content& out, const Receipt& r) {
    auto& receipt = *out.mutable_receipt();
    receipt.set_state(r.read ? v1::Receipt::STATE_READ : v1::Receipt::STATE_DELIVERED);
    for (const auto& item : r.items) {
        auto& added = *receipt.add_items();
        added.mutable_message()->set_device(raw(item.device.view()));
        added.mutable_message()->set_message_id(raw(item.message.view()));
        added.set_digest(raw(item.digest));
    }
}
void put(v1::Content& out, const Media& m) {
    auto& media = *out.mutable_media();
    auto& ref = *media.mutable_ref();
    ref.set_key(raw(m.key.view()));
    ref.set_blob(raw(m.blob.view()));
    ref.set_plain_length(m.plain_length);
    ref.set_padded_length(m.padded_length);
    ref.set_digest(raw(m.digest.view()));
    media.set_caption(m.caption);
    media.set_preview(raw(m.preview));
    media.set_media_type(m.media_type);
    media.set_width(m.width);
    media.set_height(m.height);
    media.set_captured_ms(m.captured);
    media.set_file_name(m.file_name);
}

Result<Meaning> checked(Meaning meaning) {
    const auto ok = std::visit([](const auto& m) { return check(m); }, meaning);
    if (!ok) return fail(ok.error().code, ok.error().detail);
    return meaning;
}

Result<Meaning> read(const v1::Media& in) {
    const auto& ref = in.ref();
    if (ref.key().size() != Key::size || ref.blob().size() != BlobId::size || ref.digest().size() != Digest::size)
        return fail(Errc::malformed, "a medium's reference");
    Media out;
    out.key = Key(as_bytes(ref.key()));
    out.blob = BlobId::from(as_bytes(ref.blob()));
    out.plain_length = ref.plain_length();
    out.padded_length = ref.padded_length();
    out.digest = Digest::from(as_bytes(ref.digest()));
    out.caption = in.caption();
    out.preview = to_bytes(as_bytes(in.preview()));
    out.media_type = in.media_type();
    out.width = in.width();
    out.height = in.height();
    out.captured = in.captured_ms();
    out.file_name = in.file_name();
    return checked(std::move(out));
}

Result<Meaning> read(const v1::Receipt& in) {
    if (in.items_size() > kMaxReceipts) return fail(Errc::too_large, "a receipt");
    Receipt out;
    out.read = in.state() == v1::Receipt::STATE_READ;
    for (const auto& item : in.items()) {
        const auto& ref = item.message();
        if (ref.device().size() != DeviceId::size || ref.message_id().size() != MessageId::size ||
            item.digest().size() != 16)
            return fail(Errc::malformed, "a receipt");
        Receipt::Item added{DeviceId::from(as_bytes(ref.device())), MessageId::from(as_bytes(ref.message_id())), {}};
        std::copy_n(as_bytes(item.digest()).begin(), 16, added.digest.begin());
        out.items.push_back(added);
    }
    return Meaning(std::move(out));
}

}  // namespace

bool valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t follow = c < 0x80                ? 0
                                   : c >= 0xc2 && c < 0xe0 ? 1
                                   : c >= 0xe0 && c < 0xf0 ? 2
                                   : c >= 0xf0 && c < 0xf5 ? 3
                                                           : 9;
        if (follow == 9 || i + follow >= text.size()) return false;
        std::uint32_t point = follow == 0 ? c : c & (0x3fu >> follow);
        for (std::size_t k = 1; k <= follow; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xc0) != 0x80) return false;
            point = point << 6 | (next & 0x3f);
        }
        const bool overlong = (follow == 2 && point < 0x800) || (follow == 3 && (point < 0x10000 || point > 0x10ffff));
        if (overlong || (point >= 0xd800 && point < 0xe000)) return false;
        i += follow + 1;
    }
    return true;
}

Result<Body> encode(const Meaning& meaning) {
    if (const auto ok = std::visit([](const auto& m) { return check(m); }, meaning); !ok)
        return fail(ok.error().code, ok.error().detail);
    v1::Content content;
    std::visit([&](const auto& m) { put(content, m); }, meaning);
    Body out{static_cast<std::uint8_t>(content.kind_case()), Bytes(content.ByteSizeLong())};
    (void)content.SerializeToArray(out.bytes.data(), static_cast<int>(out.bytes.size()));
    return out;
}

Result<Meaning> decode(std::uint8_t kind, ByteView body) {
    if (kind == 0) return fail(Errc::malformed, "no kind");
    if (kind > static_cast<std::uint8_t>(ContentKind::signal)) return Meaning(Unknown{kind});
    v1::Content content;
    if (!content.ParseFromArray(body.data(), static_cast<int>(body.size())) || content.kind_case() != kind)
        return fail(Errc::malformed, "kind and content differ");
    switch (content.kind_case()) {
        case v1::Content::kText:
            return checked(Text{content.text().text()});
        case v1::Content::kMedia:
            return read(content.media());
        case v1::Content::kInfo:
            return checked(Info{content.info().title()});
        case v1::Content::kReceipt:
            return read(content.receipt());
        default:
            return Meaning(Unknown{kind});
    }
}

}  // namespace nimes::agent::conversation
