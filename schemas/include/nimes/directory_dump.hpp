// The dump of a directory revision: every leaf of its map, so that whoever holds a verified head can recompute map_root
// and knows that nothing is left out (FORMATS.md 2.11.7).
//
// DumpReader takes the bytes as they come, in pieces of any size, hands out each leaf in ascending order of keys, and
// holds one leaf and one hash a level, never the directory. A leaf it handed out is proven only when finish() answered:
// until then it is what a server says. Threads: one at a time. Errors: Errc::malformed (form, order, trailing or
// missing bytes), proof_invalid (another number of leaves or another root than the head says). The head's signature and
// its place in the history are the caller's to check.
#pragma once

#include <functional>

#include "nimes/directory_head.hpp"
#include "nimes/prefix_map.hpp"

namespace nimes {

// The root of a map whose leaves come in ascending order of their keys; memory for one path.
class MapRootBuilder {
  public:
    // false: the key is not above the one before.
    [[nodiscard]] bool add(const MapKey& key, const Digest& leaf_hash);
    [[nodiscard]] Digest root() const;
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    struct Waiting {  // a left subtree that still wants its right sibling
        Digest hash;
        std::size_t depth;  // of the node that joins both
    };
    struct Right {
        Digest hash;
        std::size_t depth = 0;
        bool leaf = true;  // a single leaf stands as high as it can
    };
    static void lift(Right& at, std::size_t depth, const MapKey& key);
    static void close(std::vector<Waiting>& waiting, Right& at, std::size_t depth, const MapKey& key);

    std::vector<Waiting> waiting_;
    Right right_;
    MapKey last_{};
    std::uint64_t size_ = 0;
};

class DumpReader {
  public:
    using EachLeaf = std::function<Result<void>(const MapLeaf&)>;  // an error ends the reading with it
    explicit DumpReader(EachLeaf each) : each_(std::move(each)) {}

    Result<void> feed(ByteView bytes);
    // After the last byte: the head, whose map is what was read.
    Result<DirectoryHead> finish();

  private:
    Result<bool> step();  // false: wants more bytes
    Result<void> take_leaf(MapLeaf leaf);

    EachLeaf each_;
    std::optional<DirectoryHead> head_;
    MapRootBuilder map_;
    Bytes buffer_;  // the rest of an item that is not whole yet
    std::size_t at_ = 0;
};

inline constexpr std::size_t kDumpHead = 8 + DirectoryHead::kBytes;
Bytes encode_dump_head(const DirectoryHead& head);
Bytes encode_dump_leaf(const MapLeaf& leaf);

}  // namespace nimes
