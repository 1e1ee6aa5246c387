// RFC 6962 trees with SHA-256: roots, inclusion (RFC 9162 2.1.3) and consistency proofs (2.1.4).
//
// MerkleLog holds all leaf hashes and caches the roots of full subtrees: append O(log n), proofs O(log n).
// Not thread safe; its owner locks. The verify functions are pure and bounded: a proof longer than 64 is refused.
#pragma once

#include <vector>

#include "nimes/crypto.hpp"

namespace nimes {

Digest merkle_leaf(ByteView data);                            // SHA-256(0x00 ‖ data)
Digest merkle_node(const Digest& left, const Digest& right);  // SHA-256(0x01 ‖ left ‖ right)
Digest merkle_root(std::span<const Digest> leaf_hashes);      // empty: SHA-256("")

class MerkleLog {
  public:
    void append(const Digest& leaf_hash);
    [[nodiscard]] std::uint64_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }
    // Of the first `size` leaves; size <= this->size().
    [[nodiscard]] Digest root(std::uint64_t size) const;
    [[nodiscard]] std::vector<Digest> inclusion(std::uint64_t index, std::uint64_t size) const;
    [[nodiscard]] std::vector<Digest> consistency(std::uint64_t older, std::uint64_t newer) const;

  private:
    [[nodiscard]] Digest range(std::uint64_t from, std::uint64_t until) const;
    void consistency_part(std::vector<Digest>& out, std::uint64_t m, std::uint64_t from, std::uint64_t until,
                          bool whole) const;
    std::vector<std::vector<Digest>> levels_;  // [k][i] = root of leaves i·2^k … (i+1)·2^k − 1
};

[[nodiscard]] bool verify_inclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                    std::span<const Digest> proof, const Digest& root);
// older = 0 needs an empty proof; older = newer needs an empty proof and equal roots.
[[nodiscard]] bool verify_consistency(std::uint64_t older, std::uint64_t newer, std::span<const Digest> proof,
                                      const Digest& older_root, const Digest& newer_root);

}  // namespace nimes
