#include "nimes/wipe.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes {

Result<WipeOrder> WipeOrder::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a wipe order has 208 bytes");
    Reader in(bytes);
    WipeOrder o;
    in.expect("NMwo");
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(1);  // kind
    in.expect_u8(0);
    o.user = in.id<UserId>();
    o.device = in.id<DeviceId>();
    o.id = in.id<WipeOrderId>();
    o.issued = in.u64();
    o.expires = in.u64();
    o.administrator = in.id<KeyId>();
    o.administrator_signature = in.id<Signature>();
    o.directory_signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a wipe order of version 1");
    if (o.expires <= o.issued || o.expires - o.issued > kLongest)
        return fail(Errc::malformed, "a wipe order lasts at most 30 days");
    return o;
}

Bytes WipeOrder::body() const {
    Writer out;
    out.text("NMwo").u8(1).u8(1).u8(1).u8(0).id(user).id(device).id(id).u64(issued).u64(expires).id(administrator);
    return std::move(out).take();
}

Bytes WipeOrder::encode() const {
    return std::move(Writer().bytes(body()).id(administrator_signature).id(directory_signature)).take();
}

void WipeOrder::sign(const SigningKeyPair& admin, const SigningKey& directory, const OrgId& org) {
    administrator = key_id(admin.public_key);
    administrator_signature = nimes::sign(admin.secret, label::kWipeAdmin, {org.view(), body()});
    directory_signature =
        nimes::sign(directory, label::kWipeGateway, {org.view(), ByteView(encode()).first(kApproved)});
}

Result<void> judge_wipe(const WipeOrder& order, const UserId& user, const DeviceId& device, const OrgKeys& keys,
                        Millis now) {
    if (order.user != user || order.device != device) return fail(Errc::forbidden, "another device's wipe order");
    const auto admin = std::find_if(keys.administrators.begin(), keys.administrators.end(),
                                    [&](const auto& key) { return key_id(key) == order.administrator; });
    if (admin == keys.administrators.end()) return fail(Errc::signature_invalid, "no administrator of a wipe order");
    const auto bytes = order.encode();
    const auto approved = ByteView(bytes).first(WipeOrder::kApproved);
    if (!verify(*admin, order.administrator_signature, label::kWipeAdmin,
                {keys.org.view(), approved.first(WipeOrder::kBody)}) ||
        !verify(keys.directory, order.directory_signature, label::kWipeGateway, {keys.org.view(), approved}))
        return fail(Errc::signature_invalid, "a wipe order");
    const bool begun = now >= order.issued || order.issued - now <= WipeOrder::kSlack;
    if (!begun || now >= order.expires) return fail(Errc::forbidden, "a wipe order out of its time");
    return {};
}

Result<WipeReceipt> WipeReceipt::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a wipe receipt has 128 bytes");
    Reader in(bytes);
    WipeReceipt r;
    in.expect("NMwr");
    in.expect_u8(1);
    in.expect_u8(1);
    const auto result = in.u8();
    in.expect_u8(0);
    r.result = static_cast<WipeResult>(result);
    r.user = in.id<UserId>();
    r.device = in.id<DeviceId>();
    r.order = in.id<WipeOrderId>();
    r.done = in.u64();
    r.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a wipe receipt of version 1");
    if (result < 1 || result > 2) return fail(Errc::malformed, "unknown result");
    return r;
}

Bytes WipeReceipt::body() const {
    Writer out;
    out.text("NMwr").u8(1).u8(1).u8(static_cast<std::uint8_t>(result)).u8(0);
    out.id(user).id(device).id(order).u64(done);
    return std::move(out).take();
}

Bytes WipeReceipt::encode() const { return std::move(Writer().bytes(body()).id(signature)).take(); }

void WipeReceipt::sign(const SigningKey& identity) { signature = nimes::sign(identity, label::kWipeReceipt, {body()}); }
bool WipeReceipt::verify(const PublicKey& identity) const {
    return nimes::verify(identity, signature, label::kWipeReceipt, {body()});
}

}  // namespace nimes
