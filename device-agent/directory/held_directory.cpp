#include "directory/held_directory.hpp"

#include <algorithm>

#include "nimes/opaque.hpp"
#include "nimes/service_address.hpp"

namespace nimes::agent::directory {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr Millis kHeadsKept = 90 * kDay;
constexpr int kMaxKeys = 4;

Result<std::vector<Digest>> digests(const google::protobuf::RepeatedPtrField<std::string>& in) {
    std::vector<Digest> out;
    if (in.size() > 128) return fail(Errc::malformed, "a proof is too long");
    for (const auto& d : in) {
        if (d.size() != Digest::size) return fail(Errc::malformed, "a proof of 32-byte hashes");
        out.push_back(Digest::from(as_bytes(d)));
    }
    return out;
}

void put_text(Writer& out, const std::string& text) { out.u16(static_cast<std::uint16_t>(text.size())).text(text); }
std::string read_text(Reader& in) { return std::string(as_text(in.take(in.u16()))); }

}  // namespace

const SealKey* HeldEntry::seal_key(const DeviceId& device, Millis now) const {
    const auto at = devices.find(device);
    if (at == devices.end() || now > fetched + kDay) return nullptr;
    for (const auto& key : at->second.keys)
        if (key.not_before <= now && now < key.not_after && key.batch_no >= at->second.batch_floor) return &key;
    return nullptr;
}

Bytes HeldEntry::encode() const {
    Writer out;
    out.u8(kFormat).id(entry.user).u64(revision).u64(fetched).u64(known_since);
    const auto records = entry.records();
    out.u16(static_cast<std::uint16_t>(records.size()));
    for (const auto& r : records) out.u16(static_cast<std::uint16_t>(r.size())).bytes(r);
    out.u8(person ? 1 : 0);
    if (person)
        for (const auto* text : {&person->name, &person->rank, &person->unit, &person->address}) put_text(out, *text);
    out.u16(static_cast<std::uint16_t>(devices.size()));
    for (const auto& [id, d] : devices) {
        out.id(id).u32(d.dev_no).u32(d.batch_floor).u64(d.first_seen).u8(static_cast<std::uint8_t>(d.keys.size()));
        for (const auto& key : d.keys) out.bytes(key.encode());
    }
    return std::move(out).take();
}

HeldDirectory::HeldDirectory(OrgKeys keys, ByteView address_secret32, const DirectoryHead& start)
    : keys_(std::move(keys)), address_secret_(address_secret32), head_(start) {
    remember(start);
}

void HeldDirectory::remember(const DirectoryHead& head) {
    known_[head.revision] = {head.hash(), head.ts};
    std::erase_if(known_, [&](const auto& item) { return item.second.ts + kHeadsKept < head.ts; });
}

std::optional<KnownHead> HeldDirectory::known(std::uint64_t revision) const {
    const auto at = known_.find(revision);
    if (at == known_.end()) return std::nullopt;
    return at->second;
}

HeldDirectory::Named HeldDirectory::judge_named(std::uint64_t revision, const Digest& hash) const {
    const auto held = known(revision);
    if (!held) return Named::unknown;
    return held->hash == hash ? Named::verified : Named::failed;
}

Result<HeadStep> HeldDirectory::take_head(const v1::HeadAnswer& answer, Millis local_now) {
    const auto head = DirectoryHead::parse(as_bytes(answer.head()));
    if (!head) return fail(head.error().code, head.error().detail);
    // An older head than ours, honestly signed, is a server that fell back or lies: we stay where we are.
    if (head->revision < head_.revision) return fail(Errc::head_stale, "the gateway shows an older head than it did");
    auto consistency = digests(answer.consistency());
    auto inclusion = digests(answer.inclusion());
    if (!consistency) return pass(consistency);
    if (!inclusion) return pass(inclusion);
    const HeadProof proof{std::move(*consistency), std::move(*inclusion)};
    if (auto ok = check_advance(head_, *head, proof, keys_.directory, keys_.org, local_now); !ok) return pass(ok);
    HeadStep out{head->revision > head_.revision, {}, answer.too_many()};
    for (const auto& user : answer.changed_users())
        if (user.size() == UserId::size) out.changed.push_back(UserId::from(as_bytes(user)));
    head_ = *head;
    remember(head_);
    return out;
}

Result<void> HeldDirectory::take_old_head(const v1::OldHeadAnswer& answer, std::uint64_t revision) {
    const auto head = DirectoryHead::parse(as_bytes(answer.head()));
    if (!head) return fail(head.error().code, head.error().detail);
    if (head->revision != revision) return fail(Errc::proof_invalid, "another revision than asked for");
    auto inclusion = digests(answer.inclusion());
    if (!inclusion) return pass(inclusion);
    if (auto ok = check_old_head(*head, head_, *inclusion, keys_.directory, keys_.org); !ok) return ok;
    known_[revision] = {head->hash(), head->ts};
    return {};
}

Digest HeldDirectory::address_hash(const std::string& normalised) const {
    const auto address = ServiceAddress::parse(normalised);
    return address ? address->hash(address_secret_.view()) : Digest{};
}

Result<const HeldEntry*> HeldDirectory::take_user(const v1::Entry& in, const UserId& asked, Millis now) {
    if (in.records_size() > 0) return take(in, asked, now);
    const auto path = parse_absence(as_bytes(in.absence()));
    MapKey key{};
    std::copy_n(asked.bytes.begin(), key.size(), key.begin());
    if (!path || !verify_absence(key, *path, head_.map_root)) return fail(Errc::proof_invalid, "absence is not proven");
    if (find(asked) != nullptr) return fail(Errc::proof_invalid, "an entry that was there vanished");
    return fail(Errc::not_found);
}

