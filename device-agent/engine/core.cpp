#include "engine/core.hpp"

#include <algorithm>
#include <cstdlib>

#include "engine/doubts.hpp"
#include "engine/history.hpp"
#include "engine/monitor.hpp"
#include "engine/put_back.hpp"
#include "engine/trust.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr Millis kKnownHeadsKept = 90 * kDay;
constexpr Millis kBelieved = 10 * kMinute;
constexpr Millis kLatest = 4'102'444'800'000;  // 2100: no server says so by mistake

Bytes id_key(ByteView id) { return to_bytes(id); }

Result<void> load_directory(Core& core, Transaction& tx) {
    const auto& p = *core.provisioning;
    core.directory.emplace(p.keys, p.address_secret.view(), p.head);
    auto heads = tx.scan(Table::heads);
    if (!heads) return pass(heads);
    for (const auto& row : *heads)
        if (auto ok = core.directory->restore_head(row.value); !ok) return ok;
    if (!heads->empty()) core.stored_head = heads->back().id;
    auto entries = tx.scan(Table::contacts);
    if (!entries) return pass(entries);
    for (const auto& row : *entries)
        if (auto ok = core.directory->restore_entry(row.value); !ok) return ok;
    auto fork = tx.get(Table::settings, setting_key(setting::kFork));
    if (!fork) return pass(fork);
    if (*fork) core.directory->restore_fork();
    return {};
}

Result<void> load_conversations(Core& core, Transaction& tx) {
    auto rows = tx.scan(Table::conversations);
    if (!rows) return pass(rows);
    for (const auto& row : *rows) {
        Reader in(row.value);
        ConversationInfo info;
        info.title = std::string(as_text(in.take(in.u16())));
        info.expires_after_s = in.u32();
        info.picture = in.id<BlobId>();
        NewerEpoch newer;
        newer.epoch = in.u64();
        newer.since = in.u64();
        newer.alarmed = in.u8() != 0;
        auto state = conversation::ConversationState::parse(in.take(in.left()));
        if (!state) return pass(state);
        core.infos[state->id] = std::move(info);
        if (newer.epoch > state->epoch) {
            core.newer_epochs[state->id] = newer;
            core.wanted_events.insert(state->id);
        }
        core.conversations[state->id] = std::move(*state);
    }
    return {};
}

Result<void> load_settings(Core& core, Transaction& tx) {
    auto marks = tx.get(Table::settings, setting_key(setting::kMarks));
    if (!marks) return pass(marks);
    if (*marks) {
        Reader in((*marks)->value);
        while (in.left() > 0) {
            const auto lane = in.u8();
            core.marks[lane] = in.u64();
        }
    }
    auto seal = tx.get(Table::settings, setting_key(setting::kSeal));
    if (!seal) return pass(seal);
    if (*seal) {
        auto book = sealing::SealBook::parse((*seal)->value);
        if (!book) return pass(book);
        core.seal_book = std::move(*book);
    }
    auto devices = tx.get(Table::settings, setting_key(setting::kOwnDevices));
    if (!devices) return pass(devices);
    if (*devices)
        for (Reader in((*devices)->value); in.left() > 0;) core.known_own_devices.insert(in.id<DeviceId>());
    auto stale = tx.get(Table::settings, setting_key(setting::kStale));
    if (!stale) return pass(stale);
    if (*stale)
        for (Reader in((*stale)->value); in.left() > 0;) core.stored_stale.insert(in.id<UserId>());
    core.stale.insert(core.stored_stale.begin(), core.stored_stale.end());
    auto revoked = tx.get(Table::settings, setting_key(setting::kRevoked));
    if (!revoked) return pass(revoked);
    if (*revoked) core.shut_out = Errc::device_revoked;
    auto failures = tx.get(Table::settings, setting_key(setting::kFailures));
    if (!failures) return pass(failures);
    if (*failures) {
        Reader in((*failures)->value);
        auto& f = core.failures;
        for (auto* counter : {&f.damaged, &f.unreadable, &f.refused, &f.lost}) *counter = in.u64();
        core.stored_failures = f;
    }
    auto newest = tx.scan(Table::messages, 0, 1, container::Order::newest_first);
    if (!newest) return pass(newest);
    if (!newest->empty()) core.newest_message = newest->front().id;
    return {};
}

}  // namespace

Bytes setting_key(std::string_view name) { return to_bytes(as_bytes(name)); }
ConversationInfo info_of(const conversation::Info& info) {
    return {info.title, info.expires_after_s, info.picture ? info.picture->blob : BlobId{}};
}
Bytes last_digest_key(const DeviceId& device, const ConversationId& conversation) {
    return std::move(Writer().text("last").id(device).id(conversation)).take();
}
Bytes own_digest_key(const ConversationId& conversation) {
    return std::move(Writer().text("own").id(conversation)).take();
}

