#include "handset.hpp"

namespace nimes::test {

using agent::container::Container;
using agent::container::HomeLock;
using agent::container::PassphraseCost;
using agent::container::Row;
using agent::container::Surroundings;
using agent::container::Table;
using agent::container::Transaction;
using agent::engine::Composed;
using agent::engine::OutboxItem;

Handset::Handset(const Town& town, std::size_t who, std::filesystem::path home, const Clock& clock,
                 RandomSource& random)
    : town_(town), who_(who), home_(std::move(home)), clock_(clock), random_(random), keystore_(home_ / "keystore") {}

Handset::~Handset() = default;

Result<void> Handset::make() {
    auto lock = HomeLock::acquire(home_);
    if (!lock) return pass(lock);
    auto made = Container::create(std::move(*lock), as_bytes(kPassphrase), PassphraseCost::least(),
                                  Surroundings{keystore_, clock_, random_});
    if (!made) return pass(made);
    agent::engine::DoorInfo door;
    door.provisioning = town_.provisioning();
    door.address = person().address;
    door.cert = person().cert;
    agent::container::DoorContent content;
    content.identity_seed = Secret<32>(person().key.secret.view().first(32));
    content.info = door.encode();
    return (*made)->set_door(content);
}

Result<void> Handset::open() {
    auto lock = HomeLock::acquire(home_);
    if (!lock) return pass(lock);
    auto parts = std::make_unique<Parts>(clock_, random_);
    auto box = Container::open(std::move(*lock), Surroundings{keystore_, clock_, random_});
    if (!box) return pass(box);
    parts->core.box = std::move(*box);
    if (auto ok = parts->core.box->unlock(as_bytes(kPassphrase)); !ok) return ok;
    if (auto ok = parts->core.load(); !ok) return ok;
    if (auto ok = parts->outbox.load(); !ok) return ok;
    parts_ = std::move(parts);
    return {};
}

void Handset::close() { parts_.reset(); }

Result<void> Handset::learn() {
    auto& core = parts_->core;
    const auto now = clock_.now();
    const auto step = core.directory->take_head(town_.head(core.directory->head().revision, now), now);
    if (!step) return fail(step.error().code, step.error().detail);
    if (auto ok = core.transact([&](Transaction& tx) { return core.put_head(tx); }); !ok) return ok;
    for (const auto& someone : town_.people) {
        const auto entry = core.directory->take_user(town_.entry(someone, now), someone.user, core.now());
        if (!entry) return fail(entry.error().code, entry.error().detail);
        if (auto ok = core.transact([&](Transaction& tx) { return core.put_entry(tx, **entry); }); !ok) return ok;
        core.stale.erase(someone.user);
    }
    return core.transact([&](Transaction& tx) -> Result<void> {
        for (const auto& key : person().batches.at(Town::day_of(now))) {
            if (key.record.not_before > now + kDay) break;  // of the later ones nothing is opened in this town
            auto secret = key.encode();
            const auto id = std::move(Writer().u32(key.record.key_id)).take();
            auto put = tx.put(Table::seal_keys, id, secret,
                              {agent::container::expiry_day_of(key.record.not_after + 2 * kDay), {}});
            sodium_memzero(secret.data(), secret.size());
            if (!put) return pass(put);
        }
        return {};
    });
}

ConversationId Handset::with(std::size_t other) const { return pair_id(person().user, town_.people[other].user); }

Result<Composed> Handset::say(std::size_t to, const MessageId& id, agent::conversation::Meaning meaning,
                              const BlobId& medium) {
    auto& core = parts_->core;
    if (!core.conversations.contains(with(to))) {
        const auto pair = agent::conversation::pair_conversation(person().user, town_.people[to].user);
        auto stored = core.transact([&](Transaction& tx) { return core.put_conversation(tx, pair); });
        if (!stored) return pass(stored);
    }
    auto composed = parts_->compose.message(with(to), id, std::move(meaning), medium);
    if (!composed) return composed;
    if (auto ok = parts_->outbox.load(); !ok) return pass(ok);
    return composed;
}

std::vector<Row> Handset::rows(Table table) {
    auto tx = parts_->core.box->begin();
    if (!tx) return {};
    auto out = tx->scan(table);
    return out ? std::move(*out) : std::vector<Row>{};
}

std::vector<OutboxItem> Handset::waiting() {
    std::vector<OutboxItem> out;
    for (const auto& row : rows(Table::outbox)) out.push_back(OutboxItem::parse(row.value).value());
    return out;
}

Result<void> Handset::accepted(const MessageId& id) {
    if (auto ok = parts_->outbox.load(); !ok) return ok;
    return parts_->outbox.accepted(id, clock_.now());
}

Result<void> Handset::take(const v1::Envelope& envelope) { return take(std::vector{envelope}); }

Result<void> Handset::take(const std::vector<v1::Envelope>& envelopes) {
    v1::Deliver deliver;
    deliver.mutable_envelopes()->Assign(envelopes.begin(), envelopes.end());
    if (auto ok = parts_->inbox.deliver(deliver); !ok) return ok;
    return parts_->inbox.retry_held();
}

Result<void> Handset::retry() { return parts_->inbox.retry_held(); }

Result<bool> Handset::ask() { return parts_->recovery.ask(); }

}  // namespace nimes::test
