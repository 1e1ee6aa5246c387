#include "directory/held_directory.hpp"

#include <algorithm>

#include "nimes/opaque.hpp"
#include "nimes/service_address.hpp"

namespace nimes::agent::directory {
namespace {

constexpr Millis kHeadsKept = 90 * kDay;
constexpr Millis kHeadBeforeRecord = kDay + 10 * kMinute;
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

}  // namespace

HeldDirectory::HeldDirectory(OrgKeys keys, ByteView address_secret32, const DirectoryHead& start)
    : keys_(std::move(keys)), address_secret_(address_secret32), head_(start) {
    remember(start);
}

void HeldDirectory::remember(const DirectoryHead& head) {
    known_[head.revision] = {head.hash(), head.ts};
    std::erase_if(known_, [&](const auto& item) { return item.second.ts + kHeadsKept < head_.ts; });
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

HeldDirectory::Named HeldDirectory::judge_named(std::uint64_t revision, const Digest& hash, Millis created) const {
    const auto named = judge_named(revision, hash);
    if (named != Named::verified) return named;
    return created > known(revision)->ts + kHeadBeforeRecord ? Named::failed : Named::verified;
}

// Both heads are signed: the one shown now, and the one that was verified when it was taken.
bool HeldDirectory::contradicts(const DirectoryHead& head) const {
    const auto held = known(head.revision);
    return held && held->hash != head.hash() && verify_head(head, keys_.directory, keys_.org);
}

Result<HeadStep> HeldDirectory::take_head(const v1::HeadAnswer& answer, Millis local_now) {
    const auto head = DirectoryHead::parse(as_bytes(answer.head()));
    if (!head) return fail(head.error().code, head.error().detail);
    if (contradicts(*head)) {
        forked_ = true;
        return fail(Errc::directory_fork, "two heads of one revision");
    }
    if (forked_ && head->revision > head_.revision)
        return fail(Errc::directory_fork, "a fork was seen: no newer head is taken");
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
    if (contradicts(*head)) {
        forked_ = true;
        return fail(Errc::directory_fork, "two heads of one revision");
    }
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
    if (in.records_size() > 0) {
        auto entry = judge(in, asked, now);
        if (!entry) return pass(entry);
        return accept(std::move(*entry), in, now);
    }
    const auto path = parse_absence(as_bytes(in.absence()));
    MapKey key{};
    std::copy_n(asked.bytes.begin(), key.size(), key.begin());
    if (!path || !verify_absence(key, *path, head_.map_root)) return fail(Errc::proof_invalid, "absence is not proven");
    if (const auto* held = find(asked))  // it may leave with its last record, not before
        if (auto ok = check_successor(held->entry, DirectoryEntry{asked, {}, {}}, now); !ok) return pass(ok);
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
    auto entry = judge(in, UserId::from(as_bytes(in.user())), now);
    if (!entry) return pass(entry);
    const auto path = parse_path(as_bytes(in.address_path()));
    if (!path) return fail(Errc::proof_invalid, "the address's path");
    if (auto ok = check_address(*entry, asked, *path, head_); !ok) return pass(ok);
    return accept(std::move(*entry), in, now);
}

Result<DirectoryEntry> HeldDirectory::entry_under(const v1::LookupAnswer& answer, const UserId& asked,
                                                  std::uint64_t revision) const {
    const auto head = DirectoryHead::parse(as_bytes(answer.under_head()));
    const auto held = known(revision);
    if (!head || !held || head->revision != revision || head->hash() != held->hash || answer.entries_size() != 1)
        return fail(Errc::proof_invalid, "not the head that was asked for");
    const auto& in = answer.entries(0);
    if (in.records_size() == 0) {
        const auto path = parse_absence(as_bytes(in.absence()));
        if (!path || !verify_absence(asked.bytes, *path, head->map_root))
            return fail(Errc::proof_invalid, "absence is not proven");
        return fail(Errc::not_found);
    }
    return proven(in, asked, *head);
}

// What the records say, and that the head's map has them.
Result<DirectoryEntry> HeldDirectory::proven(const v1::Entry& in, const UserId& user, const DirectoryHead& head) const {
    std::vector<Bytes> records;
    if (static_cast<std::size_t>(in.records_size()) > kMaxRecords) return fail(Errc::proof_invalid, "too many records");
    for (const auto& record : in.records()) records.push_back(to_bytes(as_bytes(record)));
    // Record for record what is held: its signatures were verified when it came.
    const auto* held = find(user);
    const bool same = held != nullptr && held->entry.records() == records;
    auto entry = same ? Result<DirectoryEntry>(held->entry) : parse_entry(user, records, keys_);
    if (!entry) return entry;
    const auto path = parse_path(as_bytes(in.path()));
    if (!path) return fail(Errc::proof_invalid, "the entry's path");
    if (auto ok = check_presence(*entry, *path, head); !ok) return pass(ok);
    return entry;
}

Result<DirectoryEntry> HeldDirectory::judge(const v1::Entry& in, const UserId& user, Millis now) const {
    auto entry = proven(in, user, head_);
    if (!entry) return entry;
    if (const auto* held = find(user))
        if (auto ok = check_successor(held->entry, *entry, now); !ok) return pass(ok);
    return entry;
}

const HeldEntry* HeldDirectory::accept(DirectoryEntry entry, const v1::Entry& in, Millis now) {
    auto& into = entries_[entry.user];
    if (into.known_since == 0) into.known_since = now;
    into.entry = std::move(entry);
    into.revision = head_.revision;
    into.fetched = now;
    take_person(into, in);
    take_devices(into, in, now);
    return &into;
}

void HeldDirectory::take_person(HeldEntry& into, const v1::Entry& from) const {
    const auto address = into.entry.address();
    if (into.person && address && address_hash(into.person->address) != *address) into.person.reset();
    auto shown = open_person_for(into.entry, as_bytes(from.person()), keys_, *this);
    if (shown && (!into.person || shown->seq >= into.person->seq)) into.person = std::move(shown);
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

std::optional<PersonInfo> open_person_for(const DirectoryEntry& entry, ByteView record, const OrgKeys& keys,
                                          const HeldDirectory& directory) {
    const auto bytes = open_person(keys.ea, keys.org, record);
    v1::Person in;
    if (!bytes || !in.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) return std::nullopt;
    if (as_bytes(in.user()).size() != UserId::size || UserId::from(as_bytes(in.user())) != entry.user)
        return std::nullopt;
    const auto address = entry.address();
    if (!address || *address != directory.address_hash(in.address())) return std::nullopt;
    return PersonInfo{entry.user, in.name(), in.rank(), in.unit(), in.address(), in.seq()};
}

}  // namespace nimes::agent::directory
