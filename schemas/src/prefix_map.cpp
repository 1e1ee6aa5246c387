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
// Never changed once it is in a tree: maps share what they have in common.
struct PrefixMap::Node {
    Digest hash;
    std::optional<MapLeaf> leaf;
    Link child[2];

    static Link of(MapLeaf l) {
        auto n = std::make_shared<Node>();
        n->hash = l.hash();
        n->leaf = std::move(l);
        return n;
    }
    static Link over(Link left, Link right) {
        auto n = std::make_shared<Node>();
        n->hash = sha256({kNodePrefix, hash_of(left).view(), hash_of(right).view()});
        n->child[0] = std::move(left);
        n->child[1] = std::move(right);
        return n;
    }
    static Digest hash_of(const Link& n) { return n ? n->hash : Digest{}; }

    // `at` with its child on that side replaced.
    static Link with(const Link& at, bool side, Link child) {
        return side ? over(at->child[0], std::move(child)) : over(std::move(child), at->child[1]);
    }

    static Link put(const Link& at, const MapKey& key, MapLeaf&& l, std::size_t depth) {
        if (!at || (at->leaf && at->leaf->key() == key)) return of(std::move(l));
        const bool side = bit(key, depth);
        if (!at->leaf) return with(at, side, put(at->child[side], key, std::move(l), depth + 1));
        // Another key's leaf: it moves down until the two part.
        if (bit(at->leaf->key(), depth) != side) {
            auto own = of(std::move(l));
            return side ? over(at, std::move(own)) : over(std::move(own), at);
        }
        auto below = put(at, key, std::move(l), depth + 1);
        return side ? over(nullptr, std::move(below)) : over(std::move(below), nullptr);
    }

    // `key` is there.
    static Link erase(const Link& at, const MapKey& key, std::size_t depth) {
        if (at->leaf) return nullptr;
        const bool side = bit(key, depth);
        auto left = erase(at->child[side], key, depth + 1);
        const auto& other = at->child[!side];
        if (!other && left && left->leaf) return left;  // one leaf left below: it stands here
        if (!left && other && other->leaf) return other;
        return with(at, side, std::move(left));
    }
};

PrefixMap::PrefixMap() = default;
PrefixMap::~PrefixMap() = default;
PrefixMap::PrefixMap(const PrefixMap&) = default;
PrefixMap& PrefixMap::operator=(const PrefixMap&) = default;
PrefixMap::PrefixMap(PrefixMap&&) noexcept = default;
PrefixMap& PrefixMap::operator=(PrefixMap&&) noexcept = default;

void PrefixMap::put(MapLeaf leaf) {
    const auto key = leaf.key();
    const auto* old = find(key);
    if (old == nullptr) ++size_;
    content_bytes_ += leaf.content.size() - (old != nullptr ? old->content.size() : 0);
    root_ = Node::put(root_, key, std::move(leaf), 0);
}

void PrefixMap::erase(const MapKey& key) {
    const auto* old = find(key);
    if (old == nullptr) return;
    content_bytes_ -= old->content.size();
    root_ = Node::erase(root_, key, 0);
    --size_;
}

const MapLeaf* PrefixMap::find(const MapKey& key) const {
    const Node* at = root_.get();
    for (std::size_t depth = 0; at != nullptr && !at->leaf; ++depth) at = at->child[bit(key, depth)].get();
    return at != nullptr && at->leaf->key() == key ? &*at->leaf : nullptr;
}

std::uint64_t PrefixMap::size() const { return size_; }
std::uint64_t PrefixMap::content_bytes() const { return content_bytes_; }
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

// From the root down to the first leaf whose key is greater: where the path turned left, the right side is next.
const MapLeaf* PrefixMap::after(const std::optional<MapKey>& key) const {
    const Node* next = key ? nullptr : root_.get();
    if (key) {
        const Node* at = root_.get();
        for (std::size_t depth = 0; at != nullptr && !at->leaf; ++depth) {
            const bool side = bit(*key, depth);
            if (!side && at->child[1]) next = at->child[1].get();
            at = at->child[side].get();
        }
        if (at != nullptr && at->leaf->key() > *key) next = at;
    }
    while (next != nullptr && !next->leaf) next = (next->child[0] ? next->child[0] : next->child[1]).get();
    return next != nullptr ? &*next->leaf : nullptr;
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
