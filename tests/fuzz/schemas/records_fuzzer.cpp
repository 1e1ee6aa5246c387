// Every fixed-width record: the first byte chooses the decoder. What is accepted must encode to the very same bytes.
#include <cstdlib>

#include "nimes/batch.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/device_record.hpp"
#include "nimes/directory_head.hpp"
#include "nimes/encoding.hpp"
#include "nimes/grant.hpp"
#include "nimes/message.hpp"
#include "nimes/mirror.hpp"
#include "nimes/opaque.hpp"
#include "nimes/prefix_map.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/service_address.hpp"
#include "nimes/token.hpp"
#include "nimes/topics.hpp"
#include "nimes/wipe.hpp"

using namespace nimes;

namespace {

void same(const Bytes& encoded, ByteView in) {
    if (encoded != to_bytes(in)) std::abort();
}

template <class Record>
void round_trip(ByteView in) {
    if (const auto r = Record::parse(in)) same(r->encode(), in);
}

void round_trip_content(ByteView in) {
    if (const auto c = Content::parse(in)) same(c->encode().value(), in);
}

void round_trip_grant(ByteView in) {
    const auto g = GrantUpload::parse(in);
    if (!g) return;
    same(encode_grant(g->header, g->ciphertext, g->wraps), in);
    for (std::size_t i = 0; i < g->wraps.size(); ++i)
        if (g->delivered(i).size() != kGrantDelivered) std::abort();
}

void round_trip_address(ByteView in) {
    const auto a = ServiceAddress::parse(as_text(in));
    if (a && ServiceAddress::parse(a->text()).value().text() != a->text()) std::abort();
}

void round_trip_texts(ByteView in) {
    const auto text = as_text(in);
    if (const auto b = from_hex(text); b && to_hex(*b) != text) std::abort();
    if (const auto b = from_base32(text); b && to_base32(*b) != text) std::abort();
    if (const auto b = from_base64url(text); b && to_base64url(*b) != text) std::abort();
    if (const auto d = topic::device_of_up(text); d && topic::up(*d) != text) std::abort();
    (void)audience_of(text).has_value();
    (void)Token::parse(text).has_value();
}

void round_trip_paths(ByteView in) {
    if (const auto p = parse_path(in)) same(encode_path(*p), in);
    if (const auto p = parse_absence(in)) same(encode_absence(*p), in);
}

void round_trip_batches(ByteView in) {
    if (const auto up = UpBatch::parse(in)) {
        auto again = UpBatch::begin();
        for (const auto& packet : up->packets) append_packet(again, packet.device, packet.bytes);
        UpBatch::seal(again, up->number, up->dropped, up->waiting);
        same(again, in);
    }
    if (const auto down = DownBatch::parse(in)) {
        auto again = DownBatch::begin(down->done);
        for (const auto& packet : down->packets) append_packet(again, packet.device, packet.bytes);
        same(again, in);
    }
}

void messages(ByteView in) { (void)WireMessage::parse(in).has_value(); }

constexpr void (*kDecoders[])(ByteView) = {
    round_trip<DeviceCert>,
    round_trip<DeviceRevoke>,
    round_trip<SealKey>,
    round_trip<DirectoryHead>,
    round_trip<ConvEvent>,
    round_trip<GrantHeader>,
    round_trip<ChainBody>,
    round_trip<MessageHeader>,
    round_trip<Presence>,
    round_trip<EdgeState>,
    round_trip<ProvisioningFile>,
    round_trip_content,
    round_trip_grant,
    round_trip_address,
    round_trip_texts,
    round_trip_paths,
    messages,
    round_trip_batches,
    round_trip<WipeOrder>,
    round_trip<WipeReceipt>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool ready = crypto_init();
    if (!ready || size == 0) return 0;
    kDecoders[data[0] % std::size(kDecoders)]({data + 1, size - 1});
    return 0;
}
