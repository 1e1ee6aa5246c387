#include "mailbox/mailboxes.hpp"

#include <algorithm>
#include <utility>

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kScan = 1'000;
constexpr std::size_t kOpenBoxes = 200'000;
constexpr std::uint64_t kOneByOne = 512;  // more are erased as a range
constexpr unsigned kCountBits = 20;       // Options::max_entries must be below
constexpr std::uint64_t kCount = (std::uint64_t{1} << kCountBits) - 1;

std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }
std::string lane_prefix(Lane lane) { return {'e', static_cast<char>(lane)}; }
std::string entry_key(Lane lane, std::uint64_t sequence) { return lane_prefix(lane) + store::key_u64(sequence); }
std::string next_key(Lane lane) { return {'n', static_cast<char>(lane)}; }
Bytes number(std::uint64_t n) { return to_bytes(as_bytes(store::key_u64(n))); }

}  // namespace

store::Partition BodyRef::partition() const { return {store::Family::bodies, store::key_u64(bucket)}; }
std::string BodyRef::key() const { return std::string(as_text(sender.view())) + std::string(as_text(id.view())); }

Bytes Body::encode() const {
    Writer out;
    out.u8(static_cast<std::uint8_t>(kind)).u64(received).id(sender_user).id(conversation);
    out.u8(static_cast<std::uint8_t>(pair.size()));
    for (const auto& u : pair) out.id(u);
    out.bytes(payload);
    return std::move(out).take();
}

Result<Body> Body::parse(ByteView bytes) {
    Reader in(bytes);
    Body out;
    out.kind = static_cast<Payload>(in.u8());
    out.received = in.u64();
    out.sender_user = in.id<UserId>();
    out.conversation = in.id<ConversationId>();
    for (auto n = in.u8(); n > 0 && !in.failed(); --n) out.pair.push_back(in.id<UserId>());
    if (in.failed()) return fail(Errc::storage, "a stored body is damaged");
    out.payload = to_bytes(in.take(in.left()));
    return out;
}

Bytes Entry::encode() const {
    Writer out;
    out.u64(body.bucket).id(body.sender).id(body.id).u64(expires).bytes(wrap);
    return std::move(out).take();
}

Result<Entry> Entry::parse(std::string_view key, ByteView value) {
    Entry out;
    const auto sequence = key.size() == 10 ? store::u64_of(key.substr(2)) : std::nullopt;
    Reader in(value);
    out.body.bucket = in.u64();
    out.body.sender = in.id<DeviceId>();
    out.body.id = in.id<MessageId>();
    out.expires = in.u64();
    if (!sequence || in.failed()) return fail(Errc::storage, "a stored entry is damaged");
    out.sequence = *sequence;
    out.lane = static_cast<Lane>(key[1]);
    out.wrap = to_bytes(in.take(in.left()));
    return out;
}

store::Partition Mailboxes::partition(const DeviceId& device) {
    return {store::Family::mailbox, std::string(as_text(device.view()))};
}

std::size_t Mailboxes::Box::entries() const {
    std::size_t out = 0;
    for (const auto lane : kLanes) out += (next[index(lane)] - first[index(lane)]) & kCount;
    return out;
}

std::uint64_t Mailboxes::number_on(std::uint64_t next) const {
    return std::max(next, options_.started / kSecond << kCountBits | (next & kCount));
}

bool Mailboxes::follows(std::uint64_t next, std::uint64_t sequence) {
    return sequence >= next && ((sequence - next) & kCount) == 0;
}

void Mailboxes::rest() {
    if (boxes_.size() > kOpenBoxes) boxes_.clear();
}

void Mailboxes::forget() {
    boxes_.clear();
    erased_.clear();
}

Result<Mailboxes::Box*> Mailboxes::open(const DeviceId& device) {
    if (const auto at = boxes_.find(device); at != boxes_.end()) return &at->second;
    Box box;
    for (const auto lane : kLanes) {
        const auto i = index(lane);
        auto stored = store_.get(partition(device), next_key(lane));
        if (!stored) return pass(stored);
        if (!*stored) continue;  // nothing was ever put here
        box.next[i] = box.stored_next[i] = store::u64_of(as_text(**stored)).value_or(1);
        box.first[i] = box.next[i];
        auto first = first_from(device, box, lane, 0);
        if (!first) return pass(first);
        box.first[i] = *first;
    }
    return &boxes_.emplace(device, box).first->second;
}

Result<std::uint64_t> Mailboxes::plan(const DeviceId& device, Lane lane, const BodyRef& body, Millis expires,
                                      ByteView wrap, store::Batch& into) {
    auto box = open(device);
    if (!box) return pass(box);
    if ((*box)->entries() >= options_.max_entries) return 0;
    auto& next = (*box)->next[index(lane)];
    const auto sequence = number_on(next);
    next = sequence + 1;
    into.put(entry_key(lane, sequence), Entry{sequence, lane, body, expires, to_bytes(wrap)}.encode());
    return sequence;
}

