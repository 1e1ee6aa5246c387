// Saying something, from the outside in: to whom, what, then compose, outbox, and the wait for the gateway's word.
#include <algorithm>

#include "engine/impl.hpp"

namespace nimes::agent::engine {
namespace {

using conversation::Meaning;

// Readers may react, vote and tell that they read, all of it to the author; what else they say nobody awaits there.
bool readers_may(const Meaning& meaning) {
    return std::holds_alternative<conversation::Reaction>(meaning) ||
           std::holds_alternative<conversation::Vote>(meaning) ||
           std::holds_alternative<conversation::Receipt>(meaning);
}

// With an agent that policy finds too old, too.
bool takes_back(const Meaning& meaning) { return std::holds_alternative<conversation::Delete>(meaning); }

}  // namespace

std::vector<UserId> users_of(const Core& core, const ConversationId& id) {
    std::vector<UserId> out;
    const auto at = core.conversations.find(id);
    if (at == core.conversations.end()) return out;
    for (const auto& m : at->second.now().roster) out.push_back(m.user);
    return out;
}

Result<void> Agent::Impl::send_and_wait(Lock& lock, const MessageId& id, Millis patience) {
    if (auto ok = link->outbox().load(); !ok) return ok;
    link->outbox().flush();
    link->hurry();
    return link->outbox().wait(lock, id, patience);
}

Result<SentMessage> Agent::Impl::say(Lock& lock, const ConversationId& conversation, Meaning meaning,
                                     const MessageId& id, Millis patience) {
    if (auto ok = ready_to_seal(lock, core, *sync, compose, conversation); !ok) return pass(ok);
    auto composed = compose.message(conversation, id, std::move(meaning));
    if (!composed) return pass(composed);
    SentMessage out{id, composed->sequence, composed->devices, composed->stale, true};
    const auto sent = send_and_wait(lock, id, patience);
    if (!sent && sent.error().code != Errc::timed_out) return fail(sent.error().code, sent.error().detail);
    out.accepted = sent.has_value();
    return out;
}

Result<SentMessage> Agent::say(const std::string& to, Meaning meaning, const MessageId& id, Millis patience,
                               Candidates& candidates) {
    if (auto ok = conversation::check(meaning); !ok) return pass(ok);
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready_to_say(); !ok) return pass(ok);
    const auto conversation = impl_->people->conversation(lock, to, candidates);
    if (!conversation) return fail(conversation.error().code, conversation.error().detail);
    return impl_->say(lock, *conversation, std::move(meaning), id, patience);
}

Result<SentMessage> Agent::say_about(std::uint64_t sequence, const AboutMessage& make, const MessageId& id,
                                     Millis patience) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    auto& core = impl_->core;
    const auto shown = message_shown(core, sequence);
    if (!shown) return fail(shown.error().code, shown.error().detail);
    auto meaning = make(*shown);
    if (!meaning) return pass(meaning);
    if (!takes_back(*meaning))
        if (auto ok = impl_->ready_to_say(); !ok) return pass(ok);
    const auto at = core.conversations.find(shown->message.conversation);
    if (at == core.conversations.end()) return fail(Errc::conversation_unknown);
    auto place = act_place(at->second, core.own().user, shown->message.user);
    if (place != at->first) {
        if (!readers_may(*meaning)) return fail(Errc::not_a_member, "readers of a group do not post in it");
        auto pair = pair_with(core, shown->message.user);
        if (!pair) return pass(pair);
        place = *pair;
    }
    return impl_->say(lock, place, std::move(*meaning), id, patience);
}

Result<Agent::Recalled> Agent::wait_recalled(std::uint64_t sequence, Millis patience, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    const std::stop_callback wake(stop, [&core] { core.changed.notify_all(); });
    for (;;) {
        if (!core.enrolled()) return fail(Errc::not_enrolled);
        const auto shown = message_shown(core, sequence);
        if (!shown) return fail(shown.error().code, shown.error().detail);
        auto tx = core.box->begin();
        if (!tx) return pass(tx);
        const auto owed = removals_owed(*tx);
        if (!owed) return fail(owed.error().code, owed.error().detail);
        const Recalled out{shown->recall, *owed};
        if (!out.on_server && (!out.count || out.count->unreachable == 0)) return out;
        if (stop.stop_requested() || core.shut_out) return out;
        { const auto over = std::move(*tx); }  // others write while this waits
        if (core.changed.wait_until(lock, until) == std::cv_status::timeout) return out;
    }
}

Result<void> Agent::typing(const std::string& to, Candidates& candidates) {
    if (auto ok = go_online(); !ok) return ok;
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready_to_say(); !ok) return ok;
    const auto conversation = impl_->people->conversation(lock, to, candidates);
    if (!conversation) return fail(conversation.error().code, conversation.error().detail);
    if (auto ok = ready_to_seal(lock, impl_->core, *impl_->sync, impl_->compose, *conversation); !ok) return ok;
    auto composed = impl_->compose.message(*conversation, impl_->core.random.id<MessageId>(), conversation::Signal{});
    if (!composed) return pass(composed);
    if (auto ok = impl_->link->outbox().load(); !ok) return ok;
    impl_->link->outbox().flush();
    return {};
}

std::vector<Typing> Agent::typing_now() {
    const Impl::Visit lock(*impl_);
    const auto& core = impl_->core;
    std::vector<Typing> out;
    for (const auto& [id, users] : core.typing) {
        const auto at = core.conversations.find(id);
        if (at == core.conversations.end()) continue;
        for (const auto& [user, sent] : users)
            if (sent + conversation::kSignalLife >= core.now())
                out.push_back({id, title_of(core, at->second), name_of(core, user)});
    }
    return out;
}

Result<Shown> Agent::message(std::uint64_t sequence) {
    const Impl::Visit lock(*impl_);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    return message_shown(impl_->core, sequence);
}

bool Agent::wait_quiet(Millis patience, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    Impl::Visit lock(*impl_);
    const std::stop_callback wake(stop, [this] { impl_->core.changed.notify_all(); });
    const auto quiet = [this] {
        if (!impl_->link || impl_->link->outbox().waiting() > 0) return !impl_->link;
        if (!impl_->link->acknowledged()) return false;
        auto tx = impl_->core.box->begin();
        if (!tx) return true;
        for (const auto what : {Due::receipt, Due::report})
            if (const auto rows = messages_due(*tx, what, 1); rows && !rows->empty()) return false;
        return true;
    };
    while (!quiet() && !stop.stop_requested() && !impl_->core.shut_out)
        if (impl_->core.changed.wait_until(lock, until) == std::cv_status::timeout) return quiet();
    return true;
}

Result<void> Agent::mark_shown(const std::vector<std::uint64_t>& sequences, bool read) {
    const Impl::Visit lock(*impl_);
    auto& core = impl_->core;
    return core.transact([&](container::Transaction& tx) -> Result<void> {
        for (const auto sequence : sequences) {
            auto row = message_at(tx, sequence);
            if (!row) return pass(row);
            if (!*row) continue;
            auto& m = (*row)->message;
            const bool owes =
                read && (m.receipt == ReceiptDue::delivered_due || m.receipt == ReceiptDue::delivered_said);
            if (m.shown != 0 && !owes) continue;
            if (m.shown == 0) m.shown = core.now();
            if (owes) m.receipt = ReceiptDue::read_due;
            if (auto put = put_message(tx, m, (*row)->expiry_day); !put) return pass(put);
        }
        return {};
    });
}

}  // namespace nimes::agent::engine
