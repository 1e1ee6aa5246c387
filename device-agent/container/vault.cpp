#include "container/vault.hpp"

#include <algorithm>

#include "container/sealed_record.hpp"

namespace nimes::agent::container {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1), salt BLOB NOT NULL, operations INTEGER NOT NULL,
  memory INTEGER NOT NULL, generation INTEGER NOT NULL, day INTEGER NOT NULL, counter INTEGER NOT NULL);
CREATE TABLE slots(slot INTEGER PRIMARY KEY, share INTEGER NOT NULL, commitment BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE keys(kind INTEGER NOT NULL, day INTEGER NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY(kind, day));
CREATE TABLE records(tbl INTEGER NOT NULL, id INTEGER NOT NULL, version INTEGER NOT NULL, key_day INTEGER NOT NULL,
  expiry_day INTEGER NOT NULL, blind BLOB, sealed BLOB NOT NULL, PRIMARY KEY(tbl, id));
CREATE UNIQUE INDEX records_by_key ON records(tbl, blind) WHERE blind IS NOT NULL;
CREATE INDEX records_by_expiry ON records(expiry_day) WHERE expiry_day <> 0;
CREATE INDEX records_by_key_day ON records(key_day);
CREATE TABLE columns(tbl INTEGER NOT NULL, number INTEGER NOT NULL, blind BLOB NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY(tbl, number, blind, id)) WITHOUT ROWID;
CREATE INDEX columns_of_row ON columns(tbl, id);
PRAGMA application_id = 0x4e4d6373;
)";
constexpr std::uint64_t kVersion = 2;
constexpr const char* kVersion2 = R"(
CREATE TABLE arrivals(lane INTEGER NOT NULL, sequence INTEGER NOT NULL, expiry_day INTEGER NOT NULL,
  envelope BLOB NOT NULL, PRIMARY KEY(lane, sequence)) WITHOUT ROWID;
PRAGMA user_version = 2;
)";

Result<void> write_meta(Database& db, const Meta& meta) {
    auto query = db.query(
        "INSERT OR REPLACE INTO meta(id, salt, operations, memory, generation, day, counter) "
        "VALUES(1, ?, ?, ?, ?, ?, ?)");
    if (!query) return pass(query);
    query->bind(ByteView(meta.salt)).bind(meta.cost.operations).bind(meta.cost.memory_bytes);
    return query->bind(meta.generation).bind(meta.day).bind(meta.counter.value).run();
}

struct SlotRow {
    std::uint32_t share = kNoShare;
    Bytes commitment;
    Bytes sealed;
};

Result<std::optional<SlotRow>> read_slot(Database& db, std::uint32_t slot) {
    auto query = db.query("SELECT share, commitment, sealed FROM slots WHERE slot = ?");
    if (!query) return pass(query);
    auto there = query->bind(slot).step();
    if (!there) return pass(there);
    if (!*there) return std::optional<SlotRow>();
    return std::optional(
        SlotRow{static_cast<std::uint32_t>(query->integer(0)), to_bytes(query->blob(1)), to_bytes(query->blob(2))});
}

Result<void> write_slot(Database& db, std::uint32_t slot, std::uint32_t share, ByteView commitment, ByteView sealed) {
    auto query = db.query("INSERT OR REPLACE INTO slots(slot, share, commitment, sealed) VALUES(?, ?, ?, ?)");
    if (!query) return pass(query);
    return query->bind(slot).bind(share).bind(commitment).bind(sealed).run();
}

Result<Secret<32>> fresh_half(Surroundings& around, unsigned place) {
    Secret<32> half;
    around.random.fill(half.edit());
    if (auto stored = around.keystore.store(place, half); !stored) return pass(stored);
    return half;
}

Result<Secret<32>> live_half(Surroundings& around, const Meta& meta) {
    auto half = around.keystore.load(meta.place());
    if (!half && half.error().code == Errc::not_found)
        return fail(Errc::storage, "the keystore's half of the key is gone: this container cannot be opened");
    return half;
}

Share no_share() { return {kNoShare, Secret<32>()}; }

}  // namespace

Result<void> upgrade(Database& db) {
    auto query = db.query("PRAGMA user_version");
    if (!query) return pass(query);
    auto there = query->step();
    if (!there) return pass(there);
    const auto version = query->integer(0);
    query->again();
    if (version == kVersion) return {};
    if (version > kVersion) return fail(Errc::unknown_version, "the container is of a newer version");
    if (auto begun = db.begin(); !begun) return begun;
    auto made = db.execute(kVersion2);
    if (made) made = db.commit();
    if (!made) db.rollback();
    return made;
}

