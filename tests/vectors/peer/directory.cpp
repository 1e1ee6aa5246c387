#include "nimes/directory_head.hpp"
#include "nimes/prefix_map.hpp"
#include "operations.hpp"

namespace nimes::test::peer {
namespace {

// Root and both kinds of proof over the first `size` of the leaves.
Json log(const Json& q) {
    MerkleLog made;
    for (const auto& leaf : ids<Digest>(q.at("leaves"))) made.append(leaf);
    const auto size = number(q.at("size")), older = number(q.at("older"));
    Json out = {{"root", hex(made.root(size).view())}, {"older_root", hex(made.root(older).view())}};
    out["consistency"] = hex_list(made.consistency(older, size));
    if (older < size) out["inclusion"] = hex_list(made.inclusion(older, size));
    return out;
}

Json log_verify(const Json& q) {
    const auto size = number(q.at("size")), older = number(q.at("older"));
    const auto root = id<Digest>(q.at("root"));
    return {{"includes", verify_inclusion(id<Digest>(q.at("leaf")), older, size, ids<Digest>(q.at("inclusion")), root)},
            {"consistent",
             verify_consistency(older, size, ids<Digest>(q.at("consistency")), id<Digest>(q.at("older_root")), root)}};
}

MapLeaf leaf(const Json& q) { return {static_cast<LeafKind>(q.at("kind").get<int>()), bytes(q.at("content"))}; }

// Builds the map by its steps, taking some leaves out again, and answers root and proofs.
Json map(const Json& q) {
    PrefixMap made;
    for (const auto& l : q.at("leaves")) made.put(leaf(l));
    for (const auto& key : ids<UserId>(q.at("erase"))) made.erase(key.bytes);
    Json paths = Json::array();
    for (const auto& key : ids<UserId>(q.at("keys"))) {
        const auto path = made.path(key.bytes);
        paths.push_back(hex(made.find(key.bytes) != nullptr ? encode_path(path) : encode_absence(path)));
    }
    return {{"root", hex(made.root().view())}, {"size", made.size()}, {"paths", paths}};
}

Json map_presence(const Json& q) {
    const auto path = parse_path(bytes(q.at("path")));
    if (!path) return refused(path.error());
    return {{"holds", verify_presence(leaf(q.at("leaf")), *path, id<Digest>(q.at("root")))}};
}

Json map_absence(const Json& q) {
    const auto path = parse_absence(bytes(q.at("path")));
    if (!path) return refused(path.error());
    return {{"holds", verify_absence(id<UserId>(q.at("key")).bytes, *path, id<Digest>(q.at("root")))}};
}

Json head_sign(const Json& q) {
    const auto key = signing_key_from_seed(bytes(q.at("seed")));
    const auto head = must(DirectoryHead::parse(bytes(q.at("bytes"))));
    return {{"bytes", hex(sign_head(head, key.secret, id<OrgId>(q.at("org"))).encode())},
            {"hash", hex(head.hash().view())}};
}

Json head_advance(const Json& q) {
    const HeadProof proof{ids<Digest>(q.at("consistency")), ids<Digest>(q.at("inclusion"))};
    return verdict(check_advance(must(DirectoryHead::parse(bytes(q.at("held")))),
                                 must(DirectoryHead::parse(bytes(q.at("newer")))), proof, id<PublicKey>(q.at("key")),
                                 id<OrgId>(q.at("org")), number(q.at("now"))));
}

Json head_old(const Json& q) {
    return verdict(check_old_head(must(DirectoryHead::parse(bytes(q.at("old")))),
                                  must(DirectoryHead::parse(bytes(q.at("held")))), ids<Digest>(q.at("inclusion")),
                                  id<PublicKey>(q.at("key")), id<OrgId>(q.at("org"))));
}

}  // namespace

Operations directory_operations() {
    return {{"log", log},
            {"log_verify", log_verify},
            {"map", map},
            {"map_presence", map_presence},
            {"map_absence", map_absence},
            {"head_sign", head_sign},
            {"head_advance", head_advance},
            {"head_old", head_old}};
}

}  // namespace nimes::test::peer
