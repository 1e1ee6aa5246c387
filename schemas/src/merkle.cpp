#include "nimes/merkle.hpp"

#include <bit>

namespace nimes {
namespace {

constexpr ByteArray<1> kLeafPrefix{0x00};
constexpr ByteArray<1> kNodePrefix{0x01};
constexpr std::size_t kLongestProof = 64;

// The largest power of two smaller than n; n >= 2.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

Digest root_of(std::span<const Digest> leaves) {
    if (leaves.size() == 1) return leaves[0];
    const auto k = static_cast<std::size_t>(split(leaves.size()));
    return merkle_node(root_of(leaves.first(k)), root_of(leaves.subspan(k)));
}

}  // namespace

Digest merkle_leaf(ByteView data) { return sha256({kLeafPrefix, data}); }
Digest merkle_node(const Digest& left, const Digest& right) { return sha256({kNodePrefix, left.view(), right.view()}); }
Digest merkle_root(std::span<const Digest> leaves) { return leaves.empty() ? sha256({}) : root_of(leaves); }

void MerkleLog::append(const Digest& leaf_hash) {
    if (levels_.empty()) levels_.emplace_back();
    levels_[0].push_back(leaf_hash);
    for (std::size_t k = 0; levels_[k].size() % 2 == 0; ++k) {
        const auto n = levels_[k].size();
        const auto node = merkle_node(levels_[k][n - 2], levels_[k][n - 1]);
        if (levels_.size() == k + 1) levels_.emplace_back();
        levels_[k + 1].push_back(node);
    }
}

// Root of leaves from … until − 1, where `from` is a multiple of the range's top power of two.
Digest MerkleLog::range(std::uint64_t from, std::uint64_t until) const {
    const auto n = until - from;
    if (std::has_single_bit(n)) {
        const auto level = static_cast<std::size_t>(std::countr_zero(n));
        return levels_[level][static_cast<std::size_t>(from >> level)];
    }
    const auto k = split(n);
    return merkle_node(range(from, from + k), range(from + k, until));
}

Digest MerkleLog::root(std::uint64_t size) const { return size == 0 ? sha256({}) : range(0, size); }

std::vector<Digest> MerkleLog::inclusion(std::uint64_t index, std::uint64_t size) const {
    std::vector<Digest> top_down;
    std::uint64_t from = 0;
    std::uint64_t until = size;
    while (until - from > 1) {
        const auto k = split(until - from);
        if (index < from + k) {
            top_down.push_back(range(from + k, until));
            until = from + k;
        } else {
            top_down.push_back(range(from, from + k));
            from += k;
        }
    }
    return {top_down.rbegin(), top_down.rend()};
}

std::vector<Digest> MerkleLog::consistency(std::uint64_t older, std::uint64_t newer) const {
    std::vector<Digest> out;
    if (older > 0 && older < newer) consistency_part(out, older, 0, newer, true);
    return out;
}

// SUBPROOF(m, D[from:until], whole) of RFC 6962 section 2.1.2.
void MerkleLog::consistency_part(std::vector<Digest>& out, std::uint64_t m, std::uint64_t from, std::uint64_t until,
                                 bool whole) const {
    const auto n = until - from;
    if (m == n) {
        if (!whole) out.push_back(range(from, until));
        return;
    }
    const auto k = split(n);
    if (m <= k) {
        consistency_part(out, m, from, from + k, whole);
        out.push_back(range(from + k, until));
    } else {
        consistency_part(out, m - k, from + k, until, false);
        out.push_back(range(from, from + k));
    }
}

// RFC 9162 section 2.1.3.2.
bool verify_inclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root) {
    if (index >= size || proof.size() > kLongestProof) return false;
    auto fn = index;
    auto sn = size - 1;
    auto r = leaf_hash;
    for (const auto& p : proof) {
        if (sn == 0) return false;
        if ((fn & 1) != 0 || fn == sn) {
            r = merkle_node(p, r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = merkle_node(r, p);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && r == root;
}

// RFC 9162 section 2.1.4.2.
bool verify_consistency(std::uint64_t older, std::uint64_t newer, std::span<const Digest> proof,
                        const Digest& older_root, const Digest& newer_root) {
    if (older > newer || proof.size() > kLongestProof) return false;
    if (older == 0) return proof.empty() && older_root == sha256({});
    if (older == newer) return proof.empty() && older_root == newer_root;
    std::vector<Digest> path(proof.begin(), proof.end());
    if (std::has_single_bit(older)) path.insert(path.begin(), older_root);
    if (path.empty()) return false;
    auto fn = older - 1;
    auto sn = newer - 1;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    auto fr = path[0];
    auto sr = path[0];
    for (std::size_t i = 1; i < path.size(); ++i) {
        if (sn == 0) return false;
        if ((fn & 1) != 0 || fn == sn) {
            fr = merkle_node(path[i], fr);
            sr = merkle_node(path[i], sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = merkle_node(sr, path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && fr == older_root && sr == newer_root;
}

}  // namespace nimes
