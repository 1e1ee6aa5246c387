// The directory's two trees against the vectors of Certificate Transparency (external/README.md) and against their
// definitions, word for word, at every size from 0 to 130.
#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "golden.hpp"
#include "nimes/merkle.hpp"
#include "nimes/prefix_map.hpp"

using namespace nimes;

namespace {

constexpr std::size_t kSizes = 130;

std::vector<Digest> digests(const nlohmann::json& list) {
    std::vector<Digest> out;
    for (const auto& hex : list) out.push_back(test::id<Digest>(hex));
    return out;
}

// RFC 6962 section 2.1 as it is written: MTH, PATH and SUBPROOF over D[from:until].
class Definition {
  public:
    explicit Definition(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}

    const Digest& root(std::size_t from, std::size_t until) {
        const auto [at, fresh] = roots_.try_emplace({from, until});
        if (!fresh) return at->second;
        Digest out;
        if (from == until) out = sha256({});
        else if (until - from == 1) out = leaves_[from];
        else {
            const auto k = split(until - from);
            const ByteArray<1> inner{0x01};
            out = sha256({inner, root(from, from + k).view(), root(from + k, until).view()});
        }
        return roots_[{from, until}] = out;
    }
    std::vector<Digest> path(std::size_t m, std::size_t from, std::size_t until) {
        if (until - from == 1) return {};
        const auto k = split(until - from);
        auto out = m < k ? path(m, from, from + k) : path(m - k, from + k, until);
        out.push_back(m < k ? root(from + k, until) : root(from, from + k));
        return out;
    }
    std::vector<Digest> subproof(std::size_t m, std::size_t from, std::size_t until, bool whole) {
        if (m == until - from) return whole ? std::vector<Digest>{} : std::vector<Digest>{root(from, until)};
        const auto k = split(until - from);
        auto out = m <= k ? subproof(m, from, from + k, whole) : subproof(m - k, from + k, until, false);
        out.push_back(m <= k ? root(from + k, until) : root(from, from + k));
        return out;
    }

  private:
    static std::size_t split(std::size_t n) {  // the largest power of two smaller than n
        std::size_t k = 1;
        while (k * 2 < n) k *= 2;
        return k;
    }
    std::vector<Digest> leaves_;
    std::map<std::pair<std::size_t, std::size_t>, Digest> roots_;
};

std::vector<Digest> numbered(std::size_t n) {
    std::vector<Digest> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(merkle_leaf(Bytes{static_cast<std::uint8_t>(i)}));
    return out;
}

}  // namespace

TEST_CASE("RFC 6962: roots, paths and consistency proofs of the reference's eight leaves", "[merkle]") {
    std::ifstream in(std::string(NIMES_EXTERNAL_VECTORS) + "/rfc6962.json");
    const auto v = nlohmann::json::parse(in);
    std::vector<Digest> leaves;
    MerkleLog log;
    for (const auto& data : v["leaves"]) {
        leaves.push_back(merkle_leaf(test::bytes(data)));
        log.append(leaves.back());
    }
    REQUIRE(leaves.size() == 8);
    REQUIRE(v["roots"].size() == 8);
    REQUIRE(v["paths"].size() == 5);
    REQUIRE(v["consistency"].size() == 4);
    CHECK(to_hex(merkle_root({}).bytes) == v["empty"]);
    CHECK(to_hex(log.root(0).bytes) == v["empty"]);
    const auto roots = digests(v["roots"]);
    for (std::size_t n = 1; n <= 8; ++n) {
        CHECK(merkle_root(std::span(leaves).first(n)) == roots[n - 1]);
        CHECK(log.root(n) == roots[n - 1]);
    }
    for (const auto& p : v["paths"]) {
        const std::uint64_t index = p["index"], size = p["size"];
        CHECK(log.inclusion(index, size) == digests(p["path"]));
        CHECK(verify_inclusion(leaves[index], index, size, digests(p["path"]), roots[size - 1]));
    }
    for (const auto& c : v["consistency"]) {
        const std::uint64_t older = c["older"], newer = c["newer"];
        CHECK(log.consistency(older, newer) == digests(c["proof"]));
        CHECK(verify_consistency(older, newer, digests(c["proof"]), roots[older - 1], roots[newer - 1]));
    }
}

