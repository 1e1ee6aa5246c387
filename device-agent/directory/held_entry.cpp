// What the directory keeps in the container, and reads back.
#include "directory/held_directory.hpp"

namespace nimes::agent::directory {
namespace {

constexpr std::uint8_t kFormat = 2;

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
    if (person) out.u64(person->seq);
    out.u16(static_cast<std::uint16_t>(devices.size()));
    for (const auto& [id, d] : devices) {
        out.id(id).u32(d.dev_no).u32(d.batch_floor).u64(d.first_seen).u8(static_cast<std::uint8_t>(d.keys.size()));
        for (const auto& key : d.keys) out.bytes(key.encode());
    }
    return std::move(out).take();
}

Result<void> HeldDirectory::restore_head(ByteView head160) {
    const auto head = DirectoryHead::parse(head160);
    if (!head) return fail(head.error().code, head.error().detail);
    if (head->revision > head_.revision) head_ = *head;
    remember(*head);
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
        person.seq = in.u64();
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
    // One encoding of each value: what does not come back as it was is not what was stored.
    if (out.encode() != to_bytes(bytes)) return fail(Errc::malformed, "a stored entry");
    entries_[user] = std::move(out);
    return {};
}

}  // namespace nimes::agent::directory