Result<Meta> read_meta(Database& db) {
    auto query = db.query("SELECT salt, operations, memory, generation, day, counter FROM meta WHERE id = 1");
    if (!query) return pass(query);
    auto there = query->step();
    if (!there) return pass(there);
    if (!*there || query->blob(0).size() != Salt().size())
        return fail(Errc::storage, "the container's file is damaged");
    Meta meta;
    std::ranges::copy(query->blob(0), meta.salt.begin());
    meta.cost = {static_cast<std::uint32_t>(query->integer(1)), query->integer(2)};
    meta.generation = query->integer(3);
    meta.day = static_cast<std::uint32_t>(query->integer(4));
    meta.counter.value = query->integer(5);
    return meta;
}

Result<HotKey> Vault::write_secret_slot(Database& db, std::uint32_t slot, const HotKey& root, std::uint32_t share) {
    auto secret = arena_.take();  // S
    if (!secret) return secret;
    around_.random.fill(secret->edit());
    auto slot_key = derive(arena_, 1, root);
    if (!slot_key) return slot_key;
    auto commitment = commitment_of(arena_, root);
    if (!commitment) return pass(commitment);
    const auto sealed = seal_slot(*slot_key, slot, secret->view(), around_.random);
    if (auto done = write_slot(db, slot, share, *commitment, sealed); !done) return pass(done);
    return derive(arena_, 3, *secret);
}

Result<void> Vault::create(Database& db, ByteView passphrase, const PassphraseCost& cost) {
    Meta meta;
    meta.cost = cost;
    meta.day = static_cast<std::uint32_t>(around_.clock.now() / kDay);
    around_.random.fill(meta.salt);
    auto half = fresh_half(around_, meta.place());
    if (!half) return pass(half);
    auto stretched = stretch(arena_, passphrase, meta.salt, cost);
    if (!stretched) return pass(stretched);
    auto keys = door_keys(arena_, *stretched, *half, no_share().bytes);
    if (!keys) return pass(keys);
    if (auto begun = db.begin(); !begun) return begun;
    if (auto made = db.execute(kTables); !made) return made;
    if (auto made = db.execute(kVersion2); !made) return made;
    auto wrapping = write_secret_slot(db, meta.secret_slot(), keys->root, kNoShare);
    if (!wrapping) return pass(wrapping);
    if (auto made = ring_.create(db, std::move(*wrapping), meta.counter, around_.random); !made) return made;
    if (auto done = write_meta(db, meta); !done) return done;
    return db.commit();
}

Result<std::uint32_t> Vault::share_number(Database& db, const Meta& meta) {
    auto slot = read_slot(db, meta.secret_slot());
    if (!slot) return pass(slot);
    if (!*slot) return fail(Errc::storage, "the container's file is damaged");
    return (*slot)->share;
}

Result<void> Vault::enter(Database& db, Meta& meta, ByteView passphrase, std::uint32_t today) {
    auto half = live_half(around_, meta);
    if (!half) return pass(half);
    auto stretched = stretch(arena_, passphrase, meta.salt, meta.cost);
    if (!stretched) return pass(stretched);
    auto number = share_number(db, meta);
    if (!number) return pass(number);
    auto keys = door_keys(arena_, *stretched, *half, no_share().bytes);
    if (!keys) return pass(keys);
    if (*number == kNoShare) {
        if (auto opened = open_secret_slot(db, meta, keys->root, Errc::passphrase_wrong); !opened) return opened;
    } else {
        auto door = read_slot(db, meta.door_slot());
        if (!door) return pass(door);
        if (!*door) return fail(Errc::storage, "the container's file is damaged");
        auto content = open_slot(keys->door, meta.door_slot(), (*door)->sealed);
        if (!content) return fail(Errc::passphrase_wrong);
        const Wiped wiped(std::move(*content));
    }
    door_ = std::move(keys->door);
    stretched_ = std::move(*stretched);
    waits_ = *number != kNoShare;
    return waits_ ? Result<void>() : change_if_due(db, meta, no_share(), today);
}

Result<void> Vault::open_with(Database& db, Meta& meta, const Share& share, std::uint32_t today) {
    if (!waits_) return fail(Errc::locked, "the passphrase comes first");
    auto number = share_number(db, meta);
    if (!number) return pass(number);
    if (*number != share.number) return fail(Errc::proof_invalid, "the gateway's share has another number");
    auto half = live_half(around_, meta);
    if (!half) return pass(half);
    auto keys = door_keys(arena_, stretched_, *half, share.bytes);
    if (!keys) return pass(keys);
    if (auto opened = open_secret_slot(db, meta, keys->root, Errc::proof_invalid); !opened) return opened;
    auto changed = change_if_due(db, meta, share, today);
    if (!changed) return changed;
    waits_ = false;
    stretched_.reset();
    return {};
}

Result<void> Vault::adopt(Database& db, Meta& meta, const Share& share, std::uint32_t today) {
    if (stretched_.empty() || waits_ || share.number == kNoShare) return fail(Errc::locked, "it has a share already");
    if (auto changed = change_slots(db, meta, share, today); !changed) return changed;
    stretched_.reset();
    return {};
}

