#include "nimes/opaque.hpp"

#include <algorithm>

#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::size_t kMaxPerson = 4'096;
constexpr std::size_t kMaxPolicy = 16'384;
constexpr std::size_t kMaxProvisioning = 65'536;
constexpr std::size_t kMaxSeals = 8;

}  // namespace

Bytes sign_person(const SigningKey& ea, const OrgId& org, ByteView person) {
    Writer out;
    out.u32(static_cast<std::uint32_t>(person.size())).bytes(person);
    out.id(sign(ea, label::kPerson, {org.view(), sha256({person}).view()}));
    return std::move(out).take();
}

Result<Bytes> open_person(const PublicKey& ea, const OrgId& org, ByteView record) {
    Reader in(record);
    const auto length = in.u32();
    if (length > kMaxPerson) return fail(Errc::too_large, "a person record has at most 4,096 bytes");
    const auto person = in.take(length);
    const auto sig = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a person record");
    if (!verify(ea, sig, label::kPerson, {org.view(), sha256({person}).view()})) return fail(Errc::signature_invalid);
    return to_bytes(person);
}

Bytes sign_policy(const SigningKeyPair& administrator, const OrgId& org, ByteView policy) {
    Writer out;
    out.text("NMpy").u8(1).zeros(3).u32(static_cast<std::uint32_t>(policy.size())).bytes(policy);
    out.id(key_id(administrator.public_key));
    out.id(sign(administrator.secret, label::kPolicy, {org.view(), sha256({policy}).view()}));
    return std::move(out).take();
}

Result<Bytes> open_policy(std::span<const PublicKey> administrators, const OrgId& org, ByteView record) {
    Reader in(record);
    in.expect("NMpy");
    in.expect_u8(1);
    for (int reserved = 0; reserved < 3; ++reserved) in.expect_u8(0);
    const auto length = in.u32();
    if (in.failed()) return fail(Errc::malformed, "not a policy");
    if (length > kMaxPolicy) return fail(Errc::too_large, "a policy has at most 16,384 bytes");
    const auto policy = in.take(length);
    const auto key = in.id<KeyId>();
    const auto sig = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a policy");
    const auto by = std::find_if(administrators.begin(), administrators.end(),
                                 [&](const PublicKey& administrator) { return key_id(administrator) == key; });
    if (by == administrators.end() || !verify(*by, sig, label::kPolicy, {org.view(), sha256({policy}).view()}))
        return fail(Errc::signature_invalid, "no administrator signed this policy");
    return to_bytes(policy);
}

Result<ProvisioningFile> ProvisioningFile::parse(ByteView file) {
    Reader in(file);
    in.expect("NMpf");
    in.expect_u8(1);
    in.expect_u8(0);
    in.expect_u8(0);
    in.expect_u8(0);
    const auto length = in.u32();
    if (in.failed()) return fail(Errc::malformed, "not a provisioning file");
    if (length > kMaxProvisioning) return fail(Errc::too_large, "a provisioning file holds at most 65,536 bytes");
    ProvisioningFile out;
    out.bytes = to_bytes(in.take(length));
    const auto n = in.u8();
    if (in.failed() || n > kMaxSeals) return fail(Errc::malformed, "not a provisioning file");
    for (std::size_t i = 0; i < n; ++i) {
        Seal seal;
        seal.key = in.id<KeyId>();
        seal.signature = in.id<Signature>();
        if (i > 0 && !(out.seals.back().key < seal.key)) return fail(Errc::malformed, "seals out of order");
        out.seals.push_back(seal);
    }
    if (!in.done()) return fail(Errc::malformed, "not a provisioning file");
    return out;
}

Bytes ProvisioningFile::encode() const {
    Writer out;
    out.text("NMpf").u8(1).zeros(3).u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
    out.u8(static_cast<std::uint8_t>(seals.size()));
    for (const auto& seal : seals) out.id(seal.key).id(seal.signature);
    return std::move(out).take();
}

void ProvisioningFile::add_seal(const SigningKey& key, const PublicKey& public_key, const OrgId& org) {
    seals.push_back({key_id(public_key), sign(key, label::kProvision, {org.view(), sha256({bytes}).view()})});
    std::sort(seals.begin(), seals.end(), [](const Seal& a, const Seal& b) { return a.key < b.key; });
}

std::size_t ProvisioningFile::sealed_by(std::span<const PublicKey> keys, const OrgId& org) const {
    const auto digest = sha256({bytes});
    return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [&](const PublicKey& key) {
        return std::any_of(seals.begin(), seals.end(), [&](const Seal& seal) {
            return seal.key == key_id(key) &&
                   verify(key, seal.signature, label::kProvision, {org.view(), digest.view()});
        });
    }));
}

}  // namespace nimes
