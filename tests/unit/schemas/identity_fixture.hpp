// An organisation with known keys, and people with devices, for tests of records and entries.
#pragma once

#include <algorithm>

#include "nimes/entry.hpp"

namespace nimes::test {

inline SigningKeyPair key_pair(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

struct Organisation {
    SigningKeyPair ea = key_pair(1), directory = key_pair(2), admin = key_pair(3);
    OrgKeys keys{org_id("polizei-test"), ea.public_key, directory.public_key, {admin.public_key}};
};

inline constexpr Millis kNow = 1'780'000'000'000;

inline UserId user(std::uint8_t n) {
    UserId out;
    out.bytes.fill(n);
    return out;
}

inline DeviceCert certify(const Organisation& org, const UserId& who, const SigningKeyPair& ik, std::uint32_t seq,
                          Admission admission = Admission::first, const SigningKeyPair* voucher = nullptr) {
    DeviceCert c;
    c.admission = admission;
    c.user = who;
    c.identity = ik.public_key;
    c.device = device_id(who, ik.public_key);
    c.seq = seq;
    c.not_before = kNow - kDay;
    c.not_after = kNow + 365 * kDay;
    c.attest_hash = hash("NM1/address", {who.view()});
    const auto body = c.body();
    c.self_signature = sign_cert_self(ik.secret, body);
    c.ea_key = key_id(org.ea.public_key);
    c.ea_signature = sign_cert_ea(org.ea.secret, org.keys.org, body);
    if (admission == Admission::vouched) {
        c.voucher = device_id(who, voucher->public_key);
        c.voucher_signature = sign_cert_voucher_device(voucher->secret, body);
    } else if (admission == Admission::approved) {
        c.voucher = key_actor(org.admin.public_key);
        c.voucher_signature = sign_cert_voucher_admin(org.admin.secret, org.keys.org, body);
    }
    return c;
}

inline DeviceRevoke revoke_by_admin(const Organisation& org, const UserId& who, const DeviceId& device,
                                    std::uint32_t seq) {
    DeviceRevoke r;
    r.reason = RevokeReason::stolen;
    r.user = who;
    r.device = device;
    r.actor = key_actor(org.admin.public_key);
    r.effective = kNow;
    r.seq = seq;
    r.signature = sign_revoke_admin(org.admin.secret, org.keys.org, r.body());
    return r;
}

inline std::vector<Bytes> records(std::vector<DeviceCert> certs, std::vector<DeviceRevoke> revokes = {}) {
    std::sort(certs.begin(), certs.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    std::sort(revokes.begin(), revokes.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    std::vector<Bytes> out;
    for (const auto& c : certs) out.push_back(c.encode());
    for (const auto& r : revokes) out.push_back(r.encode());
    return out;
}

}  // namespace nimes::test
