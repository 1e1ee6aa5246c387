// The directory's map: a prefix tree over 128-bit keys that says who has which devices now (FORMATS.md, "Map").
//
// node(S, d) = 0^32 for no key, the leaf hash for one key, else SHA-256(0x01 ‖ bit d = 0 ‖ bit d = 1). A key's place is
// fixed, so one path proves that a key has this one leaf and no other, or none at all. put() and erase() hash anew only
// the changed path. A copy is the map as it was then, costs nothing, and shares what did not change since: older maps
// are kept by keeping copies. One PrefixMap is not thread safe, its owner locks; copies may be used by different
// threads. Verify functions are pure; paths over 128 refused.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nimes/crypto.hpp"

namespace nimes {

using MapKey = ByteArray<16>;

enum class LeafKind : std::uint8_t { user = 1, address = 2 };

struct MapLeaf {
    LeafKind kind = LeafKind::user;
    Bytes content;  // unlabelled: user leaf user16 ‖ u32 n ‖ n·32; address leaf attest_hash32 ‖ user16

    bool operator==(const MapLeaf&) const = default;
    [[nodiscard]] MapKey key() const;
    [[nodiscard]] Digest hash() const;  // SHA-256(0x00 ‖ L(label) ‖ content)
};

MapLeaf user_leaf(const UserId& user, std::span<const Digest> record_hashes);
MapLeaf address_leaf(const Digest& attest_hash, const UserId& user);

// Where a look-up in the map ended.
struct MapPath {
    std::vector<Digest> siblings;  // deepest first
    std::optional<MapLeaf> other;  // absence only: the leaf of another key that stands there; none: empty node
};

class PrefixMap {
  public:
    PrefixMap();
    ~PrefixMap();
    PrefixMap(const PrefixMap&);
    PrefixMap& operator=(const PrefixMap&);
    PrefixMap(PrefixMap&&) noexcept;
    PrefixMap& operator=(PrefixMap&&) noexcept;

    void put(MapLeaf leaf);  // replaces the leaf of the same key
    void erase(const MapKey& key);
    [[nodiscard]] const MapLeaf* find(const MapKey& key) const;
    [[nodiscard]] std::uint64_t size() const;
    [[nodiscard]] std::uint64_t content_bytes() const;  // of all leaves
    [[nodiscard]] Digest root() const;
    // Path of a present key (other is nullopt), or the proof of its absence.
    [[nodiscard]] MapPath path(const MapKey& key) const;
    // The leaf with the smallest key above `key`, or of all; nullptr: there is none.
    [[nodiscard]] const MapLeaf* after(const std::optional<MapKey>& key) const;

  private:
    struct Node;
    using Link = std::shared_ptr<const Node>;
    Link root_;
    std::uint64_t size_ = 0, content_bytes_ = 0;
};

// Presence: u8 count ‖ count × 32. Absence: the same ‖ u8 end (0 empty, 1 user leaf, 2 address leaf) ‖ leaf content.
Bytes encode_path(const MapPath& path);
Bytes encode_absence(const MapPath& path);
Result<MapPath> parse_path(ByteView bytes);
Result<MapPath> parse_absence(ByteView bytes);

[[nodiscard]] bool verify_presence(const MapLeaf& leaf, const MapPath& path, const Digest& map_root);
[[nodiscard]] bool verify_absence(const MapKey& key, const MapPath& path, const Digest& map_root);

}  // namespace nimes
