// Maps and entries as they were: what older heads said, for whoever checks it afterwards (FORMATS.md 2.11.6, 2.11.7).
#include <algorithm>

#include "directory/state.hpp"

namespace nimes::gateway::directory {
namespace {

// From the leaves of one state of an entry to those of another.
void move_leaves(PrefixMap& map, const DirectoryEntry& from, const DirectoryEntry& to) {
    if (const auto address = from.address()) map.erase(address_leaf(*address, from.user).key());
    if (to.certs.empty()) {
        if (!from.certs.empty()) map.erase(from.leaf().key());
        return;
    }
    map.put(to.leaf());
    if (const auto address = to.address()) map.put(address_leaf(*address, to.user));
}

}  // namespace

std::string past_key(std::uint64_t until) { return "a" + store::key_u64(until); }

Bytes encode_past(const DirectoryEntry& entry) {
    Writer out;
    for (const auto& record : entry.records()) out.u16(static_cast<std::uint16_t>(record.size())).bytes(record);
    return std::move(out).take();
}

Result<DirectoryEntry> parse_past(const UserId& user, ByteView bytes, const OrgKeys& keys) {
    if (bytes.empty()) return DirectoryEntry{user, {}, {}};
    Reader in(bytes);
    std::vector<Bytes> records;
    while (in.left() > 0) records.push_back(to_bytes(in.take(in.u16())));
    if (!in.done()) return fail(Errc::storage);
    return parse_entry(user, records, keys);
}

void State::keep_map(Millis now) {
    maps[heads.size()] = map;
    // A head's time is over when the one after it is older than what is kept.
    while (maps.size() > 1 && heads[std::next(maps.begin())->first - 1].head.ts + kMapsKept < now)
        maps.erase(maps.begin());
}

void State::rebuild_maps(Millis now) {
    std::map<std::uint64_t, std::vector<std::pair<const DirectoryEntry*, const DirectoryEntry*>>> moves;
    for (const auto& [id, user] : users)
        for (std::size_t i = 0; i < user.past.size(); ++i)
            moves[user.past[i].until].emplace_back(i + 1 < user.past.size() ? &user.past[i + 1].entry : &user.entry,
                                                   &user.past[i].entry);
    auto walk = map;
    for (auto revision = heads.size() + 1; revision >= 1; --revision) {
        if (revision <= heads.size() && heads[revision - 1].head.map_root == walk.root()) maps[revision] = walk;
        if (revision <= heads.size() && heads[revision - 1].head.ts + kMapsKept < now) break;
        const auto at = moves.find(revision);
        if (at == moves.end()) continue;
        for (const auto& [from, to] : at->second) move_leaves(walk, *from, *to);
    }
}

const DirectoryEntry& State::entry_under(const UserState& user, std::uint64_t revision) const {
    const auto at = std::find_if(user.past.begin(), user.past.end(), [&](const Past& p) { return p.until > revision; });
    return at == user.past.end() ? user.entry : at->entry;
}

}  // namespace nimes::gateway::directory