void Mailboxes::plan_next(const DeviceId& device, store::Batch& into) {
    const auto at = boxes_.find(device);
    if (at == boxes_.end()) return;
    auto& box = at->second;
    for (const auto lane : kLanes) {
        const auto next = box.next[index(lane)];
        if (next == box.stored_next[index(lane)]) continue;
        into.put(next_key(lane), number(next));
        box.stored_next[index(lane)] = next;
    }
}

Result<std::uint64_t> Mailboxes::find(const DeviceId& device, Lane lane, const BodyRef& body) {
    auto waiting = entries(device, lane, 0, options_.max_entries);
    if (!waiting) return pass(waiting);
    for (const auto& e : *waiting)
        if (e.body.sender == body.sender && e.body.id == body.id) return e.sequence;
    return 0;
}

std::vector<store::Batch> Mailboxes::take_erased() {
    std::vector<store::Batch> out;
    for (auto& [device, batch] : std::exchange(erased_, {})) out.push_back(std::move(batch));
    return out;
}

Result<std::vector<Entry>> Mailboxes::entries(const DeviceId& device, Lane lane, std::uint64_t from,
                                              std::size_t limit) {
    auto box = open(device);
    if (!box) return pass(box);
    from = std::max(from, (*box)->first[index(lane)]);  // what is erased may still be there
    if (from >= (*box)->next[index(lane)]) return std::vector<Entry>{};
    auto rows = store_.scan(partition(device), entry_key(lane, from), entry_key(lane, ~std::uint64_t{0}), limit);
    if (!rows) return pass(rows);
    std::vector<Entry> out;
    for (const auto& row : *rows) {
        auto entry = Entry::parse(row.key, row.value);
        if (!entry) return pass(entry);
        out.push_back(std::move(*entry));
    }
    return out;
}

Result<std::uint64_t> Mailboxes::next(const DeviceId& device, Lane lane) {
    auto box = open(device);
    if (!box) return pass(box);
    return (*box)->next[index(lane)];
}

Result<std::uint64_t> Mailboxes::newest(const DeviceId& device, Lane lane) {
    auto box = open(device);
    if (!box) return pass(box);
    const auto next = (*box)->next[index(lane)];
    return next == (*box)->first[index(lane)] ? 0 : next - 1;
}

// The first entry at `from` or behind; the next number when there is none.
Result<std::uint64_t> Mailboxes::first_from(const DeviceId& device, const Box& box, Lane lane, std::uint64_t from) {
    auto rows = store_.scan(partition(device), entry_key(lane, from), entry_key(lane, ~std::uint64_t{0}), 1);
    if (!rows) return pass(rows);
    const auto next = box.next[index(lane)];
    return rows->empty() ? next : store::u64_of(rows->front().key.substr(2)).value_or(next);
}

Result<std::size_t> Mailboxes::remove_below(const DeviceId& device, Box& box, Lane lane, std::uint64_t until) {
    auto& first = box.first[index(lane)];
    if (first >= until) return 0;
    auto then = until;
    // Of an earlier process, or of a store that was put back since: the numbers between need not count.
    if (until >> kCountBits != box.next[index(lane)] >> kCountBits) {
        auto found = first_from(device, box, lane, until);
        if (!found) return pass(found);
        then = *found;
    }
    auto& batch = erased_.try_emplace(device, partition(device)).first->second;
    if (until - first > kOneByOne) batch.erase_range(entry_key(lane, first), entry_key(lane, until));
    else
        for (auto sequence = first; sequence < until; ++sequence) batch.erase(entry_key(lane, sequence));
    const auto before = box.entries();
    first = then;
    return before - box.entries();
}

Result<void> Mailboxes::acknowledge(const DeviceId& device, const Mark& mark) {
    auto box = open(device);
    if (!box) return pass(box);
    // A device cannot have what was never given: a mark beyond the end says nothing about entries to come.
    const auto until = std::min(mark.sequence, (*box)->next[index(mark.lane)] - 1) + 1;
    if (auto removed = remove_below(device, **box, mark.lane, until); !removed) return pass(removed);
    return {};
}

Result<std::size_t> Mailboxes::waiting(const DeviceId& device) {
    auto box = open(device);
    if (!box) return pass(box);
    return (*box)->entries();
}

Result<std::size_t> Mailboxes::expire(const DeviceId& device, Millis now) {
    auto box = open(device);
    if (!box) return pass(box);
    std::size_t out = 0;
    for (const auto lane : kLanes) {
        auto rows = entries(device, lane, 0, kScan);
        if (!rows) return pass(rows);
        std::uint64_t until = 0;
        for (const auto& e : *rows) {
            if (e.expires > now) break;
            until = e.sequence + 1;
        }
        auto removed = remove_below(device, **box, lane, until);
        if (!removed) return pass(removed);
        out += *removed;
    }
    return out;
}

Result<void> Mailboxes::purge(std::span<const DeviceId> devices) {
    for (const auto& device : devices) {
        boxes_.erase(device);
        erased_.erase(device);
        if (auto ok = store_.drop(partition(device)); !ok) return ok;
    }
    return {};
}

}  // namespace nimes::gateway::mailbox
