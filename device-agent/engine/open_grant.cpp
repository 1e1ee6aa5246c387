// Of step 8, open: a grant becomes a chain (FORMATS.md 2.6, "Receiver rules").
#include <algorithm>

#include "engine/chains.hpp"
#include "engine/monitor.hpp"
#include "engine/open.hpp"
#include "engine/own_keys.hpp"
#include "engine/put_back.hpp"
#include "sealing/seal_keys.hpp"

namespace nimes::agent::engine {
namespace {

using container::Column;
using container::Table;
using container::Transaction;
using directory::HeldDirectory;
using sealing::ReceivingChain;

constexpr std::size_t kChainsKept = 5;

// A grant of a chain that is here, and whose one-time key went with it. Any other that opens no more is a lost one: its
// chain is asked for when a message of it waits (recovery_missed.cpp).
Result<bool> is_repeated(Transaction& tx, ByteView wire) {
    const auto upload = GrantUpload::parse(wire);
    if (!upload) return false;
    auto chain = find_receiving(tx, upload->header.chain);
    if (!chain) return pass(chain);
    return chain->has_value();
}

}  // namespace

Result<Outcome> Open::grant(Transaction& tx, const v1::Envelope& envelope) {
    std::optional<sealing::OwnSealKey> key;
    Result<void> looked{};
    const auto find = [&](std::uint32_t key_id) -> const sealing::OwnSealKey* {
        auto found = find_seal_key(tx, key_id);
        // The disk's error ends all; one damaged row is a key that is not there.
        if (!found && found.error().code != Errc::undecryptable && found.error().code != Errc::malformed)
            looked = pass(found);
        if (!found || !*found) return nullptr;
        key = std::move(**found);
        return &*key;
    };
    const auto opened = sealing::open_grant(as_bytes(envelope.grant()), find);
    if (!looked) return pass(looked);
    if (!opened) {
        auto repeated = is_repeated(tx, as_bytes(envelope.grant()));
        if (!repeated) return pass(repeated);
        if (!*repeated) core_.failures.refused++;
        return Outcome::dropped;
    }
    const auto& body = opened->body;

    sealing::GrantFacts facts;
    facts.own_user = core_.own().user;
    facts.retention = core_.provisioning->policy.retention;
    const auto sender = sender_of(body.user, body.device, body.dir_revision);
    facts.sender_entry_known = sender.entry_known;
    facts.sender = sender.cert;
    facts.sender_revoke = sender.revoke;
    auto known = conversation_of(tx, envelope);
    if (!known) return pass(known);
    const auto* conversation = *known;
    if (conversation != nullptr && conversation->id == body.conversation) {
        if (const auto* at = conversation->at(body.conv_epoch)) {
            facts.state_at_epoch = at->state;
            facts.roster_at_epoch = &at->roster;
            facts.closed_at_epoch = at->closed;
        }
        facts.roster_now = &conversation->now().roster;
    }
    if (!facts.roster_at_epoch && envelope.users_size() == 0) core_.wanted_events.insert(body.conversation);
    const auto named = named_head(body.dir_revision, body.dir_head);
    if (named == HeldDirectory::Named::verified) {
        facts.head = sealing::GrantFacts::Head::verified;
        facts.head_ts = core_.directory->known(body.dir_revision)->ts;
    } else if (named == HeldDirectory::Named::failed) {
        facts.head = sealing::GrantFacts::Head::failed;
    }
    auto held = find_receiving(tx, opened->header.chain);
    if (!held) return pass(held);
    if (*held) facts.held = &**held;
    auto others =
        tx.find(Table::recv_chains, Column{kColumnOwner, owner_of(body.device, body.conversation, body.resend)});
    if (!others) return pass(others);
    for (const auto& row : *others)
        if (const auto chain = ReceivingChain::parse(row.value))
            facts.highest_chain_no = std::max(facts.highest_chain_no, chain->chain_no);

    const auto verdict = sealing::judge_grant(*opened, facts, core_.now());
    // Is it the grant that is wrong, or our clock? It waits until the two agree.
    if (verdict.outcome == Outcome::dropped && core_.clock_doubted() &&
        sealing::judge_grant(*opened, facts, core_.token_time()).outcome != Outcome::dropped)
        return Outcome::held;
    if (!verdict.alarm.empty())
        if (auto ok = core_.raise_alarm(tx, verdict.alarm); !ok) return pass(ok);
    // Of a chain that is here, it came before.
    if (verdict.outcome == Outcome::dropped && facts.held == nullptr) core_.failures.refused++;
    if (verdict.outcome == Outcome::held || verdict.outcome == Outcome::dropped) return verdict.outcome;
    auto stored = store_chain(tx, *opened, facts, verdict.outcome == Outcome::withheld);
    if (!stored) return stored;
    if (auto ok = Monitor::note(core_, tx, body.dir_revision); !ok) return pass(ok);
    if (key->record.kind != SealKeyKind::one_time) return stored;
    // Used: what a copy of the wrap would be worth ends here.
    if (auto ok = erase_seal_key(tx, key->record.key_id); !ok) return pass(ok);
    put_back_if_lost(tx, core_.one_time_used);
    core_.one_time_used++;
    return stored;
}

Result<Outcome> Open::store_chain(Transaction& tx, const sealing::OpenedGrant& grant, const sealing::GrantFacts& facts,
                                  bool withhold) {
    const auto chain = sealing::accept_grant(grant, facts, withhold);
    if (auto ok = put_receiving(tx, chain, core_.provisioning->policy.retention); !ok) return pass(ok);
    if (facts.held == nullptr && chain.user != core_.own().user) {
        put_back_if_lost(tx, core_.peer_chain_opened, chain.conversation);
        core_.peer_chain_opened[chain.conversation] = core_.now();
    }
    auto all =
        tx.find(Table::recv_chains, Column{kColumnOwner, owner_of(chain.device, chain.conversation, chain.resend)});
    if (!all) return pass(all);
    for (std::size_t i = 0; i + kChainsKept < all->size(); ++i)  // R9: the oldest go
        if (auto gone = tx.erase(Table::recv_chains, (*all)[i].key); !gone) return pass(gone);
    return withhold ? Outcome::withheld : Outcome::opened;
}

}  // namespace nimes::agent::engine