Result<const HeldEntry*> HeldDirectory::take_address(const v1::Entry& in, const Digest& asked, Millis now) {
    if (in.records_size() == 0) {
        const auto path = parse_absence(as_bytes(in.address_path()));
        MapKey key{};
        std::copy_n(asked.bytes.begin(), key.size(), key.begin());
        if (!path || !verify_absence(key, *path, head_.map_root))
            return fail(Errc::proof_invalid, "absence is not proven");
        return fail(Errc::not_found);
    }
    if (in.user().size() != UserId::size) return fail(Errc::malformed, "an entry without a user");
    auto held = take(in, UserId::from(as_bytes(in.user())), now);
    if (!held) return held;
    const auto path = parse_path(as_bytes(in.address_path()));
    if (!path) return fail(Errc::proof_invalid, "the address's path");
    if (auto ok = check_address((*held)->entry, asked, *path, head_); !ok) return pass(ok);
    return held;
}

Result<const HeldEntry*> HeldDirectory::take(const v1::Entry& in, const UserId& user, Millis now) {
    std::vector<Bytes> records;
    if (static_cast<std::size_t>(in.records_size()) > kMaxRecords) return fail(Errc::proof_invalid, "too many records");
    for (const auto& record : in.records()) records.push_back(to_bytes(as_bytes(record)));
    auto entry = parse_entry(user, records, keys_);
    if (!entry) return pass(entry);
    const auto path = parse_path(as_bytes(in.path()));
    if (!path) return fail(Errc::proof_invalid, "the entry's path");
    if (auto ok = check_presence(*entry, *path, head_); !ok) return pass(ok);
    const auto held = entries_.find(user);
    if (held != entries_.end())
        if (auto ok = check_successor(held->second.entry, *entry, now); !ok) return pass(ok);

    auto& into = entries_[user];
    if (into.known_since == 0) into.known_since = now;
    into.entry = std::move(*entry);
    into.revision = head_.revision;
    into.fetched = now;
    if (auto person = open_person_for(into.entry, as_bytes(in.person()), keys_, *this)) into.person = std::move(person);
    take_devices(into, in, now);
    return &into;
}

// Unauthenticated by the tree: each key is checked by its own signature, dates and batch.
void HeldDirectory::take_devices(HeldEntry& into, const v1::Entry& from, Millis now) const {
    for (const auto& device : from.devices()) {
        const auto id = DeviceId::from(as_bytes(device.device()));
        const auto* cert = into.entry.cert(id);
        if (cert == nullptr) continue;
        auto& held = into.devices[id];
        held.dev_no = device.dev_no();
        if (held.first_seen == 0) held.first_seen = now;
        held.keys.clear();
        for (int i = 0; i < std::min(device.seal_keys_size(), kMaxKeys); ++i) {
            const auto key = SealKey::parse(as_bytes(device.seal_keys(i)));
            if (!key || key->device != id || !check_seal_key(*key, cert->identity, now)) continue;
            if (key->batch_no < held.batch_floor) continue;
            held.batch_floor = key->batch_no;
            held.keys.push_back(*key);
        }
    }
}

const HeldEntry* HeldDirectory::find(const UserId& user) const {
    const auto at = entries_.find(user);
    return at == entries_.end() ? nullptr : &at->second;
}

Result<void> HeldDirectory::restore_head(ByteView head160) {
    const auto head = DirectoryHead::parse(head160);
    if (!head) return fail(head.error().code, head.error().detail);
    head_ = *head;
    remember(head_);
    return {};
}

Result<void> HeldDirectory::restore_entry(ByteView bytes) {
    Reader in(bytes);
    HeldEntry out;
    in.expect_u8(kFormat);
    const auto user = in.id<UserId>();
    out.revision = in.u64();
    out.fetched = in.u64();
    out.known_since = in.u64();
    std::vector<Bytes> records;
    for (auto n = in.u16(); n > 0 && !in.failed(); --n) records.push_back(to_bytes(in.take(in.u16())));
    if (in.u8() != 0) {
        PersonInfo person;
        person.user = user;
        for (auto* text : {&person.name, &person.rank, &person.unit, &person.address}) *text = read_text(in);
        out.person = std::move(person);
    }
    for (auto n = in.u16(); n > 0 && !in.failed(); --n) {
        auto& device = out.devices[in.id<DeviceId>()];
        device.dev_no = in.u32();
        device.batch_floor = in.u32();
        device.first_seen = in.u64();
        for (auto k = in.u8(); k > 0 && !in.failed(); --k)
            if (const auto key = SealKey::parse(in.take(SealKey::kBytes))) device.keys.push_back(*key);
    }
    if (!in.done()) return fail(Errc::malformed, "a stored entry");
    auto entry = parse_entry(user, records, keys_);
    if (!entry) return pass(entry);
    out.entry = std::move(*entry);
    entries_[user] = std::move(out);
    return {};
}

std::optional<PersonInfo> open_person_for(const DirectoryEntry& entry, ByteView record, const OrgKeys& keys,
                                          const HeldDirectory& directory) {
    const auto bytes = open_person(keys.ea, keys.org, record);
    v1::Person in;
    if (!bytes || !in.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) return std::nullopt;
    if (as_bytes(in.user()).size() != UserId::size || UserId::from(as_bytes(in.user())) != entry.user)
        return std::nullopt;
    const auto address = entry.address();
    if (address && *address != directory.address_hash(in.address())) return std::nullopt;
    return PersonInfo{entry.user, in.name(), in.rank(), in.unit(), in.address()};
}

}  // namespace nimes::agent::directory
