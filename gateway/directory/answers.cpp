#include "directory/answers.hpp"

#include <algorithm>
#include <set>

namespace nimes::gateway::directory {
namespace {

constexpr int kMaxAsked = 64;
constexpr std::size_t kMaxChanged = 1'000;
constexpr int kMaxPeople = 50;

std::string text(ByteView bytes) { return std::string(as_text(bytes)); }

Result<void> add_devices(v1::Entry& out, const UserState& user, store::Store& store, Millis now) {
    const auto today = utc_day(now);
    for (const auto& cert : user.entry.certs) {
        const auto at = user.devices.find(cert.device);
        if (at == user.devices.end() || user.entry.revoke(cert.device) != nullptr) continue;
        auto& device = *out.add_devices();
        device.set_device(text(cert.device.view()));
        device.set_dev_no(at->second.dev_no);
        auto keys = store.scan(user_partition(user.entry.user), seal_key_key(cert.device, today - 1),
                               seal_key_key(cert.device, today + 2), 3);
        if (!keys) return pass(keys);
        for (const auto& key : *keys) device.add_seal_keys(text(key.value));
    }
    return {};
}

Result<void> add_present(v1::Entry& out, const State& state, const UserState& user, store::Store& store, Millis now) {
    out.set_user(text(user.entry.user.view()));
    for (const auto& record : user.entry.records()) out.add_records(text(record));
    out.set_path(text(encode_path(state.map.path(user.entry.leaf().key()))));
    out.set_person(text(user.person.record));
    return add_devices(out, user, store, now);
}

MapKey key_of(ByteView bytes) {
    MapKey out{};
    std::copy_n(bytes.begin(), out.size(), out.begin());
    return out;
}

Result<void> add_user(v1::Entry& out, const State& state, const std::string& asked, store::Store& store, Millis now) {
    if (asked.size() != UserId::size) return fail(Errc::malformed, "a user id has 16 bytes");
    const auto at = state.users.find(UserId::from(as_bytes(asked)));
    if (at != state.users.end() && !at->second.entry.certs.empty())
        return add_present(out, state, at->second, store, now);
    out.set_absence(text(encode_absence(state.map.path(key_of(as_bytes(asked))))));
    return {};
}

Result<void> add_address(v1::Entry& out, const State& state, const std::string& asked, store::Store& store,
                         Millis now) {
    if (asked.size() != Digest::size) return fail(Errc::malformed, "an address hash has 32 bytes");
    out.set_address_hash(asked);
    const auto hash = Digest::from(as_bytes(asked));
    const auto path = state.map.path(key_of(hash.view()));
    const auto at = state.by_hash.find(hash);
    if (at == state.by_hash.end()) {
        out.set_address_path(text(encode_absence(path)));
        return {};
    }
    out.set_address_path(text(encode_path(path)));
    return add_present(out, state, state.users.at(at->second), store, now);
}

// As the map of an older head had them.
Result<void> add_under(v1::LookupAnswer& out, const State& state, const v1::LookupRequest& request) {
    const auto revision = request.under_revision();
    const auto map = state.maps.find(revision);
    if (map == state.maps.end()) return fail(Errc::not_found, "this revision's map is not kept any more, or never was");
    out.set_under_head(text(state.heads[revision - 1].head.encode()));
    for (const auto& asked : request.users()) {
        if (asked.size() != UserId::size) return fail(Errc::malformed, "a user id has 16 bytes");
        auto& entry = *out.add_entries();
        const auto key = key_of(as_bytes(asked));
        const auto path = map->second.path(key);
        if (map->second.find(key) == nullptr) {
            entry.set_absence(text(encode_absence(path)));
            continue;
        }
        const auto& was = state.entry_under(state.users.at(UserId::from(as_bytes(asked))), revision);
        entry.set_user(asked);
        for (const auto& record : was.records()) entry.add_records(text(record));
        entry.set_path(text(encode_path(path)));
    }
    return {};
}

std::string folded(std::string_view in) {
    std::string out(in);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

}  // namespace

Changes collect_changes(const State& state, std::uint64_t since) {
    Changes out;
    out.revision = state.heads.size();
    if (since == 0 || since > state.heads.size()) {
        out.too_many = since == 0 && !state.users.empty();
        return out;
    }
    std::set<UserId> users;
    for (auto r = since; r < state.heads.size() && !out.too_many; ++r) {
        users.insert(state.heads[r].changed.begin(), state.heads[r].changed.end());
        out.too_many = state.heads[r].too_many || users.size() > kMaxChanged;
    }
    if (!out.too_many) out.users.assign(users.begin(), users.end());
    return out;
}

Result<v1::HeadAnswer> answer_head(const State& state, std::uint64_t held) {
    if (held > state.heads.size()) return fail(Errc::not_found, "a revision that was never published");
    v1::HeadAnswer out;
    const auto& newest = state.heads.back().head;
    out.set_head(text(newest.encode()));
    if (held != 0 && held < newest.revision) {
        for (const auto& d : state.log.consistency(held - 1, newest.revision - 1)) out.add_consistency(text(d.view()));
        for (const auto& d : state.log.inclusion(held - 1, newest.revision - 1)) out.add_inclusion(text(d.view()));
    }
    const auto changes = collect_changes(state, held);
    out.set_too_many(changes.too_many);
    for (const auto& user : changes.users) out.add_changed_users(text(user.view()));
    return out;
}

Result<v1::OldHeadAnswer> answer_old_head(const State& state, std::uint64_t revision, std::uint64_t under) {
    if (revision == 0 || revision > under || under > state.heads.size())
        return fail(Errc::not_found, "a revision that was never published");
    v1::OldHeadAnswer out;
    out.set_head(text(state.heads[revision - 1].head.encode()));
    if (revision < under)
        for (const auto& d : state.log.inclusion(revision - 1, under - 1)) out.add_inclusion(text(d.view()));
    return out;
}

Result<v1::LookupAnswer> answer_lookup(const State& state, store::Store& store, const v1::LookupRequest& request,
                                       Millis now) {
    if (request.users_size() > kMaxAsked || request.address_hashes_size() > kMaxAsked)
        return fail(Errc::too_large, "at most 64 users and 64 addresses");
    if (request.under_revision() != 0 && (request.address_hashes_size() > 0 || request.one_time_for_size() > 0))
        return fail(Errc::malformed, "under an older head users alone are looked up");
    v1::LookupAnswer out;
    auto head = answer_head(state, request.held_revision());
    if (!head) return pass(head);
    *out.mutable_head() = std::move(*head);
    if (const auto under = request.under_revision(); under != 0) {
        if (auto ok = add_under(out, state, request); !ok) return pass(ok);
        return out;
    }
    for (const auto& user : request.users())
        if (auto ok = add_user(*out.add_entries(), state, user, store, now); !ok) return pass(ok);
    for (const auto& hash : request.address_hashes())
        if (auto ok = add_address(*out.add_entries(), state, hash, store, now); !ok) return pass(ok);
    return out;
}

v1::People answer_people(const State& state, std::string_view name, std::string_view unit) {
    const auto wanted_name = folded(name), wanted_unit = folded(unit);
    std::vector<const Person*> found;
    for (const auto& [id, user] : state.users)
        if (folded(user.person.name).starts_with(wanted_name) && folded(user.person.unit).starts_with(wanted_unit))
            found.push_back(&user.person);
    std::sort(found.begin(), found.end(), [](const Person* a, const Person* b) {
        return std::tie(a->name, a->unit, a->address) < std::tie(b->name, b->unit, b->address);
    });
    v1::People out;
    for (const auto* person : found) {
        if (out.persons_size() == kMaxPeople) {
            out.set_more(true);
            break;
        }
        out.add_persons(text(person->record));
    }
    return out;
}

}  // namespace nimes::gateway::directory
