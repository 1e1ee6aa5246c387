#include "engine/open.hpp"

#include <algorithm>

#include "engine/event_facts.hpp"
#include "engine/own_keys.hpp"
#include "engine/put_back.hpp"

namespace nimes::agent::engine {
namespace {

using container::Transaction;
using directory::HeldDirectory;

template <class IdType>
IdType id_of(const std::string& bytes) {
    return IdType::from(as_bytes(bytes));
}

}  // namespace

// An entry that lacks the device may be older than what names it: then it is looked up again before it is judged.
Open::Sender Open::sender_of(const UserId& user, const DeviceId& device, std::uint64_t under_revision) {
    const auto* held = core_.directory->find(user);
    const auto* cert = held != nullptr ? held->entry.cert(device) : nullptr;
    if (held == nullptr || (cert == nullptr && held->revision < under_revision) || core_.stale.contains(user)) {
        core_.wanted_users.insert(user);
        if (held == nullptr || cert == nullptr) return {};
    }
    return {true, cert, held->entry.revoke(device)};
}

HeldDirectory::Named Open::named_head(std::uint64_t revision, const Digest& hash) {
    const auto named = core_.directory->judge_named(revision, hash);
    if (named != HeldDirectory::Named::unknown) return named;
    core_.want_head(revision);
    return named;
}

Result<const conversation::ConversationState*> Open::conversation_of(Transaction& tx, const v1::Envelope& envelope) {
    const auto id = id_of<ConversationId>(envelope.conversation());
    if (const auto at = core_.conversations.find(id); at != core_.conversations.end()) return &at->second;
    if (envelope.users_size() < 1 || envelope.users_size() > 2) return nullptr;
    // The envelope's users are a hint; the id they give must be the one it names, and we must be one of them.
    const auto a = id_of<UserId>(envelope.users(0)), b = id_of<UserId>(envelope.users(envelope.users_size() - 1));
    if (pair_id(a, b) != id || (a != core_.own().user && b != core_.own().user)) return nullptr;
    if (auto ok = core_.put_conversation(tx, conversation::pair_conversation(a, b)); !ok) return pass(ok);
    // What another device of ours began is shown with the other's name, who may not have said anything here yet.
    for (const auto& user : {a, b})
        if (core_.directory->find(user) == nullptr) core_.wanted_users.insert(user);
    return &core_.conversations.at(id);
}

Result<Outcome> Open::envelope(Transaction& tx, const v1::Envelope& envelope) {
    switch (envelope.payload_case()) {
        case v1::Envelope::kGrant:
            return grant(tx, envelope);
        case v1::Envelope::kMessage:
            return message(tx, envelope);
        case v1::Envelope::kEvent:
            return event(tx, envelope);
        case v1::Envelope::kControl:
            return control(tx, envelope);
        default:
            return Outcome::dropped;
    }
}

// Whether or not it opens: somebody was shown keys that this device replaced long ago (FORMATS.md 2.4). And who asks
// for keys may lack them because of what this device was shown of theirs: it is looked up anew before they are
// answered.
Result<void> Open::note_arrival(Transaction& tx, const v1::Envelope& envelope) {
    if (envelope.payload_case() == v1::Envelope::kControl) {
        const auto sealed = SealedControl::parse(as_bytes(envelope.control()));
        const auto sender = id_of<UserId>(envelope.sender_user());
        if (sealed && sealed->type == ControlType::key_request && core_.directory->find(sender) != nullptr)
            core_.stale.insert(sender);
        return {};
    }
    if (envelope.payload_case() != v1::Envelope::kGrant) return {};
    const auto upload = GrantUpload::parse(as_bytes(envelope.grant()));
    if (!upload || upload->wraps.size() != 1) return {};
    put_back_if_lost(tx, core_.seal_book);
    if (!sealing::note_wrap(core_.seal_book, upload->wraps[0].key_id, core_.now())) return {};
    if (auto ok = Core::put_seal_book(tx, core_.seal_book); !ok) return ok;
    return core_.raise_alarm(tx, "a sender was shown old keys of this device");
}

Result<Outcome> Open::control(Transaction& tx, const v1::Envelope& envelope) {
    const auto sealed = SealedControl::parse(as_bytes(envelope.control()));
    if (!sealed || sealed->receiver != core_.own().device) return Outcome::dropped;
    auto key = find_seal_key(tx, sealed->key_id);
    if (!key) return pass(key);
    if (!*key || (*key)->record.kind != SealKeyKind::day) return Outcome::dropped;
    auto record = open_control(*sealed, (*key)->record.key, (*key)->secret);
    if (!record) return Outcome::dropped;
    if (sealed->type == ControlType::history_offer) {
        const auto offer = HistoryOffer::parse(*record);
        sodium_memzero(record->data(), record->size());
        return offer ? history_.offered(tx, *offer) : Result<Outcome>(Outcome::dropped);
    }
    const auto request = KeyRequest::parse(*record);
    if (!request) return Outcome::dropped;
    return recovery_.requested(tx, *request, id_of<UserId>(envelope.sender_user()));
}

Result<void> Open::signal(Transaction& tx, const v1::Envelope& envelope) {
    v1::Envelope as_message = envelope;
    as_message.set_message(envelope.signal());
    auto outcome = message(tx, as_message);
    if (!outcome) return pass(outcome);
    return {};
}

Result<Outcome> Open::event(Transaction& tx, const v1::Envelope& envelope) {
    const auto event = ConvEvent::parse(as_bytes(envelope.event()));
    if (!event || event->conversation != id_of<ConversationId>(envelope.conversation())) return Outcome::dropped;
    const auto actor = event_facts(core_, *event);
    std::optional<conversation::ConversationState> state;
    if (const auto at = core_.conversations.find(event->conversation); at != core_.conversations.end())
        state = at->second;
    switch (conversation::apply(state, *event, actor)) {
        case conversation::Applied::applied:
            break;
        case conversation::Applied::forked:
            if (auto ok =
                    core_.raise_alarm(tx, "two valid rosters of one group: nothing is sent there until it is mended");
                !ok)
                return pass(ok);
            break;
        case conversation::Applied::held:
            if (actor.entry_known && actor.head != conversation::ActorFacts::Head::unknown)
                core_.wanted_events.insert(event->conversation);  // what it stands on has not come
            return Outcome::held;
        case conversation::Applied::dropped:
            // By itself it counts no more; with what was built on it since it may (confirm.hpp).
            if (actor.revoke != nullptr && (!state || event->epoch > state->epoch) &&
                verify_event(*event, actor.cert->identity))
                core_.wanted_events.insert(event->conversation);
            return Outcome::dropped;
        case conversation::Applied::repeated:
            return Outcome::dropped;
    }
    if (auto ok = core_.put_conversation(tx, *state); !ok) return pass(ok);
    if (auto ok = tell_appointment(core_, tx, *state, *event); !ok) return pass(ok);
    for (const auto& m : state->now().roster)
        if (core_.directory->find(m.user) == nullptr) core_.wanted_users.insert(m.user);
    return Outcome::opened;
}

}  // namespace nimes::agent::engine