Result<void> Vault::change_if_due(Database& db, Meta& meta, const Share& share, std::uint32_t today) {
    if (meta.day == today) return {};
    auto changed = change_slots(db, meta, share, today);
    if (!changed && changed.error().code != Errc::disk_full) return changed;
    return {};
}

Result<void> Vault::open_secret_slot(Database& db, const Meta& meta, const HotKey& root, Errc wrong) {
    auto slot = read_slot(db, meta.secret_slot());
    if (!slot) return pass(slot);
    if (!*slot) return fail(Errc::storage, "the container's file is damaged");
    auto commitment = commitment_of(arena_, root);
    if (!commitment) return pass(commitment);
    const auto& stored = (*slot)->commitment;
    if (stored.size() != commitment->size() || sodium_memcmp(stored.data(), commitment->data(), stored.size()) != 0)
        return fail(wrong, wrong == Errc::proof_invalid ? "the gateway's share is not this container's" : "");
    auto slot_key = derive(arena_, 1, root);
    if (!slot_key) return pass(slot_key);
    auto plain = open_slot(*slot_key, meta.secret_slot(), (*slot)->sealed);
    if (!plain) return pass(plain);
    const Wiped wiped(std::move(*plain));
    auto secret = arena_.take(wiped.view());
    if (!secret) return pass(secret);
    auto wrapping = derive(arena_, 3, *secret);
    if (!wrapping) return pass(wrapping);
    return ring_.load(db, std::move(*wrapping));
}

Result<void> Vault::write_new_slots(Database& db, Meta& meta, const DoorKeys& keys, std::uint32_t share,
                                    KeyRing::Renewal& renewal) {
    auto content = open_door(db, meta);
    if (!content) return pass(content);
    if (auto begun = db.begin(); !begun) return begun;
    if (auto emptied = db.execute("DELETE FROM slots"); !emptied) return emptied;
    ++meta.generation;
    auto wrapping = write_secret_slot(db, meta.secret_slot(), keys.root, share);
    if (!wrapping) return pass(wrapping);
    if (*content) {
        if (auto done = write_door_slot(db, meta.door_slot(), keys.door, **content); !done) return done;
    }
    auto renewed = ring_.renew(db, std::move(*wrapping), meta.counter, around_.random);
    if (!renewed) return pass(renewed);
    if (auto done = write_meta(db, meta); !done) return done;
    if (auto done = db.commit(); !done) return done;
    renewal = std::move(*renewed);
    return {};
}

// Until the commit the old half opens the old slots; from it on the new half opens the new ones. The half that opens
// nothing is erased afterwards, and again at every unlock, should the process die in between.
Result<void> Vault::change_slots(Database& db, Meta& meta, const Share& share, std::uint32_t today) {
    Meta next = meta;
    next.day = today;
    auto half = fresh_half(around_, meta.place() ^ 1U);
    if (!half) return pass(half);
    auto keys = door_keys(arena_, stretched_, *half, share.bytes);
    if (!keys) return pass(keys);
    KeyRing::Renewal renewal;
    if (auto done = write_new_slots(db, next, *keys, share.number, renewal); !done) {
        db.rollback();
        return done;
    }
    ring_.adopt(std::move(renewal));
    door_ = std::move(keys->door);
    meta = next;
    return db.truncate_log();
}

void Vault::lock() {
    ring_.clear();
    stretched_.reset();
    waits_ = false;
}

void Vault::shut() {
    lock();
    door_.reset();
}

Result<void> Vault::write_door_slot(Database& db, std::uint32_t slot, const HotKey& door, const DoorContent& content) {
    Writer plain;
    plain.bytes(content.identity_seed.view()).bytes(content.info);
    const Wiped wiped(std::move(plain).take());
    return write_slot(db, slot, kNoShare, {}, seal_slot(door, slot, wiped.view(), around_.random));
}

Result<void> Vault::seal_door(Database& db, const Meta& meta, const DoorContent& content) {
    if (content.info.size() > DoorContent::kMaxInfo) return fail(Errc::too_large, "what the door holds");
    return write_door_slot(db, meta.door_slot(), door_, content);
}

Result<std::optional<DoorContent>> Vault::open_door(Database& db, const Meta& meta) {
    auto slot = read_slot(db, meta.door_slot());
    if (!slot) return pass(slot);
    if (!*slot) return std::optional<DoorContent>();
    auto plain = open_slot(door_, meta.door_slot(), (*slot)->sealed);
    if (!plain) return pass(plain);
    const Wiped wiped(std::move(*plain));
    if (wiped.view().size() < 32) return fail(Errc::undecryptable, "a slot too short");
    return std::optional(DoorContent{Secret<32>(wiped.view().first(32)), to_bytes(wiped.view().subspan(32))});
}

}  // namespace nimes::agent::container