TEST_CASE("RFC 6962: every root, path and proof up to 130 leaves is the definition's", "[merkle]") {
    const auto leaves = numbered(kSizes + 1);
    Definition by_definition(leaves);
    MerkleLog log;
    std::size_t paths = 0, proofs = 0;
    for (std::size_t size = 0; size <= kSizes; ++size) {
        const auto root = by_definition.root(0, size);
        REQUIRE(log.size() == size);
        REQUIRE(log.root(size) == root);
        REQUIRE(merkle_root(std::span(leaves).first(size)) == root);
        for (std::size_t i = 0; i < size; ++i, ++paths) {
            const auto path = by_definition.path(i, 0, size);
            REQUIRE(log.inclusion(i, size) == path);
            REQUIRE(verify_inclusion(leaves[i], i, size, path, root));
            REQUIRE_FALSE(verify_inclusion(leaves[i], i + 1, size, path, root));
            REQUIRE_FALSE(verify_inclusion(leaves[i + 1], i, size, path, root));
            for (std::size_t k = 0; k < path.size(); ++k) {
                auto bad = path;
                bad[k].bytes[k % 32] ^= 1;
                REQUIRE_FALSE(verify_inclusion(leaves[i], i, size, bad, root));
            }
            auto longer = path;
            longer.push_back(root);
            REQUIRE_FALSE(verify_inclusion(leaves[i], i, size, longer, root));
        }
        for (std::size_t older = 1; older <= size; ++older, ++proofs) {
            const auto proof = by_definition.subproof(older, 0, size, true);
            const auto older_root = by_definition.root(0, older);
            REQUIRE(log.consistency(older, size) == proof);
            REQUIRE(verify_consistency(older, size, proof, older_root, root));
            for (std::size_t k = 0; k < proof.size(); ++k) {
                auto bad = proof;
                bad[k].bytes[k % 32] ^= 1;
                REQUIRE_FALSE(verify_consistency(older, size, bad, older_root, root));
            }
            auto longer = proof;
            longer.push_back(root);
            REQUIRE_FALSE(verify_consistency(older, size, longer, older_root, root));
        }
        REQUIRE(verify_consistency(0, size, {}, sha256({}), root));
        log.append(leaves[size]);
    }
    CHECK(paths == kSizes * (kSizes + 1) / 2);
    CHECK(proofs == kSizes * (kSizes + 1) / 2);
}

TEST_CASE("the map: every root and path up to 130 leaves is the definition's", "[prefix_map]") {
    const auto bit = [](const MapKey& key, std::size_t d) { return (key[d / 8] >> (7 - d % 8) & 1) != 0; };
    // node(S, d) of FORMATS.md 2.11.1; beside it the siblings on the way to `key`, deepest first.
    const std::function<Digest(const std::vector<MapLeaf>&, std::size_t, const MapKey*, std::vector<Digest>*)> node =
        [&](const std::vector<MapLeaf>& s, std::size_t d, const MapKey* key, std::vector<Digest>* path) -> Digest {
        if (s.empty()) return {};
        if (s.size() == 1) return s[0].hash();
        std::vector<MapLeaf> side[2];
        for (const auto& leaf : s) side[bit(leaf.key(), d)].push_back(leaf);
        const int way = key != nullptr && bit(*key, d) ? 1 : 0;
        Digest below[2];
        for (const int i : {0, 1}) below[i] = node(side[i], d + 1, i == way ? key : nullptr, path);
        if (key != nullptr) path->push_back(below[1 - way]);
        const ByteArray<1> inner{0x01};
        return sha256({inner, below[0].view(), below[1].view()});
    };
    PrefixMap map;
    std::vector<MapLeaf> all;
    for (std::size_t size = 0; size <= kSizes; ++size) {
        const auto root = node(all, 0, nullptr, nullptr);
        REQUIRE(map.root() == root);
        for (std::size_t i = size % 13; i < size; i += 13) {
            std::vector<Digest> siblings;
            const auto key = all[i].key();
            (void)node(all, 0, &key, &siblings);
            const auto path = map.path(key);
            REQUIRE(path.siblings == siblings);
            REQUIRE(verify_presence(all[i], path, root));
            REQUIRE_FALSE(verify_absence(key, path, root));
        }
        const auto user = UserId::from(sha256({Bytes{static_cast<std::uint8_t>(size)}}).view().first(16));
        REQUIRE(verify_absence(user.bytes, map.path(user.bytes), root));
        all.push_back(user_leaf(user, std::vector<Digest>{sha256({user.view()})}));
        map.put(all.back());
    }
    CHECK(map.size() == kSizes + 1);
}
