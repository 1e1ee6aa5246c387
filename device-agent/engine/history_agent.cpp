// Handing a history on, from the outside in: the codes, the offer of the old device, the taking of the new one.
#include <algorithm>

#include "engine/history.hpp"
#include "engine/impl.hpp"
#include "engine/packets.hpp"
#include "engine/roster_fetch.hpp"
#include "media/incoming.hpp"
#include "media/outgoing.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::HistoryMessage;
using conversation::HistoryReader;
using conversation::HistoryRecord;

constexpr std::size_t kBatch = 100;
constexpr Millis kOfferLife = HistoryOffer::kMaxLife;

media::BlobReference reference_of(const HistoryOffer& offer) {
    media::BlobReference out;
    out.blob = offer.blob;
    out.key = offer.key.copy();
    out.plain_length = offer.plain_length;
    out.padded_length = offer.padded_length;
    out.digest = offer.blob_digest;
    return out;
}

HistoryPeer peer_of(const DeviceId& old_device, const DeviceId& new_device, const DeviceCert& new_cert) {
    const auto code = history_code(old_device, new_device, conversation::cert_hash(new_cert));
    return {old_device, new_device, history_code_text(code), code};
}

// What lies in HOME/media only for as long as it is on its way.
struct Passing {
    const std::filesystem::path folder;
    const BlobId blob;
    bool keep = false;
    ~Passing() {
        if (!keep) (void)media::erase(folder, blob);
    }
};

}  // namespace

// The own entry as it is at this moment. Lock held.
Result<void> Agent::Impl::fresh_own_entry(Lock& lock) {
    core.stale.insert(core.own().user);
    return sync->bring_up(lock, {core.own().user});
}

Result<HistoryPeer> Agent::history_code_for(const DeviceId& new_device) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    if (auto ok = impl_->fresh_own_entry(lock); !ok) return pass(ok);
    const auto cert = conversation::judge_history_device(new_device, History(impl_->core).facts());
    if (!cert) return fail(cert.error().code, cert.error().detail);
    return peer_of(impl_->core.own().device, new_device, **cert);
}

Result<std::vector<HistoryPeer>> Agent::history_codes() {
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    if (auto ok = impl_->fresh_own_entry(lock); !ok) return pass(ok);
    History history(core);
    const auto facts = history.facts();
    std::vector<HistoryPeer> out;
    if (facts.entry == nullptr) return out;
    for (const auto& cert : facts.entry->certs) {
        if (cert.device == core.own().device || !conversation::judge_history_device(cert.device, facts)) continue;
        out.push_back(peer_of(cert.device, core.own().device, core.own()));
        out.back().offered = history.find(cert.device).has_value();
    }
    return out;
}

Result<OfferedHistory> Agent::offer_history(const DeviceId& new_device, const std::string& code, std::uint32_t days,
                                            Millis patience, const media::Progress& progress,
                                            const std::stop_token& stop) {
    const auto peer = history_code_for(new_device);
    if (!peer) return fail(peer.error().code, peer.error().detail);
    if (!conversation::same_history_code(code, peer->code))
        return fail(Errc::code_wrong, "compare the codes on both screens; nothing was sent");
    if (auto ok = go_online(); !ok) return pass(ok);
    auto& core = impl_->core;
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    History history(core);
    const auto now = core.now();
    const auto life = days == 0 ? core.provisioning->policy.retention : Millis{days} * kDay;
    conversation::HistoryHead head{core.own().user, core.own().device, new_device, now > life ? now - life : 0, 0, 0};
    auto chosen = history.choose(head);
    if (!chosen) return pass(chosen);
    const auto folder = core.box->home() / "media";
    lock.unlock();
    auto reference = media::seal(folder, ConversationId{}, media::source_of(ByteView(chosen->bundle)),
                                 chosen->bundle.size(), core.random);
    sodium_memzero(chosen->bundle.data(), chosen->bundle.size());
    if (!reference) return pass(reference);
    const Passing passing{folder, reference->blob};
    if (auto ok = media::upload(folder, reference->blob, *impl_->network, progress, stop); !ok) return pass(ok);
    lock.lock();
    const auto id = impl_->post_offer(lock, *reference, head, *peer);
    if (!id) return fail(id.error().code, id.error().detail);
    OfferedHistory out{chosen->conversations, chosen->messages, chosen->cut, true};
    const auto sent = impl_->send_and_wait(lock, *id, patience);
    if (!sent && sent.error().code != Errc::timed_out) return fail(sent.error().code, sent.error().detail);
    out.accepted = sent.has_value();
    return out;
}

