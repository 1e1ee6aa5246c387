#include "nimes/prefix_map.hpp"

#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::size_t kBits = 128;
constexpr std::size_t kAddressContent = Digest::size + UserId::size;
constexpr std::size_t kUserContentFixed = UserId::size + 4;
constexpr std::size_t kMostRecords = 128;
constexpr ByteArray<1> kLeafPrefix{0x00};
constexpr ByteArray<1> kNodePrefix{0x01};
constexpr std::uint8_t kEndEmpty = 0;

bool bit(const MapKey& key, std::size_t depth) { return (key[depth / 8] >> (7 - depth % 8) & 1) != 0; }

Digest fold(const MapKey& key, Digest hash, const std::vector<Digest>& siblings) {
    auto depth = siblings.size();
    for (const auto& sibling : siblings) {
        --depth;
        hash = bit(key, depth) ? sha256({kNodePrefix, sibling.view(), hash.view()})
                               : sha256({kNodePrefix, hash.view(), sibling.view()});
    }
    return hash;
}

void write_siblings(Writer& out, const MapPath& path) {
    out.u8(static_cast<std::uint8_t>(path.siblings.size()));
    for (const auto& s : path.siblings) out.id(s);
}

bool read_siblings(Reader& in, MapPath& path) {
    const auto n = in.u8();
    if (n > kBits || in.left() < n * Digest::size) return false;
    path.siblings.reserve(n);
    for (std::size_t i = 0; i < n; ++i) path.siblings.push_back(in.id<Digest>());
    return !in.failed();
}

bool well_formed(const MapLeaf& leaf) {
    if (leaf.kind == LeafKind::address) return leaf.content.size() == kAddressContent;
    if (leaf.content.size() < kUserContentFixed) return false;
    Reader in(leaf.content);
    in.take(UserId::size);
    const auto n = in.u32();
    return n >= 1 && n <= kMostRecords && in.left() == n * Digest::size;
}

}  // namespace

// A leaf when `leaf` is set; else an inner node with at least two leaves below, whose children may be null (empty).
struct PrefixMap::Node {
    Digest hash;
    std::optional<MapLeaf> leaf;
    std::unique_ptr<Node> child[2];

    static std::unique_ptr<Node> of(MapLeaf l) {
        auto n = std::make_unique<Node>();
        n->hash = l.hash();
        n->leaf = std::move(l);
        return n;
    }
    static Digest hash_of(const std::unique_ptr<Node>& n) { return n ? n->hash : Digest{}; }
    void rehash() { hash = sha256({kNodePrefix, hash_of(child[0]).view(), hash_of(child[1]).view()}); }

    // Answers whether a leaf of the same key was replaced.
    static bool put(std::unique_ptr<Node>& at, const MapKey& key, MapLeaf&& l, std::size_t depth) {
        if (!at) {
            at = of(std::move(l));
            return false;
        }
        if (at->leaf && at->leaf->key() == key) {
            at = of(std::move(l));
            return true;
        }
        if (at->leaf) {  // another key's leaf: it moves one level down, until the two part
            auto inner = std::make_unique<Node>();
            inner->child[bit(at->leaf->key(), depth)] = std::move(at);
            at = std::move(inner);
        }
        const bool replaced = put(at->child[bit(key, depth)], key, std::move(l), depth + 1);
        at->rehash();
        return replaced;
    }

    static bool erase(std::unique_ptr<Node>& at, const MapKey& key, std::size_t depth) {
        if (!at) return false;
        if (at->leaf) {
            if (at->leaf->key() != key) return false;
            at.reset();
            return true;
        }
        if (!erase(at->child[bit(key, depth)], key, depth + 1)) return false;
        for (const int side : {0, 1})
            if (!at->child[1 - side] && at->child[side] && at->child[side]->leaf) {
                at = std::move(at->child[side]);  // one leaf left below: it stands here
                return true;
            }
        at->rehash();
        return true;
    }
};

PrefixMap::PrefixMap() = default;
PrefixMap::~PrefixMap() = default;
PrefixMap::PrefixMap(PrefixMap&&) noexcept = default;
PrefixMap& PrefixMap::operator=(PrefixMap&&) noexcept = default;

