#include "mailbox/commit.hpp"

#include <map>
#include <unordered_map>

namespace nimes::gateway::mailbox {
namespace {

std::string dedupe_key(const MessageId& id) { return "d" + std::string(as_text(id.view())); }

}  // namespace

// What one commit is made of, by the order it is written in.
struct Committer::Plan {
    std::vector<store::Batch> conversations;
    std::unordered_map<DeviceId, store::Batch> dedupe;  // by sender
    std::unordered_map<DeviceId, store::Batch> entries;
    std::map<std::uint64_t, store::Batch> bodies;          // by bucket
    std::map<std::pair<DeviceId, MessageId>, Millis> ids;  // of this very commit: a repeat may stand right behind

    static store::Batch& of(std::unordered_map<DeviceId, store::Batch>& batches, const DeviceId& device) {
        return batches.try_emplace(device, Mailboxes::partition(device)).first->second;
    }
    std::vector<store::Batch> take(Mailboxes& mailboxes) {
        std::vector<store::Batch> out = std::move(conversations);
        for (auto& [device, batch] : dedupe) out.push_back(std::move(batch));
        for (auto& [device, batch] : entries) {
            mailboxes.plan_next(device, batch);
            out.push_back(std::move(batch));
        }
        for (auto& [bucket, batch] : bodies) out.push_back(std::move(batch));
        return out;
    }
};

std::vector<Outcome> Committer::commit(std::span<const Waiting> waiting, Millis now) {
    const auto opened = open_spans();
    now = spans_.time(now);
    Plan work;
    std::vector<Outcome> outcomes;
    outcomes.reserve(waiting.size());
    for (const auto& w : waiting) {
        auto& outcome = outcomes.emplace_back();
        outcome.sender = w.sender;
        outcome.id = w.submit.id;
        outcome.received = now;
        outcome.lane = w.submit.lane;
        if (opened) plan(work, w, outcome, now);
        else outcome.accepted = fail(opened.error().code, "nothing was accepted");
    }
    auto batches = work.take(mailboxes_);
    const bool something = !batches.empty();
    if (something) batches.push_back(spans_.take(now));
    for (auto& erased : mailboxes_.take_erased()) batches.push_back(std::move(erased));
    if (batches.empty()) return outcomes;
    if (auto stored = store_.commit(batches, something ? store::Sync::yes : store::Sync::no); !stored) {
        conversations_.forget();
        mailboxes_.forget();
        for (auto& o : outcomes) {
            if (o.accepted) o.accepted = fail(stored.error().code, "nothing was accepted");
            o.delivered.clear();
            o.body.reset();
        }
    }
    mailboxes_.rest();
    return outcomes;
}

void Committer::plan(Plan& work, const Waiting& w, Outcome& outcome, Millis now) {
    const auto user = w.organisation ? Result<UserId>(UserId{}) : people_.sender(w.sender);
    if (!user) {
        outcome.accepted = fail(user.error().code);
        return;
    }
    if (const auto at = work.ids.find({w.sender, w.submit.id}); at != work.ids.end()) {
        outcome.received = at->second;
        outcome.repeated = true;
        return;
    }
    const auto before = known(w.sender, w.submit.id, now, outcome.received);
    if (!before) {
        outcome.accepted = fail(before.error().code);
        return;
    }
    outcome.repeated = *before == Known::whole;
    if (outcome.repeated) return;
    outcome.accepted = in_turn(work, w, now);
    if (outcome.accepted) outcome.accepted = plan_new(work, w, *user, *before == Known::half, outcome);
}

Result<void> Committer::open_spans() {
    if (spans_.is_open()) return {};
    return spans_.open(options_.started);
}

const std::vector<Gap>& Committer::gaps() {
    (void)open_spans();  // none are known: nothing is submitted again for that
    return spans_.gaps();
}

// What an earlier try left: nothing, a part of it, or all.
Result<Committer::Known> Committer::known(const DeviceId& sender, const MessageId& id, Millis now, Millis& received) {
    auto stored = store_.get(Mailboxes::partition(sender), dedupe_key(id));
    if (!stored) return pass(stored);
    if (!*stored) return Known::no;
    const auto then = store::u64_of(as_text(**stored)).value_or(0);
    if (then + options_.retention <= now) return Known::expired;
    received = then;
    const BodyRef ref{received / kHour, sender, id};
    auto body = store_.read(ref.partition(), ref.key(), 0, {});
    if (!body) return pass(body);
    return *body ? Known::whole : Known::half;
}

Result<void> Committer::in_turn(const Plan& work, const Waiting& w, Millis now) {
    const auto& after = w.submit.after;
    if (after.is_zero() || work.ids.contains({w.sender, after})) return {};
    Millis received = 0;
    auto before = known(w.sender, after, now, received);
    if (!before) return pass(before);
    if (*before == Known::whole || *before == Known::expired) return {};
    return fail(Errc::held, "the submission before it has not come");
}

Result<void> Committer::plan_new(Plan& work, const Waiting& w, const UserId& user, bool half, Outcome& outcome) {
    const auto& s = w.submit;
    const auto received = outcome.received;
    Expansion to;
    std::optional<Conversations::Planned> change;
    if (s.kind == Payload::event) {
        const auto event = ConvEvent::parse(s.payload);
        auto planned = conversations_.plan(*event, s.payload, user);
        if (!planned) return pass(planned);
        auto expansion = expand_event(planned->affected, w.sender, people_);
        if (!expansion) return pass(expansion);
        change = std::move(*planned);
        to = std::move(*expansion);
    } else {
        auto expansion = expand(s, w.sender, user, people_, conversations_);
        if (!expansion) return pass(expansion);
        to = std::move(*expansion);
        for (const auto& blob : s.media)
            if (auto ok = media_.link(blob, w.sender, received + options_.retention); !ok) return ok;
    }
    if (auto ok = plan_entries(work, w, to, half, outcome); !ok) return ok;
    if (change) {  // a roster counts only with the event that tells of it
        conversations_.took(s.conversation, *change);
        work.conversations.push_back(std::move(change->batch));
    }

    const BodyRef ref{received / kHour, w.sender, s.id};
    Body body{s.kind, received, user, s.conversation, s.pair, s.payload};
    if (s.kind == Payload::grant) body.payload.resize(kGrantShared);
    work.bodies.try_emplace(ref.bucket, ref.partition()).first->second.put(ref.key(), body.encode());
    Plan::of(work.dedupe, w.sender).put(dedupe_key(s.id), as_bytes(store::key_u64(received)));
    work.ids[{w.sender, s.id}] = received;
    if (!outcome.delivered.empty()) outcome.body = std::move(body);
    outcome.missing = std::move(to.missing);
    return {};
}

Result<void> Committer::plan_entries(Plan& work, const Waiting& w, const Expansion& to, bool half, Outcome& outcome) {
    const BodyRef ref{outcome.received / kHour, w.sender, w.submit.id};
    std::size_t full = 0;
    for (const auto& d : to.recipients) {
        auto sequence = half ? mailboxes_.find(d.device, w.submit.lane, ref) : Result<std::uint64_t>(std::uint64_t{0});
        if (sequence && *sequence == 0)
            sequence = mailboxes_.plan(d.device, w.submit.lane, ref, outcome.received + options_.retention, d.wrap,
                                       Plan::of(work.entries, d.device));
        if (!sequence) return pass(sequence);
        if (*sequence == 0) {
            ++full;  // one full mailbox must not stop a group; its device asks for what it missed
            continue;
        }
        outcome.delivered.push_back(d.device);
        outcome.sequences.push_back(*sequence);
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

Result<std::string> Committer::expire_dedupe(const std::string& name, const std::string& from, std::size_t limit,
                                             Millis now) {
    const store::Partition partition{store::Family::mailbox, name};
    auto rows = store_.scan(partition, from.empty() ? "d" : from, "e", limit);
    if (!rows) return pass(rows);
    store::Batch batch(partition);
    for (const auto& row : *rows)
        if (store::u64_of(as_text(row.value)).value_or(0) + options_.retention <= now) batch.erase(row.key);
    if (auto ok = store_.commit(batch, store::Sync::no); !ok) return pass(ok);
    return rows->size() < limit ? std::string{} : rows->back().key + '\0';
}

}  // namespace nimes::gateway::mailbox