// Signed and sealed for the new device, as it stands in the entry now: into the outbox. Lock held.
Result<MessageId> Agent::Impl::post_offer(Lock& lock, const media::BlobReference& blob,
                                          const conversation::HistoryHead& head, const HistoryPeer& peer) {
    if (auto ok = fresh_own_entry(lock); !ok) return pass(ok);
    const auto cert = conversation::judge_history_device(peer.new_device, History(core).facts());
    if (!cert) return fail(cert.error().code, cert.error().detail);
    HistoryOffer offer;
    offer.user = head.user;
    offer.old_device = head.old_device;
    offer.new_device = head.new_device;
    offer.new_cert = conversation::cert_hash(**cert);
    if (history_code(offer.old_device, offer.new_device, offer.new_cert) != peer.full)
        return fail(Errc::forbidden, "the device's certificate is not the one whose code was compared");
    const auto* key = core.directory->find(core.own().user)->seal_key(head.new_device, core.now());
    if (key == nullptr) return fail(Errc::device_stale, "the new device must be online once today");
    auto identity = core.identity();
    if (!identity) return pass(identity);
    offer.blob = blob.blob;
    offer.key = blob.key.copy();
    offer.plain_length = blob.plain_length;
    offer.padded_length = blob.padded_length;
    offer.blob_digest = blob.digest;
    offer.from = head.from;
    offer.issued = core.stamp();
    offer.expires = offer.issued + kOfferLife;
    auto body = offer.body();
    offer.signature = sign_history_offer(identity->secret, body);
    auto record = offer.encode();
    const auto sealed = seal_control(ControlType::history_offer, head.new_device, key->key_id, key->key, record);
    sodium_memzero(body.data(), body.size());
    sodium_memzero(record.data(), record.size());
    const auto pair = conversation::pair_conversation(core.own().user, core.own().user);
    OutboxItem item{core.random.id<MessageId>(), pair.id, false, {}, {}};
    item.up = direct_packet(item.id, pair, Direct::control, head.new_device, sealed);
    auto stored = core.transact([&](Transaction& tx) -> Result<void> {
        auto put = tx.append(Table::outbox, item.encode(), {core.expiry_day(core.now(), core.now()), {}});
        if (!put) return pass(put);
        return {};
    });
    if (!stored) return pass(stored);
    return item.id;
}

