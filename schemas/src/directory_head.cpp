#include "nimes/directory_head.hpp"

#include "nimes/label.hpp"

namespace nimes {

Result<DirectoryHead> DirectoryHead::parse(ByteView bytes) {
    if (bytes.size() != kBytes) return fail(Errc::malformed, "a directory head has 160 bytes");
    Reader in(bytes);
    DirectoryHead h;
    in.expect("NMdh");
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(0);
    in.expect_u8(0);
    h.revision = in.u64();
    h.ts = in.u64();
    h.n_leaves = in.u64();
    h.map_root = in.id<Digest>();
    h.log_root = in.id<Digest>();
    h.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::malformed, "not a directory head of version 1");
    if (h.revision == 0) return fail(Errc::malformed, "revisions count from 1");
    return h;
}

Bytes DirectoryHead::body() const {
    Writer out;
    out.text("NMdh").u8(1).u8(1).u8(0).u8(0).u64(revision).u64(ts).u64(n_leaves).id(map_root).id(log_root);
    return std::move(out).take();
}

Bytes DirectoryHead::encode() const {
    Writer out;
    out.bytes(body()).id(signature);
    return std::move(out).take();
}

Digest DirectoryHead::hash() const { return merkle_leaf(body()); }

DirectoryHead sign_head(DirectoryHead head, const SigningKey& key, const OrgId& org) {
    head.signature = sign(key, label::kDirectoryHead, {org.view(), head.body()});
    return head;
}

bool verify_head(const DirectoryHead& head, const PublicKey& key, const OrgId& org) {
    return verify(key, head.signature, label::kDirectoryHead, {org.view(), head.body()});
}

bool is_fork(const DirectoryHead& a, const DirectoryHead& b) {
    return a.revision == b.revision && a.body() != b.body();
}

Result<void> check_advance(const DirectoryHead& held, const DirectoryHead& newer, const HeadProof& proof,
                           const PublicKey& key, const OrgId& org, Millis local_now) {
    if (!verify_head(newer, key, org)) return fail(Errc::signature_invalid, "of the directory head");
    if (newer.ts > local_now + 10 * kMinute) return fail(Errc::proof_invalid, "a directory head from the future");
    if (newer.revision < held.revision) return fail(Errc::proof_invalid, "an older directory head than the one held");
    if (is_fork(held, newer)) return fail(Errc::directory_fork, "two heads of one revision");
    if (newer.revision == held.revision) return {};
    if (newer.ts < held.ts) return fail(Errc::directory_fork, "time falls from one head to the next");
    if (!verify_consistency(held.revision - 1, newer.revision - 1, proof.consistency, held.log_root, newer.log_root))
        return fail(Errc::directory_fork, "the log of heads is not a continuation");
    if (!verify_inclusion(held.hash(), held.revision - 1, newer.revision - 1, proof.inclusion, newer.log_root))
        return fail(Errc::directory_fork, "the head held is not in the log");
    return {};
}

Result<void> check_old_head(const DirectoryHead& old, const DirectoryHead& under, std::span<const Digest> inclusion,
                            const PublicKey& key, const OrgId& org) {
    if (!verify_head(old, key, org)) return fail(Errc::signature_invalid, "of the directory head");
    if (is_fork(old, under)) return fail(Errc::directory_fork, "two heads of one revision");
    if (old.revision == under.revision) return {};
    if (old.revision > under.revision) return fail(Errc::proof_invalid, "not an older head");
    if (!verify_inclusion(old.hash(), old.revision - 1, under.revision - 1, inclusion, under.log_root))
        return fail(Errc::directory_fork, "a signed head that is not in the log");
    return {};
}

}  // namespace nimes
