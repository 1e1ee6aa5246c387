#include "forms.hpp"

#include "nimes/control.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/device_record.hpp"
#include "nimes/directory_head.hpp"
#include "nimes/grant.hpp"
#include "nimes/message.hpp"
#include "nimes/prefix_map.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/wipe.hpp"

namespace nimes::test {
namespace {

template <class RecordType>
Result<Bytes> recoded(ByteView in) {
    auto record = RecordType::parse(in);
    if (!record) return pass(record);
    return record->encode();
}

Result<Bytes> path(ByteView in) {
    auto parsed = parse_path(in);
    if (!parsed) return pass(parsed);
    return encode_path(*parsed);
}

Result<Bytes> absence(ByteView in) {
    auto parsed = parse_absence(in);
    if (!parsed) return pass(parsed);
    return encode_absence(*parsed);
}

Result<Bytes> upload(ByteView in) {
    auto parsed = GrantUpload::parse(in);
    if (!parsed) return pass(parsed);
    return encode_grant(parsed->header, parsed->ciphertext, parsed->wraps);
}

Result<Bytes> control(ByteView in) {
    auto parsed = SealedControl::parse(in);
    if (!parsed) return pass(parsed);
    Writer out;
    out.u8(static_cast<std::uint8_t>(parsed->type)).u8(1).u8(1).u8(0).id(parsed->receiver).u32(parsed->key_id);
    return std::move(out.bytes(parsed->sealed)).take();
}

}  // namespace

const std::map<std::string, Recode>& forms() {
    static const std::map<std::string, Recode> all = {
        {"device_cert", recoded<DeviceCert>},
        {"device_revoke", recoded<DeviceRevoke>},
        {"seal_key", recoded<SealKey>},
        {"event", recoded<ConvEvent>},
        {"grant_header", recoded<GrantHeader>},
        {"chain_body", recoded<ChainBody>},
        {"message_header", recoded<MessageHeader>},
        {"content", recoded<Content>},
        {"key_request", recoded<KeyRequest>},
        {"history_offer", recoded<HistoryOffer>},
        {"head", recoded<DirectoryHead>},
        {"path", path},
        {"absence", absence},
        {"grant_upload", upload},
        {"sealed_control", control},
        {"wipe_order", recoded<WipeOrder>},
        {"wipe_receipt", recoded<WipeReceipt>},
    };
    return all;
}

}  // namespace nimes::test