void PrefixMap::put(MapLeaf leaf) {
    const auto key = leaf.key();
    if (!Node::put(root_, key, std::move(leaf), 0)) ++size_;
}

void PrefixMap::erase(const MapKey& key) {
    if (Node::erase(root_, key, 0)) --size_;
}

const MapLeaf* PrefixMap::find(const MapKey& key) const {
    const Node* at = root_.get();
    for (std::size_t depth = 0; at != nullptr && !at->leaf; ++depth) at = at->child[bit(key, depth)].get();
    return at != nullptr && at->leaf->key() == key ? &*at->leaf : nullptr;
}

std::uint64_t PrefixMap::size() const { return size_; }
Digest PrefixMap::root() const { return Node::hash_of(root_); }

MapPath PrefixMap::path(const MapKey& key) const {
    std::vector<Digest> top_down;
    const Node* at = root_.get();
    for (std::size_t depth = 0; at != nullptr && !at->leaf; ++depth) {
        const bool side = bit(key, depth);
        top_down.push_back(Node::hash_of(at->child[!side]));
        at = at->child[side].get();
    }
    MapPath out;
    out.siblings.assign(top_down.rbegin(), top_down.rend());
    if (at != nullptr && at->leaf->key() != key) out.other = at->leaf;
    return out;
}

MapKey MapLeaf::key() const {
    MapKey out{};
    if (content.size() >= out.size()) std::memcpy(out.data(), content.data(), out.size());
    return out;
}

Digest MapLeaf::hash() const {
    const auto l = label16(kind == LeafKind::user ? label::kUserLeaf : label::kAddressLeaf);
    return sha256({kLeafPrefix, l, content});
}

MapLeaf user_leaf(const UserId& user, std::span<const Digest> record_hashes) {
    Writer out;
    out.id(user).u32(static_cast<std::uint32_t>(record_hashes.size()));
    for (const auto& h : record_hashes) out.id(h);
    return {LeafKind::user, std::move(out).take()};
}

MapLeaf address_leaf(const Digest& attest_hash, const UserId& user) {
    Writer out;
    out.id(attest_hash).id(user);
    return {LeafKind::address, std::move(out).take()};
}

Bytes encode_path(const MapPath& path) {
    Writer out;
    write_siblings(out, path);
    return std::move(out).take();
}

Bytes encode_absence(const MapPath& path) {
    Writer out;
    write_siblings(out, path);
    out.u8(path.other ? static_cast<std::uint8_t>(path.other->kind) : kEndEmpty);
    if (path.other) out.bytes(path.other->content);
    return std::move(out).take();
}

Result<MapPath> parse_path(ByteView bytes) {
    Reader in(bytes);
    MapPath out;
    if (!read_siblings(in, out) || !in.done()) return fail(Errc::malformed, "not a path");
    return out;
}

Result<MapPath> parse_absence(ByteView bytes) {
    Reader in(bytes);
    MapPath out;
    if (!read_siblings(in, out)) return fail(Errc::malformed, "not a path");
    const auto end = in.u8();
    if (in.failed() || end > 2) return fail(Errc::malformed, "unknown end of a path");
    if (end != kEndEmpty) {
        MapLeaf leaf{static_cast<LeafKind>(end), to_bytes(in.take(in.left()))};
        if (!well_formed(leaf)) return fail(Errc::malformed, "not a leaf");
        out.other = std::move(leaf);
    }
    if (!in.done()) return fail(Errc::malformed, "trailing bytes");
    return out;
}

bool verify_presence(const MapLeaf& leaf, const MapPath& path, const Digest& map_root) {
    if (path.siblings.size() > kBits || path.other) return false;
    return fold(leaf.key(), leaf.hash(), path.siblings) == map_root;
}

bool verify_absence(const MapKey& key, const MapPath& path, const Digest& map_root) {
    if (path.siblings.size() > kBits) return false;
    if (!path.other) return fold(key, Digest{}, path.siblings) == map_root;
    const auto other = path.other->key();
    if (!well_formed(*path.other) || other == key) return false;
    for (std::size_t depth = 0; depth < path.siblings.size(); ++depth)
        if (bit(other, depth) != bit(key, depth)) return false;
    return fold(key, path.other->hash(), path.siblings) == map_root;
}

}  // namespace nimes
