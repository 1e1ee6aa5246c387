#include "mailbox/commit.hpp"

#include <algorithm>
#include <map>

namespace nimes::gateway::mailbox {
namespace {

constexpr std::size_t kExpireAtOnce = 500;

std::string dedupe_key(const MessageId& id) { return "d" + std::string(as_text(id.view())); }
std::string dedupe_time_key(Millis received, const MessageId& id) {
    return "t" + store::key_u64(received) + std::string(as_text(id.view()));
}

}  // namespace

// What one commit is made of, by the order it is written in.
struct Committer::Plan {
    std::vector<store::Batch> conversations;
    std::map<std::uint64_t, store::Batch> bodies;  // by bucket
    std::map<DeviceId, store::Batch> entries;
    std::map<DeviceId, store::Batch> dedupe;               // by sender
    std::map<std::pair<DeviceId, MessageId>, Millis> ids;  // of this very commit: a repeat may stand right behind

    store::Batch& entries_of(const DeviceId& device) {
        return entries.try_emplace(device, Mailboxes::partition(device)).first->second;
    }
    std::vector<store::Batch> take() {
        std::vector<store::Batch> out = std::move(conversations);
        for (auto& [bucket, batch] : bodies) out.push_back(std::move(batch));
        for (auto& [device, batch] : entries) out.push_back(std::move(batch));
        for (auto& [device, batch] : dedupe) out.push_back(std::move(batch));
        return out;
    }
};

std::vector<Outcome> Committer::commit(std::span<const Waiting> waiting, Millis now) {
    Plan work;
    std::vector<Outcome> outcomes;
    outcomes.reserve(waiting.size());
    for (const auto& w : waiting) {
        outcomes.push_back({w.sender, w.submit.id, {}, now, false, {}, {}});
        plan(work, w, outcomes.back(), now);
    }
    const auto batches = work.take();
    if (batches.empty()) return outcomes;
    if (auto stored = store_.commit(batches, store::Sync::yes); !stored) {
        conversations_.forget();
        mailboxes_.forget();
        for (auto& o : outcomes) {
            if (o.accepted) o.accepted = fail(stored.error().code, "nothing was accepted");
            o.delivered.clear();
        }
    }
    return outcomes;
}

void Committer::plan(Plan& work, const Waiting& w, Outcome& outcome, Millis now) {
    const auto user = people_.sender(w.sender);
    if (!user) {
        outcome.accepted = fail(user.error().code);
        return;
    }
    if (const auto at = work.ids.find({w.sender, w.submit.id}); at != work.ids.end()) {
        outcome.received = at->second;
        outcome.repeated = true;
        return;
    }
    const auto repeat = is_repeat(w, outcome);
    if (!repeat) {
        outcome.accepted = fail(repeat.error().code);
        return;
    }
    if (*repeat) return;
    outcome.accepted = in_turn(work, w);
    if (!outcome.accepted) return;
    outcome.accepted = plan_new(work, w, *user, outcome, now);
}

Result<bool> Committer::is_repeat(const Waiting& w, Outcome& outcome) {
    auto stored = store_.get(Mailboxes::partition(w.sender), dedupe_key(w.submit.id));
    if (!stored) return pass(stored);
    if (!*stored) return false;
    outcome.received = store::u64_of(as_text(**stored)).value_or(outcome.received);
    outcome.repeated = true;
    return true;
}

Result<void> Committer::in_turn(const Plan& work, const Waiting& w) {
    const auto& after = w.submit.after;
    if (after.is_zero() || work.ids.contains({w.sender, after})) return {};
    auto before = store_.get(Mailboxes::partition(w.sender), dedupe_key(after));
    if (!before) return pass(before);
    if (!*before) return fail(Errc::held, "the submission before it has not come");
    return {};
}

Result<void> Committer::plan_new(Plan& work, const Waiting& w, const UserId& user, Outcome& outcome, Millis now) {
    const auto& s = w.submit;
    Expansion to;
    if (s.kind == Payload::event) {
        std::vector<UserId> affected;
        const auto event = ConvEvent::parse(s.payload);
        auto batch = conversations_.plan(*event, s.payload, user, affected);
        if (!batch) return pass(batch);
        work.conversations.push_back(std::move(*batch));
        auto expansion = expand_event(affected, w.sender, people_);
        if (!expansion) return pass(expansion);
        to = std::move(*expansion);
    } else {
        auto expansion = expand(s, w.sender, user, people_, conversations_);
        if (!expansion) return pass(expansion);
        to = std::move(*expansion);
        for (const auto& blob : s.media)
            if (auto ok = media_.link(blob, w.sender, now + options_.retention); !ok) return ok;
    }

    const BodyRef ref{now / kHour, w.sender, s.id};
    Body body{s.kind, now, user, s.conversation, s.pair, s.payload};
    if (s.kind == Payload::grant) body.payload.resize(kGrantShared);
    if (auto ok = plan_entries(work, w, to, ref, outcome, now); !ok) return ok;
    work.bodies.try_emplace(ref.bucket, ref.partition()).first->second.put(ref.key(), body.encode());

    auto& dedupe = work.dedupe.try_emplace(w.sender, Mailboxes::partition(w.sender)).first->second;
    dedupe.put(dedupe_key(s.id), to_bytes(as_bytes(store::key_u64(now)))).put(dedupe_time_key(now, s.id), {});
    work.ids[{w.sender, s.id}] = now;
    outcome.missing.insert(outcome.missing.end(), to.missing.begin(), to.missing.end());
    return {};
}

Result<void> Committer::plan_entries(Plan& work, const Waiting& w, const Expansion& to, const BodyRef& ref,
                                     Outcome& outcome, Millis now) {
    std::size_t full = 0;
    for (const auto& d : to.recipients) {
        auto fits =
            mailboxes_.plan(d.device, w.submit.lane, ref, now + options_.retention, d.wrap, work.entries_of(d.device));
        if (!fits) return pass(fits);
        if (*fits) outcome.delivered.push_back(d.device);
        else ++full;  // one full mailbox must not stop a group; its device asks for what it missed
    }
    if (full > 0 && outcome.delivered.empty()) return fail(Errc::mailbox_full);
    if (w.submit.kind == Payload::grant) {
        const auto grant = GrantUpload::parse(w.submit.payload);
        if (!grant->header.resend) {
            store::Batch memory(Conversations::partition(w.submit.conversation));
            conversations_.plan_grant(w.submit.conversation, w.sender, grant->header.chain, outcome.delivered, memory);
            work.conversations.push_back(std::move(memory));
        }
    }
    return {};
}

Result<Millis> Committer::newest_accepted(store::Store& store, const DeviceId& device) {
    auto row = store.last(Mailboxes::partition(device), "t", "u");
    if (!row) return pass(row);
    return *row && (*row)->key.size() > 9 ? store::u64_of((*row)->key.substr(1, 8)).value_or(0) : 0;
}

Result<void> Committer::expire_dedupe(const std::string& name, Millis now) {
    if (now < options_.retention) return {};
    const store::Partition partition{store::Family::mailbox, name};
    auto rows = store_.scan(partition, "t", "t" + store::key_u64(now - options_.retention), kExpireAtOnce);
    if (!rows) return pass(rows);
    if (rows->empty()) return {};
    store::Batch batch(partition);
    for (const auto& row : *rows) batch.erase(row.key).erase("d" + row.key.substr(1 + 8));
    return store_.commit(batch, store::Sync::no);
}

}  // namespace nimes::gateway::mailbox
