#include "nimes/entry.hpp"

#include <algorithm>
#include <set>

namespace nimes {
namespace {

constexpr Millis kKeepAfterEnd = 90 * kDay;

template <class RecordType>
const RecordType* find(const std::vector<RecordType>& records, const DeviceId& device) {
    const auto at = std::lower_bound(records.begin(), records.end(), device,
                                     [](const RecordType& r, const DeviceId& d) { return r.device < d; });
    return at != records.end() && at->device == device ? &*at : nullptr;
}

Result<DirectoryEntry> read_records(const UserId& user, std::span<const Bytes> records) {
    DirectoryEntry entry;
    entry.user = user;
    for (const auto& bytes : records) {
        if (bytes.size() == DeviceCert::kBytes) {
            auto cert = DeviceCert::parse(bytes);
            if (!cert) return pass(cert);
            if (!entry.revokes.empty()) return fail(Errc::proof_invalid, "a certificate after a revocation");
            if (!entry.certs.empty() && !(entry.certs.back().device < cert->device))
                return fail(Errc::proof_invalid, "certificates out of order");
            if (cert->user != user) return fail(Errc::proof_invalid, "a certificate of another user");
            entry.certs.push_back(std::move(*cert));
        } else {
            auto revoke = DeviceRevoke::parse(bytes);
            if (!revoke) return pass(revoke);
            if (!entry.revokes.empty() && !(entry.revokes.back().device < revoke->device))
                return fail(Errc::proof_invalid, "revocations out of order");
            if (revoke->user != user) return fail(Errc::proof_invalid, "a revocation of another user");
            entry.revokes.push_back(std::move(*revoke));
        }
    }
    return entry;
}

Result<void> check_counts(const DirectoryEntry& entry) {
    std::set<std::uint32_t> seqs;
    for (const auto& c : entry.certs) seqs.insert(c.seq);
    for (const auto& r : entry.revokes) seqs.insert(r.seq);
    if (seqs.size() != entry.certs.size() + entry.revokes.size())
        return fail(Errc::proof_invalid, "a number used twice");
    const auto firsts = std::count_if(entry.certs.begin(), entry.certs.end(),
                                      [](const auto& c) { return c.admission == Admission::first; });
    if (firsts > 1) return fail(Errc::proof_invalid, "two first devices");
    return {};
}

Result<void> check_cert(const DirectoryEntry& entry, const DeviceCert& cert, const OrgKeys& keys) {
    if (cert.device != device_id(cert.user, cert.identity))
        return fail(Errc::proof_invalid, "a device id of another key");
    if (!verify_cert_self(cert)) return fail(Errc::proof_invalid, "the device's own signature fails");
    if (!verify_cert_ea(cert, keys.org, keys.ea)) return fail(Errc::proof_invalid, "the authority's signature fails");
    switch (cert.admission) {
        case Admission::first:
            return {};
        case Admission::approved: {
            const auto* admin = keys.administrator(cert.voucher);
            if (admin == nullptr || !verify_cert_voucher_admin(cert, keys.org, *admin))
                return fail(Errc::proof_invalid, "the approval fails");
            return {};
        }
        case Admission::vouched: {
            const auto* voucher = entry.cert(cert.voucher);
            if (voucher == nullptr || voucher->device == cert.device)
                return fail(Errc::proof_invalid, "the voucher is no other device of the entry");
            const auto* revoked = entry.revoke(cert.voucher);
            if (revoked != nullptr && revoked->seq < cert.seq)
                return fail(Errc::proof_invalid, "the voucher was revoked before");
            if (!verify_cert_voucher_device(cert, voucher->identity))
                return fail(Errc::proof_invalid, "the voucher fails");
            return {};
        }
    }
    return fail(Errc::proof_invalid);
}

// Vouchers lead to a first or approved device without a cycle.
Result<void> check_rooted(const DirectoryEntry& entry) {
    for (const auto& cert : entry.certs) {
        const auto* at = &cert;
        for (std::size_t steps = 0; at != nullptr && at->admission == Admission::vouched; ++steps) {
            if (steps > entry.certs.size()) return fail(Errc::proof_invalid, "devices vouch for each other");
            at = entry.cert(at->voucher);
        }
        if (at == nullptr) return fail(Errc::proof_invalid, "a voucher is missing");
    }
    return {};
}

Result<void> check_revoke(const DirectoryEntry& entry, const DeviceRevoke& revoke, const OrgKeys& keys) {
    if (entry.cert(revoke.device) == nullptr) return fail(Errc::proof_invalid, "a revocation of no device");
    if (const auto* admin = keys.administrator(revoke.actor)) {
        if (!verify_revoke_admin(revoke, keys.org, *admin))
            return fail(Errc::proof_invalid, "a revocation's signature fails");
        return {};
    }
    const auto* actor = entry.cert(revoke.actor);
    if (actor == nullptr) return fail(Errc::proof_invalid, "a revocation by nobody of the entry");
    const auto* actor_revoked = entry.revoke(revoke.actor);
    if (actor_revoked != nullptr && actor_revoked->seq < revoke.seq)
        return fail(Errc::proof_invalid, "a revocation by a device revoked before");
    if (!verify_revoke_device(revoke, actor->identity))
        return fail(Errc::proof_invalid, "a revocation's signature fails");
    return {};
}

}  // namespace

const PublicKey* OrgKeys::administrator(const DeviceId& actor) const {
    const auto at = std::find_if(administrators.begin(), administrators.end(),
                                 [&](const PublicKey& k) { return key_actor(k) == actor; });
    return at == administrators.end() ? nullptr : &*at;
}

const DeviceCert* DirectoryEntry::cert(const DeviceId& device) const { return find(certs, device); }
const DeviceRevoke* DirectoryEntry::revoke(const DeviceId& device) const { return find(revokes, device); }

bool DirectoryEntry::active(const DeviceId& device, Millis now) const {
    const auto* c = cert(device);
    return c != nullptr && revoke(device) == nullptr && c->not_before <= now && now < c->not_after &&
           c->attest_hash == address();
}

std::vector<const DeviceCert*> DirectoryEntry::active_devices(Millis now) const {
    std::vector<const DeviceCert*> out;
    for (const auto& c : certs)
        if (active(c.device, now)) out.push_back(&c);
    return out;
}

std::optional<Digest> DirectoryEntry::address() const {
    const DeviceCert* newest = nullptr;
    for (const auto& c : certs)
        if (revoke(c.device) == nullptr && (newest == nullptr || c.seq > newest->seq)) newest = &c;
    if (newest == nullptr) return std::nullopt;
    return newest->attest_hash;
}

std::uint32_t DirectoryEntry::next_seq() const {
    std::uint32_t top = 0;
    for (const auto& c : certs) top = std::max(top, c.seq);
    for (const auto& r : revokes) top = std::max(top, r.seq);
    return top + 1;
}

std::vector<Bytes> DirectoryEntry::records() const {
    std::vector<Bytes> out;
    for (const auto& c : certs) out.push_back(c.encode());
    for (const auto& r : revokes) out.push_back(r.encode());
    return out;
}

MapLeaf DirectoryEntry::leaf() const {
    std::vector<Digest> hashes;
    for (const auto& record : records()) hashes.push_back(sha256({record}));
    return user_leaf(user, hashes);
}

Result<DirectoryEntry> parse_entry(const UserId& user, std::span<const Bytes> records, const OrgKeys& keys) {
    if (records.empty() || records.size() > kMaxRecords)
        return fail(Errc::proof_invalid, "1 to 128 records are allowed");
    auto entry = read_records(user, records);
    if (!entry) return entry;
    if (auto ok = check_counts(*entry); !ok) return pass(ok);
    for (const auto& c : entry->certs)
        if (auto ok = check_cert(*entry, c, keys); !ok) return pass(ok);
    if (auto ok = check_rooted(*entry); !ok) return pass(ok);
    for (const auto& r : entry->revokes)
        if (auto ok = check_revoke(*entry, r, keys); !ok) return pass(ok);
    return entry;
}

Result<void> check_successor(const DirectoryEntry& held, const DirectoryEntry& newer, Millis now) {
    if (held.user != newer.user) return fail(Errc::proof_invalid, "another user's entry");
    for (const auto& c : held.certs) {
        const auto* there = newer.cert(c.device);
        if (there == nullptr) {
            if (now > c.not_after && now - c.not_after > kKeepAfterEnd) continue;
            return fail(Errc::proof_invalid, "a certificate vanished");
        }
        if (*there != c && there->seq <= c.seq) return fail(Errc::proof_invalid, "a certificate was changed");
    }
    for (const auto& r : held.revokes) {
        const auto* there = newer.revoke(r.device);
        if (there == nullptr) {
            const auto* c = held.cert(r.device);
            if (c != nullptr && newer.cert(r.device) == nullptr && now > c->not_after &&
                now - c->not_after > kKeepAfterEnd)
                continue;
            return fail(Errc::proof_invalid, "a revocation vanished");
        }
        if (*there != r && there->seq <= r.seq) return fail(Errc::proof_invalid, "a revocation was changed");
    }
    return {};
}

Result<void> check_presence(const DirectoryEntry& entry, const MapPath& path, const DirectoryHead& head) {
    if (!verify_presence(entry.leaf(), path, head.map_root))
        return fail(Errc::proof_invalid, "the entry is not in the map");
    return {};
}

Result<void> check_address(const DirectoryEntry& entry, const Digest& attest_hash, const MapPath& path,
                           const DirectoryHead& head) {
    if (entry.address() != attest_hash) return fail(Errc::proof_invalid, "the entry has another address");
    if (!verify_presence(address_leaf(attest_hash, entry.user), path, head.map_root))
        return fail(Errc::proof_invalid, "the address is not in the map");
    return {};
}

}  // namespace nimes
