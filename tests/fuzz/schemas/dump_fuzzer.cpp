// The reader of dumps, fed in pieces: what it accepts has one encoding and the root of the map that it says it is.
#include <cstdlib>

#include "nimes/directory_dump.hpp"

using namespace nimes;

namespace {

struct Outcome {
    std::optional<DirectoryHead> head;
    std::vector<MapLeaf> leaves;
};

Outcome read(ByteView bytes, std::size_t piece) {
    Outcome out;
    DumpReader reader([&](const MapLeaf& leaf) -> Result<void> {
        out.leaves.push_back(leaf);
        return {};
    });
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        if (!reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)))) return out;
    if (const auto head = reader.finish()) out.head = *head;
    return out;
}

Bytes encode(const DirectoryHead& head, const PrefixMap& map) {
    auto out = encode_dump_head(head);
    std::optional<MapKey> last;
    while (const auto* leaf = map.after(last)) {
        const auto bytes = encode_dump_leaf(*leaf);
        out.insert(out.end(), bytes.begin(), bytes.end());
        last = leaf->key();
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool ready = crypto_init();
    if (!ready || size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    const auto whole = read(bytes, 1 + bytes.size()), pieces = read(bytes, 1 + data[0] % 64);
    if (whole.head.has_value() != pieces.head.has_value() || whole.leaves != pieces.leaves) std::abort();
    PrefixMap map;
    for (const auto& leaf : whole.leaves) map.put(leaf);
    if (map.size() != whole.leaves.size()) std::abort();  // a key came twice
    if (whole.head && (map.root() != whole.head->map_root || encode(*whole.head, map) != to_bytes(bytes))) std::abort();
    // With a head that tells the truth about them, the same leaves are always believed.
    DirectoryHead honest;
    honest.revision = 1;
    honest.n_leaves = map.size();
    honest.map_root = map.root();
    if (!read(encode(honest, map), 1 + data[0]).head) std::abort();
    return 0;
}
