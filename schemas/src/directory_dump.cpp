#include "nimes/directory_dump.hpp"

#include <bit>

namespace nimes {
namespace {

constexpr std::string_view kMagic = "NMdd";
constexpr std::size_t kUserFixed = UserId::size + 4;
constexpr std::size_t kAddress = Digest::size + UserId::size;
constexpr std::uint32_t kMostRecords = 128;
constexpr ByteArray<1> kNodePrefix{0x01};

bool bit(const MapKey& key, std::size_t depth) { return (key[depth / 8] >> (7 - depth % 8) & 1) != 0; }

// The first bit in which two different keys differ.
std::size_t parting(const MapKey& a, const MapKey& b) {
    std::size_t i = 0;
    while (a[i] == b[i]) ++i;
    return i * 8 + static_cast<std::size_t>(std::countl_zero(static_cast<std::uint8_t>(a[i] ^ b[i])));
}

Digest node(const Digest& left, const Digest& right) { return sha256({kNodePrefix, left.view(), right.view()}); }

// How long the leaf is that begins here, behind its kind; 0: not known yet.
Result<std::size_t> leaf_size(LeafKind kind, ByteView from) {
    if (kind == LeafKind::address) return kAddress;
    if (from.size() < kUserFixed) return std::size_t{0};
    const auto n = Reader(from.subspan(UserId::size)).u32();
    if (n < 1 || n > kMostRecords) return fail(Errc::malformed, "a user leaf has 1 to 128 records");
    return kUserFixed + n * Digest::size;
}

}  // namespace

// Up to `depth`, by nodes whose other side is empty.
void MapRootBuilder::lift(Right& at, std::size_t depth, const MapKey& key) {
    if (at.leaf) return;
    while (at.depth > depth) {
        --at.depth;
        at.hash = bit(key, at.depth) ? node(Digest{}, at.hash) : node(at.hash, Digest{});
    }
}

void MapRootBuilder::close(std::vector<Waiting>& waiting, Right& at, std::size_t depth, const MapKey& key) {
    while (!waiting.empty() && waiting.back().depth >= depth) {
        const auto& left = waiting.back();
        lift(at, left.depth + 1, key);
        at = {node(left.hash, at.hash), left.depth, false};
        waiting.pop_back();
    }
    lift(at, depth, key);
}

bool MapRootBuilder::add(const MapKey& key, const Digest& leaf_hash) {
    if (size_ > 0) {
        if (key <= last_) return false;
        const auto parts = parting(last_, key);
        close(waiting_, right_, parts + 1, last_);
        waiting_.push_back({right_.hash, parts});
    }
    right_ = {leaf_hash, 0, true};
    last_ = key;
    ++size_;
    return true;
}

Digest MapRootBuilder::root() const {
    if (size_ == 0) return {};
    auto waiting = waiting_;
    auto right = right_;
    close(waiting, right, 0, last_);
    return right.hash;
}

Bytes encode_dump_head(const DirectoryHead& head) {
    return std::move(Writer().text(kMagic).u8(1).zeros(3).bytes(head.encode())).take();
}

Bytes encode_dump_leaf(const MapLeaf& leaf) {
    return std::move(Writer().u8(static_cast<std::uint8_t>(leaf.kind)).bytes(leaf.content)).take();
}

Result<void> DumpReader::feed(ByteView bytes) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    for (;;) {
        const auto more = step();
        if (!more) return fail(more.error().code, more.error().detail);
        if (!*more) return {};
    }
}

Result<bool> DumpReader::step() {
    const auto rest = ByteView(buffer_).subspan(at_);
    if (!head_) {
        if (rest.size() < kDumpHead) return false;
        Reader in(rest.first(kDumpHead));
        in.expect(kMagic);
        in.expect_u8(1);
        for (int i = 0; i < 3; ++i) in.expect_u8(0);
        if (in.failed()) return fail(Errc::malformed, "not a dump of a directory");
        auto head = DirectoryHead::parse(in.take(DirectoryHead::kBytes));
        if (!head) return pass(head);
        head_ = *head;
        at_ += kDumpHead;
        return true;
    }
    if (rest.empty()) return false;
    if (map_.size() == head_->n_leaves) return fail(Errc::malformed, "more leaves than the head counts");
    if (rest[0] != static_cast<std::uint8_t>(LeafKind::user) && rest[0] != static_cast<std::uint8_t>(LeafKind::address))
        return fail(Errc::malformed, "a leaf of an unknown kind");
    const auto kind = static_cast<LeafKind>(rest[0]);
    auto size = leaf_size(kind, rest.subspan(1));
    if (!size) return pass(size);
    if (*size == 0 || rest.size() < 1 + *size) return false;
    at_ += 1 + *size;
    if (auto ok = take_leaf({kind, to_bytes(rest.subspan(1, *size))}); !ok) return pass(ok);
    return true;
}

Result<void> DumpReader::take_leaf(MapLeaf leaf) {
    if (!map_.add(leaf.key(), leaf.hash())) return fail(Errc::malformed, "the leaves are not in order");
    return each_(leaf);
}

Result<DirectoryHead> DumpReader::finish() {
    if (!head_ || at_ != buffer_.size()) return fail(Errc::malformed, "the dump ends too early");
    if (map_.size() != head_->n_leaves) return fail(Errc::proof_invalid, "the dump lacks leaves that its head counts");
    if (map_.root() != head_->map_root) return fail(Errc::proof_invalid, "the dump is not the map of its head");
    return *head_;
}

}  // namespace nimes