Result<void> Core::load_door() {
    auto info = box->door_info();
    if (!info && info.error().code == Errc::not_enrolled) return {};
    if (!info) return pass(info);
    auto parsed = DoorInfo::parse(*info);
    if (!parsed) return pass(parsed);
    const auto heard = std::exchange(door.policy, Bytes{});
    door = std::move(*parsed);
    auto read = Provisioning::parse(door.provisioning);
    if (!read) return pass(read);
    provisioning = std::move(*read);
    find_policy(heard);
    directory.emplace(provisioning->keys, provisioning->address_secret.view(), provisioning->head);
    return {};
}

Result<void> Core::load() {
    if (auto ok = load_door(); !ok || !provisioning) return ok;
    auto tx = box->begin();
    if (!tx) return pass(tx);
    if (auto ok = load_directory(*this, *tx); !ok) return ok;
    if (auto ok = load_conversations(*this, *tx); !ok) return ok;
    if (auto ok = load_doubts(*this, *tx); !ok) return ok;
    if (auto ok = load_history_titles(*this, *tx); !ok) return ok;
    if (auto ok = load_trust(*this, *tx); !ok) return ok;
    if (auto ok = Monitor::load(*this, *tx); !ok) return ok;
    return load_settings(*this, *tx);
}

void Core::learn_time(Millis server) {
    if (server > kLatest) return;
    server_at_boot_ = static_cast<std::int64_t>(server) - static_cast<std::int64_t>(clock.boot());
    knows_time_ = true;
}

std::optional<std::int64_t> Core::clock_offset() const {
    if (!knows_time_) return std::nullopt;
    return static_cast<std::int64_t>(token_time()) - static_cast<std::int64_t>(clock.now());
}

bool Core::clock_doubted() const { return std::abs(clock_offset().value_or(0)) > static_cast<std::int64_t>(kBelieved); }

void Core::want_head(std::uint64_t revision) {
    wanted_heads.insert(revision);
    if (revision > directory->head().revision) wanted_newest_head = true;
}

Millis Core::token_time() const {
    return knows_time_ ? clock.boot() + static_cast<Millis>(server_at_boot_.load()) : clock.now();
}

bool Core::has_passed(Millis since, Millis time) const {
    const auto at = stamp();
    return at >= since + time || since > at + kBelieved;
}

Millis Core::stamp() const {
    const auto time = token_time();
    return directory ? std::max(time, directory->head().ts) : time;
}

// Marks and the newest message's number stay: they say nothing, and the next connection begins there.
void Core::forget() {
    if (provisioning) directory.emplace(provisioning->keys, provisioning->address_secret.view(), provisioning->head);
    stale.clear();
    stored_stale.clear();
    stored_head = 0;
    found_people.clear();
    known_own_devices.clear();
    monitored.clear();
    own_alarms.clear();
    scanned = {};
    conversations.clear();
    infos.clear();
    newer_epochs.clear();
    doubted.clear();
    typing.clear();
    erased_media.clear();
    failures = {};
    stored_failures = {};
    peer_chain_opened.clear();
    seal_book = {};
    one_time_left.reset();
    one_time_used = 0;
    one_time = {};
    wanted_users.clear();
    wanted_heads.clear();
    wanted_newest_head = false;
    wanted_events.clear();
}

Millis Core::now() const {
    const auto local = clock_doubted() ? clock.now() : token_time();
    return directory ? std::max(local, directory->head().ts) : local;
}

Result<SigningKeyPair> Core::identity() const { return box->identity(); }

Result<void> Core::store_door() {
    auto held = identity();
    if (!held) return pass(held);
    return store_door(Secret<32>(held->secret.view().first(Secret<32>::size)));
}

Result<void> Core::store_door(const Secret<32>& identity_seed) {
    container::DoorContent content;
    content.identity_seed = identity_seed.copy();
    content.info = door.encode();
    return box->set_door(content);
}

Result<void> Core::transact(const std::function<Result<void>(Transaction&)>& write) {
    auto tx = box->begin();
    if (!tx) return pass(tx);
    if (auto ok = write(*tx); !ok) return ok;
    return tx->commit();
}

void Core::mark_changed(const std::vector<UserId>& users, bool too_many) {
    stale.insert(users.begin(), users.end());
    if (!users.empty() || too_many) found_people.clear();
    if (!too_many || !directory) return;
    for (const auto& [user, entry] : directory->entries()) stale.insert(user);
}

