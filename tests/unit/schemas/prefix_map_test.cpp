#include "nimes/prefix_map.hpp"
#include "nimes/directory_dump.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace nimes;

namespace {

bool bit(const MapKey& key, std::size_t depth) { return (key[depth / 8] >> (7 - depth % 8) & 1) != 0; }

// The definition, word for word: node(S, d).
Digest naive(const std::vector<MapLeaf>& s, std::size_t depth) {
    if (s.empty()) return {};
    if (s.size() == 1) return s[0].hash();
    std::vector<MapLeaf> side[2];
    for (const auto& leaf : s) side[bit(leaf.key(), depth)].push_back(leaf);
    const ByteArray<1> prefix{0x01};
    const auto left = naive(side[0], depth + 1);
    const auto right = naive(side[1], depth + 1);
    return sha256({prefix, left.view(), right.view()});
}

MapLeaf leaf_of(UserId user, std::uint8_t salt) {
    const Digest record = sha256({Bytes{salt}});
    return user_leaf(user, std::span(&record, 1));
}

// What a reader of a dump computes, leaf by leaf; the number of leaves and their bytes on the way.
Digest streamed_root(const PrefixMap& map) {
    MapRootBuilder builder;
    std::uint64_t bytes = 0;
    std::optional<MapKey> last;
    while (const auto* leaf = map.after(last)) {
        REQUIRE(builder.add(leaf->key(), leaf->hash()));
        bytes += leaf->content.size();
        last = leaf->key();
    }
    REQUIRE(builder.size() == map.size());
    REQUIRE(bytes == map.content_bytes());
    if (last) REQUIRE_FALSE(builder.add(*last, Digest{}));
    return builder.root();
}

}  // namespace

TEST_CASE("the map equals its definition under any puts and erasures", "[prefix_map]") {
    std::mt19937 rng(20260701);
    PrefixMap map;
    std::vector<std::pair<PrefixMap, Digest>> kept;  // a copy stays what it was
    std::map<MapKey, MapLeaf> model;
    for (int step = 0; step < 600; ++step) {
        UserId user;
        user.bytes[0] = static_cast<std::uint8_t>(rng() % 4 << 6);  // crowd the top of the tree
        user.bytes[15] = static_cast<std::uint8_t>(rng() % 32);     // and its very bottom
        if (rng() % 3 == 0) {
            map.erase(user.bytes);
            model.erase(user.bytes);
        } else {
            auto leaf = leaf_of(user, static_cast<std::uint8_t>(rng()));
            map.put(leaf);
            model[user.bytes] = leaf;
        }
        std::vector<MapLeaf> all;
        for (const auto& [key, leaf] : model) all.push_back(leaf);
        REQUIRE(map.size() == all.size());
        REQUIRE(map.root() == naive(all, 0));
        REQUIRE(streamed_root(map) == map.root());
        const auto copies = kept.size();
        if (step % 10 == 0) kept.emplace_back(map, map.root());
        if (copies > 0) REQUIRE(kept[copies / 2].first.root() == kept[copies / 2].second);
    }
    for (const auto& [copy, root] : kept) CHECK(streamed_root(copy) == root);
}

TEST_CASE("paths prove presence and absence, and nothing else", "[prefix_map]") {
    std::mt19937 rng(7);
    PrefixMap map;
    std::vector<UserId> users;
    for (int i = 0; i < 200; ++i) {
        UserId user;
        for (auto& b : user.bytes) b = static_cast<std::uint8_t>(rng());
        users.push_back(user);
        if (i % 2 == 0) map.put(leaf_of(user, 1));
    }
    const auto root = map.root();
    for (std::size_t i = 0; i < users.size(); ++i) {
        const auto path = map.path(users[i].bytes);
        const bool there = i % 2 == 0;
        CHECK((map.find(users[i].bytes) != nullptr) == there);
        if (there) {
            const auto parsed = parse_path(encode_path(path)).value();
            CHECK(verify_presence(leaf_of(users[i], 1), parsed, root));
            CHECK_FALSE(verify_presence(leaf_of(users[i], 2), parsed, root));
            CHECK_FALSE(verify_absence(users[i].bytes, parsed, root));
        } else {
            const auto parsed = parse_absence(encode_absence(path)).value();
            CHECK(verify_absence(users[i].bytes, parsed, root));
            CHECK_FALSE(verify_absence(users[i - 1].bytes, parsed, root));
            CHECK_FALSE(verify_presence(leaf_of(users[i], 1), parsed, root));
        }
    }
}

TEST_CASE("hostile paths are refused before they cost anything", "[prefix_map]") {
    CHECK_FALSE(parse_path(Bytes{}));
    CHECK_FALSE(parse_path(Bytes{129}));
    CHECK_FALSE(parse_path(Bytes{1, 2}));
    CHECK_FALSE(parse_path(Bytes{0, 0}));
    CHECK_FALSE(parse_absence(Bytes{0}));
    CHECK_FALSE(parse_absence(Bytes{0, 3}));
    CHECK_FALSE(parse_absence(Bytes{0, 1, 1, 2, 3}));
    CHECK(parse_absence(Bytes{0, 0}));
    MapPath deep;
    deep.siblings.resize(129);
    CHECK_FALSE(verify_absence(MapKey{}, deep, Digest{}));
}
