#include "mailbox/mailboxes.hpp"

#include <algorithm>

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kScan = 1'000;
constexpr std::size_t kOpenBoxes = 100'000;
constexpr unsigned kStartShift = 10;

std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }
std::string lane_prefix(Lane lane) { return {'e', static_cast<char>(lane)}; }
std::string entry_key(Lane lane, std::uint64_t sequence) { return lane_prefix(lane) + store::key_u64(sequence); }
std::string next_key(Lane lane) { return {'n', static_cast<char>(lane)}; }
std::string message_key(const BodyRef& body) {
    return "m" + std::string(as_text(body.sender.view())) + std::string(as_text(body.id.view()));
}
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

Result<Mailboxes::Box*> Mailboxes::open(const DeviceId& device) {
    if (const auto at = boxes_.find(device); at != boxes_.end()) return &at->second;
    Box box;
    for (const auto lane : kLanes) {
        auto stored = store_.get(partition(device), next_key(lane));
        if (!stored) return pass(stored);
        if (*stored) box.next[index(lane)] = store::u64_of(as_text(**stored)).value_or(1);
        box.next[index(lane)] = std::max(box.next[index(lane)], options_.started << kStartShift);
        box.first[index(lane)] = box.next[index(lane)];
        auto rows = store_.scan(partition(device), entry_key(lane, 0), entry_key(lane, ~std::uint64_t{0}),
                                options_.max_entries + 1);
        if (!rows) return pass(rows);
        box.entries += rows->size();
        if (!rows->empty()) box.first[index(lane)] = store::u64_of(rows->front().key.substr(2)).value_or(1);
    }
    if (boxes_.size() >= kOpenBoxes) boxes_.clear();
    return &boxes_.emplace(device, box).first->second;
}

Result<bool> Mailboxes::plan(const DeviceId& device, Lane lane, const BodyRef& body, Millis expires, ByteView wrap,
                             store::Batch& into) {
    auto box = open(device);
    if (!box) return pass(box);
    auto there = store_.get(partition(device), message_key(body));
    if (!there) return pass(there);
    if (*there) return true;
    if ((*box)->entries >= options_.max_entries) return false;
    const auto sequence = (*box)->next[index(lane)]++;
    ++(*box)->entries;
    const Entry entry{sequence, lane, body, expires, to_bytes(wrap)};
    into.put(entry_key(lane, sequence), entry.encode());
    into.put(message_key(body), number(sequence));
    into.put(next_key(lane), number(sequence + 1));
    return true;
}

Result<std::vector<Entry>> Mailboxes::entries(const DeviceId& device, Lane lane, std::uint64_t from,
                                              std::size_t limit) {
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
    auto row = store_.last(partition(device), entry_key(lane, 0), entry_key(lane, ~std::uint64_t{0}));
    if (!row) return pass(row);
    return *row ? store::u64_of((*row)->key.substr(2)).value_or(0) : 0;
}

Result<std::size_t> Mailboxes::remove_below(const DeviceId& device, Lane lane, std::uint64_t until) {
    auto box = open(device);
    if (!box) return pass(box);
    std::size_t removed = 0;
    while ((*box)->first[index(lane)] < until) {
        auto rows = entries(device, lane, (*box)->first[index(lane)], kScan);
        if (!rows) return pass(rows);
        store::Batch batch(partition(device));
        auto reached = until;
        for (const auto& e : *rows) {
            if (e.sequence >= until) break;
            batch.erase(entry_key(lane, e.sequence)).erase(message_key(e.body));
            ++removed;
            if (&e == &rows->back() && rows->size() == kScan) reached = e.sequence + 1;
        }
        // Without a sync: an acknowledgement lost in a crash is given again at the next Hello.
        if (auto ok = store_.commit(batch, store::Sync::no); !ok) return pass(ok);
        (*box)->entries -= std::min((*box)->entries, batch.writes.size() / 2);
        (*box)->first[index(lane)] = reached;
    }
    return removed;
}

Result<void> Mailboxes::acknowledge(const DeviceId& device, const Mark& mark) {
    auto box = open(device);
    if (!box) return pass(box);
    // A device cannot have what was never given: a mark beyond the end says nothing about entries to come.
    const auto until = std::min(mark.sequence, (*box)->next[index(mark.lane)] - 1) + 1;
    auto removed = remove_below(device, mark.lane, until);
    if (!removed) return pass(removed);
    return {};
}

Result<std::size_t> Mailboxes::waiting(const DeviceId& device) {
    auto box = open(device);
    if (!box) return pass(box);
    return (*box)->entries;
}

Result<std::size_t> Mailboxes::expire(const DeviceId& device, Millis now) {
    std::size_t out = 0;
    for (const auto lane : kLanes) {
        auto rows = entries(device, lane, 0, kScan);
        if (!rows) return pass(rows);
        std::uint64_t until = 0;
        for (const auto& e : *rows) {
            if (e.expires > now) break;
            until = e.sequence + 1;
        }
        auto removed = remove_below(device, lane, until);
        if (!removed) return removed;
        out += *removed;
    }
    return out;
}

Result<void> Mailboxes::purge(const DeviceId& device) {
    boxes_.erase(device);
    return store_.drop(partition(device));
}

}  // namespace nimes::gateway::mailbox