Result<void> Core::raise_alarm(Transaction& tx, std::string_view text) {
    auto put = append_alarm(tx, text);
    if (!put) return pass(put);
    return {};
}
Result<std::uint64_t> Core::append_alarm(Transaction& tx, std::string_view text) {
    return tx.append(Table::alarms, std::move(Writer().u64(clock.now()).text(text)).take());
}

Result<void> Core::put_conversation(Transaction& tx, const conversation::ConversationState& state) {
    put_back_if_lost(tx, conversations, state.id);
    put_back_if_lost(tx, newer_epochs, state.id);
    put_back_if_lost(tx, infos, state.id);
    conversations[state.id] = state;
    if (const auto newer = newer_epochs.find(state.id);
        newer != newer_epochs.end() && newer->second.epoch <= state.epoch)
        newer_epochs.erase(newer);
    if (auto ok = drop_doubt(*this, tx, state); !ok) return ok;
    const auto& info = infos[state.id];
    Writer out;
    out.u16(static_cast<std::uint16_t>(info.title.size())).text(info.title).u32(info.expires_after_s);
    const auto still = newer_epochs.find(state.id);
    const auto wanted = still == newer_epochs.end() ? NewerEpoch{} : still->second;
    out.id(info.picture).u64(wanted.epoch).u64(wanted.since).u8(wanted.alarmed ? 1 : 0).bytes(state.encode());
    auto put = tx.put(Table::conversations, id_key(state.id.view()), out.view());
    if (!put) return pass(put);
    return {};
}

Result<void> Core::put_failures(Transaction& tx) {
    if (failures == stored_failures) return {};
    const auto& f = failures;
    auto put = tx.put(Table::settings, setting_key(setting::kFailures),
                      std::move(Writer().u64(f.damaged).u64(f.unreadable).u64(f.refused).u64(f.lost)).take());
    if (!put) return pass(put);
    put_back_if_lost(tx, stored_failures);
    stored_failures = failures;
    return {};
}

Result<void> Core::put_seal_book(Transaction& tx, const sealing::SealBook& book) {
    auto put = tx.put(Table::settings, setting_key(setting::kSeal), book.encode());
    if (!put) return pass(put);
    return {};
}

Result<void> Core::put_entry(Transaction& tx, const directory::HeldEntry& entry) const {
    auto put = tx.put(Table::contacts, id_key(entry.entry.user.view()), entry.encode());
    if (!put) return pass(put);
    return {};
}

// By revision, so that the newest is restored last; heads before are kept for what still names them.
Result<void> Core::put_head(Transaction& tx) {
    const auto& head = directory->head();
    const auto last_day = expiry_day(head.ts, head.ts) + static_cast<std::uint32_t>(kKnownHeadsKept / kDay);
    if (auto ok = tx.put(Table::heads, head.revision, head.encode(), {last_day, {}}); !ok) return ok;
    put_back_if_lost(tx, stored_head);
    stored_head = head.revision;
    return put_stale(tx);
}

Result<void> Core::put_stale(Transaction& tx) {
    if (stale == stored_stale) return {};
    Writer out;
    for (const auto& user : stale) out.id(user);
    auto put = tx.put(Table::settings, setting_key(setting::kStale), out.view());
    if (!put) return pass(put);
    put_back_if_lost(tx, stored_stale);
    stored_stale = stale;
    return {};
}

std::size_t Core::devices_of(const conversation::ConversationState& state) const {
    std::size_t out = 0;
    for (const auto& member : state.now().roster)
        if (const auto* entry = directory->find(member.user)) out += entry->entry.active_devices(now()).size();
    return out;
}

Result<void> Core::note_newer_epoch(Transaction& tx, const ConversationId& id, std::uint64_t epoch) {
    const auto at = conversations.find(id);
    if (at == conversations.end() || at->second.is_pair() || epoch <= at->second.epoch) return {};
    wanted_events.insert(id);
    put_back_if_lost(tx, newer_epochs, id);
    auto& newer = newer_epochs[id];
    if (newer.epoch >= epoch) return {};
    if (newer.epoch == 0) newer.since = now();
    newer.epoch = epoch;
    return put_conversation(tx, at->second);
}

void Core::note_typing(const ConversationId& conversation, const UserId& user, Millis sent) {
    if (sent + conversation::kSignalLife < now()) return;
    typing[conversation][user] = sent;
    changed.notify_all();
}

std::uint32_t Core::expiry_day(Millis sent, Millis received) const {
    return container::expiry_day_of(std::min(sent, received) + provisioning->policy.retention);
}

}  // namespace nimes::agent::engine
