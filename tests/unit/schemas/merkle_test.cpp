#include "nimes/merkle.hpp"

#include <catch2/catch.hpp>

#include "nimes/encoding.hpp"

using namespace nimes;

namespace {

std::vector<Digest> leaves(std::size_t n) {
    std::vector<Digest> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(merkle_leaf(Bytes{static_cast<std::uint8_t>(i), 7}));
    return out;
}

}  // namespace

TEST_CASE("RFC 6962: the tree of the certificate transparency test vectors", "[merkle]") {
    const std::vector<std::string> data = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    std::vector<Digest> hashes;
    for (const auto& hex : data) hashes.push_back(merkle_leaf(from_hex(hex).value()));
    CHECK(to_hex(merkle_root({}).bytes) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(merkle_root(std::span(hashes).first(1)).bytes) ==
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    CHECK(to_hex(merkle_root(hashes).bytes) == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST_CASE("every proof of every size verifies, and no other does", "[merkle]") {
    const auto all = leaves(70);
    MerkleLog log;
    for (const auto& leaf : all) log.append(leaf);
    for (std::size_t size = 1; size <= all.size(); ++size) {
        const auto root = merkle_root(std::span(all).first(size));
        REQUIRE(log.root(size) == root);
        for (std::size_t i = 0; i < size; ++i) {
            auto proof = log.inclusion(i, size);
            REQUIRE(verify_inclusion(all[i], i, size, proof, root));
            REQUIRE_FALSE(verify_inclusion(all[(i + 1) % 70], i, size, proof, root));
            REQUIRE_FALSE(verify_inclusion(all[i], i + 1, size, proof, root));
            if (proof.empty()) continue;
            proof.back().bytes[0] ^= 1;
            REQUIRE_FALSE(verify_inclusion(all[i], i, size, proof, root));
            proof.pop_back();
            REQUIRE_FALSE(verify_inclusion(all[i], i, size, proof, root));
        }
        for (std::size_t older = 0; older <= size; ++older) {
            auto proof = log.consistency(older, size);
            const auto older_root = log.root(older);
            REQUIRE(verify_consistency(older, size, proof, older_root, root));
            if (proof.empty()) continue;
            REQUIRE_FALSE(verify_consistency(older, size, proof, root, root));
            proof.front().bytes[31] ^= 1;
            REQUIRE_FALSE(verify_consistency(older, size, proof, older_root, root));
        }
    }
    CHECK_FALSE(verify_consistency(3, 2, {}, log.root(3), log.root(2)));
    CHECK_FALSE(verify_consistency(2, 2, {}, log.root(2), log.root(3)));
    CHECK_FALSE(verify_inclusion(all[0], 0, 1, std::vector<Digest>(65), all[0]));
}
