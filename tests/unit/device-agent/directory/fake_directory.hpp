// A directory that has the organisation's keys and does as a test says, so it can lie where an honest one cannot.
#pragma once

#include "directory/held_directory.hpp"
#include "nimes/opaque.hpp"
#include "nimes/service_address.hpp"
#include "unit/schemas/identity_fixture.hpp"

namespace nimes::test {

using agent::directory::HeldDirectory;

inline std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

struct FakeDirectory {
    Organisation org;
    Key secret{ByteArray<32>{9}};
    PrefixMap map;
    MerkleLog log;
    std::vector<DirectoryHead> heads;
    Millis now = kNow;

    FakeDirectory() { publish(); }

    Digest address(const std::string& text) const { return ServiceAddress::parse(text).value().hash(secret.view()); }

    // A certificate for the address, signed by everyone who must.
    DeviceCert cert(const UserId& user, const SigningKeyPair& key, std::uint32_t seq, const std::string& text) const {
        auto out = certify(org, user, key, seq, seq == 1 ? Admission::first : Admission::approved);
        out.attest_hash = address(text);
        const auto body = out.body();
        out.self_signature = sign_cert_self(key.secret, body);
        out.ea_signature = sign_cert_ea(org.ea.secret, org.keys.org, body);
        if (seq > 1) out.voucher_signature = sign_cert_voucher_admin(org.admin.secret, org.keys.org, body);
        return out;
    }

    void put(const DirectoryEntry& entry) {
        map.put(entry.leaf());
        if (const auto hash = entry.address()) map.put(address_leaf(*hash, entry.user));
    }
    const DirectoryHead& publish() { return publish(next()); }
    const DirectoryHead& publish(const DirectoryHead& head) {
        if (!heads.empty()) log.append(heads.back().hash());
        heads.push_back(signed_head(head));
        return heads.back();
    }
    DirectoryHead next() const {
        DirectoryHead out;
        out.revision = heads.size() + 1;
        out.ts = now;
        out.n_leaves = map.size();
        out.map_root = map.root();
        auto covered = log;
        if (!heads.empty()) covered.append(heads.back().hash());
        out.log_root = covered.root(covered.size());
        return out;
    }
    DirectoryHead signed_head(const DirectoryHead& head) const {
        return sign_head(head, org.directory.secret, org.keys.org);
    }

    v1::HeadAnswer head_answer(std::uint64_t held) const { return head_answer(held, heads.back()); }
    v1::HeadAnswer head_answer(std::uint64_t held, const DirectoryHead& shown) const {
        v1::HeadAnswer out;
        out.set_head(raw(shown.encode()));
        if (shown.revision <= held) return out;
        for (const auto& d : log.consistency(held - 1, shown.revision - 1)) out.add_consistency(raw(d.view()));
        for (const auto& d : log.inclusion(held - 1, shown.revision - 1)) out.add_inclusion(raw(d.view()));
        return out;
    }
    v1::OldHeadAnswer old_head_answer(std::uint64_t revision) const {
        v1::OldHeadAnswer out;
        out.set_head(raw(heads[revision - 1].encode()));
        if (revision < heads.size())
            for (const auto& d : log.inclusion(revision - 1, heads.size() - 1)) out.add_inclusion(raw(d.view()));
        return out;
    }

    v1::Entry entry_answer(const DirectoryEntry& entry) const {
        v1::Entry out;
        out.set_user(raw(entry.user.view()));
        for (const auto& record : entry.records()) out.add_records(raw(record));
        out.set_path(raw(encode_path(map.path(entry.leaf().key()))));
        return out;
    }
    v1::Entry by_address(const DirectoryEntry& entry, const Digest& hash) const {
        auto out = entry_answer(entry);
        out.set_address_path(raw(encode_path(map.path(address_leaf(hash, entry.user).key()))));
        return out;
    }
    v1::Entry absent(const UserId& user) const {
        v1::Entry out;
        MapKey key{};
        std::copy_n(user.bytes.begin(), key.size(), key.begin());
        out.set_absence(raw(encode_absence(map.path(key))));
        return out;
    }

    Bytes person(const UserId& user, const std::string& name, const std::string& text, std::uint64_t seq) const {
        v1::Person out;
        out.set_user(raw(user.view()));
        out.set_name(name);
        out.set_rank("PHK");
        out.set_unit("Celle");
        out.set_address(text);
        out.set_seq(seq);
        return sign_person(org.ea.secret, org.keys.org, as_bytes(out.SerializeAsString()));
    }

    HeldDirectory client() const { return HeldDirectory(org.keys, secret.view(), heads.back()); }
};

}  // namespace nimes::test