Result<TakenHistory> Agent::take_history(const std::string& code, Millis patience, const media::Progress& progress,
                                         const std::stop_token& stop) {
    auto peers = history_codes();
    if (!peers) return pass(peers);
    const auto peer = std::find_if(peers->begin(), peers->end(),
                                   [&](const HistoryPeer& p) { return conversation::same_history_code(code, p.code); });
    if (peer == peers->end()) return fail(Errc::code_wrong, "no device of yours has this code; nothing was taken");
    if (auto ok = go_online(); !ok) return pass(ok);
    auto& core = impl_->core;
    Impl::Visit lock(*impl_);
    const std::stop_callback wake(stop, [&core] { core.changed.notify_all(); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    auto item = History(core).find(peer->old_device);
    while (!item && item.error().code == Errc::not_found && !stop.stop_requested() && !core.shut_out) {
        if (core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
        item = History(core).find(peer->old_device);
    }
    if (!item) return pass(item);
    return impl_->take(lock, *item, progress, stop);
}

Result<void> Agent::Impl::forget(HistoryItem& item, HistoryItem::Stage stage) {
    item.stage = stage;
    item.offer.key = Key{};
    auto done = core.transact([&](Transaction& tx) { return History(core).put(tx, item); });
    (void)media::erase(core.box->home() / "media", item.offer.blob);
    return done;
}

// Fetched, judged as a whole, then imported; each step may be repeated after a crash. Lock held.
Result<TakenHistory> Agent::Impl::take(Lock& lock, HistoryItem& item, const media::Progress& progress,
                                       const std::stop_token& stop) {
    const auto reference = reference_of(item.offer);
    const auto folder = core.box->home() / "media";
    if (item.stage == HistoryItem::Stage::offered) {
        if (auto ok = conversation::judge_history_offer(item.offer, History(core).facts()); !ok) {
            (void)forget(item, HistoryItem::Stage::done);
            return pass(ok);
        }
        lock.unlock();
        auto fetched = media::fetch(folder, reference, *network, progress, stop);
        lock.lock();
        if (!fetched) {
            if (fetched.error().code == Errc::undecryptable) (void)forget(item, HistoryItem::Stage::done);
            return pass(fetched);
        }
        item.stage = HistoryItem::Stage::fetched;
        if (auto ok = core.transact([&](Transaction& tx) { return History(core).put(tx, item); }); !ok) return pass(ok);
    } else if (auto ok = conversation::judge_history_device(item.offer.old_device, History(core).facts()); !ok) {
        (void)forget(item, HistoryItem::Stage::done);  // it began well; the device was revoked since
        return fail(ok.error().code, ok.error().detail);
    }
    auto taken = import_all(lock, item, reference, stop);
    const bool hopeless = !taken && !taken.error().row().retry;
    if (!taken && !hopeless) return pass(taken);
    if (auto ok = forget(item, HistoryItem::Stage::done); !ok && taken) return pass(ok);
    return taken;
}

Result<TakenHistory> Agent::Impl::import_all(Lock& lock, HistoryItem& item, const media::BlobReference& reference,
                                             const std::stop_token& stop) {
    const auto folder = core.box->home() / "media";
    const HistoryReader::Expected expected{core.own().user, item.offer.old_device, core.own().device};
    const auto read = [&](const HistoryReader::Take& take) -> Result<void> {
        HistoryReader reader(expected, take);
        if (auto ok = media::open(folder, reference, [&](ByteView plain) { return reader.feed(plain); }); !ok)
            return ok;
        return reader.finish();
    };
    // First the whole of it is read and nothing done: a bundle with a fault leaves no half behind.
    std::vector<conversation::HistoryConversation> conversations;
    std::set<UserId> senders;
    lock.unlock();
    const auto whole = read([&](HistoryRecord&& record) -> Result<void> {
        if (auto* c = std::get_if<conversation::HistoryConversation>(&record)) conversations.push_back(std::move(*c));
        else if (const auto* m = std::get_if<HistoryMessage>(&record)) senders.insert(m->user);
        return {};
    });
    lock.lock();
    if (!whole) return fail(whole.error().code, whole.error().detail);
    History history(core);
    if (auto ok = history.take_conversations(conversations); !ok) return pass(ok);
    history.want_names(senders);
    (void)RosterFetch(core, *network, *sync)
        .fetch(lock);  // rosters say who was where; without them the device is believed
    (void)sync->fetch_wanted(lock);

    std::vector<HistoryMessage> batch;
    std::uint32_t skip = item.taken;
    lock.unlock();
    const auto flush = [&]() -> Result<void> {
        const Lock again(core.mutex);
        return history.import(item, batch);
    };
    auto imported = read([&](HistoryRecord&& record) -> Result<void> {
        auto* message = std::get_if<HistoryMessage>(&record);
        if (message == nullptr) return {};
        if (skip > 0) {
            --skip;
            return {};
        }
        if (stop.stop_requested()) return fail(Errc::timed_out, "it goes on where it stopped");
        batch.push_back(std::move(*message));
        return batch.size() < kBatch ? Result<void>{} : flush();
    });
    if (imported && !batch.empty()) imported = flush();
    lock.lock();
    if (!imported) return fail(imported.error().code, imported.error().detail);
    return TakenHistory{item.offer.old_device, static_cast<std::uint32_t>(conversations.size()), item.imported,
                        item.taken - item.imported};
}

}  // namespace nimes::agent::engine
