#include <functional>

#include "forms.hpp"
#include "nimes/control.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/entry.hpp"
#include "nimes/grant.hpp"
#include "nimes/message.hpp"
#include "nimes/seal_key.hpp"
#include "nimes/service_address.hpp"
#include "nimes/token.hpp"
#include "nimes/wipe.hpp"
#include "operations.hpp"

namespace nimes::test::peer {
namespace {

// Accepted in form: what decode and encode make of it.
Json record(const Json& q) {
    const auto out = forms().at(q.at("kind").get<std::string>())(bytes(q.at("bytes")));
    if (!out) return refused(out.error());
    return {{"bytes", hex(*out)}};
}

// One signature of a record: {"holds": bool}.
using Check = std::function<bool(ByteView record, const PublicKey& key, const OrgId& org)>;
const std::map<std::string, Check> kChecks = {
    {"cert_self", [](auto r, auto&, auto&) { return verify_cert_self(must(DeviceCert::parse(r))); }},
    {"cert_ea", [](auto r, auto& k, auto& o) { return verify_cert_ea(must(DeviceCert::parse(r)), o, k); }},
    {"cert_device", [](auto r, auto& k, auto&) { return verify_cert_voucher_device(must(DeviceCert::parse(r)), k); }},
    {"cert_admin",
     [](auto r, auto& k, auto& o) { return verify_cert_voucher_admin(must(DeviceCert::parse(r)), o, k); }},
    {"revoke_device", [](auto r, auto& k, auto&) { return verify_revoke_device(must(DeviceRevoke::parse(r)), k); }},
    {"revoke_admin", [](auto r, auto& k, auto& o) { return verify_revoke_admin(must(DeviceRevoke::parse(r)), o, k); }},
    {"event", [](auto r, auto& k, auto&) { return verify_event(must(ConvEvent::parse(r)), k); }},
    {"key_request", [](auto r, auto& k, auto&) { return verify_key_request(must(KeyRequest::parse(r)), k); }},
    {"history_offer", [](auto r, auto& k, auto&) { return verify_history_offer(must(HistoryOffer::parse(r)), k); }},
    {"head", [](auto r, auto& k, auto& o) { return verify_head(must(DirectoryHead::parse(r)), k, o); }},
};

Json signature(const Json& q) {
    return {{"holds", kChecks.at(q.at("check").get<std::string>())(bytes(q.at("bytes")), id<PublicKey>(q.at("key")),
                                                                   id<OrgId>(q.at("org")))}};
}

// Any string under any label: where the strictness of Ed25519 itself is compared.
Json raw_signature(const Json& q) {
    return {{"holds", verify(id<PublicKey>(q.at("key")), id<Signature>(q.at("signature")),
                             q.at("label").get<std::string>(), {bytes(q.at("data"))})}};
}

Json seal_key_holds(const Json& q) {
    const auto key = SealKey::parse(bytes(q.at("bytes")));
    if (!key) return refused(key.error());
    return verdict(check_seal_key(*key, id<PublicKey>(q.at("key")), number(q.at("now"))));
}

Json token_holds(const Json& q) {
    const auto token = Token::parse(q.at("text").get<std::string>());
    if (!token) return refused(token.error());
    const auto here = must(audience_of(q.at("url").get<std::string>()));
    return verdict(token->check(id<PublicKey>(q.at("key")), here, number(q.at("now")), number(q.at("window"))));
}

Json token_mint(const Json& q) {
    GivenRandom random(bytes(q.at("random")));
    const auto identity = signing_key_from_seed(bytes(q.at("seed")));
    return {{"text", mint_token(identity.secret, id<DeviceId>(q.at("device")),
                                must(audience_of(q.at("url").get<std::string>())), number(q.at("now")), random)}};
}

OrgKeys org_keys(const Json& q) {
    return {id<OrgId>(q.at("org")), id<PublicKey>(q.at("ea")), id<PublicKey>(q.at("directory")),
            ids<PublicKey>(q.at("administrators"))};
}

// Obeyed by that device at that time, or the reason why not.
Json wipe_order(const Json& q) {
    const auto order = WipeOrder::parse(bytes(q.at("bytes")));
    if (!order) return refused(order.error());
    return verdict(judge_wipe(*order, id<UserId>(q.at("user")), id<DeviceId>(q.at("device")), org_keys(q.at("keys")),
                              number(q.at("now"))));
}

Json wipe_receipt(const Json& q) {
    const auto receipt = WipeReceipt::parse(bytes(q.at("bytes")));
    if (!receipt) return refused(receipt.error());
    return {{"holds", receipt->verify(id<PublicKey>(q.at("key")))}};
}

Json entry(const Json& q) {
    std::vector<Bytes> records;
    for (const auto& r : q.at("records")) records.push_back(bytes(r));
    const auto parsed = parse_entry(id<UserId>(q.at("user")), records, org_keys(q.at("keys")));
    if (!parsed) return refused(parsed.error());
    Json active = Json::array();
    for (const auto* cert : parsed->active_devices(number(q.at("now")))) active.push_back(hex(cert->device.view()));
    Json out = {{"active", active}, {"leaf", hex(parsed->leaf().content)}, {"address", nullptr}};
    if (const auto address = parsed->address()) out["address"] = hex(address->view());
    return out;
}

Json identifiers(const Json& q) {
    const auto a = id<UserId>(q.at("a")), b = id<UserId>(q.at("b"));
    const auto key = id<PublicKey>(q.at("key"));
    const auto device = device_id(a, key);
    const auto conversation = pair_id(a, b);
    const auto address = must(ServiceAddress::parse(q.at("address").get<std::string>()));
    const auto code = history_code(device, DeviceId{b.bytes}, Digest{key.bytes});
    const auto text = q.at("address").get<std::string>();
    return {{"device", hex(device.view())},
            {"pair", hex(conversation.view())},
            {"pair_state", hex(pair_state(a, b).view())},
            {"key_id", hex(key_id(key).view())},
            {"key_actor", hex(key_actor(key).view())},
            {"org", hex(org_id(text).view())},
            {"address", hex(address.hash(key.view()).view())},
            {"chain", hex(chain_id(device, conversation, number<std::uint32_t>(q.at("number")), key).view())},
            {"chain_no", next_chain_no(number<std::uint32_t>(q.at("number")), number(q.at("created")))},
            {"padme", padme(number(q.at("created")))},
            {"padded", padded_length(number<std::uint32_t>(q.at("length")))},
            {"digest", hex(message_digest(key.view()).view())},
            {"history_code", hex(code.view())},
            {"history_text", history_code_text(code)}};
}

}  // namespace

Operations record_operations() {
    return {{"record", record},
            {"signature", signature},
            {"raw_signature", raw_signature},
            {"seal_key", seal_key_holds},
            {"token_holds", token_holds},
            {"token_mint", token_mint},
            {"entry", entry},
            {"wipe_order", wipe_order},
            {"wipe_receipt", wipe_receipt},
            {"identifiers", identifiers}};
}

}  // namespace nimes::test::peer
