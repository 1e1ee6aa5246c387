#include "nimes/device_record.hpp"

#include "nimes/label.hpp"

namespace nimes {
namespace {

void write_cert_body(Writer& out, const DeviceCert& c) {
    out.text("NMdc").u8(1).u8(1).u8(static_cast<std::uint8_t>(c.role)).u8(static_cast<std::uint8_t>(c.admission));
    out.id(c.user).id(c.device).id(c.identity).u32(c.seq).u16(c.platform).u16(c.attest_kind);
    out.u64(c.not_before).u64(c.not_after).id(c.attest_hash);
}

Result<DeviceCert> read_cert_body(Reader& in) {
    DeviceCert c;
    in.expect("NMdc");
    in.expect_u8(1);
    in.expect_u8(1);
    const auto role = in.u8();
    const auto flags = in.u8();
    c.role = static_cast<DeviceRole>(role);
    c.admission = static_cast<Admission>(flags);
    c.user = in.id<UserId>();
    c.device = in.id<DeviceId>();
    c.identity = in.id<PublicKey>();
    c.seq = in.u32();
    c.platform = in.u16();
    c.attest_kind = in.u16();
    c.not_before = in.u64();
    c.not_after = in.u64();
    c.attest_hash = in.id<Digest>();
    if (in.failed()) return fail(Errc::malformed, "not a device certificate of version 1");
    if (role < 1 || role > 2 || flags > 2) return fail(Errc::malformed, "unknown role or flag");
    if (c.attest_kind != 1) return fail(Errc::malformed, "unknown attestation kind");
    if (c.seq == 0) return fail(Errc::malformed, "records are counted from 1");
    if (c.not_after <= c.not_before || c.not_after - c.not_before > DeviceCert::kLongest)
        return fail(Errc::malformed, "a certificate lasts at most 1,096 days");
    return c;
}

}  // namespace

Result<DeviceCert> DeviceCert::parse_body(ByteView bytes) {
    if (bytes.size() != kBody) return fail(Errc::malformed, "the signed part has 128 bytes");
    Reader in(bytes);
    return read_cert_body(in);
}

Result<DeviceCert> DeviceCert::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a device certificate has 344 bytes");
    Reader in(bytes);
    auto c = read_cert_body(in);
    if (!c) return c;
    c->self_signature = in.id<Signature>();
    c->ea_key = in.id<KeyId>();
    c->ea_signature = in.id<Signature>();
    c->voucher = in.id<DeviceId>();
    c->voucher_signature = in.id<Signature>();
    const bool first = c->admission == Admission::first;
    if (first != c->voucher.is_zero()) return fail(Errc::malformed, "voucher and admission do not agree");
    if (first && !c->voucher_signature.is_zero()) return fail(Errc::malformed, "a first device has no voucher");
    return c;
}

Bytes DeviceCert::body() const {
    Writer out;
    write_cert_body(out, *this);
    return std::move(out).take();
}

Bytes DeviceCert::encode() const {
    Writer out;
    write_cert_body(out, *this);
    out.id(self_signature).id(ea_key).id(ea_signature).id(voucher).id(voucher_signature);
    return std::move(out).take();
}

Result<DeviceRevoke> DeviceRevoke::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a revocation has 132 bytes");
    Reader in(bytes);
    DeviceRevoke r;
    in.expect("NMdr");
    in.expect_u8(1);
    in.expect_u8(1);
    const auto reason = in.u8();
    in.expect_u8(0);
    r.reason = static_cast<RevokeReason>(reason);
    r.user = in.id<UserId>();
    r.device = in.id<DeviceId>();
    r.actor = in.id<DeviceId>();
    r.effective = in.u64();
    r.seq = in.u32();
    r.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a revocation of version 1");
    if (reason < 1 || reason > 4) return fail(Errc::malformed, "unknown reason");
    if (r.seq == 0) return fail(Errc::malformed, "records are counted from 1");
    return r;
}

Bytes DeviceRevoke::body() const {
    Writer out;
    out.text("NMdr").u8(1).u8(1).u8(static_cast<std::uint8_t>(reason)).u8(0);
    out.id(user).id(device).id(actor).u64(effective).u32(seq);
    return std::move(out).take();
}

Bytes DeviceRevoke::encode() const {
    Writer out;
    out.bytes(body()).id(signature);
    return std::move(out).take();
}

Signature sign_cert_self(const SigningKey& identity, ByteView body) { return sign(identity, label::kCertSelf, {body}); }
Signature sign_cert_ea(const SigningKey& ea, const OrgId& org, ByteView body) {
    return sign(ea, label::kCertEa, {org.view(), body});
}
Signature sign_cert_voucher_device(const SigningKey& identity, ByteView body) {
    return sign(identity, label::kCertVoucher, {body});
}
Signature sign_cert_voucher_admin(const SigningKey& admin, const OrgId& org, ByteView body) {
    return sign(admin, label::kCertVoucher, {org.view(), body});
}
bool verify_cert_self(const DeviceCert& c) {
    return verify(c.identity, c.self_signature, label::kCertSelf, {c.body()});
}
bool verify_cert_ea(const DeviceCert& c, const OrgId& org, const PublicKey& ea) {
    return c.ea_key == key_id(ea) && verify(ea, c.ea_signature, label::kCertEa, {org.view(), c.body()});
}
bool verify_cert_voucher_device(const DeviceCert& c, const PublicKey& voucher) {
    return verify(voucher, c.voucher_signature, label::kCertVoucher, {c.body()});
}
bool verify_cert_voucher_admin(const DeviceCert& c, const OrgId& org, const PublicKey& admin) {
    return c.voucher == key_actor(admin) &&
           verify(admin, c.voucher_signature, label::kCertVoucher, {org.view(), c.body()});
}

Signature sign_revoke_device(const SigningKey& identity, ByteView body) {
    return sign(identity, label::kRevoke, {body});
}
Signature sign_revoke_admin(const SigningKey& admin, const OrgId& org, ByteView body) {
    return sign(admin, label::kRevoke, {org.view(), body});
}
bool verify_revoke_device(const DeviceRevoke& r, const PublicKey& actor) {
    return verify(actor, r.signature, label::kRevoke, {r.body()});
}
bool verify_revoke_admin(const DeviceRevoke& r, const OrgId& org, const PublicKey& admin) {
    return r.actor == key_actor(admin) && verify(admin, r.signature, label::kRevoke, {org.view(), r.body()});
}

}  // namespace nimes
